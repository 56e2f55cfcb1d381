#include "g729/filters.h"

#include "g729/clones.h"
#include "g729/fixed.h"
#include "g729/tables.h"

#include <string.h>

int32_t g729_dot(const int16_t *a, const int16_t *b, size_t n, int32_t start) {
    int32_t sum = start;
    for (size_t i = 0; i < n; i++)
        sum = mac32(sum, a[i], b[i]);
    return sum;
}

int32_t g729_product(const int16_t *a, const int16_t *b, size_t n, int32_t start) {
    const bool fits = g729_fits(g729_exact_energy(a, n), g729_exact_energy(b, n));
    return fits ? g729_dot_plain(a, b, n, start) : g729_dot(a, b, n, start);
}

/* A sum of squares only grows: it saturates if and only if the exact one is too large at the end. */
int32_t g729_energy(const int16_t *x, size_t n, int32_t start, bool *saturated) {
    const int64_t sum = start + 2 * g729_exact_energy(x, n);
    *saturated = sum > INT32_MAX;
    return clamp32(sum);
}

static int largest_magnitude(const int16_t *x, size_t n) {
    int largest = 0;
    for (size_t i = 0; i < n; i++) {
        const int magnitude = x[i] < 0 ? -x[i] : x[i];
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

static int sum_of_magnitudes(const int16_t *x, size_t n) {
    int sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] < 0 ? -x[i] : x[i];
    return sum;
}

/* Whether no partial sum of products with these coefficients can saturate, all samples being that large at
 * most: then (2 sum << 3 + 0x8000) >> 16 is (sum + 0x800) >> 12, clamped once. */
static bool is_bounded(int sum_of_coefficients, int largest) {
    return (int64_t)sum_of_coefficients * largest < 1 << 30;
}

static int16_t residual_of(const int16_t a_q12[G729_ORDER + 1], const int16_t *in) {
    int32_t sum = 0;
    for (int j = 0; j <= G729_ORDER; j++)
        sum = mac32(sum, a_q12[j], in[-j]);
    return round16(shl32(sum, 3));
}

void g729_residual(int16_t *restrict out, const int16_t a_q12[G729_ORDER + 1], const int16_t *restrict in,
                   size_t n) {
    if (!is_bounded(sum_of_magnitudes(a_q12, G729_ORDER + 1),
                    largest_magnitude(in - G729_ORDER, n + G729_ORDER))) {
        for (size_t i = 0; i < n; i++)
            out[i] = residual_of(a_q12, in + i);
        return;
    }
    int32_t sum[G729_SUBFRAME];
    for (size_t i = 0; i < n; i++)
        sum[i] = 0x800;
    for (int j = 0; j <= G729_ORDER; j++)
        for (size_t i = 0; i < n; i++)
            sum[i] += a_q12[j] * in[(ptrdiff_t)i - j];
    for (size_t i = 0; i < n; i++)
        out[i] = clamp16(sum[i] >> 12);
}

/* As the standard has it, saturating at every step. */
static bool synthesize_saturating(int16_t *y, const int16_t a_q12[G729_ORDER + 1], const int16_t *in,
                                  size_t n) {
    bool saturated = false;
    for (size_t i = 0; i < n; i++) {
        int32_t sum = mul32(in[i], a_q12[0]);
        for (size_t j = 1; j <= G729_ORDER; j++) {
            const int64_t exact = (int64_t)sum - mul32(a_q12[j], y[G729_ORDER + i - j]);
            sum = clamp32(exact);
            saturated |= sum != exact;
        }
        const int32_t scaled = shl32(sum, 3);
        saturated |= scaled >> 3 != sum || scaled > INT32_MAX - 0x8000;
        y[G729_ORDER + i] = round16(scaled);
    }
    return saturated;
}

/* Without, in wrapping integers.  If any step had saturated, the outputs up to there are right, and their
 * bound shows it.  Ten outputs at a time: unrolled, the past stays in registers. */
static void synthesize_plain(int16_t *y, const int16_t a_q12[G729_ORDER + 1], const int16_t *in, size_t n) {
    int32_t a[G729_ORDER + 1], past[G729_ORDER]; /* past[i % 10] was put out at i */
    for (int j = 0; j <= G729_ORDER; j++)
        a[j] = a_q12[j];
    for (int j = 0; j < G729_ORDER; j++)
        past[j] = y[j];
    for (size_t i = 0; i < n; i += G729_ORDER) {
#pragma GCC unroll 10
        for (int k = 0; k < G729_ORDER; k++) {
            uint32_t sum = 0x800 + (uint32_t)(in[i + (size_t)k] * a[0]);
#pragma GCC unroll 10
            for (int j = G729_ORDER; j >= 1; j--)
                sum -= (uint32_t)(a[j] * past[(G729_ORDER + k - j) % G729_ORDER]);
            past[k] = clamp16((int32_t)sum >> 12);
            y[G729_ORDER + i + (size_t)k] = (int16_t)past[k];
        }
    }
}

bool g729_synthesis(int16_t *out, const int16_t a_q12[G729_ORDER + 1], const int16_t *in, size_t n,
                    const int16_t past[G729_ORDER]) {
    int16_t y[G729_ORDER + G729_FRAME];
    bool saturated = false;
    memcpy(y, past, G729_ORDER * sizeof *y);
    synthesize_plain(y, a_q12, in, n);
    const int largest_out = largest_magnitude(y, G729_ORDER + n), largest_in = largest_magnitude(in, n);
    const int largest = largest_out > largest_in ? largest_out : largest_in;
    if (largest_out >= INT16_MAX || !is_bounded(sum_of_magnitudes(a_q12, G729_ORDER + 1), largest))
        saturated = synthesize_saturating(y, a_q12, in, n);
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

enum { TAPS = 20, SIDE = TAPS / 2, THIRDS = 3 };

static void predict_saturating(int16_t *out, const int16_t *past, const int16_t *taps_q15, int n) {
    for (int j = 0; j < n; j++) {
        int32_t sum = 0;
        for (int i = 0; i < SIDE; i++) { /* outwards from the middle, a tap of each side in turn */
            sum = mac32(sum, past[j + SIDE - 1 - i], taps_q15[SIDE - 1 - i]);
            sum = mac32(sum, past[j + SIDE + i], taps_q15[SIDE + i]);
        }
        out[j] = round16(sum);
    }
}

G729_CLONES static void predict_plain(int16_t *restrict out, const int16_t *restrict past,
                                      const int16_t *restrict taps_q15, int n) {
    int32_t sum[G729_SUBFRAME];
    for (int j = 0; j < G729_SUBFRAME; j++)
        sum[j] = 0x4000;
    for (int i = 0; i < TAPS; i++)
        for (int j = 0; j < n; j++)
            sum[j] += taps_q15[i] * past[j + i];
    for (int j = 0; j < n; j++)
        out[j] = clamp16(sum[j] >> 15);
}

void g729_predict_long_term(int16_t *excitation, int lag, int fraction) {
    const int phase = fraction > 0 ? THIRDS - fraction : -fraction;
    const int16_t *past = excitation - lag - (fraction > 0) - (SIDE - 1);
    int16_t taps_q15[TAPS];
    for (int i = 0; i < SIDE; i++) {
        taps_q15[SIDE - 1 - i] = g729_interpolation_q15[phase + THIRDS * i];
        taps_q15[SIDE + i] = g729_interpolation_q15[THIRDS - phase + THIRDS * i];
    }
    const int sum_of_taps = sum_of_magnitudes(taps_q15, TAPS);
    const int ready = lag + (fraction > 0) - SIDE; /* samples that need none of their own block */
    for (int done = 0; done < G729_SUBFRAME; done += ready) {
        const int n = G729_SUBFRAME - done < ready ? G729_SUBFRAME - done : ready;
        if (is_bounded(sum_of_taps, largest_magnitude(past + done, (size_t)(n + TAPS - 1))))
            predict_plain(excitation + done, past + done, taps_q15, n);
        else
            predict_saturating(excitation + done, past + done, taps_q15, n);
    }
}
