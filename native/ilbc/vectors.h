/* The loops that the codec spends its time in.
 *
 * What does it do?  Peaks, scaled sums of products, correlations, FIR and all-pole filters over int16
 * samples. How does it work?  A product is shifted right before it is summed, as the codec has it; shift 0
 * has loops of its own, which a compiler makes multiply-add pairs of.  Sums saturate.  Whether they can is
 * settled before a loop, from peaks or from the filter's coefficients: where they cannot, 32 bits do and the
 * order of additions is free; else the sum is taken in 64.
 */
#ifndef TANDEM_ILBC_VECTORS_H
#define TANDEM_ILBC_VECTORS_H

#include "ilbc/arithmetic.h"
#include "ilbc/clones.h"
#include "ilbc/ilbc.h"

/* The largest magnitude; 32767 for -32768. */
ILBC_INLINE int ilbc_peak(const int16_t *x /* [n] */, int n) {
    int16_t greatest = 0, least = 0;
    for (int i = 0; i < n; i++) {
        greatest = x[i] > greatest ? x[i] : greatest;
        least = x[i] < least ? x[i] : least;
    }
    return min_int(max_int(greatest, -least), INT16_MAX);
}

/* Whether n products of numbers with these peaks, each shifted, sum up within 32 bits. */
ILBC_INLINE bool ilbc_sum_fits(int peak_x, int peak_y, int n, int shift) {
    const int64_t product = (int64_t)(peak_x + 1) * (peak_y + 1);
    return ((product >> shift) + 1) * n <= INT32_MAX;
}

/* Sum of x[i] * y[i] >> shift that fits. */
ILBC_INLINE int32_t ilbc_dot_fitting(const int16_t *x /* [n] */, const int16_t *y /* [n] */, int n,
                                     int shift) {
    int32_t sum = 0;
    if (shift == 0)
        for (int i = 0; i < n; i++)
            sum += x[i] * y[i];
    else
        for (int i = 0; i < n; i++)
            sum += (x[i] * y[i]) >> shift;
    return sum;
}

/* The index of the first number that is `wanted`; n if none is.  All are looked at: in vectors that is sooner
 * done than to stop at the first. */
ILBC_INLINE int ilbc_first_of(const int32_t *x /* [n] */, int32_t wanted, int n) {
    int first = n;
    for (int i = 0; i < n; i++) {
        const int here = x[i] == wanted ? i : n;
        first = here < first ? here : first;
    }
    return first;
}

/* The index of the first greatest number. */
ILBC_INLINE int ilbc_greatest(const int32_t *x /* [n], n > 0 */, int n) {
    int32_t greatest = INT32_MIN;
    for (int i = 0; i < n; i++)
        greatest = x[i] > greatest ? x[i] : greatest;
    return ilbc_first_of(x, greatest, n);
}

/* Sum of x[i] * y[i] >> shift, saturated. */
int32_t ilbc_dot(const int16_t *x /* [n] */, const int16_t *y /* [n] */, int n, int shift);

/* out[k] = sum of x[i] * y[i + k * step] >> shift, saturated unless the caller knows that all fit; n is at
 * most
 * 80.  From each y + k * step on samples must be readable up to the next multiple of 16: they are multiplied
 * by zero. */
void ilbc_correlate(int32_t *restrict out /* [count] */, const int16_t *restrict x /* [n] */,
                    const int16_t *restrict y, int n, int count, int step, int shift, bool fits);

/* out[i] = sum of taps[j] * in[i - j], rounded and saturated; 7, 8 or 11 taps. */
void ilbc_fir(int16_t *restrict out /* [n] */, const int16_t *restrict in /* [-n_taps + 1 .. n] */,
              const int16_t *restrict taps_q12 /* [n_taps] */, int n_taps, int n);

/* out[i] = in[i] - sum of a[j] * out[i - j], j from 1, rounded and saturated.  in may be out. */
void ilbc_synthesise(int16_t *out /* [-10 .. n] */, const int16_t *in /* [n] */, const ilbc_filter_q12 a_q12,
                     int n);

#endif
