/* The loops that the codec spends its time in.
 *
 * What does it do?  Peaks, scaled sums of products, correlations, FIR and all-pole filters over int16
 * samples. How does it work?  A product is shifted right before it is summed, as the codec has it; shift 0
 * has loops of its own, which a compiler makes multiply-add pairs of.  Sums saturate.  Whether they can is
 * settled before a loop, from peaks or from the filter's coefficients: then 32 bits do; else the sum is taken
 * in 64.
 */
#ifndef TANDEM_ILBC_VECTORS_H
#define TANDEM_ILBC_VECTORS_H

#include "ilbc/ilbc.h"

/* The largest magnitude; 32767 for -32768. */
int ilbc_peak(const int16_t *x /* [n] */, int n);

/* Sum of x[i] * y[i] >> shift, saturated. */
int32_t ilbc_dot(const int16_t *x /* [n] */, const int16_t *y /* [n] */, int n, int shift);

/* out[k] = sum of x[i] * y[i + k * step] >> shift, saturated; step is 1 or -1. */
void ilbc_correlate(int32_t *restrict out /* [count] */, const int16_t *x /* [n] */, const int16_t *y, int n,
                    int count, int step, int shift);

/* out[i] = sum of taps[j] * in[i - j], rounded and saturated.  out may be in - (n_taps - 1) or apart from it.
 */
void ilbc_fir(int16_t *out /* [n] */, const int16_t *in /* [-n_taps + 1 .. n] */,
              const int16_t *taps_q12 /* [n_taps] */, int n_taps, int n);

/* out[i] = in[i] - sum of a[j] * out[i - j], j from 1, rounded and saturated.  in may be out. */
void ilbc_synthesise(int16_t *out /* [-10 .. n] */, const int16_t *in /* [n] */, const ilbc_filter_q12 a_q12,
                     int n);

/* The index of the first greatest number. */
int ilbc_greatest(const int32_t *x /* [n], n > 0 */, int n);

#endif
