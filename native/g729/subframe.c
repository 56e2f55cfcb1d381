#include "g729/fixed.h"
#include "g729/group.h"
#include "g729/innovation.h"

#include <string.h>

enum { SHARPEST_Q14 = 13017 /* 0.7945 */, BLUNTEST_Q14 = 3277 /* 0.2 */, CLIPPED_Q14 = 15564 /* 0.95 */ };

/* What a filter put out, after its past. */
struct outputs {
    lanes y[G729_ORDER + G729_SUBFRAME];
};

/* A subframe on its way through the encoder. */
struct subframe {
    struct outputs of_impulse, of_residual, of_excitation; /* by the inverse of the weighting filter */
    lanes *h_q12, *target, *pitch; /* in there: its response, the target, the adaptive code vector filtered */
    lanes filtered_q12[G729_SUBFRAME]; /* the fixed code vector, filtered */
    lanes pitch_gain_q14, code_gain_q1;
    struct g729_gain_products products[LANES];
    struct g729_innovation innovation[LANES];
};

static lanes *filter_onwards(struct outputs *out, const lanes a_q12[G729_ORDER + 1],
                             const lanes in[G729_SUBFRAME]) {
    g729_synthesis(out->y, a_q12, in, G729_SUBFRAME);
    return out->y + G729_ORDER;
}

static lanes *filter_from_rest(struct outputs *out, const lanes a_q12[G729_ORDER + 1],
                               const lanes in[G729_SUBFRAME]) {
    memset(out->y, 0, G729_ORDER * sizeof *out->y);
    return filter_onwards(out, a_q12, in);
}

/* 3.7: the lag of each row, and what it predicts, filtered. */
static void search_pitch(struct subframe *sub, const struct g729_group *group,
                         const lanes a_q12[G729_ORDER + 1], int s) {
    const size_t excitation = G729_EXCITATION + (size_t)s * G729_SUBFRAME * sizeof(int16_t);
    int16_t backwards_rows[LANES][G729_SUBFRAME], *excitation_rows[LANES], *rows[LANES];
    lanes backwards[G729_SUBFRAME], predicted[G729_SUBFRAME];
    g729_filter_backwards(backwards, sub->h_q12, sub->target);
    for (int row = 0; row < LANES; row++)
        rows[row] = backwards_rows[row];
    lanes_scatter(rows, backwards, G729_SUBFRAME);
    g729_places(excitation_rows, group, excitation);
    for (size_t row = 0; row < group->n; row++) {
        struct g729_frame *frame = group->frame[row];
        frame->lag = g729_search_lag(excitation_rows[row], backwards_rows[row], frame->range);
    }
    g729_gather(predicted, group, excitation, G729_SUBFRAME);
    sub->pitch = filter_from_rest(&sub->of_excitation, a_q12, predicted);
}

/* What the pitch leaves of the target. */
static void subtract_pitch(lanes out[G729_SUBFRAME], const struct subframe *sub, const lanes *gain_q14) {
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = lanes_clamp16(sub->target[i] - lanes_clamp16(lanes_mul16(sub->pitch[i], *gain_q14) >> 14));
}

/* 3.8 */
static void search_innovation(struct subframe *sub, const struct g729_group *group,
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
static void finish_row(struct subframe *sub, const struct g729_group *group, size_t row, int s, bool tame) {
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

void g729_encode_subframe(const struct g729_group *group, const struct g729_spectrum *spectrum, int s) {
    lanes impulse[G729_SUBFRAME] = {lanes_of(4096)};
    const lanes *weighting_q12 = spectrum->weighting_q12[s];
    struct subframe sub;
    lanes error[G729_ORDER];
    int16_t pitch_gain_q14[LANES];
    bool tame[LANES];
    sub.h_q12 = filter_from_rest(&sub.of_impulse, weighting_q12, impulse);
    g729_gather(sub.of_residual.y, group, offsetof(struct g729_encoder, target_past), G729_ORDER);
    sub.target = filter_onwards(&sub.of_residual, weighting_q12, spectrum->residual + s * G729_SUBFRAME);
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
    g729_scatter(group, offsetof(struct g729_encoder, target_past), error, G729_ORDER);
}
