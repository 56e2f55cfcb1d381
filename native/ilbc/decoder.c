#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

enum { LOST_RUN_CAP = 1000 };

void ilbc_decoder_start(struct ilbc_decoder *decoder, int mode_ms) {
    memset(decoder, 0, sizeof *decoder);
    decoder->mode_ms = (int16_t)mode_ms;
    decoder->pitch_lag = 20;
    decoder->seed = 777;
    decoder->filter_old_q12[0] = 4096;
    decoder->delayed_q12[0][0] = decoder->delayed_q12[1][0] = 4096;
    for (int i = 0; i < ILBC_PERIODS; i++)
        decoder->period_q2[i] = 160;
    memcpy(decoder->lsf_old_q13, ILBC_LSF_MEAN_Q13, sizeof decoder->lsf_old_q13);
}

/* Bits that no encoder sends: conceal rather than believe the others.  Found before any state is touched, so
 * that an impossible vector sounds like any loss; the codec itself, which comes upon it half-way, has to
 * start anew there. */
static bool is_plausible(const struct ilbc_frame *frame, int mode_ms) {
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    const int n_first = ILBC_STATE - mode.state_short;
    if (frame->empty || frame->start < 1 || frame->start > mode.subblocks - 1)
        return false;
    for (int stage = 0; stage < ILBC_STAGES; stage++)
        if (frame->vector[0][stage] >= ilbc_codebook_size(ILBC_MEMORY_FIRST, n_first))
            return false;
    return true;
}

static void decode_residual(int16_t *residual, ilbc_filter_q12 *a_q12, struct ilbc_decoder *decoder,
                            struct ilbc_frame *frame) {
    const struct ilbc_mode mode = ilbc_mode_of(decoder->mode_ms);
    int16_t lsf_q13[2 * ILBC_ORDER];
    ilbc_lsf_dequantise(lsf_q13, frame->lsf, mode.lpc_sets);
    ilbc_filters(a_q12, decoder->lsf_old_q13, lsf_q13, decoder->mode_ms);
    ilbc_start_state(residual + ilbc_state_position(frame, mode.state_short), frame, a_q12[frame->start - 1],
                     mode.state_short);
    ilbc_residual(residual, frame, decoder->mode_ms, NULL, NULL);
}

/* The enhanced residual lags, so the first sub-blocks go through the last frame's last filters. */
static void synthesise(int16_t *restrict out, struct ilbc_decoder *decoder, const int16_t *restrict residual,
                       const ilbc_filter_q12 *a_q12) {
    const struct ilbc_mode mode = ilbc_mode_of(decoder->mode_ms);
    const int delayed = decoder->mode_ms == 20 ? 1 : 2;
    int16_t samples[ILBC_ORDER + ILBC_SAMPLES], *first = samples + ILBC_ORDER;
    memcpy(samples, decoder->synthesis_memory, sizeof decoder->synthesis_memory);
    for (int i = 0; i < mode.subblocks; i++)
        ilbc_synthesise(first + i * ILBC_SUBBLOCK, residual + i * ILBC_SUBBLOCK,
                        i < delayed ? decoder->delayed_q12[i] : a_q12[i - delayed], ILBC_SUBBLOCK);
    memcpy(decoder->synthesis_memory, samples + mode.samples, sizeof decoder->synthesis_memory);
    memcpy(decoder->delayed_q12, a_q12 + mode.subblocks - delayed, (size_t)delayed * sizeof *a_q12);
    ilbc_high_pass_out(out, first, &decoder->high_pass, mode.samples);
}

void ilbc_decode(struct ilbc_decoder *decoder, int16_t *restrict pcm, const uint8_t *restrict bytes) {
    const struct ilbc_mode mode = ilbc_mode_of(decoder->mode_ms);
    const bool after_loss = decoder->lost_run > 0;
    int16_t residual[ILBC_SAMPLES] = {0}, enhanced[ILBC_SAMPLES];
    ilbc_filter_q12 a_q12[ILBC_SUBBLOCKS];
    struct ilbc_frame frame;
    if (bytes)
        ilbc_unpack(&frame, bytes, decoder->mode_ms);
    if (bytes && is_plausible(&frame, decoder->mode_ms)) {
        decoder->lost_run = 0;
        decode_residual(residual, a_q12, decoder, &frame);
        memcpy(decoder->filter_old_q12, a_q12[mode.subblocks - 1], sizeof *a_q12);
    } else {
        decoder->lost_run = (int16_t)min_int(decoder->lost_run + 1, LOST_RUN_CAP);
        ilbc_conceal(residual, decoder);
        for (int i = 0; i < mode.subblocks; i++)
            memcpy(a_q12[i], decoder->filter_old_q12, sizeof *a_q12);
    }
    memcpy(decoder->residual_old, residual, (size_t)mode.samples * sizeof *residual);
    decoder->pitch_lag = (int16_t)ilbc_enhance(enhanced, decoder, residual, after_loss);
    synthesise(pcm, decoder, enhanced, (const ilbc_filter_q12 *)a_q12);
}
