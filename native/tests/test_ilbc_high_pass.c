/* iLBC's high-pass filters against their recurrence, sample by sample, where it clips and where it does not.
 */
#include "ilbc/blocks.h"
#include "ilbc/tables.h"

#include "ilbc_check.h"

static int64_t clip(int64_t value, int64_t least, int64_t greatest) {
    return value < least ? least : value > greatest ? greatest : value;
}

static int16_t slow_section(struct ilbc_high_pass *state, int16_t x, const int16_t *b_a_q12, int64_t limit,
                            int shift) {
    const int64_t fed_back =
        (int64_t)state->out_q14[0] * b_a_q12[3] + (int64_t)state->out_q14[1] * b_a_q12[4];
    const int64_t y_q12 =
        (fed_back >> 15) * 2 + x * b_a_q12[0] + state->in[0] * b_a_q12[1] + state->in[1] * b_a_q12[2];
    const bool fits = -(1 << 28) <= y_q12 && y_q12 < 1 << 28;
    const int64_t clipped_q14 = y_q12 > 0 ? INT32_MAX >> 1 : INT32_MIN >> 1;
    state->in[1] = state->in[0];
    state->in[0] = x;
    state->out_q14[1] = state->out_q14[0];
    state->out_q14[0] = (int32_t)(fits ? y_q12 * 4 : clipped_q14);
    return (int16_t)(clip(y_q12 + (1 << (shift - 1)), -limit, limit - 1) >> shift);
}

static void every_sample_is_the_recurrence(int level, int n, int period) {
    struct ilbc_high_pass in_state = {0}, out_state = {0}, slow_in = {0}, slow_out = {0};
    int16_t in[ILBC_SAMPLES], low[ILBC_SAMPLES], high[ILBC_SAMPLES];
    for (int frame = 0; frame < 20; frame++) {
        fill(in, n, level);
        for (int i = 0; period > 0 && i < n; i++) /* a square wave, which swells in the feedback */
            in[i] = (int16_t)((frame * n + i) / period % 2 ? level - 1 : -level);
        ilbc_high_pass_in(low, in, &in_state, n);
        ilbc_high_pass_out(high, in, &out_state, n);
        for (int i = 0; i < n; i++) {
            CHECK(low[i] == slow_section(&slow_in, in[i], ILBC_HIGH_PASS_IN_Q12, 1 << 28, 13));
            CHECK(high[i] == slow_section(&slow_out, in[i], ILBC_HIGH_PASS_OUT_Q12, 1 << 26, 11));
        }
        CHECK(memcmp(&in_state, &slow_in, sizeof in_state) == 0);
        CHECK(memcmp(&out_state, &slow_out, sizeof out_state) == 0);
    }
}

static void any_state_that_is_valid_goes_on(void) {
    static const int32_t ends[] = {INT32_MIN / 2, INT32_MAX / 2};
    int16_t in[160], out[160];
    for (int k = 0; k < 16; k++) {
        struct ilbc_high_pass state = {{ends[k & 1], ends[k >> 1 & 1]}, {INT16_MIN, INT16_MAX}}, slow;
        slow = state;
        for (int i = 0; i < 160; i++)
            in[i] = (i ^ k >> 2) & 1 ? INT16_MAX : INT16_MIN;
        ilbc_high_pass_in(out, in, &state, 160);
        for (int i = 0; i < 160; i++)
            CHECK(out[i] == slow_section(&slow, in[i], ILBC_HIGH_PASS_IN_Q12, 1 << 28, 13));
    }
}

int main(void) {
    static const int levels[] = {1, 900, 16384, 32768}, periods[] = {0, 1, 20, 61, 400};
    if (!machine_can())
        return 0;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 5; k++) {
            every_sample_is_the_recurrence(levels[i], 160, periods[k]);
            every_sample_is_the_recurrence(levels[i], 240, periods[k]);
        }
    any_state_that_is_valid_goes_on();
    return 0;
}
