#include "g729/highpass.h"

#include <stdbool.h>

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

/* The same in plain integers: where the inputs are small, or the coefficients' magnitudes say that no sum can
 * reach 2^31, nothing saturates before the shift that follows. */
static inline int32_t plain_step(const struct g729_highpass *s, int16_t x, const int16_t b[3],
                                 const int16_t a[3]) {
    const int32_t past =
        2 * (s->y1.high * a[1] + ((s->y1.low * a[1]) >> 15) + s->y2.high * a[2] + ((s->y2.low * a[2]) >> 15));
    return past + 2 * (x * b[0] + s->x1 * b[1] + s->x2 * b[2]);
}

static inline void push(struct g729_highpass *s, int16_t x, int32_t y) {
    s->x2 = s->x1;
    s->x1 = x;
    s->y2 = s->y1;
    s->y1 = dpf_of(y);
}

/* Outputs weigh 11540 / 32768 at most, inputs 7596 * 2 each: 0.58 * 2^31. */
void g729_preprocess(struct g729_highpass *state, int16_t *out, const int16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int32_t y = shl32(plain_step(state, in[i], pre_b_q12, pre_a_q12), 3);
        push(state, in[i], y);
        out[i] = round16(y);
    }
}

/* Outputs weigh 23503 / 32768, inputs 30796 * 2 each: below 2^31 as long as these are no larger than 9000. */
static bool is_soft(const struct g729_highpass *state, const int16_t *in, size_t n) {
    enum { SOFT = 9000 };
    int largest = 0;
    for (size_t i = 0; i < n; i++) {
        const int magnitude = in[i] < 0 ? -in[i] : in[i];
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest <= SOFT && state->x1 <= SOFT && state->x1 >= -SOFT && state->x2 <= SOFT &&
           state->x2 >= -SOFT;
}

void g729_postprocess(struct g729_highpass *state, int16_t *out, const int16_t *in, size_t n) {
    const bool soft = is_soft(state, in, n);
    for (size_t i = 0; i < n; i++) {
        const int32_t sum = soft ? plain_step(state, in[i], post_b_q13, post_a_q13)
                                 : step(state, in[i], post_b_q13, post_a_q13);
        const int32_t y = shl32(sum, 2);
        push(state, in[i], y);
        out[i] = round16(shl32(y, 1));
    }
}
