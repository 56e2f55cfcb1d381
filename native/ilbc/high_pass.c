#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"

/* Both are second-order sections that keep their past outputs in 31 bits:
 *     y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] - a1 y[i-1] - a2 y[i-2], Q12
 * The output is clipped before it is scaled, the state where it would leave 31 bits.  (The codec was written
 * for 16-bit multipliers and keeps two words, of 16 and 15 bits: the same number, and so one product.) */
static inline int32_t section(struct ilbc_high_pass *state, int16_t x, const int16_t *b_a_q12) {
    const int64_t fed_back =
        (int64_t)state->out_q14[0] * b_a_q12[3] + (int64_t)state->out_q14[1] * b_a_q12[4];
    const int32_t y_q12 = (int32_t)(fed_back >> 15) * 2 + x * b_a_q12[0] + state->in[0] * b_a_q12[1] +
                          state->in[1] * b_a_q12[2];
    int32_t kept_q14 = shift_left(y_q12, 2);
    if (__builtin_expect(y_q12 >= 1 << 28 || y_q12 < -(1 << 28), 0)) /* rarely: better a branch than a wait */
        kept_q14 = y_q12 > 0 ? INT32_MAX >> 1 : INT32_MIN >> 1;
    state->in[1] = state->in[0];
    state->in[0] = x;
    state->out_q14[1] = state->out_q14[0];
    state->out_q14[0] = kept_q14;
    return y_q12;
}

static inline int32_t clip(int32_t x, int32_t limit) {
    return x >= limit ? limit - 1 : x < -limit ? -limit : x;
}

/* 90 Hz; half the level, so that the analysis has room. */
void ilbc_high_pass_in(int16_t *restrict out, const int16_t *restrict in, struct ilbc_high_pass *state,
                       int n) {
    struct ilbc_high_pass now = *state; /* in registers: out might be it */
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)(clip(section(&now, in[i], ILBC_HIGH_PASS_IN_Q12) + 4096, 1 << 28) >> 13);
    *state = now;
}

/* 65 Hz; and the level doubled again. */
void ilbc_high_pass_out(int16_t *restrict out, const int16_t *restrict in, struct ilbc_high_pass *state,
                        int n) {
    struct ilbc_high_pass now = *state;
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)(clip(section(&now, in[i], ILBC_HIGH_PASS_OUT_Q12) + 1024, 1 << 26) >> 11);
    *state = now;
}
