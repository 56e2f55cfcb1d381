#include "g729/postfilter.h"

#include "g729/fixed.h"
#include "g729/mathematics.h"

#include <string.h>

enum { RESIDUAL_GAMMA_Q15 = 18022 /* 0.55 */, SYNTHESIS_GAMMA_Q15 = 22938 /* 0.7 */ };

void g729_postfilter_reset(struct g729_postfilter *state) {
    memset(state, 0, sizeof *state);
    state->gain_q12 = 4096;
}

/* The lag of lags from first to first + 6 with the largest correlation, which is left in *correlation. */
static int best_lag(const int16_t *scaled, int first, int32_t *correlation) {
    const bool fits = g729_fits(g729_exact_energy(scaled, G729_SUBFRAME),
                                g729_exact_energy(scaled - first - 6, G729_SUBFRAME + 6));
    int best = first;
    *correlation = INT32_MIN;
    for (int lag = first; lag <= first + 6; lag++) {
        const int32_t sum = fits ? g729_dot_plain(scaled, scaled - lag, G729_SUBFRAME, 0)
                                 : g729_dot(scaled, scaled - lag, G729_SUBFRAME, 0);
        if (sum > *correlation) {
            *correlation = sum;
            best = lag;
        }
    }
    return best;
}

/* A.4.2.1: y = g0 x + gain x[-lag], for a prediction gain of 3 dB and more; else y = x. */
static void long_term_filter(int16_t *out, const int16_t *residual, const int16_t *scaled, int lag) {
    int first = lag - 3;
    if (first + 6 > G729_LAG_MAX)
        first = G729_LAG_MAX - 6;
    bool saturated; /* a saturated energy is as good as any */
    int32_t correlation;
    lag = best_lag(scaled, first, &correlation);
    const int32_t energy_then = g729_energy(scaled - lag, G729_SUBFRAME, 1, &saturated);
    const int32_t energy_now = g729_energy(scaled, G729_SUBFRAME, 1, &saturated);
    if (correlation < 0)
        correlation = 0;
    int32_t largest = correlation > energy_then ? correlation : energy_then;
    largest = largest > energy_now ? largest : energy_now;
    const int shift = norm32(largest);
    const int16_t c = round16(shl32(correlation, shift)), then = round16(shl32(energy_then, shift)),
                  now = round16(shl32(energy_now, shift));
    if (sub32(mul32(c, c), shr32(mul32(then, now), 1)) < 0) {
        memcpy(out, residual, G729_SUBFRAME * sizeof *out);
        return;
    }
    int16_t gain = 10923, rest = 21845; /* 1/3 and 2/3 in Q15: gains above 1 */
    if (c <= then) {                    /* (c/2) / (c/2 + then) and its rest */
        const int16_t half = shr16(mul16(c, 16384), 1);
        const int16_t sum = add16(half, shr16(then, 1));
        gain = sum > 0 ? div16(half, sum) : 0;
        rest = sub16(INT16_MAX, gain);
    }
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = add16(mul16(rest, residual[i]), mul16(gain, residual[i - lag]));
}

/* A.4.2.3: the first reflection coefficient of the formant filter's impulse response, times 0.8 if positive.
 */
static int16_t tilt_of(const int16_t numerator_q12[G729_ORDER + 1],
                       const int16_t denominator_q12[G729_ORDER + 1]) {
    enum { LENGTH = 22, FILTERED = 30 /* whole tens */, TILT_Q15 = 26214 };
    static const int16_t silence[G729_ORDER];
    int16_t h[FILTERED] = {0};
    memcpy(h, numerator_q12, (G729_ORDER + 1) * sizeof *h);
    g729_synthesis(h, denominator_q12, h, FILTERED, silence);
    bool saturated;
    const int16_t energy = high16(g729_energy(h, LENGTH, 0, &saturated));
    const int16_t correlation = high16(g729_product(h, h + 1, LENGTH - 1, 0));
    return correlation <= 0 ? 0 : div16(mul16(correlation, TILT_Q15), energy);
}

static void compensate_tilt(struct g729_postfilter *state, int16_t *x, int16_t tilt_q15) {
    const int16_t last = x[G729_SUBFRAME - 1];
    for (int i = G729_SUBFRAME - 1; i > 0; i--)
        x[i] = sub16(x[i], mul16(tilt_q15, x[i - 1]));
    x[0] = sub16(x[0], mul16(tilt_q15, state->before));
    state->before = last;
}

static int32_t scaled_energy(const int16_t *x) {
    int16_t scaled[G729_SUBFRAME];
    bool saturated;
    for (int i = 0; i < G729_SUBFRAME; i++)
        scaled[i] = (int16_t)(x[i] >> 2);
    return g729_energy(scaled, G729_SUBFRAME, 0, &saturated);
}

/* 0.1 * sqrt(energy of in / energy of out), Q12. */
static int16_t gain_step(int32_t energy_in, int32_t energy_out) {
    if (energy_in == 0)
        return 0;
    const int shift_out = norm32(energy_out) - 1, shift_in = norm32(energy_in);
    const int16_t out = round16(shl32(energy_out, shift_out)), in = round16(shl32(energy_in, shift_in));
    const int32_t ratio = shr32(shl32(div16(out, in), 7), shift_out - shift_in);
    return mul16(round16(shl32(g729_inverse_sqrt(ratio), 9)), 3276);
}

/* A.4.2.4: bring out to the level of in. */
static void control_gain(struct g729_postfilter *state, int16_t *out, const int16_t *in) {
    const int32_t energy_out = scaled_energy(out);
    if (energy_out == 0) {
        state->gain_q12 = 0;
        return;
    }
    const int16_t step = gain_step(scaled_energy(in), energy_out);
    int32_t gain_q12[G729_SUBFRAME], last_q12 = state->gain_q12;
    for (int i = 0; i < G729_SUBFRAME; i++) /* at most 29491 + 3276: no more than 16 bits */
        gain_q12[i] = last_q12 = ((last_q12 * 29491) >> 15) + step;
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = clamp16((out[i] * gain_q12[i]) >> 12);
    state->gain_q12 = (int16_t)last_q12;
}

void g729_postfilter_subframe(struct g729_postfilter *state, int16_t out[G729_SUBFRAME], const int16_t *in,
                              const int16_t a_q12[G729_ORDER + 1], int lag, bool speech) {
    int16_t numerator_q12[G729_ORDER + 1], denominator_q12[G729_ORDER + 1], filtered[G729_SUBFRAME];
    int16_t *residual = state->residual + G729_LAG_MAX, *scaled = state->scaled_residual + G729_LAG_MAX;
    g729_expand(numerator_q12, a_q12, RESIDUAL_GAMMA_Q15);
    g729_expand(denominator_q12, a_q12, SYNTHESIS_GAMMA_Q15);
    g729_residual(residual, numerator_q12, in, G729_SUBFRAME);
    for (int i = 0; i < G729_SUBFRAME; i++)
        scaled[i] = (int16_t)(residual[i] >> 2);
    if (speech)
        long_term_filter(filtered, residual, scaled, lag);
    else
        memcpy(filtered, residual, sizeof filtered);
    compensate_tilt(state, filtered, tilt_of(numerator_q12, denominator_q12));
    g729_synthesis_onwards(out, denominator_q12, filtered, G729_SUBFRAME, state->past);
    control_gain(state, out, in);
    memmove(state->residual, state->residual + G729_SUBFRAME, G729_LAG_MAX * sizeof *residual);
    memmove(state->scaled_residual, state->scaled_residual + G729_SUBFRAME, G729_LAG_MAX * sizeof *scaled);
}
