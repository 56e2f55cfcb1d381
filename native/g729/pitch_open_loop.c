#include "g729/pitch_open_loop.h"

#include "g729/fixed.h"
#include "g729/mathematics.h"

enum { ALL = G729_LAG_MAX + G729_FRAME, HALF_FRAME = G729_FRAME / 2, SECOND_RANGE = 40, THIRD_RANGE = 80 };

struct candidate {
    int lag;
    int16_t score;
};

/* The scaled signal, even and odd samples apart, the oldest first. */
struct signal {
    int16_t half[2][(ALL + 1) / 2];
    bool fits; /* no correlation can saturate */
};

/* Every second sample of the frame, lag samples earlier. */
static const int16_t *delayed(const struct signal *s, int lag) {
    const int at = G729_LAG_MAX - lag;
    return s->half[at % 2] + at / 2;
}

static void shift_by_8(int16_t *inout, size_t n, bool up) {
    for (size_t i = 0; i < n; i++)
        inout[i] = up ? clamp16(inout[i] * 8) : (int16_t)(inout[i] >> 3);
}

/* Scale down by 8 if the energy (of every second sample, from the oldest on) saturates; up by 8 if it is low.
 * The correlations look at other samples, so they can saturate all the same. */
static void scale(struct signal *out, const int16_t *in) {
    enum { N_EVEN = (ALL + 1) / 2, N_ODD = ALL / 2 };
    int16_t *even = out->half[0], *odd = out->half[1];
    for (int i = 0; i < N_ODD; i++) {
        even[i] = in[2 * i];
        odd[i] = in[2 * i + 1];
    }
    even[N_EVEN - 1] = in[ALL - 1];
    const int64_t energy = 2 * g729_exact_energy(even, N_EVEN);
    const bool loud = energy > INT32_MAX, low = energy < 1 << 20;
    if (loud || low) {
        shift_by_8(even, N_EVEN, low);
        shift_by_8(odd, N_ODD, low);
    }
    const int64_t all = g729_exact_energy(even, N_EVEN) + g729_exact_energy(odd, N_ODD);
    out->fits = g729_fits(all, g729_exact_energy(delayed(out, 0), HALF_FRAME));
}

static int32_t correlation(const struct signal *s, const int16_t *a, const int16_t *b, int32_t start) {
    return s->fits ? g729_dot_plain(a, b, HALF_FRAME, start) : g729_dot(a, b, HALF_FRAME, start);
}

static int better(const struct signal *signal, int lag, int32_t *largest) {
    const int32_t sum = correlation(signal, delayed(signal, 0), delayed(signal, lag), 0);
    if (sum <= *largest)
        return 0;
    *largest = sum;
    return lag;
}

static int16_t normalized(const struct signal *signal, int lag, int32_t largest) {
    bool saturated;
    const int32_t energy = g729_energy(delayed(signal, lag), HALF_FRAME, 1, &saturated);
    return low16(dpf_mul(dpf_of(largest), dpf_of(g729_inverse_sqrt(energy))));
}

static struct candidate best_of(const struct signal *signal, int first, int last, int step) {
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
    struct signal signal;
    scale(&signal, weighted - G729_LAG_MAX);
    struct candidate best = best_of(&signal, G729_LAG_MIN, SECOND_RANGE - 1, 1);
    struct candidate middle = best_of(&signal, SECOND_RANGE, THIRD_RANGE - 1, 1);
    const struct candidate longest = best_of(&signal, THIRD_RANGE, G729_LAG_MAX - 1, 2);
    favour(&middle, longest, shr16(longest.score, 2));
    favour(&best, middle, mul16(middle.score, 6554));
    if (best.score < middle.score)
        best = middle;
    return best.score < longest.score ? longest.lag : best.lag;
}
