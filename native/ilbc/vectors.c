#include "ilbc/vectors.h"

#include <string.h>

/* Where int16 ends, Q12 */
enum { CLIP_LEAST = -134217728, CLIP_GREATEST = 134215679 };

static int32_t dot_saturating(const int16_t *x, const int16_t *y, int n, int shift) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += (x[i] * y[i]) >> shift;
    return saturate32(sum);
}

ILBC_CLONES int32_t ilbc_dot(const int16_t *x, const int16_t *y, int n, int shift) {
    return ilbc_sum_fits(ilbc_peak(x, n), ilbc_peak(y, n), n, shift) ? ilbc_dot_fitting(x, y, n, shift)
                                                                     : dot_saturating(x, y, n, shift);
}

/* n, and shift if it is 0, are constants where this is called: the inner loop has no loop left. */
ILBC_INLINE void lags(int32_t *restrict out, const int16_t *restrict x, const int16_t *restrict y, int n,
                      int count, int step, int shift) {
    if (shift == 0)
        for (int k = 0; k < count; k++)
            out[k] = ilbc_dot_fitting(x, y + k * step, n, 0);
    else
        for (int k = 0; k < count; k++)
            out[k] = ilbc_dot_fitting(x, y + k * step, n, shift);
}

ILBC_CLONES void ilbc_correlate(int32_t *restrict out, const int16_t *restrict x, const int16_t *restrict y,
                                int n, int count, int step, int shift) {
    const int reach = (count - 1) * step, before = min_int(0, reach), span = n + (reach < 0 ? -reach : reach);
    int16_t padded[80] = {0}; /* whole vectors: a remainder would cost more than the zeros */
    if (count <= 0)
        return;
    memcpy(padded, x, (size_t)n * sizeof *x);
    if (!ilbc_sum_fits(ilbc_peak(x, n), ilbc_peak(y + before, span), n, shift))
        for (int k = 0; k < count; k++)
            out[k] = dot_saturating(x, y + k * step, n, shift);
    else if (n <= 32)
        lags(out, padded, y, 32, count, step, shift);
    else if (n <= 48)
        lags(out, padded, y, 48, count, step, shift);
    else
        lags(out, padded, y, 80, count, step, shift);
}

/* Whether a sum of products with any samples fits into 32 bits. */
ILBC_INLINE bool taps_fit(const int16_t *taps_q12, int n_taps) {
    int total = 0;
    for (int j = 0; j < n_taps; j++)
        total += taps_q12[j] < 0 ? -taps_q12[j] : taps_q12[j];
    return total <= UINT16_MAX;
}

ILBC_INLINE int16_t rounded_q12(int32_t x_q12) {
    return (int16_t)((max_int(CLIP_LEAST, min_int(x_q12, CLIP_GREATEST)) + 2048) >> 12);
}

ILBC_INLINE void fir_fitting(int16_t *restrict out, const int16_t *restrict in,
                             const int16_t *restrict taps_q12, int n_taps, int n) {
    for (int i = 0; i < n; i++) {
        int32_t sum = 0;
        for (int j = 0; j < n_taps; j++)
            sum += taps_q12[j] * in[i - j];
        out[i] = rounded_q12(sum);
    }
}

ILBC_CLONES void ilbc_fir(int16_t *restrict out, const int16_t *restrict in, const int16_t *restrict taps_q12,
                          int n_taps, int n) {
    if (!taps_fit(taps_q12, n_taps))
        for (int i = 0; i < n; i++) {
            int64_t sum = 0;
            for (int j = 0; j < n_taps; j++)
                sum += taps_q12[j] * in[i - j];
            out[i] = rounded_q12(saturate32(sum));
        }
    else if (n_taps == 7)
        fir_fitting(out, in, taps_q12, 7, n);
    else if (n_taps == 8)
        fir_fitting(out, in, taps_q12, 8, n);
    else
        fir_fitting(out, in, taps_q12, 11, n);
}

/* Serial: every output waits for the one before, so that one is multiplied last. */
static void synthesise_fitting(int16_t *out, const int16_t *in, const ilbc_filter_q12 a_q12, int n) {
    int newest = out[-1];
    for (int i = 0; i < n; i++) {
        int32_t sum = a_q12[0] * in[i];
        for (int j = ILBC_ORDER; j > 1; j--)
            sum -= a_q12[j] * out[i - j];
        newest = rounded_q12(sum - a_q12[1] * newest);
        out[i] = (int16_t)newest;
    }
}

void ilbc_synthesise(int16_t *out, const int16_t *in, const ilbc_filter_q12 a_q12, int n) {
    if (taps_fit(a_q12, ILBC_ORDER + 1)) {
        synthesise_fitting(out, in, a_q12, n);
        return;
    }
    for (int i = 0; i < n; i++) {
        int64_t sum = a_q12[0] * in[i];
        for (int j = 1; j <= ILBC_ORDER; j++)
            sum -= a_q12[j] * out[i - j];
        out[i] = rounded_q12(saturate32(sum));
    }
}
