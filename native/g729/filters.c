#include "g729/filters.h"

#include "g729/fixed.h"
#include "g729/lanes.h"
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

/* a * b as Q15 * Q15 -> Q15 with rounding, for b >= 0. */
LANES_INLINE lanes mul_rounded(lanes a, lanes b) {
    return (lanes_mul16(a, b) + 0x4000) >> 15;
}

void g729_expand(lanes out_q12[G729_ORDER + 1], const lanes a_q12[G729_ORDER + 1], int gamma_q15) {
    int power_q15 = gamma_q15;
    out_q12[0] = a_q12[0];
    for (size_t i = 1; i <= G729_ORDER; i++) {
        out_q12[i] = mul_rounded(a_q12[i], lanes_of(power_q15));
        power_q15 = (power_q15 * gamma_q15 + 0x4000) >> 15;
    }
}

/* What samples have been at most, either way. */
struct extremes {
    lanes lowest, highest;
};

LANES_INLINE void include(struct extremes *inout, lanes x) {
    inout->lowest = lanes_min(inout->lowest, x);
    inout->highest = lanes_max(inout->highest, x);
}

LANES_INLINE lanes magnitude_of(const struct extremes *of) {
    return lanes_max(of->highest, -of->lowest);
}

/* -1 where no partial sum of products can saturate: with samples, all so large at most, of the coefficients
 * but the first, and of the first, which is one, with any sample.  Then (2 sum << 3 + 0x8000) >> 16 is
 * (sum + 0x800) >> 12, clamped once. */
LANES_INLINE lanes bounded(const lanes a_q12[G729_ORDER + 1], lanes largest) {
    lanes sum = lanes_of(0), out;
    for (size_t j = 1; j <= G729_ORDER; j++)
        sum += lanes_abs(a_q12[j]);
    const float_lanes product =
        __builtin_convertvector(sum, float_lanes) * __builtin_convertvector(largest, float_lanes);
    for (int l = 0; l < LANES; l++)
        out[l] = product[l] < 0x1p30f - 0x1p27f ? -1 : 0;
    return out;
}

/* Returns the rows that it may be wrong for. */
static rows_set residual_plain(lanes *restrict out, const lanes a_q12[G729_ORDER + 1],
                               const lanes *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        wrapping_lanes sum = (wrapping_lanes)lanes_of(0x800);
#pragma GCC unroll 11
        for (size_t j = 0; j <= G729_ORDER; j++)
            sum += (wrapping_lanes)lanes_mul16(in[G729_ORDER + i - j], a_q12[j]);
        out[i] = lanes_clamp16((lanes)sum >> 12);
    }
    struct extremes extremes = {{0}, {0}};
    for (size_t i = 0; i < G729_ORDER + n; i++)
        include(&extremes, in[i]);
    return lanes_set_of(~bounded(a_q12, magnitude_of(&extremes)));
}

static void residual_saturating(lanes *out, const lanes a_q12[G729_ORDER + 1], const lanes *in, size_t n,
                                int row) {
    for (size_t i = 0; i < n; i++) {
        int32_t sum = 0;
        for (size_t j = 0; j <= G729_ORDER; j++)
            sum = mac32(sum, (int16_t)a_q12[j][row], (int16_t)in[G729_ORDER + i - j][row]);
        out[i][row] = round16(shl32(sum, 3));
    }
}

void g729_residual(lanes *restrict out, const lanes a_q12[G729_ORDER + 1], const lanes *restrict in,
                   size_t n) {
    const rows_set doubtful = residual_plain(out, a_q12, in, n);
    for (int row = 0; row < LANES; row++)
        if (doubtful >> row & 1)
            residual_saturating(out, a_q12, in, n, row);
}

/* If any step had saturated, the outputs up to there are right, and their bound shows it.  Returns the rows
 * that it may be wrong for. */
static rows_set synthesize_plain(lanes *restrict y, const lanes a_q12[G729_ORDER + 1],
                                 const lanes *restrict in, size_t n) {
    struct extremes extremes = {{0}, {0}};
    for (size_t i = 0; i < G729_ORDER; i++)
        include(&extremes, y[i]);
    for (size_t i = 0; i < n; i++) {
        wrapping_lanes sum = (wrapping_lanes)(lanes_mul16(in[i], a_q12[0]) + 0x800);
#pragma GCC unroll 10
        for (size_t j = G729_ORDER; j >= 1; j--)
            sum -= (wrapping_lanes)lanes_mul16(y[G729_ORDER + i - j], a_q12[j]);
        y[G729_ORDER + i] = lanes_clamp16((lanes)sum >> 12);
        include(&extremes, y[G729_ORDER + i]);
    }
    const lanes largest = magnitude_of(&extremes);
    const lanes clamped = lanes_above(largest, lanes_of(INT16_MAX - 1));
    return lanes_set_of(clamped | ~bounded(a_q12, largest));
}

static bool synthesize_saturating(lanes *y, const lanes a_q12[G729_ORDER + 1], const lanes *in, size_t n,
                                  int row) {
    bool saturated = false;
    for (size_t i = 0; i < n; i++) {
        int32_t sum = mul32((int16_t)in[i][row], (int16_t)a_q12[0][row]);
        for (size_t j = 1; j <= G729_ORDER; j++) {
            const int64_t exact =
                (int64_t)sum - mul32((int16_t)a_q12[j][row], (int16_t)y[G729_ORDER + i - j][row]);
            sum = clamp32(exact);
            saturated |= sum != exact;
        }
        const int32_t scaled = shl32(sum, 3);
        saturated |= scaled >> 3 != sum || scaled > INT32_MAX - 0x8000;
        y[G729_ORDER + i][row] = round16(scaled);
    }
    return saturated;
}

rows_set g729_synthesis(lanes *restrict y, const lanes a_q12[G729_ORDER + 1], const lanes *restrict in,
                        size_t n) {
    const rows_set doubtful = synthesize_plain(y, a_q12, in, n);
    rows_set saturated = 0;
    for (int row = 0; row < LANES; row++)
        if (doubtful >> row & 1)
            saturated |= (rows_set)synthesize_saturating(y, a_q12, in, n, row) << row;
    return saturated;
}

enum { TAPS = 20, SIDE = TAPS / 2, THIRDS = 3 };

static void predict_saturating(int16_t out[LANES], const int16_t *past, const int16_t taps_q15[TAPS]) {
    for (int j = 0; j < LANES; j++) {
        int32_t sum = 0;
        for (int i = 0; i < SIDE; i++) { /* outwards from the middle, a tap of each side in turn */
            sum = mac32(sum, past[j + SIDE - 1 - i], taps_q15[SIDE - 1 - i]);
            sum = mac32(sum, past[j + SIDE + i], taps_q15[SIDE + i]);
        }
        out[j] = round16(sum);
    }
}

/* Whether all samples that LANES outputs need are below half of full scale.  The taps' magnitudes add up to
 * 59398 at most, so that no partial sum can saturate then. */
static bool is_quiet(const int16_t *past) {
    int16_t bits = 0;
    for (int i = 0; i < LANES + TAPS - 1; i++)
        bits |= (int16_t)(past[i] ^ past[i] >> 15);
    return bits >> 14 == 0;
}

/* Here the lanes are samples of one row. */
static void predict_plain(int16_t out[LANES], const int16_t *past, const lanes taps_q15[TAPS]) {
    lanes sum = lanes_of(0x4000);
    for (int i = 0; i < TAPS; i++)
        sum += lanes_mul16(lanes_load(past + i), taps_q15[i]);
    lanes_store(out, lanes_clamp16(sum >> 15));
}

/* LANES samples at a time: even for the shortest lag all that they need is there. */
void g729_predict_long_term(int16_t *excitation, int lag, int fraction) {
    const int phase = fraction > 0 ? THIRDS - fraction : -fraction;
    const int16_t *past = excitation - lag - (fraction > 0) - (SIDE - 1);
    int16_t taps_q15[TAPS];
    lanes spread_q15[TAPS];
    for (int i = 0; i < SIDE; i++) {
        taps_q15[SIDE - 1 - i] = g729_interpolation_q15[phase + THIRDS * i];
        taps_q15[SIDE + i] = g729_interpolation_q15[THIRDS - phase + THIRDS * i];
    }
    for (int i = 0; i < TAPS; i++)
        spread_q15[i] = lanes_of(taps_q15[i]);
    for (int i = 0; i < G729_SUBFRAME; i += LANES)
        if (is_quiet(past + i))
            predict_plain(excitation + i, past + i, spread_q15);
        else
            predict_saturating(excitation + i, past + i, taps_q15);
}
