#include "g729/pitch_search.h"

#include "g729/filters.h"
#include "g729/fixed.h"

#include <string.h>

/* Doubled sums; returns the rows that they may be wrong for. */
static rows_set backwards_plain(lanes sums[G729_SUBFRAME], const lanes h_q12[G729_SUBFRAME],
                                const lanes target[G729_SUBFRAME]) {
    for (int i = 0; i < G729_SUBFRAME; i++) {
        wrapping_lanes sum = {0};
        for (int j = i; j < G729_SUBFRAME; j++)
            sum += (wrapping_lanes)lanes_mul16(target[j], h_q12[j - i]);
        sums[i] = (lanes)(sum << 1);
    }
    return lanes_set_of(~lanes_fit(lanes_energy(h_q12, G729_SUBFRAME), lanes_energy(target, G729_SUBFRAME)));
}

static void backwards_saturating(lanes sums[G729_SUBFRAME], const lanes h_q12[G729_SUBFRAME],
                                 const lanes target[G729_SUBFRAME], int row) {
    for (int i = 0; i < G729_SUBFRAME; i++) {
        int32_t sum = 0;
        for (int j = i; j < G729_SUBFRAME; j++)
            sum = mac32(sum, (int16_t)target[j][row], (int16_t)h_q12[j - i][row]);
        sums[i][row] = sum;
    }
}

/* Scale to 13 bits by the largest magnitude, which saturates. */
static void scale(lanes out[G729_SUBFRAME], const lanes sums[G729_SUBFRAME]) {
    lanes largest = lanes_of(0), shift;
    for (int i = 0; i < G729_SUBFRAME; i++)
        largest = lanes_max(largest, lanes_max(sums[i], -lanes_max(sums[i], lanes_of(-INT32_MAX))));
    for (int row = 0; row < LANES; row++)
        shift[row] = norm32(largest[row]) > 16 ? 2 : 18 - norm32(largest[row]);
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = sums[i] >> shift;
}

void g729_filter_backwards(lanes out[G729_SUBFRAME], const lanes h_q12[G729_SUBFRAME],
                           const lanes target[G729_SUBFRAME]) {
    lanes sums[G729_SUBFRAME];
    const rows_set doubtful = backwards_plain(sums, h_q12, target);
    for (int row = 0; row < LANES; row++)
        if (doubtful >> row & 1)
            backwards_saturating(sums, h_q12, target, row);
    scale(out, sums);
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

struct g729_lag g729_search_lag(int16_t *excitation, const int16_t backwards[G729_SUBFRAME],
                                struct g729_lag_range range) {
    int16_t best[G729_SUBFRAME];
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

/* Energies of y and of a quarter of y, and target . y.  Returns the rows that the last may be wrong for. */
static rows_set correlate(lanes *yy, lanes *yy_of_quarter, lanes *xy, const lanes target[G729_SUBFRAME],
                          const lanes y[G729_SUBFRAME]) {
    lanes quarter[G729_SUBFRAME];
    for (int i = 0; i < G729_SUBFRAME; i++)
        quarter[i] = y[i] >> 2;
    *yy = lanes_energy(y, G729_SUBFRAME);
    *yy_of_quarter = lanes_energy(quarter, G729_SUBFRAME);
    *xy = lanes_dot(target, y, G729_SUBFRAME);
    return lanes_set_of(~lanes_fit(lanes_energy(target, G729_SUBFRAME), *yy));
}

/* Mantissa and shift of a sum; of a quarter of y (then 4 bits, or 2, less) if the sum saturates. */
static struct g729_product normalized(int32_t sum, int shift_lost) {
    const int shift = norm32(sum);
    return (struct g729_product){round16(shl32(sum, shift)), (int16_t)(shift - shift_lost)};
}

/* target . y where it may saturate on its way. */
static struct g729_product correlation_of_row(const lanes target[G729_SUBFRAME], const lanes y[G729_SUBFRAME],
                                              int row) {
    int64_t exact = 0;
    int32_t of_quarter = 0;
    bool saturated = false;
    for (int i = 0; i < G729_SUBFRAME; i++) {
        exact += 2 * (int64_t)target[i][row] * y[i][row];
        saturated |= exact != clamp32(exact);
        of_quarter = mac32(of_quarter, (int16_t)target[i][row], (int16_t)(y[i][row] >> 2));
    }
    return saturated ? normalized(of_quarter, 2) : normalized((int32_t)exact, 0);
}

/* 3.7.3: the ratio of two products, at most 1.2. */
static int16_t gain_of(struct g729_product xy, struct g729_product yy) {
    enum { LARGEST_Q14 = 19661 /* 1.2 */ };
    const int16_t ratio = div16(shr16(xy.mantissa, 1), yy.mantissa);
    const int16_t gain_q14 = shr16(ratio, xy.exponent - yy.exponent);
    return gain_q14 > LARGEST_Q14 ? LARGEST_Q14 : gain_q14;
}

void g729_pitch_gains(int16_t gain_q14[LANES], struct g729_gain_products products[LANES],
                      const lanes target[G729_SUBFRAME], const lanes y[G729_SUBFRAME], size_t n) {
    enum { NO_CORRELATION = -15 };
    lanes sums_yy, sums_yy_of_quarter, sums_xy;
    const rows_set doubtful = correlate(&sums_yy, &sums_yy_of_quarter, &sums_xy, target, y);
    for (size_t row = 0; row < n; row++) {
        const bool loud = sums_yy[row] == INT32_MAX;
        const struct g729_product yy =
            loud ? normalized(add32(sums_yy_of_quarter[row], 1), 4) : normalized(sums_yy[row] + 1, 0);
        const struct g729_product xy =
            doubtful >> row & 1 ? correlation_of_row(target, y, (int)row) : normalized(sums_xy[row], 0);
        products[row].yy = (struct g729_product){yy.mantissa, (int16_t)(yy.exponent - 15)};
        products[row].minus_2xy = (struct g729_product){neg16(xy.mantissa), (int16_t)(xy.exponent - 16)};
        if (xy.mantissa <= 0)
            products[row].minus_2xy.exponent = -(NO_CORRELATION + 1);
        gain_q14[row] = xy.mantissa <= 0 ? 0 : gain_of(xy, yy);
    }
}
