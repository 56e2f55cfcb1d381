#include "g729/highpass.h"

/* (b0 + b1 z^-1 + b0 z^-2) / (1 - a1 z^-1 - a2 z^-2), in a format that wants its sum shifted. */
struct coefficients {
    int16_t b0, b1, a1, a2;
    int shift;
};

/* 3.1: (0.46363718 - 0.92724705 z^-1 + 0.46363718 z^-2) / (1 - 1.9059465 z^-1 + 0.9114024 z^-2), where the
 * numerator is half of a high pass at 140 Hz; Q12. */
static const struct coefficients pre = {1899, -3798, 7807, -3733, 3};

/* 4.2.5: a high pass at 100 Hz; Q13. */
static const struct coefficients post = {7699, -15398, 15836, -7667, 2};

enum { PAST = 2 };

/* The order of the five products is the standard's; with saturation it matters. */
static void filter_saturating(lanes *y, const lanes *x, int row, const struct coefficients *c) {
    for (int i = PAST; i < PAST + G729_HIGHPASS_SAMPLES; i++) {
        int32_t sum = dpf_mul16(dpf_of(y[i - 1][row]), c->a1);
        sum = add32(sum, dpf_mul16(dpf_of(y[i - 2][row]), c->a2));
        sum = mac32(sum, (int16_t)x[i][row], c->b0);
        sum = mac32(sum, (int16_t)x[i - 1][row], c->b1);
        sum = mac32(sum, (int16_t)x[i - 2][row], c->b0);
        y[i][row] = shl32(sum, c->shift);
    }
}

LANES_INLINE lanes split_product(lanes y, int a) {
    return lanes_mul16(y >> 16, lanes_of(a)) + (lanes_mul16((y >> 1) & 0x7FFF, lanes_of(a)) >> 15);
}

/* Without saturation; returns the rows for which it was wrong to leave it out.  In units of 2^31:
 * coefficients of past outputs add up to less than 0.72, so outputs below 0.5 give 0.36 at most; a single
 * input gives 0.24, and where all three give less than 0.13, the first two give less than 0.37.  So no
 * partial sum reaches 1.  What is within [-limit, limit) has no bit above those of 2 limit - 1 once limit is
 * added. */
LANES_INLINE rows_set filter_plain(lanes *restrict y, const lanes *restrict x, const struct coefficients *c) {
    enum { SIXTEENTH = 1 << 27, HALF = 1 << 30 };
    const int limit = HALF >> (1 + c->shift);
    lanes y1 = y[1], y2 = y[0];
    wrapping_lanes past = ((wrapping_lanes)y1 + HALF) | ((wrapping_lanes)y2 + HALF), direct = {0}, all = {0};
    for (int i = PAST; i < PAST + G729_HIGHPASS_SAMPLES; i++) {
        const lanes fed = (x[i] + x[i - 2]) * c->b0 + x[i - 1] * c->b1;
        const lanes sum = (lanes)((wrapping_lanes)(fed + split_product(y2, c->a2)) +
                                  (wrapping_lanes)split_product(y1, c->a1));
        direct |= (wrapping_lanes)(fed + SIXTEENTH);
        all |= (wrapping_lanes)sum + (uint32_t)limit;
        y2 = y1;
        y1 = y[i] = (lanes)((wrapping_lanes)sum << (1 + c->shift));
    }
    const wrapping_lanes spilled = past >> 31 | direct >> 28 | all >> (31 - 1 - c->shift);
    return lanes_set_of(lanes_above((lanes)spilled, lanes_of(0)));
}

/* From inputs in x to outputs in y, both after the past; then the past of the next frame is in the states. */
LANES_INLINE void filter(struct g729_highpass *const state[LANES], lanes *restrict y, lanes *restrict x,
                         const struct coefficients *c) {
    for (int row = 0; row < LANES; row++) {
        x[0][row] = state[row]->x2;
        x[1][row] = state[row]->x1;
        y[0][row] = dpf_value(state[row]->y2);
        y[1][row] = dpf_value(state[row]->y1);
    }
    const rows_set wrong = filter_plain(y, x, c);
    for (int row = 0; row < LANES; row++)
        if (wrong >> row & 1)
            filter_saturating(y, x, row, c);
    for (int row = 0; row < LANES; row++) {
        enum { LAST = PAST + G729_HIGHPASS_SAMPLES - 1 };
        *state[row] = (struct g729_highpass){.y1 = dpf_of(y[LAST][row]),
                                             .y2 = dpf_of(y[LAST - 1][row]),
                                             .x1 = (int16_t)x[LAST][row],
                                             .x2 = (int16_t)x[LAST - 1][row]};
    }
}

void g729_preprocess(struct g729_highpass *const state[LANES], int16_t *const out[LANES],
                     const int16_t *const in[LANES]) {
    lanes x[PAST + G729_HIGHPASS_SAMPLES], y[PAST + G729_HIGHPASS_SAMPLES];
    lanes_gather(x + PAST, in, G729_HIGHPASS_SAMPLES);
    filter(state, y, x, &pre);
    for (int i = PAST; i < PAST + G729_HIGHPASS_SAMPLES; i++)
        y[i] = (lanes_min(y[i], lanes_of(INT32_MAX - 0x8000)) + 0x8000) >> 16;
    lanes_scatter(out, y + PAST, G729_HIGHPASS_SAMPLES);
}

void g729_postprocess(struct g729_highpass *const state[LANES], int16_t *const out[LANES],
                      const lanes in[G729_HIGHPASS_SAMPLES]) {
    lanes x[PAST + G729_HIGHPASS_SAMPLES], y[PAST + G729_HIGHPASS_SAMPLES];
    for (int i = 0; i < G729_HIGHPASS_SAMPLES; i++)
        x[PAST + i] = in[i];
    filter(state, y, x, &post);
    for (int i = PAST; i < PAST + G729_HIGHPASS_SAMPLES; i++)
        y[i] = lanes_clamp16(((y[i] >> 1) + 0x2000) >> 14);
    lanes_scatter(out, y + PAST, G729_HIGHPASS_SAMPLES);
}
