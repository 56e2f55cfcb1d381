#include "ilbc/vectors.h"

#include "ilbc/arithmetic.h"

/* Q12 to Q0: rounds, and clips where int16 ends. */
static inline int16_t rounded_q12(int64_t x_q12) {
    const int64_t clipped = x_q12 > 134215679 ? 134215679 : x_q12 < -134217728 ? -134217728 : x_q12;
    return (int16_t)((clipped + 2048) >> 12);
}

int ilbc_peak(const int16_t *x, int n) {
    int greatest = 0, least = 0;
    for (int i = 0; i < n; i++) {
        greatest = max_int(greatest, x[i]);
        least = min_int(least, x[i]);
    }
    return min_int(max_int(greatest, -least), INT16_MAX);
}

int32_t ilbc_dot(const int16_t *x, const int16_t *y, int n, int shift) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += (x[i] * y[i]) >> shift;
    return saturate32(sum);
}

void ilbc_correlate(int32_t *restrict out, const int16_t *x, const int16_t *y, int n, int count, int step,
                    int shift) {
    for (int k = 0; k < count; k++)
        out[k] = ilbc_dot(x, y + k * step, n, shift);
}

void ilbc_fir(int16_t *out, const int16_t *in, const int16_t *taps_q12, int n_taps, int n) {
    for (int i = 0; i < n; i++) {
        int64_t sum = 0;
        for (int j = 0; j < n_taps; j++)
            sum += taps_q12[j] * in[i - j];
        out[i] = rounded_q12(sum);
    }
}

void ilbc_synthesise(int16_t *out, const int16_t *in, const ilbc_filter_q12 a_q12, int n) {
    for (int i = 0; i < n; i++) {
        int64_t sum = a_q12[0] * in[i];
        for (int j = 1; j <= ILBC_ORDER; j++)
            sum -= a_q12[j] * out[i - j];
        out[i] = rounded_q12(sum);
    }
}

int ilbc_greatest(const int32_t *x, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}
