#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

void ilbc_encoder_start(struct ilbc_encoder *encoder, int mode_ms) {
    memset(encoder, 0, sizeof *encoder);
    encoder->mode_ms = (int16_t)mode_ms;
    memcpy(encoder->lsf_old_q13, ILBC_LSF_MEAN_Q13, sizeof encoder->lsf_old_q13);
    memcpy(encoder->lsf_quantised_old_q13, ILBC_LSF_MEAN_Q13, sizeof encoder->lsf_quantised_old_q13);
}

/* 3.2: the synthesis filters are the decoder's, from what is sent; the weighting filters are not quantised.
 */
static void choose_filters(ilbc_filter_q12 *synthesis_q12, ilbc_filter_q12 *weighting_q12,
                           struct ilbc_encoder *encoder, struct ilbc_frame *frame, const int16_t *samples) {
    const struct ilbc_mode mode = ilbc_mode_of(encoder->mode_ms);
    int16_t lsf_q13[2 * ILBC_ORDER], quantised_q13[2 * ILBC_ORDER];
    ilbc_analyse(lsf_q13, encoder, samples);
    for (int set = 0; set < mode.lpc_sets; set++)
        ilbc_lsf_quantise(frame->lsf + 3 * set, lsf_q13 + ILBC_ORDER * set);
    ilbc_lsf_dequantise(quantised_q13, frame->lsf, mode.lpc_sets);
    ilbc_filters(synthesis_q12, encoder->lsf_quantised_old_q13, quantised_q13, encoder->mode_ms);
    ilbc_filters(weighting_q12, encoder->lsf_old_q13, lsf_q13, encoder->mode_ms);
    for (int i = 0; i < mode.subblocks; i++)
        ilbc_widen(weighting_q12[i], ILBC_CHIRP_WEIGHTING_Q15);
}

/* 3.3 */
static void predict_off(int16_t *restrict residual, struct ilbc_encoder *encoder,
                        const int16_t *restrict samples, const ilbc_filter_q12 *a_q12) {
    const struct ilbc_mode mode = ilbc_mode_of(encoder->mode_ms);
    int16_t padded[ILBC_ORDER + ILBC_SAMPLES];
    memcpy(padded, encoder->analysis_memory, sizeof encoder->analysis_memory);
    memcpy(padded + ILBC_ORDER, samples, (size_t)mode.samples * sizeof *padded);
    for (int i = 0; i < mode.subblocks; i++)
        ilbc_fir(residual + i * ILBC_SUBBLOCK, padded + ILBC_ORDER + i * ILBC_SUBBLOCK, a_q12[i],
                 ILBC_ORDER + 1, ILBC_SUBBLOCK);
    memcpy(encoder->analysis_memory, padded + mode.samples, sizeof encoder->analysis_memory);
}

struct aim {
    const int16_t *residual;
    const ilbc_filter_q12 *weighting_q12; /* of each sub-block */
};

static void choose(void *context, struct ilbc_frame *frame, const struct ilbc_block *block) {
    const struct aim *aim = context;
    int16_t target[ILBC_SUBBLOCK];
    for (int i = 0; i < block->n; i++)
        target[i] = aim->residual[block->position + i * block->direction];
    ilbc_codebook_search(frame->vector[block->number], frame->gain[block->number], target, block->end,
                         aim->weighting_q12[block->position / ILBC_SUBBLOCK], block->memory_length, block->n,
                         block->number);
}

void ilbc_encode(struct ilbc_encoder *encoder, uint8_t *restrict bytes, const int16_t *restrict pcm) {
    const struct ilbc_mode mode = ilbc_mode_of(encoder->mode_ms);
    ilbc_filter_q12 synthesis_q12[ILBC_SUBBLOCKS], weighting_q12[ILBC_SUBBLOCKS];
    int16_t samples[ILBC_SAMPLES], residual[ILBC_SAMPLES], decoded[ILBC_SAMPLES];
    struct ilbc_frame frame = {0};
    ilbc_high_pass_in(samples, pcm, &encoder->high_pass, mode.samples);
    choose_filters(synthesis_q12, weighting_q12, encoder, &frame, samples);
    predict_off(residual, encoder, samples, (const ilbc_filter_q12 *)synthesis_q12);
    ilbc_locate_start(&frame, residual, encoder->mode_ms);
    ilbc_code_start(&frame, residual, (const ilbc_filter_q12 *)synthesis_q12,
                    (const ilbc_filter_q12 *)weighting_q12, encoder->mode_ms);
    ilbc_start_state(decoded + ilbc_state_position(&frame, mode.state_short), &frame,
                     synthesis_q12[frame.start - 1], mode.state_short);
    struct aim aim = {residual, (const ilbc_filter_q12 *)weighting_q12};
    ilbc_residual(decoded, &frame, encoder->mode_ms, choose, &aim);
    ilbc_pack(bytes, &frame, encoder->mode_ms);
}
