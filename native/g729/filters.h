/* The short filters of G.729, all of order 10 with coefficients in Q12 (1.0 = 4096) unless they say
 * otherwise; the first is 1.0.
 *
 * What does it do?  Residual (FIR by A(z)), synthesis (IIR by 1/A(z)), convolution, scalar products,
 * bandwidth expansion, and prediction from the past with a lag in thirds of a sample.
 * How does it work?  Each is first written as the standard means it, saturating at every step.  Where a bound
 * on the operands proves that nothing can saturate, the same sum is formed in plain integers, in any order,
 * which the compiler vectorises.
 * How do I use it?  in[-10] to in[-1] and out[-10] to out[-1] are the past where a comment says so.
 */
#ifndef TANDEM_G729_FILTERS_H
#define TANDEM_G729_FILTERS_H

#include "g729/lanes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { G729_ORDER = 10, G729_SUBFRAME = 40, G729_FRAME = 80, G729_LAG_MIN = 20, G729_LAG_MAX = 143 };
enum { G729_EXCITATION_PAST = 154 }; /* the longest lag and one side of the interpolation */

/* start + sum of a[i] * b[i], doubled (Q15 * Q15 -> Q31), saturating after every product. */
int32_t g729_dot(const int16_t *a, const int16_t *b, size_t n, int32_t start);

/* The same where it is known that nothing saturates (g729_fits). */
static inline int32_t g729_dot_plain(const int16_t *a, const int16_t *b, size_t n, int32_t start) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return start + 2 * sum;
}

/* Sum of x[i]^2, exact: squares in halves, so that 32 bits hold their sums. */
static inline int64_t g729_exact_energy(const int16_t *x, size_t n) {
    int32_t high = 0, low = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t square = x[i] * x[i];
        high += square >> 16;
        low += square & 0xFFFF;
    }
    return (int64_t)high * 65536 + low;
}

/* Whether no partial sum of products of two vectors with these exact energies can saturate, doubled and with
 * a start of 0 or 1: by Cauchy-Schwarz none exceeds the root of the energies' product. */
static inline bool g729_fits(int64_t energy_a, int64_t energy_b) {
    return (double)energy_a * (double)energy_b < 0x1p59;
}

/* g729_dot with a start of 0 or 1, in plain integers where that is the same. */
int32_t g729_product(const int16_t *a, const int16_t *b, size_t n, int32_t start);

/* As g729_dot of x and x; *saturated says whether the sum did. */
int32_t g729_energy(const int16_t *x, size_t n, int32_t start, bool *saturated);

/* out[i] = sum of a[j] * in[i - j]; the first of in are G729_ORDER samples of past. */
void g729_residual(lanes *restrict out, const lanes a_q12[G729_ORDER + 1], const lanes *restrict in,
                   size_t n);

/* y[i] = a[0] * in[i] - sum of a[j] * y[i - j]; the first of y are G729_ORDER outputs of the past.  Returns
 * the rows in which anything saturated. */
rows_set g729_synthesis(lanes *restrict y, const lanes a_q12[G729_ORDER + 1], const lanes *restrict in,
                        size_t n);

/* out(z) = a(z / gamma): a[i] * gamma^i. */
void g729_expand(lanes out_q12[G729_ORDER + 1], const lanes a_q12[G729_ORDER + 1], int gamma_q15);

/* 3.7.1: excitation[0..39] := the past of the excitation, lag + fraction / 3 samples ago, fraction -1, 0, 1.
 * Sample by sample: for lags below 40 it reads what it has just written. */
void g729_predict_long_term(int16_t *excitation, int lag, int fraction);

#endif
