#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/clones.h"
#include "ilbc/tables.h"

#include <string.h>

enum { HALF_ORDER = ILBC_ORDER / 2 };

/* Cosine by table and slope: 64 steps over half a turn. */
static int16_t cosine_q15(int16_t lsf_q13) {
    const int frequency_q15 = (lsf_q13 * 20861) >> 15; /* 1 / 2 pi in Q17 */
    const int step = max_int(min_int(frequency_q15 >> 8, 63), 0), beyond = frequency_q15 & 0xff;
    return (int16_t)(ILBC_COS_Q15[step] + (int16_t)((ILBC_COS_SLOPE[step] * beyond) >> 12));
}

/* The product of (1 - 2 lsp z^-1 + z^-2) over every second lsp, expanded factor by factor. */
static void expand(int32_t f_q24[HALF_ORDER + 1], const int16_t *lsp_q15) {
    f_q24[0] = 1 << 24;
    f_q24[1] = lsp_q15[0] * -1024;
    for (int i = 2; i <= HALF_ORDER; i++) {
        const int lsp = lsp_q15[2 * (i - 1)];
        f_q24[i] = f_q24[i - 2];
        for (int j = i; j > 1; j--) {
            const int16_t high = (int16_t)(f_q24[j - 1] >> 16), low = (int16_t)((f_q24[j - 1] & 0xffff) >> 1);
            const int32_t product = add_wrapping(shift_left(high * lsp, 2), 4 * ((low * lsp) >> 15));
            f_q24[j] = subtract_wrapping(add_wrapping(f_q24[j], f_q24[j - 2]), product);
        }
        f_q24[1] -= lsp * 1024;
    }
}

void ilbc_lsf_to_filter(ilbc_filter_q12 a_q12, const int16_t *lsf_q13) {
    int16_t lsp_q15[ILBC_ORDER];
    int32_t sum_q24[HALF_ORDER + 1], difference_q24[HALF_ORDER + 1];
    for (int i = 0; i < ILBC_ORDER; i++)
        lsp_q15[i] = cosine_q15(lsf_q13[i]);
    expand(sum_q24, &lsp_q15[0]);
    expand(difference_q24, &lsp_q15[1]);
    for (int i = HALF_ORDER; i > 0; i--) {
        sum_q24[i] = add_wrapping(sum_q24[i], sum_q24[i - 1]);
        difference_q24[i] = subtract_wrapping(difference_q24[i], difference_q24[i - 1]);
    }
    a_q12[0] = 4096;
    for (int i = 1; i <= HALF_ORDER; i++) {
        const int32_t near = add_wrapping(sum_q24[i], difference_q24[i]);
        const int32_t far = subtract_wrapping(sum_q24[i], difference_q24[i]);
        a_q12[i] = (int16_t)(add_wrapping(near, 4096) >> 13);
        a_q12[ILBC_ORDER + 1 - i] = (int16_t)(add_wrapping(far, 4096) >> 13);
    }
}

/* The Chebyshev polynomial of the sum or difference filter at x, clipped to 16 bits. */
ILBC_INLINE int16_t chebyshev(int16_t x_q15, const int16_t f_q10[HALF_ORDER + 1]) {
    int32_t before_q24 = 1 << 24;
    int32_t value_q24 = shift_left(x_q15, 10) + shift_left(f_q10[1], 14);
    for (int i = 2; i < HALF_ORDER; i++) {
        const int32_t held = value_q24;
        const int16_t high = (int16_t)(held >> 16), low = (int16_t)((held & 0xffff) >> 1);
        const int32_t product = shift_left(high * x_q15 + ((low * x_q15) >> 15), 2);
        value_q24 = add_wrapping(subtract_wrapping(product, before_q24), shift_left(f_q10[i], 14));
        before_q24 = held;
    }
    const int16_t high = (int16_t)(value_q24 >> 16), low = (int16_t)((value_q24 & 0xffff) >> 1);
    const int32_t product = add_wrapping(shift_left(high * x_q15, 1), shift_left((low * x_q15) >> 15, 1));
    value_q24 = add_wrapping(subtract_wrapping(product, before_q24), shift_left(f_q10[HALF_ORDER], 13));
    return saturate16(value_q24 >> 10);
}

/* Where the line through two points of a sign change crosses zero. */
static int16_t crossing(int16_t x_low, int16_t y_low, int16_t x_high, int16_t y_high) {
    const int16_t width = (int16_t)(x_high - x_low), height = (int16_t)(y_high - y_low);
    if (height == 0)
        return x_low;
    const int16_t magnitude = (int16_t)absolute(height);
    const int shifts = norm_of(magnitude) - 16;
    const int16_t inverse = (int16_t)divide(536838144, (int16_t)shift_left(magnitude, shifts));
    int16_t slope = (int16_t)((width * inverse) >> (19 - shifts));
    if (height < 0)
        slope = (int16_t)-slope;
    return (int16_t)(x_low - (int16_t)((y_low * slope) >> 10));
}

enum { GRID = 60 };

ILBC_CLONES static void evaluate(int16_t value[2][GRID], const int16_t f_q10[2][HALF_ORDER + 1]) {
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < GRID; j++)
            value[k][j] = chebyshev(ILBC_COS_GRID_Q15[j], f_q10[k]);
}

/* The points that halving an interval four times can lead to, as a heap: the halves of point i are 2 i
 * (towards low) and 2 i + 1.  All at once they cost no more than two one after the other. */
enum { POINTS = 16, HALVINGS = 4 };

ILBC_CLONES static void evaluate_halvings(int16_t x[POINTS], int16_t y[POINTS], int16_t low, int16_t high,
                                          const int16_t f_q10[HALF_ORDER + 1]) {
    int16_t from[2 * POINTS] = {0, low}, to[2 * POINTS] = {0, high};
    x[0] = 0;
    for (int i = 1; i < POINTS; i++) {
        x[i] = (int16_t)((from[i] >> 1) + (to[i] >> 1));
        from[2 * i] = from[i];
        to[2 * i] = x[i];
        from[2 * i + 1] = x[i];
        to[2 * i + 1] = to[i];
    }
    for (int i = 0; i < POINTS; i++)
        y[i] = chebyshev(x[i], f_q10);
}

/* Where f changes its sign between two points of the grid. */
static int16_t root_between(int16_t x_low, int16_t y_low, int16_t x_high, int16_t y_high,
                            const int16_t f_q10[HALF_ORDER + 1]) {
    int16_t x[POINTS], y[POINTS];
    evaluate_halvings(x, y, x_low, x_high, f_q10);
    for (int halving = 0, i = 1; halving < HALVINGS; halving++) {
        if (y_low * y[i] <= 0) {
            x_high = x[i];
            y_high = y[i];
            i = 2 * i;
        } else {
            x_low = x[i];
            y_low = y[i];
            i = 2 * i + 1;
        }
    }
    return crossing(x_low, y_low, x_high, y_high);
}

/* 3.2.3: the roots lie on the unit circle, of one polynomial and the other in turns.  Walk a grid of 60
 * points from frequency 0 up; at a change of sign halve the interval four times and interpolate. */
static bool find_roots(int16_t lsp_q15[ILBC_ORDER], const int16_t f_q10[2][HALF_ORDER + 1]) {
    int16_t value[2][GRID];
    evaluate(value, f_q10);
    int found = 0;
    int16_t x_low = ILBC_COS_GRID_Q15[0], y_low = value[0][0];
    for (int j = 1; j < GRID && found < ILBC_ORDER; j++) {
        const int16_t x_high = x_low, y_high = y_low;
        x_low = ILBC_COS_GRID_Q15[j];
        y_low = value[found & 1][j];
        if (y_low * y_high > 0)
            continue;
        x_low = root_between(x_low, y_low, x_high, y_high, f_q10[found & 1]);
        lsp_q15[found++] = x_low;
        y_low = chebyshev(x_low, f_q10[found & 1]);
    }
    return found == ILBC_ORDER;
}

/* Arc cosine by the same table, from the highest frequency down. */
static void arc_cosines(int16_t *lsf_q13, const int16_t lsp_q15[ILBC_ORDER]) {
    int step = 63;
    for (int i = ILBC_ORDER - 1; i >= 0; i--) {
        while (ILBC_COS_Q15[step] < lsp_q15[i] && step > 0)
            step--;
        const int16_t beyond = (int16_t)(lsp_q15[i] - ILBC_COS_Q15[step]);
        const int16_t frequency = (int16_t)(step * 512 + (int16_t)((ILBC_ACOS_SLOPE[step] * beyond) >> 11));
        lsf_q13[i] = (int16_t)((frequency * 25736) >> 15); /* 2 pi in Q12 */
    }
}

void ilbc_filter_to_lsf(int16_t *lsf_q13, const ilbc_filter_q12 a_q12) {
    int16_t f_q10[2][HALF_ORDER + 1] = {{1024}, {1024}}, lsp_q15[ILBC_ORDER];
    for (int i = 0; i < HALF_ORDER; i++) {
        const int near = a_q12[i + 1], far = a_q12[ILBC_ORDER - i];
        f_q10[0][i + 1] = (int16_t)(((near + far) >> 2) - f_q10[0][i]);
        f_q10[1][i + 1] = (int16_t)(((near - far) >> 2) + f_q10[1][i]);
    }
    if (!find_roots(lsp_q15, f_q10))
        memcpy(lsp_q15, ILBC_LSP_MEAN_Q15, sizeof lsp_q15);
    arc_cosines(lsf_q13, lsp_q15);
}
