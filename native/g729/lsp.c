#include "g729/lsp.h"

#include "g729/fixed.h"
#include "g729/tables.h"

#include <string.h>

enum { HALF = G729_ORDER / 2, GRID_INTERVALS = 50, BISECTIONS = 2 };

/* F1 or F2 without its known root, as a series of Chebyshev polynomials.  In Q11; in Q10 if that saturates.
 */
struct series {
    int16_t f[HALF + 1];
    int q;
    bool bounded; /* no evaluation can saturate */
};

static int16_t saturating_series_at(const struct series *s, int16_t x_q15) {
    const int16_t one = (int16_t)(1 << (s->q - 3)); /* upper half of 1.0 in Q(q + 13) */
    struct dpf b2 = {one, 0};
    struct dpf b1 = dpf_of(mac32(mul32(x_q15, (int16_t)(2 * one)), s->f[1], 4096));
    for (int i = 2; i < HALF; i++) {
        int32_t b0 = shl32(dpf_mul16(b1, x_q15), 1); /* 2 x b1 - b2 + f[i] */
        b0 = msu32(mac32(b0, b2.high, INT16_MIN), b2.low, 1);
        b0 = mac32(b0, s->f[i], 4096);
        b2 = b1;
        b1 = dpf_of(b0);
    }
    int32_t sum = dpf_mul16(b1, x_q15); /* x b1 - b2 + f[n] / 2 */
    sum = msu32(mac32(sum, b2.high, INT16_MIN), b2.low, 1);
    sum = mac32(sum, s->f[HALF], 2048);
    return high16(shl32(sum, 17 - s->q));
}

/* The same in plain integers, for series that are bounded. */
static inline int16_t bounded_series_at(const struct series *s, int16_t x_q15) {
    const int32_t one = 1 << (s->q + 13);
    int32_t b2 = one, b1 = (x_q15 * 4 * (one >> 16) + s->f[1] * 8192) & ~1;
    for (int i = 2; i < HALF; i++) {
        const int32_t product = (b1 >> 16) * x_q15 * 2 + ((((b1 >> 1) & 0x7FFF) * x_q15) >> 15) * 2;
        const int32_t b0 = (product * 2 - b2 + s->f[i] * 8192) & ~1;
        b2 = b1;
        b1 = b0;
    }
    const int32_t product = (b1 >> 16) * x_q15 * 2 + ((((b1 >> 1) & 0x7FFF) * x_q15) >> 15) * 2;
    const int32_t sum = product - b2 + s->f[HALF] * 4096;
    const int32_t most = INT32_MAX >> (17 - s->q), least = INT32_MIN >> (17 - s->q);
    return (int16_t)((sum > most ? INT32_MAX : sum < least ? INT32_MIN : sum * (1 << (17 - s->q))) >> 16);
}

/* Whether nothing on the way can saturate.  With |x| <= 1, b at k is at most the sum of (k - m + 1) |f[m]|
 * over m <= k, and k + 1.  The two largest sums are 2 b3 + b2 + f4 and b4 + b3 + f5; 128 would be too large.
 */
static bool is_bounded(const struct series *s) {
    int bound = 0;
    static const int weight[HALF] = {8, 5, 3, 1, 1};
    for (int i = 0; i < HALF; i++)
        bound += weight[i] * (s->f[i + 1] < 0 ? -s->f[i + 1] : s->f[i + 1]);
    return bound < 116 << s->q;
}

static int16_t series_at(const struct series *s, int16_t x_q15) {
    return s->bounded ? bounded_series_at(s, x_q15) : saturating_series_at(s, x_q15);
}

/* The values at all points of the grid. */
static void tabulate(int16_t out[GRID_INTERVALS + 1], const struct series *s) {
    if (s->bounded)
        for (int i = 0; i <= GRID_INTERVALS; i++)
            out[i] = bounded_series_at(s, g729_lsp_grid_q15[i]);
    else
        for (int i = 0; i <= GRID_INTERVALS; i++)
            out[i] = saturating_series_at(s, g729_lsp_grid_q15[i]);
}

static int16_t sum_or_flag(int32_t exact, bool *saturated) {
    *saturated |= exact != clamp16(exact);
    return clamp16(exact);
}

/* f1[i + 1] = a[i + 1] + a[10 - i] - f1[i],  f2[i + 1] = a[i + 1] - a[10 - i] + f2[i] */
static bool build_series(struct series *f1, struct series *f2, const int16_t *a_q12, int q) {
    const int16_t scale = (int16_t)(1 << (q + 3));
    bool saturated = false;
    f1->q = f2->q = q;
    f1->f[0] = f2->f[0] = (int16_t)(1 << q);
    for (int i = 0; i < HALF; i++) {
        const int32_t near = mul32(a_q12[i + 1], scale), far = mul32(a_q12[G729_ORDER - i], scale);
        const int16_t sum = high16(add32(near, far)), difference = high16(sub32(near, far));
        f1->f[i + 1] = sum_or_flag(sum - f1->f[i], &saturated);
        f2->f[i + 1] = sum_or_flag(difference + f2->f[i], &saturated);
    }
    return saturated;
}

/* Where the line from (x_low, y_low) to (x_high, y_high) crosses zero. */
static int16_t crossing(int16_t x_low, int16_t y_low, int16_t x_high, int16_t y_high) {
    const int16_t rise = sub16(y_high, y_low);
    if (rise == 0)
        return x_low;
    const int16_t magnitude = abs16(rise);
    const int shift = norm16(magnitude);
    const int16_t inverse = div16(16383, shl16(magnitude, shift));
    int16_t slope_q11 = low16(shr32(mul32(sub16(x_high, x_low), inverse), 20 - shift));
    if (rise < 0)
        slope_q11 = neg16(slope_q11);
    return sub16(x_low, low16(shr32(mul32(y_low, slope_q11), 11)));
}

static int16_t root_between(const struct series *s, int16_t x_low, int16_t y_low, int16_t x_high,
                            int16_t y_high) {
    for (int i = 0; i < BISECTIONS; i++) {
        const int16_t x = add16(shr16(x_low, 1), shr16(x_high, 1));
        const int16_t y = series_at(s, x);
        if (mul32(y_low, y) <= 0)
            x_high = x, y_high = y;
        else
            x_low = x, y_low = y;
    }
    return crossing(x_low, y_low, x_high, y_high);
}

void g729_lsp_of_filter(int16_t lsp_q15[G729_ORDER], const int16_t a_q12[G729_ORDER + 1],
                        const int16_t previous_q15[G729_ORDER]) {
    struct series f[2];
    int16_t roots[G729_ORDER];
    if (build_series(&f[0], &f[1], a_q12, 11))
        build_series(&f[0], &f[1], a_q12, 10);
    f[0].bounded = is_bounded(&f[0]);
    f[1].bounded = is_bounded(&f[1]);
    int16_t at_grid[2][GRID_INTERVALS + 1];
    tabulate(at_grid[0], &f[0]);
    tabulate(at_grid[1], &f[1]);
    int found = 0;
    int16_t x_low = g729_lsp_grid_q15[0], y_low = at_grid[0][0];
    for (int j = 1; j <= GRID_INTERVALS && found < G729_ORDER; j++) {
        const int16_t x_high = x_low, y_high = y_low;
        x_low = g729_lsp_grid_q15[j];
        y_low = at_grid[found % 2][j];
        if (mul32(y_low, y_high) > 0)
            continue;
        x_low = roots[found] = root_between(&f[found % 2], x_low, y_low, x_high, y_high);
        found++;
        y_low = series_at(&f[found % 2], x_low);
    }
    memcpy(lsp_q15, found == G729_ORDER ? roots : previous_q15, sizeof roots);
}

/* The product of (1 - 2 lsp z^-1 + z^-2) over every second lsp, up to its middle; Q24. */
static void polynomial_saturating(int32_t f_q24[HALF + 1], const lanes *lsp_q15, int row) {
    f_q24[0] = 1 << 24;
    f_q24[1] = msu32(0, (int16_t)lsp_q15[0][row], 512);
    for (int i = 2; i <= HALF; i++) {
        const int16_t lsp = (int16_t)lsp_q15[2 * (i - 1)][row];
        f_q24[i] = f_q24[i - 2];
        for (int j = i; j > 1; j--) {
            const int32_t doubled = shl32(dpf_mul16(dpf_of(f_q24[j - 1]), lsp), 1);
            f_q24[j] = sub32(add32(f_q24[j], f_q24[j - 2]), doubled);
        }
        f_q24[1] = msu32(f_q24[1], lsp, 512);
    }
}

static void filter_saturating(lanes a_q12[G729_ORDER + 1], const lanes lsp_q15[G729_ORDER], int row) {
    int32_t f1[HALF + 1], f2[HALF + 1];
    polynomial_saturating(f1, lsp_q15, row);
    polynomial_saturating(f2, lsp_q15 + 1, row);
    for (int i = HALF; i > 0; i--) {
        f1[i] = add32(f1[i], f1[i - 1]);
        f2[i] = sub32(f2[i], f2[i - 1]);
    }
    for (int i = 1; i <= HALF; i++) {
        a_q12[i][row] = low16(shr32_rounded(add32(f1[i], f2[i]), 13));
        a_q12[G729_ORDER + 1 - i][row] = low16(shr32_rounded(sub32(f1[i], f2[i]), 13));
    }
}

/* In plain integers.  While all coefficients stay below 2^29, no sum of the next round saturates; *bits takes
 * those of all magnitudes. */
LANES_INLINE void polynomial_plain(lanes f_q24[HALF + 1], const lanes *lsp_q15, lanes *bits) {
    f_q24[0] = lanes_of(1 << 24);
    f_q24[1] = lsp_q15[0] * -1024;
#pragma GCC unroll 5
    for (int i = 2; i <= HALF; i++) {
        const lanes lsp = lsp_q15[2 * (i - 1)];
        f_q24[i] = f_q24[i - 2];
#pragma GCC unroll 5
        for (int j = i; j > 1; j--) {
            const lanes f = f_q24[j - 1];
            const wrapping_lanes product =
                (wrapping_lanes)((f >> 16) * lsp) + (wrapping_lanes)((((f >> 1) & 0x7FFF) * lsp) >> 15);
            f_q24[j] = (lanes)((wrapping_lanes)f_q24[j] + (wrapping_lanes)f_q24[j - 2] - (product << 2));
            *bits |= f_q24[j] ^ f_q24[j] >> 31;
        }
        f_q24[1] = f_q24[1] - lsp * 1024;
    }
}

/* Returns the rows that it may be wrong for. */
static rows_set filter_plain(lanes a_q12[G729_ORDER + 1], const lanes lsp_q15[G729_ORDER]) {
    lanes f1[HALF + 1], f2[HALF + 1], bits = lanes_of(0);
    polynomial_plain(f1, lsp_q15, &bits);
    polynomial_plain(f2, lsp_q15 + 1, &bits);
    a_q12[0] = lanes_of(4096);
    for (int i = 1; i <= HALF; i++) {
        const wrapping_lanes sum = (wrapping_lanes)f1[i] + (wrapping_lanes)f1[i - 1];
        const wrapping_lanes difference = (wrapping_lanes)f2[i] - (wrapping_lanes)f2[i - 1];
        const lanes near = (lanes)(sum + difference), far = (lanes)(sum - difference);
        a_q12[i] = ((near >> 13) + ((near >> 12) & 1)) << 16 >> 16;
        a_q12[G729_ORDER + 1 - i] = ((far >> 13) + ((far >> 12) & 1)) << 16 >> 16;
    }
    return lanes_set_of(lanes_above(bits >> 29, lanes_of(0)));
}

static void filter_of_lsp(lanes a_q12[G729_ORDER + 1], const lanes lsp_q15[G729_ORDER]) {
    const rows_set doubtful = filter_plain(a_q12, lsp_q15);
    for (int row = 0; row < LANES; row++)
        if (doubtful >> row & 1)
            filter_saturating(a_q12, lsp_q15, row);
}

void g729_interpolate_filters(lanes a_q12[2][G729_ORDER + 1], const int16_t *const old_q15[LANES],
                              const int16_t *const new_q15[LANES]) {
    lanes before[G729_ORDER], after[G729_ORDER], middle[G729_ORDER];
    lanes_gather(before, old_q15, G729_ORDER);
    lanes_gather(after, new_q15, G729_ORDER);
    for (int i = 0; i < G729_ORDER; i++)
        middle[i] = (after[i] >> 1) + (before[i] >> 1); /* cut twice */
    filter_of_lsp(a_q12[0], middle);
    filter_of_lsp(a_q12[1], after);
}

void g729_lsf_of_lsp(int16_t lsf_q13[G729_ORDER], const int16_t lsp_q15[G729_ORDER]) {
    int index = 63;
    for (int i = G729_ORDER - 1; i >= 0; i--) {
        while (index > 0 && g729_cosine_q15[index] < lsp_q15[i])
            index--;
        const int16_t offset = sub16(lsp_q15[i], g729_cosine_q15[index]);
        const int16_t within = low16(shr32(mul32(g729_arccosine_slope_q12[index], offset), 12));
        lsf_q13[i] = mul16(add16((int16_t)(index << 9), within), 25736); /* times pi */
    }
}

void g729_lsp_of_lsf(int16_t lsp_q15[G729_ORDER], const int16_t lsf_q13[G729_ORDER]) {
    for (int i = 0; i < G729_ORDER; i++) {
        const int16_t frequency = mul16(lsf_q13[i], 20861); /* divided by pi */
        const int16_t offset = frequency & 0xFF;
        const int index = frequency >> 8 > 63 ? 63 : frequency >> 8;
        const int16_t within = low16(shr32(mul32(g729_cosine_slope_q19[index], offset), 13));
        lsp_q15[i] = add16(g729_cosine_q15[index], within);
    }
}

void g729_normal_lsf_of_lsp(int16_t lsf_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]) {
    int index = 63;
    for (int i = G729_ORDER - 1; i >= 0; i--) {
        while (index > 0 && g729_cosine_q15[index] < lsp_q15[i])
            index--;
        const int16_t offset = sub16(lsp_q15[i], g729_cosine_q15[index]);
        const int16_t within = round16(shl32(mul32(offset, g729_arccosine_slope_q12[index]), 3));
        lsf_q15[i] = add16(within, (int16_t)(index << 8));
    }
}
