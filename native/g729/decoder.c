#include "g729/fixed.h"
#include "g729/g729.h"
#include "g729/innovation.h"
#include "g729/lsp.h"
#include "g729/noise.h"
#include "g729/pitch_lag.h"
#include "g729/tables.h"

#include <string.h>

enum {
    SUBFRAMES = G729_FRAME / G729_SUBFRAME,
    SHARPEST_Q14 = 13017 /* 0.7945 */,
    BLUNTEST_Q14 = 3277 /* 0.2 */
};
enum { LOST_SEED = 21845 };

/* A frame on its way through the decoder. */
struct frame {
    int16_t a_q12[SUBFRAMES][G729_ORDER + 1];
    int lag[SUBFRAMES];
    bool speech;
};

void g729_decoder_reset(struct g729_decoder *decoder) {
    memset(decoder, 0, sizeof *decoder);
    memcpy(decoder->lsp_q15, g729_lsp_start_q15, sizeof decoder->lsp_q15);
    decoder->lag = 60;
    decoder->sharpness_q14 = BLUNTEST_Q14;
    decoder->lost_seed = LOST_SEED;
    decoder->was_speech = true;
    g729_gain_memory_reset(&decoder->gain);
    g729_lsf_decoder_reset(&decoder->lsf);
    g729_comfort_reset(&decoder->comfort);
    g729_postfilter_reset(&decoder->postfilter);
}

bool g729_is_length(int32_t n_bytes) {
    return n_bytes == G729_SPEECH_BYTES || n_bytes == G729_SID_BYTES || n_bytes == G729_UNTRANSMITTED ||
           n_bytes == G729_LOST;
}

/* 4.1.3, 4.4.3: the lag of a subframe; a lost or damaged one is the last whole lag, which then grows by one.
 */
static struct g729_lag next_lag(struct g729_decoder *decoder, const struct g729_subframe_parameters *in,
                                int s, int first_lag) {
    const bool damaged = in && s == 0 && g729_parity(in->lag) != in->parity;
    if (!in || damaged) {
        const struct g729_lag last = {decoder->lag, 0};
        decoder->lag =
            decoder->lag < G729_LAG_MAX ? (int16_t)(decoder->lag + 1) : G729_LAG_MAX; /* it may be 144 */
        return last;
    }
    const struct g729_lag lag =
        s == 0 ? g729_first_lag_of(in->lag) : g729_second_lag_of(in->lag, g729_second_lag_start(first_lag));
    decoder->lag = (int16_t)lag.samples;
    return lag;
}

/* 4.1.4 and 4.1.5: pulses and gains of a subframe; invented if it was lost. */
static void next_code(struct g729_decoder *decoder, int16_t code_q13[G729_SUBFRAME],
                      const struct g729_subframe_parameters *in, int lag) {
    if (in) {
        g729_decode_innovation(code_q13, in->positions, in->signs, lag, decoder->sharpness_q14);
        g729_dequantize_gains(&decoder->gain, &decoder->gains, in->gain1, in->gain2, code_q13);
        return;
    }
    const uint16_t positions = (uint16_t)(g729_random(&decoder->lost_seed) & 0x1FFF);
    const uint16_t signs = (uint16_t)(g729_random(&decoder->lost_seed) & 15);
    g729_decode_innovation(code_q13, positions, signs, lag, decoder->sharpness_q14);
    g729_fade_gains(&decoder->gain, &decoder->gains);
}

/* 4.1.6: excitation through 1/A(z).  If that saturates, all of the excitation is divided by four and filtered
 * again. */
static void synthesize(struct g729_decoder *decoder, const int16_t a_q12[G729_ORDER + 1], int s) {
    int16_t *in = decoder->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME;
    int16_t *out = decoder->speech + G729_ORDER + s * G729_SUBFRAME;
    if (!g729_synthesis(out, a_q12, in, G729_SUBFRAME, out - G729_ORDER))
        return;
    for (int i = 0; i < G729_EXCITATION_PAST + G729_FRAME; i++)
        decoder->excitation[i] = (int16_t)(decoder->excitation[i] >> 2);
    g729_synthesis(out, a_q12, in, G729_SUBFRAME, out - G729_ORDER);
}

static void decode_subframe(struct g729_decoder *decoder, struct frame *frame,
                            const struct g729_subframe_parameters *in, int s) {
    int16_t code_q13[G729_SUBFRAME];
    int16_t *excitation = decoder->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME;
    const struct g729_lag lag = next_lag(decoder, in, s, frame->lag[0]);
    frame->lag[s] = lag.samples;
    g729_predict_long_term(excitation, lag.samples, lag.thirds);
    next_code(decoder, code_q13, in, lag.samples);
    const struct g729_gains gains = decoder->gains;
    for (int i = 0; i < G729_SUBFRAME; i++) {
        const int32_t sum = mac32(mul32(excitation[i], gains.pitch_q14), code_q13[i], gains.code_q1);
        excitation[i] = round16(shl32(sum, 1));
    }
    decoder->sharpness_q14 = gains.pitch_q14 > SHARPEST_Q14   ? SHARPEST_Q14
                             : gains.pitch_q14 < BLUNTEST_Q14 ? BLUNTEST_Q14
                                                              : gains.pitch_q14;
    synthesize(decoder, frame->a_q12[s], s);
}

/* in NULL = the frame was lost. */
static void decode_speech(struct g729_decoder *decoder, struct frame *frame,
                          const struct g729_speech_parameters *in) {
    int16_t lsp_q15[G729_ORDER];
    g729_comfort_restart(&decoder->comfort);
    g729_dequantize_lsp(&decoder->lsf, lsp_q15, in ? &in->lsf : NULL);
    g729_interpolate_filters(frame->a_q12, decoder->lsp_q15, lsp_q15);
    memcpy(decoder->lsp_q15, lsp_q15, sizeof lsp_q15);
    for (int s = 0; s < SUBFRAMES; s++)
        decode_subframe(decoder, frame, in ? &in->subframe[s] : NULL, s);
}

/* in NULL = nothing was transmitted, or what was transmitted was lost. */
static void decode_noise(struct g729_decoder *decoder, struct frame *frame,
                         const struct g729_sid_parameters *in) {
    g729_comfort_frame(&decoder->comfort, &decoder->lsf.memory, decoder->excitation + G729_EXCITATION_PAST,
                       in, decoder->was_speech);
    g729_interpolate_filters(frame->a_q12, decoder->lsp_q15, decoder->comfort.lsp_q15);
    memcpy(decoder->lsp_q15, decoder->comfort.lsp_q15, sizeof decoder->lsp_q15);
    for (int s = 0; s < SUBFRAMES; s++) {
        frame->lag[s] = decoder->lag;
        synthesize(decoder, frame->a_q12[s], s);
    }
    decoder->sharpness_q14 = BLUNTEST_Q14;
}

static void decode_frame(struct g729_decoder *decoder, struct frame *frame, const uint8_t *in,
                         int32_t n_bytes) {
    struct g729_speech_parameters speech;
    struct g729_sid_parameters sid;
    frame->speech = n_bytes == G729_SPEECH_BYTES || (n_bytes == G729_LOST && decoder->was_speech);
    if (n_bytes == G729_SPEECH_BYTES)
        g729_unpack_speech(&speech, in);
    else if (n_bytes == G729_SID_BYTES)
        g729_unpack_sid(&sid, in);
    if (frame->speech)
        decode_speech(decoder, frame, n_bytes == G729_LOST ? NULL : &speech);
    else
        decode_noise(decoder, frame, n_bytes == G729_SID_BYTES ? &sid : NULL);
    if (n_bytes != G729_LOST)
        g729_comfort_remember(&decoder->comfort, decoder->excitation + G729_EXCITATION_PAST);
    decoder->was_speech = frame->speech;
}

void g729_decode(struct g729_decoder *decoder, int16_t out[G729_FRAME], const uint8_t *in, int32_t n_bytes) {
    struct frame frame = {.speech = false};
    int16_t filtered[G729_FRAME];
    decode_frame(decoder, &frame, in, n_bytes);
    for (int s = 0; s < SUBFRAMES; s++)
        g729_postfilter_subframe(&decoder->postfilter, filtered + s * G729_SUBFRAME,
                                 decoder->speech + G729_ORDER + s * G729_SUBFRAME, frame.a_q12[s],
                                 frame.lag[s], frame.speech);
    g729_postprocess(&decoder->highpass, out, filtered, G729_FRAME);
    memmove(decoder->excitation, decoder->excitation + G729_FRAME,
            G729_EXCITATION_PAST * sizeof *decoder->excitation);
    memmove(decoder->speech, decoder->speech + G729_FRAME, G729_ORDER * sizeof *decoder->speech);
}
