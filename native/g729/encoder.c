#include "g729/fixed.h"
#include "g729/g729.h"
#include "g729/innovation.h"
#include "g729/lsp.h"
#include "g729/pitch_open_loop.h"
#include "g729/pitch_search.h"
#include "g729/tables.h"

#include <string.h>

enum { SUBFRAMES = G729_FRAME / G729_SUBFRAME };
enum { SHARPEST_Q14 = 13017 /* 0.7945 */, BLUNTEST_Q14 = 3277 /* 0.2 */, CLIPPED_Q14 = 15564 /* 0.95 */ };
enum { GAMMA_Q15 = 24576 /* 0.75 */, LOW_PASS_Q15 = 22938 /* 0.7 */ };

/* A subframe on its way through the encoder. */
struct subframe {
    int16_t weighting_q12[G729_ORDER + 1]; /* A(z / 0.75) */
    int16_t h_q12[G729_SUBFRAME];          /* impulse response of its inverse */
    int16_t target[G729_SUBFRAME];
    int16_t pitch[G729_SUBFRAME];    /* the adaptive code vector, filtered */
    int16_t code_q13[G729_SUBFRAME]; /* the fixed code vector */
    int16_t filtered_q12[G729_SUBFRAME];
    struct g729_gains gains;
};

void g729_encoder_reset(struct g729_encoder *encoder) {
    memset(encoder, 0, sizeof *encoder);
    memcpy(encoder->lsp_q15, g729_lsp_start_q15, sizeof encoder->lsp_q15);
    memcpy(encoder->quantized_lsp_q15, g729_lsp_start_q15, sizeof encoder->quantized_lsp_q15);
    encoder->sharpness_q14 = BLUNTEST_Q14;
    g729_lpc_memory_reset(&encoder->lpc);
    g729_lsf_memory_reset(&encoder->lsf);
    g729_gain_memory_reset(&encoder->gain);
    g729_taming_reset(&encoder->taming);
    g729_vad_reset(&encoder->vad);
    g729_dtx_reset(&encoder->dtx);
}

/* A.3.3: weighted speech, low-passed: residual by 1 / (A(z / 0.75) (1 - 0.7 z^-1)). */
static void weight_speech(struct g729_encoder *encoder, const int16_t weighting_q12[G729_ORDER + 1],
                          const int16_t residual[G729_SUBFRAME], int s) {
    int16_t a_q12[G729_ORDER + 1];
    a_q12[0] = 4096;
    for (int i = 1; i <= G729_ORDER; i++)
        a_q12[i] = sub16(weighting_q12[i], mul16(weighting_q12[i - 1], LOW_PASS_Q15));
    g729_synthesis_onwards(encoder->weighted + G729_LAG_MAX + s * G729_SUBFRAME, a_q12, residual,
                           G729_SUBFRAME, encoder->weighting_past);
}

static void impulse_response(struct subframe *sub) {
    static const int16_t silence[G729_ORDER];
    static const int16_t impulse[G729_SUBFRAME] = {4096};
    g729_synthesis(sub->h_q12, sub->weighting_q12, impulse, G729_SUBFRAME, silence);
}

static void filter_pitch(struct subframe *sub, const int16_t *excitation) {
    static const int16_t silence[G729_ORDER];
    g729_synthesis(sub->pitch, sub->weighting_q12, excitation, G729_SUBFRAME, silence);
}

/* 3.9: the scalar products of the gain search that need the filtered code. */
static void correlate_code(struct g729_gain_products *products, const struct subframe *sub) {
    int16_t eighth_q9[G729_SUBFRAME];
    bool saturated;
    for (int i = 0; i < G729_SUBFRAME; i++)
        eighth_q9[i] = (int16_t)(sub->filtered_q12[i] >> 3);
    const int32_t zz = g729_energy(eighth_q9, G729_SUBFRAME, 1, &saturated);
    const int32_t xz = g729_product(sub->target, eighth_q9, G729_SUBFRAME, 1);
    const int32_t yz = g729_product(sub->pitch, eighth_q9, G729_SUBFRAME, 1);
    products->zz = (struct g729_product){round16(shl32(zz, norm32(zz))), (int16_t)(norm32(zz) + 3)};
    products->minus_2xz =
        (struct g729_product){neg16(round16(shl32(xz, norm32(xz)))), (int16_t)(norm32(xz) - 7)};
    products->yz2 = (struct g729_product){round16(shl32(yz, norm32(yz))), (int16_t)(norm32(yz) - 7)};
}

/* 3.10: excitation, and the weighted error that the next subframe's target starts with. */
static void update_memories(struct g729_encoder *encoder, int16_t *excitation, const struct subframe *sub) {
    for (int i = 0; i < G729_SUBFRAME; i++) {
        const int32_t sum =
            mac32(mul32(excitation[i], sub->gains.pitch_q14), sub->code_q13[i], sub->gains.code_q1);
        excitation[i] = round16(shl32(sum, 1));
    }
    for (int j = 0, i = G729_SUBFRAME - G729_ORDER; j < G729_ORDER; i++, j++) {
        const int16_t pitch = high16(shl32(mul32(sub->pitch[i], sub->gains.pitch_q14), 1));
        const int16_t code = high16(shl32(mul32(sub->filtered_q12[i], sub->gains.code_q1), 2));
        encoder->target_past[j] = sub16(sub->target[i], add16(pitch, code));
    }
}

static void encode_innovation(struct g729_encoder *encoder, struct g729_subframe_parameters *out,
                              struct subframe *sub, int lag, int16_t pitch_gain_q14) {
    int16_t rest[G729_SUBFRAME];
    for (int i = 0; i < G729_SUBFRAME; i++)
        rest[i] = sub16(sub->target[i], high16(shl32(mul32(sub->pitch[i], pitch_gain_q14), 1)));
    g729_search_innovation(out, sub->code_q13, sub->filtered_q12, sub->h_q12, rest, lag,
                           encoder->sharpness_q14);
}

/* Returns the lag. */
static struct g729_lag encode_subframe(struct g729_encoder *encoder, struct g729_subframe_parameters *out,
                                       struct subframe *sub, struct g729_lag_range range, int s) {
    int16_t *excitation = encoder->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME;
    struct g729_gain_products products;
    impulse_response(sub);
    g729_synthesis(sub->target, sub->weighting_q12, excitation, G729_SUBFRAME, encoder->target_past);
    const struct g729_lag lag = g729_search_lag(excitation, sub->target, sub->h_q12, range);
    filter_pitch(sub, excitation);
    int16_t pitch_gain_q14 = g729_pitch_gain(&products, sub->target, sub->pitch);
    const bool tame = g729_must_tame(&encoder->taming, lag);
    if (tame && pitch_gain_q14 > CLIPPED_Q14)
        pitch_gain_q14 = CLIPPED_Q14;
    encode_innovation(encoder, out, sub, lag.samples, pitch_gain_q14);
    correlate_code(&products, sub);
    const uint16_t gain = g729_quantize_gains(&encoder->gain, &sub->gains, &products, sub->code_q13, tame);
    out->gain1 = gain >> 4;
    out->gain2 = gain & 15;
    pitch_gain_q14 = sub->gains.pitch_q14;
    encoder->sharpness_q14 = pitch_gain_q14 > SHARPEST_Q14   ? SHARPEST_Q14
                             : pitch_gain_q14 < BLUNTEST_Q14 ? BLUNTEST_Q14
                                                             : pitch_gain_q14;
    update_memories(encoder, excitation, sub);
    g729_taming_update(&encoder->taming, pitch_gain_q14, lag.samples);
    return lag;
}

/* The whole lags around the open-loop guess, as a block of seven. */
static struct g729_lag_range around(int open_loop_lag) {
    int first = open_loop_lag - 3 < G729_LAG_MIN ? G729_LAG_MIN : open_loop_lag - 3;
    if (first + 6 > G729_LAG_MAX)
        first = G729_LAG_MAX - 6;
    return (struct g729_lag_range){first, first + 6, 84};
}

static void encode_speech(struct g729_encoder *encoder, struct g729_speech_parameters *out,
                          const int16_t lsp_q15[G729_ORDER]) {
    int16_t a_q12[SUBFRAMES][G729_ORDER + 1], quantized_q15[G729_ORDER];
    int16_t *excitation = encoder->excitation + G729_EXCITATION_PAST;
    struct subframe sub[SUBFRAMES];
    g729_quantize_lsp(&encoder->lsf, &out->lsf, quantized_q15, lsp_q15);
    g729_interpolate_filters(a_q12, encoder->quantized_lsp_q15, quantized_q15);
    memcpy(encoder->lsp_q15, lsp_q15, sizeof encoder->lsp_q15);
    memcpy(encoder->quantized_lsp_q15, quantized_q15, sizeof quantized_q15);
    for (int s = 0; s < SUBFRAMES; s++) {
        int16_t *residual = excitation + s * G729_SUBFRAME;
        g729_expand(sub[s].weighting_q12, a_q12[s], GAMMA_Q15);
        g729_residual(residual, a_q12[s], encoder->speech + G729_SPEECH_PAST + s * G729_SUBFRAME,
                      G729_SUBFRAME);
        weight_speech(encoder, sub[s].weighting_q12, residual, s);
    }
    const int open_loop_lag = g729_open_loop_lag(encoder->weighted + G729_LAG_MAX);
    const struct g729_lag first =
        encode_subframe(encoder, &out->subframe[0], &sub[0], around(open_loop_lag), 0);
    out->subframe[0].lag = g729_code_first_lag(first);
    out->subframe[0].parity = g729_parity(out->subframe[0].lag);
    const int start = g729_second_lag_start(first.samples);
    const struct g729_lag_range range = {start, start + G729_SECOND_LAG_RANGE, G729_LAG_MAX};
    const struct g729_lag second = encode_subframe(encoder, &out->subframe[1], &sub[1], range, 1);
    out->subframe[1].lag = g729_code_second_lag(second, start);
    out->subframe[1].parity = 0;
}

/* B.4: describe the noise, and keep the memories as the decoder's noise leaves them. */
static struct g729_dtx_result encode_noise(struct g729_encoder *encoder, bool first) {
    int16_t a_q12[SUBFRAMES][G729_ORDER + 1];
    const struct g729_dtx_context context = {&encoder->lpc, &encoder->lsf, &encoder->taming,
                                             encoder->quantized_lsp_q15,
                                             encoder->excitation + G729_EXCITATION_PAST};
    const struct g729_dtx_result result = g729_dtx_frame(&encoder->dtx, &context, first);
    g729_interpolate_filters(a_q12, encoder->quantized_lsp_q15, encoder->dtx.lsp_q15);
    memcpy(encoder->quantized_lsp_q15, encoder->dtx.lsp_q15, sizeof encoder->quantized_lsp_q15);
    for (int s = 0; s < SUBFRAMES; s++) {
        int16_t residual[G729_SUBFRAME], weighting_q12[G729_ORDER + 1];
        g729_residual(residual, a_q12[s], encoder->speech + G729_SPEECH_PAST + s * G729_SUBFRAME,
                      G729_SUBFRAME);
        g729_expand(weighting_q12, a_q12[s], GAMMA_Q15);
        weight_speech(encoder, weighting_q12, residual, s);
        for (int i = 0; i < G729_SUBFRAME; i++)
            residual[i] = sub16(residual[i], context.excitation[s * G729_SUBFRAME + i]);
        g729_synthesis_onwards(residual, weighting_q12, residual, G729_SUBFRAME, encoder->target_past);
    }
    encoder->sharpness_q14 = BLUNTEST_Q14;
    return result;
}

/* Whether the frame is speech, by B.3; without annexb all is. */
static bool is_speech(struct g729_encoder *encoder, const struct g729_autocorrelation *windowed,
                      const struct g729_prediction *prediction, const int16_t lsp_q15[G729_ORDER]) {
    struct g729_vad_input in = {.autocorrelation = windowed,
                                .window = encoder->speech,
                                .reflection_q15 = prediction->reflection_q15[1]};
    g729_normal_lsf_of_lsp(in.lsf_q15, lsp_q15);
    return g729_vad_is_speech(&encoder->vad, &in);
}

static size_t encode_frame(struct g729_encoder *encoder, uint8_t *out, bool annexb) {
    struct g729_autocorrelation correlation;
    struct g729_prediction prediction;
    int16_t lsp_q15[G729_ORDER];
    const bool first_noise = encoder->vad.was_speech;
    g729_autocorrelate(&correlation, encoder->speech);
    const struct g729_autocorrelation raw = correlation;
    g729_apply_lag_window(&correlation);
    g729_predict(&encoder->lpc, &prediction, correlation.r);
    g729_lsp_of_filter(lsp_q15, prediction.a_q12, encoder->lsp_q15);
    const bool speech = !annexb || is_speech(encoder, &correlation, &prediction, lsp_q15);
    if (annexb)
        g729_dtx_observe(&encoder->dtx, &raw, speech);
    if (!speech) {
        const struct g729_dtx_result noise = encode_noise(encoder, first_noise);
        if (noise.send)
            g729_pack_sid(out, &noise.sid);
        return noise.send ? G729_SID_BYTES : G729_UNTRANSMITTED;
    }
    struct g729_speech_parameters parameters;
    g729_dtx_restart(&encoder->dtx);
    encode_speech(encoder, &parameters, lsp_q15);
    g729_pack_speech(out, &parameters);
    return G729_SPEECH_BYTES;
}

size_t g729_encode(struct g729_encoder *encoder, uint8_t out[G729_SPEECH_BYTES], const int16_t in[G729_FRAME],
                   bool annexb) {
    g729_preprocess(&encoder->highpass, encoder->speech + G729_WINDOW - G729_FRAME, in, G729_FRAME);
    const size_t n_bytes = encode_frame(encoder, out, annexb);
    memmove(encoder->speech, encoder->speech + G729_FRAME,
            (G729_WINDOW - G729_FRAME) * sizeof *encoder->speech);
    memmove(encoder->weighted, encoder->weighted + G729_FRAME, G729_LAG_MAX * sizeof *encoder->weighted);
    memmove(encoder->excitation, encoder->excitation + G729_FRAME,
            G729_EXCITATION_PAST * sizeof *encoder->excitation);
    return n_bytes;
}
