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

ILBC_CLONES static void correlate_fitting(int32_t *restrict out, const int16_t *restrict x,
                                          const int16_t *restrict y, int n, int count, int step, int shift) {
    int16_t padded[80] = {0}; /* whole vectors: a remainder would cost more than the zeros */
    memcpy(padded, x, (size_t)n * sizeof *x);
    if (n <= 32)
        lags(out, padded, y, 32, count, step, shift);
    else if (n <= 48)
        lags(out, padded, y, 48, count, step, shift);
    else
        lags(out, padded, y, 80, count, step, shift);
}

void ilbc_correlate(int32_t *restrict out, const int16_t *restrict x, const int16_t *restrict y, int n,
                    int count, int step, int shift, bool fits) {
    if (fits)
        correlate_fitting(out, x, y, n, count, step, shift);
    else
        for (int k = 0; k < count; k++)
            out[k] = dot_saturating(x, y + k * step, n, shift);
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

/* Serial: every output waits for the one before.  So four are made at a time: what outputs of five and more
 * samples ago contribute to them is summed in vectors, while the last four are still on their way; what is
 * then left for each is a short sum, newest last.  No output needs clipping but in rare frames: better a
 * branch than to wait for it every time. */
enum { TOGETHER = 4 };
typedef int32_t four __attribute__((vector_size(TOGETHER * sizeof(int32_t))));

ILBC_INLINE int32_t clipped_q12(int32_t x_q12) {
    const int32_t y = x_q12 >> 12;
    return __builtin_expect(y == (int16_t)y, 1) ? y : saturate16(y);
}

ILBC_CLONES static void synthesise_fitting(int16_t *out, const int16_t *in, const ilbc_filter_q12 a_q12,
                                           int n) {
    int32_t a[ILBC_ORDER + TOGETHER] = {0}, y[ILBC_ORDER + ILBC_SAMPLES + TOGETHER];
    four older[ILBC_ORDER + 1]; /* what an output j samples before the first of four is multiplied with */
    for (int j = 0; j <= ILBC_ORDER; j++)
        a[j] = a_q12[j];
    for (int j = TOGETHER + 1; j <= ILBC_ORDER; j++)
        memcpy(&older[j], a + j, sizeof older[j]);
    for (int i = 0; i < ILBC_ORDER; i++)
        y[i] = out[i - ILBC_ORDER];
    const int32_t a1 = a[1], a2 = a[2], a3 = a[3], a4 = a[4], a5 = a[5], a6 = a[6], a7 = a[7];
    int i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER) {
        int32_t *now = y + ILBC_ORDER + i;
        four sum = {in[i], in[i + 1], in[i + 2], in[i + 3]};
        sum = sum * a[0] + 2048;
        for (int j = TOGETHER + 1; j <= ILBC_ORDER; j++)
            sum -= now[-j] * older[j];
        const int32_t y4 = now[-4], y3 = now[-3], y2 = now[-2], y1 = now[-1];
        now[0] = clipped_q12(sum[0] - y4 * a4 - y3 * a3 - y2 * a2 - y1 * a1);
        now[1] = clipped_q12(sum[1] - y4 * a5 - y3 * a4 - y2 * a3 - y1 * a2 - now[0] * a1);
        now[2] = clipped_q12(sum[2] - y4 * a6 - y3 * a5 - y2 * a4 - y1 * a3 - now[0] * a2 - now[1] * a1);
        now[3] = clipped_q12(sum[3] - y4 * a7 - y3 * a6 - y2 * a5 - y1 * a4 - now[0] * a3 - now[1] * a2 -
                             now[2] * a1);
    }
    for (; i < n; i++) {
        int32_t sum = a[0] * in[i] + 2048;
        for (int j = ILBC_ORDER; j > 0; j--)
            sum -= y[ILBC_ORDER + i - j] * a[j];
        y[ILBC_ORDER + i] = clipped_q12(sum);
    }
    for (int k = 0; k < n; k++)
        out[k] = (int16_t)y[ILBC_ORDER + k];
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
