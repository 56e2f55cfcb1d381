#include "g729/pitch_search.h"

#include "g729/clones.h"
#include "g729/filters.h"
#include "g729/fixed.h"

#include <string.h>

/* All sums at once; h[j] times the target from j on. */
G729_CLONES static void backwards_plain(int32_t sums[G729_SUBFRAME], const int16_t *h_q12,
                                        const int16_t *target) {
    int16_t padded[2 * G729_SUBFRAME] = {0};
    memcpy(padded, target, G729_SUBFRAME * sizeof *padded);
    memset(sums, 0, G729_SUBFRAME * sizeof *sums);
    for (int j = 0; j < G729_SUBFRAME; j++)
        for (int i = 0; i < G729_SUBFRAME; i++)
            sums[i] += h_q12[j] * padded[i + j];
    for (int i = 0; i < G729_SUBFRAME; i++)
        sums[i] *= 2;
}

void g729_filter_backwards(int16_t *out, const int16_t *h_q12, const int16_t *target) {
    int32_t sums[G729_SUBFRAME], largest = 0;
    if (g729_fits(g729_exact_energy(target, G729_SUBFRAME), g729_exact_energy(h_q12, G729_SUBFRAME)))
        backwards_plain(sums, h_q12, target);
    else
        for (int i = 0; i < G729_SUBFRAME; i++)
            sums[i] = g729_dot(target + i, h_q12, (size_t)(G729_SUBFRAME - i), 0);
    for (int i = 0; i < G729_SUBFRAME; i++)
        largest = abs32(sums[i]) > largest ? abs32(sums[i]) : largest;
    const int shift = norm32(largest) > 16 ? 16 : norm32(largest);
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = low16(sums[i] >> (18 - shift));
}

static int best_whole_lag(const int16_t *excitation, const int16_t *backwards, struct g729_lag_range range) {
    const int16_t *oldest = excitation - range.last;
    const bool fits =
        g729_fits(g729_exact_energy(backwards, G729_SUBFRAME),
                  g729_exact_energy(oldest, (size_t)(range.last - range.first + G729_SUBFRAME)));
    int32_t largest = INT32_MIN;
    int best = range.first;
    for (int lag = range.first; lag <= range.last; lag++) {
        const int16_t *then = excitation - lag;
        const int32_t sum = fits ? g729_dot_plain(backwards, then, G729_SUBFRAME, 0)
                                 : g729_dot(backwards, then, G729_SUBFRAME, 0);
        if (sum > largest) {
            largest = sum;
            best = lag;
        }
    }
    return best;
}

struct g729_lag g729_search_lag(int16_t *excitation, const int16_t *target, const int16_t *h_q12,
                                struct g729_lag_range range) {
    int16_t backwards[G729_SUBFRAME], best[G729_SUBFRAME];
    g729_filter_backwards(backwards, h_q12, target);
    struct g729_lag lag = {best_whole_lag(excitation, backwards, range), 0};
    g729_predict_long_term(excitation, lag.samples, 0);
    if (lag.samples > range.last_fine)
        return lag;
    int32_t largest = g729_product(backwards, excitation, G729_SUBFRAME, 0);
    memcpy(best, excitation, sizeof best);
    for (int thirds = -1; thirds <= 1; thirds += 2) {
        g729_predict_long_term(excitation, lag.samples, thirds);
        const int32_t sum = g729_product(backwards, excitation, G729_SUBFRAME, 0);
        if (sum > largest) {
            largest = sum;
            lag.thirds = thirds;
            memcpy(best, excitation, sizeof best);
        }
    }
    memcpy(excitation, best, sizeof best);
    return lag;
}

/* Mantissa and shift of a sum; of a quarter of y (then 4 bits, or 2, less) if the sum saturates. */
static struct g729_product normalized(int32_t sum, int shift_lost) {
    const int shift = norm32(sum);
    return (struct g729_product){round16(shl32(sum, shift)), (int16_t)(shift - shift_lost)};
}

/* Whether a saturating sum of products a[i] * b[i] does saturate anywhere on its way. */
static bool dot_saturates(const int16_t *a, const int16_t *b) {
    int64_t sum = 0;
    if (g729_fits(g729_exact_energy(a, G729_SUBFRAME), g729_exact_energy(b, G729_SUBFRAME)))
        return false;
    for (int i = 0; i < G729_SUBFRAME; i++) {
        sum += 2 * (int64_t)(a[i] * b[i]);
        if (sum != clamp32(sum))
            return true;
    }
    return false;
}

int16_t g729_pitch_gain(struct g729_gain_products *products, const int16_t *target, const int16_t *y) {
    enum { LARGEST_Q14 = 19661 /* 1.2 */, NO_CORRELATION = -15 };
    int16_t quarter[G729_SUBFRAME];
    bool saturated, unused;
    for (int i = 0; i < G729_SUBFRAME; i++)
        quarter[i] = (int16_t)(y[i] >> 2);
    const int32_t energy = g729_energy(y, G729_SUBFRAME, 1, &saturated);
    const struct g729_product yy =
        saturated ? normalized(g729_energy(quarter, G729_SUBFRAME, 1, &unused), 4) : normalized(energy, 0);
    const struct g729_product xy = dot_saturates(target, y)
                                       ? normalized(g729_dot(target, quarter, G729_SUBFRAME, 0), 2)
                                       : normalized(g729_dot_plain(target, y, G729_SUBFRAME, 0), 0);
    products->yy = (struct g729_product){yy.mantissa, (int16_t)(yy.exponent - 15)};
    products->minus_2xy = (struct g729_product){neg16(xy.mantissa), (int16_t)(xy.exponent - 16)};
    if (xy.mantissa <= 0) {
        products->minus_2xy.exponent = -(NO_CORRELATION + 1);
        return 0;
    }
    const int16_t ratio = div16(shr16(xy.mantissa, 1), yy.mantissa);
    const int16_t gain_q14 = shr16(ratio, xy.exponent - yy.exponent);
    return gain_q14 > LARGEST_Q14 ? LARGEST_Q14 : gain_q14;
}
