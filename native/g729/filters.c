#include "g729/filters.h"

#include "g729/fixed.h"
#include "g729/tables.h"

#include <string.h>

int32_t g729_dot(const int16_t *a, const int16_t *b, size_t n, int32_t start) {
    int32_t sum = start;
    for (size_t i = 0; i < n; i++)
        sum = mac32(sum, a[i], b[i]);
    return sum;
}

/* A sum of squares only grows: it saturates if and only if the exact one is too large at the end. */
int32_t g729_energy(const int16_t *x, size_t n, int32_t start, bool *saturated) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    sum = start + 2 * sum;
    *saturated = sum > INT32_MAX;
    return clamp32(sum);
}

void g729_residual(int16_t *restrict out, const int16_t a_q12[G729_ORDER + 1], const int16_t *restrict in,
                   size_t n) {
    for (size_t i = 0; i < n; i++) {
        int32_t sum = 0;
        for (size_t j = 0; j <= G729_ORDER; j++)
            sum = mac32(sum, a_q12[j], in[(ptrdiff_t)i - (ptrdiff_t)j]);
        out[i] = round16(shl32(sum, 3));
    }
}

bool g729_synthesis(int16_t *out, const int16_t a_q12[G729_ORDER + 1], const int16_t *in, size_t n,
                    const int16_t past[G729_ORDER]) {
    int16_t y[G729_ORDER + G729_FRAME];
    bool saturated = false;
    memcpy(y, past, G729_ORDER * sizeof *y);
    for (size_t i = 0; i < n; i++) {
        int64_t exact = (int64_t)mul32(in[i], a_q12[0]);
        int32_t sum = (int32_t)exact;
        for (size_t j = 1; j <= G729_ORDER; j++) {
            exact = (int64_t)sum - mul32(a_q12[j], y[G729_ORDER + i - j]);
            sum = clamp32(exact);
            saturated |= sum != exact;
        }
        const int32_t scaled = shl32(sum, 3);
        saturated |= scaled >> 3 != sum || scaled > INT32_MAX - 0x8000;
        y[G729_ORDER + i] = round16(scaled);
    }
    memcpy(out, y + G729_ORDER, n * sizeof *y);
    return saturated;
}

void g729_keep_past(int16_t past[G729_ORDER], const int16_t *out, size_t n) {
    memcpy(past, out + n - G729_ORDER, G729_ORDER * sizeof *past);
}

void g729_synthesis_onwards(int16_t *out, const int16_t a_q12[G729_ORDER + 1], const int16_t *in, size_t n,
                            int16_t past[G729_ORDER]) {
    g729_synthesis(out, a_q12, in, n, past);
    g729_keep_past(past, out, n);
}

void g729_expand(int16_t out_q12[G729_ORDER + 1], const int16_t a_q12[G729_ORDER + 1], int16_t gamma_q15) {
    int16_t power_q15 = gamma_q15;
    out_q12[0] = a_q12[0];
    for (size_t i = 1; i <= G729_ORDER; i++) {
        out_q12[i] = round16(mul32(a_q12[i], power_q15));
        power_q15 = round16(mul32(power_q15, gamma_q15));
    }
}

void g729_predict_long_term(int16_t *excitation, int lag, int fraction) {
    enum { TAPS = 10, THIRDS = 3 };
    const int16_t *past = excitation - lag;
    int phase = -fraction;
    if (phase < 0) {
        phase += THIRDS;
        past--;
    }
    const int16_t *backward_q15 = g729_interpolation_q15 + phase;
    const int16_t *forward_q15 = g729_interpolation_q15 + THIRDS - phase;
    for (int j = 0; j < G729_SUBFRAME; j++) {
        int32_t sum = 0;
        for (int i = 0; i < TAPS; i++) {
            sum = mac32(sum, past[j - i], backward_q15[THIRDS * i]);
            sum = mac32(sum, past[j + 1 + i], forward_q15[THIRDS * i]);
        }
        excitation[j] = round16(sum);
    }
}
