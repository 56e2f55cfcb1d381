#include "g729/highpass.h"

#include <stdbool.h>
#include <string.h>

/* 3.1: (0.46363718 - 0.92724705 z^-1 + 0.46363718 z^-2) / (1 - 1.9059465 z^-1 + 0.9114024 z^-2), where the
 * numerator is half of a high pass at 140 Hz. */
static const int16_t pre_b_q12[3] = {1899, -3798, 1899};
static const int16_t pre_a_q12[3] = {4096, 7807, -3733};

/* 4.2.5: a high pass at 100 Hz. */
static const int16_t post_b_q13[3] = {7699, -15398, 7699};
static const int16_t post_a_q13[3] = {8192, 15836, -7667};

/* The order of the five products is the standard's; with saturation it matters. */
static inline int32_t step(const struct g729_highpass *s, int16_t x, const int16_t b[3], const int16_t a[3]) {
    int32_t sum = dpf_mul16(s->y1, a[1]);
    sum = add32(sum, dpf_mul16(s->y2, a[2]));
    sum = mac32(sum, x, b[0]);
    sum = mac32(sum, s->x1, b[1]);
    return mac32(sum, s->x2, b[2]);
}

static inline void push(struct g729_highpass *s, int16_t x, int32_t y) {
    s->x2 = s->x1;
    s->x1 = x;
    s->y2 = s->y1;
    s->y1 = dpf_of(y);
}

static void filter_saturating(struct g729_highpass *state, int32_t *y, const int16_t *in, size_t n,
                              const int16_t b[3], const int16_t a[3], int shift) {
    for (size_t i = 0; i < n; i++) {
        y[i] = shl32(step(state, in[i], b, a), shift);
        push(state, in[i], y[i]);
    }
}

static int32_t split_product(int32_t y, int16_t a) {
    return (y >> 16) * a + ((((y >> 1) & 0x7FFF) * a) >> 15);
}

/* Without saturation; returns whether it was right to leave it out.  In units of 2^31: coefficients of past
 * outputs add up to less than 0.72, so outputs below 0.5 give 0.36 at most; a single input gives 0.24, and
 * where all three give less than 0.13, the first two give less than 0.37.  So no partial sum reaches 1. */
static bool filter_plain(struct g729_highpass *state, int32_t *y, const int16_t *in, size_t n,
                         const int16_t b[3], const int16_t a[3], int shift) {
    enum { EIGHTH = 1 << 28, HALF = 1 << 30 };
    int16_t x[2 + G729_HIGHPASS_SAMPLES] = {state->x2, state->x1};
    int32_t y1 = dpf_value(state->y1), y2 = dpf_value(state->y2);
    uint32_t spill = y1 >= HALF || y1 < -HALF || y2 >= HALF || y2 < -HALF;
    memcpy(x + 2, in, n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i + 2] * b[0] + x[i + 1] * b[1] + x[i] * b[2];
        spill |= (uint32_t)(y[i] < -EIGHTH / 2) | (uint32_t)(y[i] > EIGHTH / 2);
    }
    if (spill)
        return false;
    for (size_t i = 0; i < n; i++) {
        const int32_t sum = 2 * (split_product(y1, a[1]) + split_product(y2, a[2]) + y[i]);
        spill |= ((uint32_t)sum + ((uint32_t)HALF >> shift)) >> (31 - shift);
        y2 = y1;
        y1 = y[i] = (int32_t)((uint32_t)sum << shift);
        if (spill) /* rare, and what follows would be out of bounds */
            return false;
    }
    state->x1 = x[n + 1];
    state->x2 = x[n];
    state->y1 = dpf_of(y1);
    state->y2 = dpf_of(y2);
    return true;
}

static void filter(struct g729_highpass *state, int32_t *y, const int16_t *in, size_t n, const int16_t b[3],
                   const int16_t a[3], int shift) {
    if (!filter_plain(state, y, in, n, b, a, shift))
        filter_saturating(state, y, in, n, b, a, shift);
}

void g729_preprocess(struct g729_highpass *state, int16_t *out, const int16_t *in, size_t n) {
    int32_t y[G729_HIGHPASS_SAMPLES];
    filter(state, y, in, n, pre_b_q12, pre_a_q12, 3);
    for (size_t i = 0; i < n; i++)
        out[i] = round16(y[i]);
}

void g729_postprocess(struct g729_highpass *state, int16_t *out, const int16_t *in, size_t n) {
    int32_t y[G729_HIGHPASS_SAMPLES];
    filter(state, y, in, n, post_b_q13, post_a_q13, 2);
    for (size_t i = 0; i < n; i++)
        out[i] = round16(shl32(y[i], 1));
}
