#include "g729/fixed.h"
#include "g729/in_step.h"
#include "g729/innovation.h"
#include "g729/lsp.h"
#include "g729/pitch_open_loop.h"
#include "g729/pitch_search.h"
#include "g729/tables.h"

#include <string.h>

enum { SUBFRAMES = G729_FRAME / G729_SUBFRAME };
enum { SHARPEST_Q14 = 13017 /* 0.7945 */, BLUNTEST_Q14 = 3277 /* 0.2 */, CLIPPED_Q14 = 15564 /* 0.95 */ };
enum { GAMMA_Q15 = 24576 /* 0.75 */, LOW_PASS_Q15 = 22938 /* 0.7 */ };

/* A row's frame on its way through the encoder. */
struct frame {
    struct g729_speech_parameters parameters;
    struct g729_dtx_result noise;
    int16_t old_lsp_q15[G729_ORDER]; /* quantised, of the frame before */
    struct g729_lag_range range;
    struct g729_lag lag;
    bool speech;
};

/* Rows in step; the lanes from n on repeat the first row. */
struct group {
    struct g729_encoder *encoder[LANES];
    struct frame *frame[LANES];
    size_t n;
};

/* What all frames of a group have, of both subframes. */
struct spectrum {
    lanes weighting_q12[SUBFRAMES][G729_ORDER + 1]; /* A(z / 0.75) */
    lanes residual[G729_FRAME];
};

/* A subframe on its way through the encoder. */
struct subframe {
    lanes h_q12[G729_SUBFRAME]; /* impulse response of the inverse of the weighting filter */
    lanes target[G729_SUBFRAME];
    lanes pitch[G729_SUBFRAME];        /* the adaptive code vector, filtered */
    lanes filtered_q12[G729_SUBFRAME]; /* the fixed code vector, filtered */
    lanes pitch_gain_q14, code_gain_q1;
    struct g729_gain_products products[LANES];
    struct g729_innovation innovation[LANES];
};

/* The same place in each row. */
static void places(int16_t *out[LANES], const struct group *group, size_t offset) {
    for (int row = 0; row < LANES; row++)
        out[row] = (int16_t *)((char *)group->encoder[row] + offset);
}

static void gather(lanes *out, const struct group *group, size_t offset, size_t n) {
    int16_t *in[LANES];
    places(in, group, offset);
    lanes_gather(out, (const int16_t *const *)in, n);
}

static void scatter(const struct group *group, size_t offset, const lanes *in, size_t n) {
    int16_t *out[LANES];
    places(out, group, offset);
    lanes_scatter(out, in, n);
}

enum {
    EXCITATION = offsetof(struct g729_encoder, excitation) + G729_EXCITATION_PAST * sizeof(int16_t),
    WEIGHTED = offsetof(struct g729_encoder, weighted) + G729_LAG_MAX * sizeof(int16_t),
    SPEECH = offsetof(struct g729_encoder, speech) + G729_SPEECH_PAST * sizeof(int16_t),
};

/* Speech, low-passed, by A(z / 0.75) (1 - 0.7 z^-1). */
static void add_low_pass(lanes out_q12[G729_ORDER + 1], const lanes weighting_q12[G729_ORDER + 1]) {
    out_q12[0] = lanes_of(4096);
    for (int i = 1; i <= G729_ORDER; i++)
        out_q12[i] = lanes_clamp16(weighting_q12[i] -
                                   (lanes_mul16(weighting_q12[i - 1], lanes_of(LOW_PASS_Q15)) >> 15));
}

/* A.3.3: the residual, and from it weighted speech, low-passed: by 1 / (A(z / 0.75) (1 - 0.7 z^-1)). */
static void weigh(struct spectrum *out, const struct group *group) {
    lanes a_q12[SUBFRAMES][G729_ORDER + 1], speech[G729_ORDER + G729_FRAME], y[G729_ORDER + G729_FRAME];
    const int16_t *before[LANES], *after[LANES];
    for (int row = 0; row < LANES; row++) {
        before[row] = group->frame[row]->old_lsp_q15;
        after[row] = group->encoder[row]->quantized_lsp_q15;
    }
    g729_interpolate_filters(a_q12, before, after);
    gather(speech, group, SPEECH - G729_ORDER * sizeof(int16_t), G729_ORDER + G729_FRAME);
    gather(y, group, offsetof(struct g729_encoder, weighting_past), G729_ORDER);
    for (int s = 0; s < SUBFRAMES; s++) {
        lanes low_passed_q12[G729_ORDER + 1];
        g729_expand(out->weighting_q12[s], a_q12[s], GAMMA_Q15);
        add_low_pass(low_passed_q12, out->weighting_q12[s]);
        lanes *residual = out->residual + s * G729_SUBFRAME;
        g729_residual(residual, a_q12[s], speech + s * G729_SUBFRAME, G729_SUBFRAME);
        g729_synthesis(y + s * G729_SUBFRAME, low_passed_q12, residual, G729_SUBFRAME);
    }
    scatter(group, WEIGHTED, y + G729_ORDER, G729_FRAME);
    scatter(group, offsetof(struct g729_encoder, weighting_past), y + G729_FRAME, G729_ORDER);
}

static void respond(lanes h_q12[G729_SUBFRAME], const lanes weighting_q12[G729_ORDER + 1]) {
    const lanes impulse[G729_SUBFRAME] = {{4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096}};
    lanes y[G729_ORDER + G729_SUBFRAME] = {0};
    g729_synthesis(y, weighting_q12, impulse, G729_SUBFRAME);
    memcpy(h_q12, y + G729_ORDER, G729_SUBFRAME * sizeof *h_q12);
}

static void filter_from_rest(lanes out[G729_SUBFRAME], const lanes a_q12[G729_ORDER + 1],
                             const lanes in[G729_SUBFRAME]) {
    lanes y[G729_ORDER + G729_SUBFRAME] = {0};
    g729_synthesis(y, a_q12, in, G729_SUBFRAME);
    memcpy(out, y + G729_ORDER, G729_SUBFRAME * sizeof *out);
}

static void find_target(lanes out[G729_SUBFRAME], const struct group *group,
                        const lanes a_q12[G729_ORDER + 1], const lanes residual[G729_SUBFRAME]) {
    lanes y[G729_ORDER + G729_SUBFRAME];
    gather(y, group, offsetof(struct g729_encoder, target_past), G729_ORDER);
    g729_synthesis(y, a_q12, residual, G729_SUBFRAME);
    memcpy(out, y + G729_ORDER, G729_SUBFRAME * sizeof *out);
}

/* 3.7: the lag of each row, and what it predicts, filtered. */
static void search_pitch(struct subframe *sub, const struct group *group, const lanes a_q12[G729_ORDER + 1],
                         int s) {
    const size_t excitation = EXCITATION + (size_t)s * G729_SUBFRAME * sizeof(int16_t);
    int16_t backwards_rows[LANES][G729_SUBFRAME], *excitation_rows[LANES], *rows[LANES];
    lanes backwards[G729_SUBFRAME], predicted[G729_SUBFRAME];
    g729_filter_backwards(backwards, sub->h_q12, sub->target);
    for (int row = 0; row < LANES; row++)
        rows[row] = backwards_rows[row];
    lanes_scatter(rows, backwards, G729_SUBFRAME);
    places(excitation_rows, group, excitation);
    for (size_t row = 0; row < group->n; row++) {
        struct frame *frame = group->frame[row];
        frame->lag = g729_search_lag(excitation_rows[row], backwards_rows[row], frame->range);
    }
    gather(predicted, group, excitation, G729_SUBFRAME);
    filter_from_rest(sub->pitch, a_q12, predicted);
}

/* What the pitch leaves of the target. */
static void subtract_pitch(lanes out[G729_SUBFRAME], const struct subframe *sub, const lanes *gain_q14) {
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = lanes_clamp16(sub->target[i] - lanes_clamp16(lanes_mul16(sub->pitch[i], *gain_q14) >> 14));
}

/* 3.8 */
static void search_innovation(struct subframe *sub, const struct group *group,
                              const int16_t gain_q14[LANES]) {
    lanes rest[G729_SUBFRAME], gain;
    int lag[LANES];
    int16_t sharpness_q14[LANES];
    for (size_t row = 0; row < LANES; row++) {
        gain[row] = gain_q14[row < group->n ? row : 0];
        lag[row] = group->frame[row]->lag.samples;
        sharpness_q14[row] = group->encoder[row]->sharpness_q14;
    }
    subtract_pitch(rest, sub, &gain);
    g729_search_innovation(sub->innovation, sub->filtered_q12, sub->h_q12, rest, lag, sharpness_q14,
                           group->n);
}

/* 3.9: the scalar products of the gain search that need the filtered code.  Returns the rows that the second
 * and the third may be wrong for. */
static rows_set correlate_code(lanes *zz, lanes *xz, lanes *yz, lanes z_q9[G729_SUBFRAME],
                               const struct subframe *sub) {
    for (int i = 0; i < G729_SUBFRAME; i++)
        z_q9[i] = sub->filtered_q12[i] >> 3;
    *zz = lanes_energy(z_q9, G729_SUBFRAME);
    *xz = lanes_dot(sub->target, z_q9, G729_SUBFRAME);
    *yz = lanes_dot(sub->pitch, z_q9, G729_SUBFRAME);
    const lanes largest =
        lanes_max(lanes_energy(sub->target, G729_SUBFRAME), lanes_energy(sub->pitch, G729_SUBFRAME));
    return lanes_set_of(~lanes_fit(*zz, largest));
}

static int32_t product_saturating(const lanes a[G729_SUBFRAME], const lanes b[G729_SUBFRAME], int row) {
    int32_t sum = 1;
    for (int i = 0; i < G729_SUBFRAME; i++)
        sum = mac32(sum, (int16_t)a[i][row], (int16_t)b[i][row]);
    return sum;
}

static struct g729_product normalized(int32_t sum, int exponent) {
    const int shift = norm32(sum);
    return (struct g729_product){round16(shl32(sum, shift)), (int16_t)(shift + exponent)};
}

static void note_products(struct subframe *sub, size_t n) {
    lanes zz, xz, yz, z_q9[G729_SUBFRAME];
    const rows_set doubtful = correlate_code(&zz, &xz, &yz, z_q9, sub);
    for (size_t row = 0; row < n; row++) {
        struct g729_gain_products *products = &sub->products[row];
        int32_t xz1 = xz[row] + 1, yz1 = yz[row] + 1; /* 1: never zero */
        if (doubtful >> row & 1) {
            xz1 = product_saturating(sub->target, z_q9, (int)row);
            yz1 = product_saturating(sub->pitch, z_q9, (int)row);
        }
        products->zz = normalized(add32(zz[row], 1), 3);
        products->minus_2xz = normalized(xz1, -7);
        products->minus_2xz.mantissa = neg16(products->minus_2xz.mantissa);
        products->yz2 = normalized(yz1, -7);
    }
}

/* 3.9, 3.10: the gains of a row, and the excitation with them. */
static void finish_row(struct subframe *sub, const struct group *group, size_t row, int s, bool tame) {
    struct g729_encoder *encoder = group->encoder[row];
    struct g729_subframe_parameters *out = &group->frame[row]->parameters.subframe[s];
    const struct g729_innovation *innovation = &sub->innovation[row];
    struct g729_gains gains;
    const uint16_t gain =
        g729_quantize_gains(&encoder->gain, &gains, &sub->products[row], innovation->code_q13, tame);
    *out = (struct g729_subframe_parameters){.positions = innovation->positions,
                                             .signs = innovation->signs,
                                             .gain1 = gain >> 4,
                                             .gain2 = gain & 15};
    encoder->sharpness_q14 = gains.pitch_q14 > SHARPEST_Q14   ? SHARPEST_Q14
                             : gains.pitch_q14 < BLUNTEST_Q14 ? BLUNTEST_Q14
                                                              : gains.pitch_q14;
    g729_mix_excitation(encoder->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME, innovation->code_q13,
                        gains);
    g729_taming_update(&encoder->taming, gains.pitch_q14, group->frame[row]->lag.samples);
    sub->pitch_gain_q14[row] = gains.pitch_q14;
    sub->code_gain_q1[row] = gains.code_q1;
}

/* 3.10: the weighted error that the next subframe's target starts with. */
static void find_error(lanes out[G729_ORDER], const struct subframe *sub) {
    for (int j = 0; j < G729_ORDER; j++) {
        const int i = G729_SUBFRAME - G729_ORDER + j;
        const lanes pitch = lanes_clamp16(sub->pitch[i] * sub->pitch_gain_q14 >> 14);
        const lanes code = lanes_clamp16(sub->filtered_q12[i] * sub->code_gain_q1 >> 13);
        out[j] = lanes_clamp16(sub->target[i] - lanes_clamp16(pitch + code));
    }
}

static void encode_subframe(const struct group *group, const struct spectrum *spectrum, int s) {
    const lanes *weighting_q12 = spectrum->weighting_q12[s];
    struct subframe sub;
    lanes error[G729_ORDER];
    int16_t pitch_gain_q14[LANES];
    bool tame[LANES];
    respond(sub.h_q12, weighting_q12);
    find_target(sub.target, group, weighting_q12, spectrum->residual + s * G729_SUBFRAME);
    search_pitch(&sub, group, weighting_q12, s);
    g729_pitch_gains(pitch_gain_q14, sub.products, sub.target, sub.pitch, group->n);
    for (size_t row = 0; row < group->n; row++) {
        tame[row] = g729_must_tame(&group->encoder[row]->taming, group->frame[row]->lag);
        if (tame[row] && pitch_gain_q14[row] > CLIPPED_Q14)
            pitch_gain_q14[row] = CLIPPED_Q14;
    }
    search_innovation(&sub, group, pitch_gain_q14);
    note_products(&sub, group->n);
    for (size_t row = 0; row < group->n; row++)
        finish_row(&sub, group, row, s, tame[row]);
    lanes_repeat(&sub.pitch_gain_q14, group->n);
    lanes_repeat(&sub.code_gain_q1, group->n);
    find_error(error, &sub);
    scatter(group, offsetof(struct g729_encoder, target_past), error, G729_ORDER);
}

/* The whole lags around the open-loop guess, as a block of seven. */
static struct g729_lag_range around(int open_loop_lag) {
    int first = open_loop_lag - 3 < G729_LAG_MIN ? G729_LAG_MIN : open_loop_lag - 3;
    if (first + 6 > G729_LAG_MAX)
        first = G729_LAG_MAX - 6;
    return (struct g729_lag_range){first, first + 6, 84};
}

/* The lag's code words; then the second subframe looks near the first's. */
static void code_first_lag(struct frame *frame) {
    struct g729_subframe_parameters *out = &frame->parameters.subframe[0];
    out->lag = g729_code_first_lag(frame->lag);
    out->parity = g729_parity(out->lag);
    const int start = g729_second_lag_start(frame->lag.samples);
    frame->range = (struct g729_lag_range){start, start + G729_SECOND_LAG_RANGE, G729_LAG_MAX};
}

static void code_second_lag(struct frame *frame) {
    struct g729_subframe_parameters *out = &frame->parameters.subframe[1];
    out->lag = g729_code_second_lag(frame->lag, frame->range.first);
    out->parity = 0;
}

static void encode_speech(const struct group *group) {
    struct spectrum spectrum;
    weigh(&spectrum, group);
    scatter(group, EXCITATION, spectrum.residual, G729_FRAME);
    for (size_t row = 0; row < group->n; row++)
        group->frame[row]->range = around(g729_open_loop_lag(group->encoder[row]->weighted + G729_LAG_MAX));
    encode_subframe(group, &spectrum, 0);
    for (size_t row = 0; row < group->n; row++)
        code_first_lag(group->frame[row]);
    encode_subframe(group, &spectrum, 1);
    for (size_t row = 0; row < group->n; row++)
        code_second_lag(group->frame[row]);
}

static void subtract(lanes inout[G729_FRAME], const lanes b[G729_FRAME]) {
    for (int i = 0; i < G729_FRAME; i++)
        inout[i] = lanes_clamp16(inout[i] - b[i]);
}

/* B.4: keep the memories as the decoder's noise leaves them. */
static void encode_noise(const struct group *group) {
    struct spectrum spectrum;
    lanes noise[G729_FRAME], y[G729_ORDER + G729_FRAME];
    weigh(&spectrum, group);
    gather(noise, group, EXCITATION, G729_FRAME);
    subtract(spectrum.residual, noise);
    gather(y, group, offsetof(struct g729_encoder, target_past), G729_ORDER);
    for (int s = 0; s < SUBFRAMES; s++)
        g729_synthesis(y + s * G729_SUBFRAME, spectrum.weighting_q12[s],
                       spectrum.residual + s * G729_SUBFRAME, G729_SUBFRAME);
    scatter(group, offsetof(struct g729_encoder, target_past), y + G729_FRAME, G729_ORDER);
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
static void describe_noise(struct g729_encoder *encoder, struct frame *frame, bool first) {
    const struct g729_dtx_context context = {&encoder->lpc, &encoder->lsf, &encoder->taming,
                                             encoder->quantized_lsp_q15,
                                             encoder->excitation + G729_EXCITATION_PAST};
    frame->noise = g729_dtx_frame(&encoder->dtx, &context, first);
    memcpy(encoder->quantized_lsp_q15, encoder->dtx.lsp_q15, sizeof encoder->quantized_lsp_q15);
}

/* What a row's frame is: speech with its spectrum, or noise. */
static void analyse(struct g729_encoder *encoder, struct frame *frame, bool annexb) {
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
static int32_t pack(uint8_t *out, const struct frame *frame) {
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
static struct group pick(const struct group *all, bool speech) {
    struct group out = {.n = 0};
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

static void preprocess(const struct group *group, const int16_t *in) {
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
    struct frame frames[LANES];
    struct group all = {.n = n};
    for (size_t row = 0; row < LANES; row++) {
        all.encoder[row] = &bank[rows[row < n ? row : 0]];
        all.frame[row] = &frames[row < n ? row : 0];
    }
    preprocess(&all, in);
    for (size_t row = 0; row < n; row++)
        analyse(all.encoder[row], all.frame[row], annexb);
    const struct group speech = pick(&all, true), noise = pick(&all, false);
    if (speech.n > 0)
        encode_speech(&speech);
    if (noise.n > 0)
        encode_noise(&noise);
    for (size_t row = 0; row < n; row++) {
        lengths[row] = pack(out + row * G729_SPEECH_BYTES, &frames[row]);
        move_on(all.encoder[row]);
    }
}
