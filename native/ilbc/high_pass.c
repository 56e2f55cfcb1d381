#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/clones.h"
#include "ilbc/tables.h"

/* Both are second-order sections that keep their past outputs in 31 bits:
 *     y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] - a1 y[i-1] - a2 y[i-2], Q12
 * The output is clipped before it is scaled, the state where it would leave 31 bits.  (The codec was written
 * for 16-bit multipliers and keeps two words, of 16 and 15 bits: the same number, and so one product.)
 *
 * What is fed back is serial.  All else is not, and so is done before and after, in vectors. */
enum { KEPT_LIMIT = 1 << 30 };

/* With these coefficients Q14 fits. */
ILBC_INLINE void feed_forward(int32_t *restrict out_q14 /* [n] */, const int16_t *restrict in /* [n] */,
                              struct ilbc_high_pass *state, const int16_t *b_q12, int n) {
    out_q14[0] = (in[0] * b_q12[0] + state->in[0] * b_q12[1] + state->in[1] * b_q12[2]) * 4;
    out_q14[1] = (in[1] * b_q12[0] + in[0] * b_q12[1] + state->in[0] * b_q12[2]) * 4;
    for (int i = 2; i < n; i++)
        out_q14[i] = (in[i] * b_q12[0] + in[i - 1] * b_q12[1] + in[i - 2] * b_q12[2]) * 4;
    state->in[0] = in[n - 1];
    state->in[1] = in[n - 2];
}

/* From one output to the next there are a product, a shift and two sums; clipping is rare: better a branch
 * than to wait for it every time. */
ILBC_INLINE void feed_back(int32_t *restrict y_q12 /* [n] */, const int32_t *restrict forward_q14 /* [n] */,
                           struct ilbc_high_pass *state, const int16_t *minus_a_q12, int n) {
    const int64_t a1 = minus_a_q12[0], a2 = minus_a_q12[1];
    int64_t newer_q14 = state->out_q14[0], older_q14 = state->out_q14[1];
    for (int i = 0; i < n; i++) {
        int64_t kept_q14 = ((newer_q14 * a1 + older_q14 * a2) >> 15) * 8 + forward_q14[i];
        y_q12[i] = (int32_t)(kept_q14 >> 2);
        if (__builtin_expect(kept_q14 >= KEPT_LIMIT || kept_q14 < -KEPT_LIMIT, 0))
            kept_q14 = kept_q14 > 0 ? INT32_MAX >> 1 : INT32_MIN >> 1;
        older_q14 = newer_q14;
        newer_q14 = kept_q14;
    }
    state->out_q14[0] = (int32_t)newer_q14;
    state->out_q14[1] = (int32_t)older_q14;
}

/* Round y to a sample, shifted right. */
ILBC_INLINE void section(int16_t *restrict out, const int16_t *restrict in, struct ilbc_high_pass *state,
                         const int16_t *b_a_q12, int n, int limit, int shift) {
    int32_t forward_q14[ILBC_SAMPLES], y_q12[ILBC_SAMPLES];
    feed_forward(forward_q14, in, state, b_a_q12, n);
    feed_back(y_q12, forward_q14, state, b_a_q12 + 3, n);
    for (int i = 0; i < n; i++) {
        const int32_t rounded = y_q12[i] + (1 << (shift - 1));
        out[i] = (int16_t)(max_int(-limit, min_int(rounded, limit - 1)) >> shift);
    }
}

/* 90 Hz; half the level, so that the analysis has room. */
ILBC_CLONES void ilbc_high_pass_in(int16_t *restrict out, const int16_t *restrict in,
                                   struct ilbc_high_pass *state, int n) {
    section(out, in, state, ILBC_HIGH_PASS_IN_Q12, n, 1 << 28, 13);
}

/* 65 Hz; and the level doubled again. */
ILBC_CLONES void ilbc_high_pass_out(int16_t *restrict out, const int16_t *restrict in,
                                    struct ilbc_high_pass *state, int n) {
    section(out, in, state, ILBC_HIGH_PASS_OUT_Q12, n, 1 << 26, 11);
}
