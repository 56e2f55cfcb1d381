#include "g729/group.h"
#include "g729/in_step.h"
#include "g729/lsp.h"
#include "g729/pitch_open_loop.h"

#include <string.h>

enum { BLUNTEST_Q14 = 3277 /* 0.2 */ };
enum { GAMMA_Q15 = 24576 /* 0.75 */, LOW_PASS_Q15 = 22938 /* 0.7 */ };

/* Speech, low-passed, by A(z / 0.75) (1 - 0.7 z^-1). */
static void add_low_pass(lanes out_q12[G729_ORDER + 1], const lanes weighting_q12[G729_ORDER + 1]) {
    out_q12[0] = lanes_of(4096);
    for (int i = 1; i <= G729_ORDER; i++)
        out_q12[i] = lanes_clamp16(weighting_q12[i] -
                                   (lanes_mul16(weighting_q12[i - 1], lanes_of(LOW_PASS_Q15)) >> 15));
}

/* A.3.3: the residual, and from it weighted speech, low-passed: by 1 / (A(z / 0.75) (1 - 0.7 z^-1)). */
static void weigh(struct g729_spectrum *out, const struct g729_group *group) {
    lanes a_q12[G729_SUBFRAMES][G729_ORDER + 1], speech[G729_ORDER + G729_FRAME], y[G729_ORDER + G729_FRAME];
    const int16_t *before[LANES], *after[LANES];
    for (int row = 0; row < LANES; row++) {
        before[row] = group->frame[row]->old_lsp_q15;
        after[row] = group->encoder[row]->quantized_lsp_q15;
    }
    g729_interpolate_filters(a_q12, before, after);
    g729_gather(speech, group, G729_SPEECH - G729_ORDER * sizeof(int16_t), G729_ORDER + G729_FRAME);
    g729_gather(y, group, offsetof(struct g729_encoder, weighting_past), G729_ORDER);
    for (int s = 0; s < G729_SUBFRAMES; s++) {
        lanes low_passed_q12[G729_ORDER + 1];
        g729_expand(out->weighting_q12[s], a_q12[s], GAMMA_Q15);
        add_low_pass(low_passed_q12, out->weighting_q12[s]);
        lanes *residual = out->residual + s * G729_SUBFRAME;
        g729_residual(residual, a_q12[s], speech + s * G729_SUBFRAME, G729_SUBFRAME);
        g729_synthesis(y + s * G729_SUBFRAME, low_passed_q12, residual, G729_SUBFRAME);
    }
    g729_scatter(group, G729_WEIGHTED, y + G729_ORDER, G729_FRAME);
    g729_scatter(group, offsetof(struct g729_encoder, weighting_past), y + G729_FRAME, G729_ORDER);
}

/* The whole lags around the open-loop guess, as a block of seven. */
static struct g729_lag_range around(int open_loop_lag) {
    int first = open_loop_lag - 3 < G729_LAG_MIN ? G729_LAG_MIN : open_loop_lag - 3;
    if (first + 6 > G729_LAG_MAX)
        first = G729_LAG_MAX - 6;
    return (struct g729_lag_range){first, first + 6, 84};
}

/* The lag's code words; then the second subframe looks near the first's. */
static void code_first_lag(struct g729_frame *frame) {
    struct g729_subframe_parameters *out = &frame->parameters.subframe[0];
    out->lag = g729_code_first_lag(frame->lag);
    out->parity = g729_parity(out->lag);
    const int start = g729_second_lag_start(frame->lag.samples);
    frame->range = (struct g729_lag_range){start, start + G729_SECOND_LAG_RANGE, G729_LAG_MAX};
}

static void code_second_lag(struct g729_frame *frame) {
    struct g729_subframe_parameters *out = &frame->parameters.subframe[1];
    out->lag = g729_code_second_lag(frame->lag, frame->range.first);
    out->parity = 0;
}

static void encode_speech(const struct g729_group *group) {
    struct g729_spectrum spectrum;
    weigh(&spectrum, group);
    g729_scatter(group, G729_EXCITATION, spectrum.residual, G729_FRAME);
    for (size_t row = 0; row < group->n; row++)
        group->frame[row]->range = around(g729_open_loop_lag(group->encoder[row]->weighted + G729_LAG_MAX));
    g729_encode_subframe(group, &spectrum, 0);
    for (size_t row = 0; row < group->n; row++)
        code_first_lag(group->frame[row]);
    g729_encode_subframe(group, &spectrum, 1);
    for (size_t row = 0; row < group->n; row++)
        code_second_lag(group->frame[row]);
}

static void subtract(lanes inout[G729_FRAME], const lanes b[G729_FRAME]) {
    for (int i = 0; i < G729_FRAME; i++)
        inout[i] = lanes_clamp16(inout[i] - b[i]);
}

/* B.4: keep the memories as the decoder's noise leaves them. */
static void encode_noise(const struct g729_group *group) {
    struct g729_spectrum spectrum;
    lanes noise[G729_FRAME], y[G729_ORDER + G729_FRAME];
    weigh(&spectrum, group);
    g729_gather(noise, group, G729_EXCITATION, G729_FRAME);
    subtract(spectrum.residual, noise);
    g729_gather(y, group, offsetof(struct g729_encoder, target_past), G729_ORDER);
    for (int s = 0; s < G729_SUBFRAMES; s++)
        g729_synthesis(y + s * G729_SUBFRAME, spectrum.weighting_q12[s],
                       spectrum.residual + s * G729_SUBFRAME, G729_SUBFRAME);
    g729_scatter(group, offsetof(struct g729_encoder, target_past), y + G729_FRAME, G729_ORDER);
    for (size_t row = 0; row < group->n; row++)
        group->encoder[row]->sharpness_q14 = BLUNTEST_Q14;
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

/* B.4: describe a row's noise. */
static void describe_noise(struct g729_encoder *encoder, struct g729_frame *frame, bool first) {
    const struct g729_dtx_context context = {&encoder->lpc, &encoder->lsf, &encoder->taming,
                                             encoder->quantized_lsp_q15,
                                             encoder->excitation + G729_EXCITATION_PAST};
    frame->noise = g729_dtx_frame(&encoder->dtx, &context, first);
    memcpy(encoder->quantized_lsp_q15, encoder->dtx.lsp_q15, sizeof encoder->quantized_lsp_q15);
}

/* What a row's frame is: speech with its spectrum, or noise. */
static void analyse(struct g729_encoder *encoder, struct g729_frame *frame, bool annexb) {
    struct g729_autocorrelation correlation;
    struct g729_prediction prediction;
    int16_t lsp_q15[G729_ORDER];
    const bool first_noise = encoder->vad.was_speech;
    g729_autocorrelate(&correlation, encoder->speech);
    const struct g729_autocorrelation raw = correlation;
    g729_apply_lag_window(&correlation);
    g729_predict(&encoder->lpc, &prediction, correlation.r);
    g729_lsp_of_filter(lsp_q15, prediction.a_q12, encoder->lsp_q15);
    frame->speech = !annexb || is_speech(encoder, &correlation, &prediction, lsp_q15);
    memcpy(frame->old_lsp_q15, encoder->quantized_lsp_q15, sizeof frame->old_lsp_q15);
    if (annexb)
        g729_dtx_observe(&encoder->dtx, &raw, frame->speech);
    if (!frame->speech) {
        describe_noise(encoder, frame, first_noise);
        return;
    }
    g729_dtx_restart(&encoder->dtx);
    g729_quantize_lsp(&encoder->lsf, &frame->parameters.lsf, encoder->quantized_lsp_q15, lsp_q15);
    memcpy(encoder->lsp_q15, lsp_q15, sizeof encoder->lsp_q15);
}

/* Returns the bytes of a row's frame. */
static int32_t pack(uint8_t *out, const struct g729_frame *frame) {
    if (frame->speech) {
        g729_pack_speech(out, &frame->parameters);
        return G729_SPEECH_BYTES;
    }
    if (!frame->noise.send)
        return G729_UNTRANSMITTED;
    g729_pack_sid(out, &frame->noise.sid);
    return G729_SID_BYTES;
}

/* The rows of all that are speech, or that are not. */
static struct g729_group pick(const struct g729_group *all, bool speech) {
    struct g729_group out = {.n = 0};
    for (size_t row = 0; row < all->n; row++)
        if (all->frame[row]->speech == speech) {
            out.encoder[out.n] = all->encoder[row];
            out.frame[out.n++] = all->frame[row];
        }
    for (size_t row = out.n; row < LANES; row++) {
        out.encoder[row] = out.encoder[0];
        out.frame[row] = out.frame[0];
    }
    return out;
}

static void preprocess(const struct g729_group *group, const int16_t *in) {
    struct g729_highpass *state[LANES];
    const int16_t *pcm[LANES];
    int16_t *speech[LANES];
    for (size_t row = 0; row < LANES; row++) {
        state[row] = &group->encoder[row]->highpass;
        speech[row] = group->encoder[row]->speech + G729_WINDOW - G729_FRAME;
        pcm[row] = in + (row < group->n ? row : 0) * G729_FRAME;
    }
    g729_preprocess(state, speech, pcm);
}

static void move_on(struct g729_encoder *encoder) {
    memmove(encoder->speech, encoder->speech + G729_FRAME,
            (G729_WINDOW - G729_FRAME) * sizeof *encoder->speech);
    memmove(encoder->weighted, encoder->weighted + G729_FRAME, G729_LAG_MAX * sizeof *encoder->weighted);
    memmove(encoder->excitation, encoder->excitation + G729_FRAME,
            G729_EXCITATION_PAST * sizeof *encoder->excitation);
}

void g729_encode_in_step(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                         int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    struct g729_frame frames[LANES];
    struct g729_group all = {.n = n};
    for (size_t row = 0; row < LANES; row++) {
        all.encoder[row] = &bank[rows[row < n ? row : 0]];
        all.frame[row] = &frames[row < n ? row : 0];
    }
    preprocess(&all, in);
    for (size_t row = 0; row < n; row++)
        analyse(all.encoder[row], all.frame[row], annexb);
    const struct g729_group speech = pick(&all, true), noise = pick(&all, false);
    if (speech.n > 0)
        encode_speech(&speech);
    if (noise.n > 0)
        encode_noise(&noise);
    for (size_t row = 0; row < n; row++) {
        lengths[row] = pack(out + row * G729_SPEECH_BYTES, &frames[row]);
        move_on(all.encoder[row]);
    }
}
