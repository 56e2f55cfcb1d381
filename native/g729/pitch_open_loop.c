#include "g729/pitch_open_loop.h"

#include "g729/fixed.h"
#include "g729/mathematics.h"

enum { ALL = G729_LAG_MAX + G729_FRAME, SECOND_RANGE = 40, THIRD_RANGE = 80 };

struct candidate {
    int lag;
    int16_t score;
};

/* Products of every second sample only, saturating: the scaling below does not bound them. */
static int32_t correlation(const int16_t *a, const int16_t *b, int32_t start) {
    int32_t sum = start;
    for (int i = 0; i < G729_FRAME; i += 2)
        sum = mac32(sum, a[i], b[i]);
    return sum;
}

/* Scale down by 8 if the energy (of every second sample, from the oldest on) saturates; up by 8 if it is low.
 */
static void scale(int16_t *restrict out, const int16_t *restrict in) {
    int64_t energy = 0;
    for (int i = 0; i < ALL; i += 2)
        energy += 2 * in[i] * (int64_t)in[i];
    const int shift = energy > INT32_MAX ? -3 : energy < 1 << 20 ? 3 : 0;
    for (int i = 0; i < ALL; i++)
        out[i] = shl16(in[i], shift);
}

static int better(const int16_t *signal, int lag, int32_t *largest) {
    const int32_t sum = correlation(signal, signal - lag, 0);
    if (sum <= *largest)
        return 0;
    *largest = sum;
    return lag;
}

static int16_t normalized(const int16_t *signal, int lag, int32_t largest) {
    const int32_t energy = correlation(signal - lag, signal - lag, 1);
    return low16(dpf_mul(dpf_of(largest), dpf_of(g729_inverse_sqrt(energy))));
}

static struct candidate best_of(const int16_t *signal, int first, int last, int step) {
    int32_t largest = INT32_MIN;
    int best = first;
    for (int lag = first; lag <= last; lag += step) {
        const int found = better(signal, lag, &largest);
        best = found ? found : best;
    }
    if (step == 2) { /* only even lags were tried: look at both neighbours */
        const int even = best;
        for (int lag = even + 1; lag >= even - 1; lag -= 2) {
            const int found = better(signal, lag, &largest);
            best = found ? found : best;
        }
    }
    return (struct candidate){best, normalized(signal, best, largest)};
}

/* Favour a lag if the longer one is about twice or three times as long. */
static void favour(struct candidate *shorter, struct candidate longer, int16_t bonus) {
    const int beyond_twice = 2 * shorter->lag - longer.lag, beyond_thrice = 3 * shorter->lag - longer.lag;
    if (beyond_twice > -5 && beyond_twice < 5)
        shorter->score = add16(shorter->score, bonus);
    if (beyond_thrice > -7 && beyond_thrice < 7)
        shorter->score = add16(shorter->score, bonus);
}

int g729_open_loop_lag(const int16_t *weighted) {
    int16_t scaled[ALL];
    const int16_t *signal = scaled + G729_LAG_MAX;
    scale(scaled, weighted - G729_LAG_MAX);
    struct candidate best = best_of(signal, G729_LAG_MIN, SECOND_RANGE - 1, 1);
    struct candidate middle = best_of(signal, SECOND_RANGE, THIRD_RANGE - 1, 1);
    const struct candidate longest = best_of(signal, THIRD_RANGE, G729_LAG_MAX - 1, 2);
    favour(&middle, longest, shr16(longest.score, 2));
    favour(&best, middle, mul16(middle.score, 6554));
    if (best.score < middle.score)
        best = middle;
    return best.score < longest.score ? longest.lag : best.lag;
}
