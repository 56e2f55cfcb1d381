#include "g729/noise.h"

#include "g729/filters.h"
#include "g729/fixed.h"
#include "g729/mathematics.h"

#include <string.h>

enum { PULSES = 4, LARGEST_GAIN = 5000 };

int16_t g729_random(int16_t *seed) {
    const uint32_t next = (uint32_t)*seed * 31821u + 13849u;
    *seed = (int16_t)(uint16_t)(next & 0xFFFF);
    return *seed;
}

static int16_t gaussian(int16_t *seed) {
    int32_t sum = 0;
    for (int i = 0; i < 12; i++)
        sum += g729_random(seed);
    return low16(sum >> 7);
}

/* What is drawn for a subframe, before the noise itself. */
struct draw {
    struct g729_lag lag;
    int16_t pitch_gain_q14;
    int place[PULSES];
    bool positive[PULSES];
};

static int take(int *bits, int n_bits) {
    const int taken = *bits & ((1 << n_bits) - 1);
    *bits >>= n_bits;
    return taken;
}

static struct draw draw_subframe(int16_t *seed) {
    struct draw d;
    int bits = g729_random(seed);
    const int thirds = take(&bits, 2) - 1;
    const int samples = 40 + take(&bits, 6);
    d.lag = (struct g729_lag){samples, thirds == 2 ? 0 : thirds};
    d.place[0] = 5 * take(&bits, 3);
    d.positive[0] = take(&bits, 1);
    d.place[1] = 5 * take(&bits, 3) + 1;
    d.positive[1] = take(&bits, 1);
    bits = g729_random(seed);
    d.place[2] = 5 * take(&bits, 3) + 2;
    d.positive[2] = take(&bits, 1);
    d.place[3] = 3 + take(&bits, 1);
    d.place[3] += 5 * take(&bits, 3);
    d.positive[3] = take(&bits, 1);
    d.pitch_gain_q14 = g729_random(seed) & 0x1FFF;
    return d;
}

/* 40 Gaussian samples of alpha * gain each, alpha = 0.5. */
static void draw_gaussian(int16_t noise[G729_SUBFRAME], int16_t gain, int16_t *seed) {
    bool saturated;
    for (int i = 0; i < G729_SUBFRAME; i++)
        noise[i] = gaussian(seed);
    const int32_t energy = g729_energy(noise, G729_SUBFRAME, 0, &saturated);
    const struct dpf inverse = dpf_of(g729_inverse_sqrt(energy >> 1));
    const int32_t scale =
        dpf_mul16(inverse, add16(gain, mul16_rounded(gain, 19043))); /* times sqrt(40) / 4 */
    const int shift = norm32(scale);
    const int16_t mantissa = high16(shl32(scale, shift));
    for (int i = 0; i < G729_SUBFRAME; i++)
        noise[i] = shr16_rounded(mul16_rounded(noise[i], mantissa), shift - 14);
}

/* excitation := pitch + noise; returns its peak. */
static int16_t add_pitch(int16_t *excitation, const int16_t *noise, const struct draw *d) {
    const int16_t gain_q15 = shl16(d->pitch_gain_q14, 1);
    int16_t peak = 0;
    g729_predict_long_term(excitation, d->lag.samples, d->lag.thirds);
    for (int i = 0; i < G729_SUBFRAME; i++) {
        excitation[i] = add16(mul16_rounded(excitation[i], gain_q15), noise[i]);
        const int16_t magnitude = abs16(excitation[i]);
        peak = magnitude > peak ? magnitude : peak;
    }
    return peak;
}

static int16_t sum_of_pulses(const int16_t *x, const struct draw *d, int shift) {
    int16_t sum = 0;
    for (int i = 0; i < PULSES; i++) {
        const int16_t at = shr16(x[d->place[i]], shift);
        sum = d->positive[i] ? add16(sum, at) : sub16(sum, at);
    }
    return sum;
}

/* A quadratic of the pulses' gain g: 4 g^2 + 2 b g + c = 0; half of b and a quarter of b^2 - 4c, scaled down
 * by 2^shift and its square. */
struct quadratic {
    int16_t half_b;
    int32_t discriminant;
    int shift;
};

static struct quadratic with_pitch(const int16_t *excitation, const struct draw *d, int16_t peak, int32_t k) {
    struct quadratic q;
    int16_t scaled[G729_SUBFRAME];
    bool saturated;
    q.shift = peak == 0 || norm16(peak) > 3 ? 0 : 3 - norm16(peak);
    for (int i = 0; i < G729_SUBFRAME; i++)
        scaled[i] = shr16(excitation[i], q.shift);
    const int32_t energy = g729_energy(scaled, G729_SUBFRAME, 0, &saturated);
    q.half_b = shr16(sum_of_pulses(scaled, d, 0), 1);
    const int32_t c = sub32(shr32(k, 1 + 2 * q.shift), energy);
    q.discriminant = mac32(c, q.half_b, q.half_b);
    q.shift++;
    return q;
}

/* No real root: leave the pitch out, noise alone leaves 1 - alpha^2 of the energy to the pulses. */
static struct quadratic without_pitch(const int16_t *noise, const struct draw *d, int32_t k) {
    struct quadratic q;
    int16_t bits = 0;
    for (int i = 0; i < PULSES; i++)
        bits = (int16_t)(bits | abs16(noise[d->place[i]]));
    q.shift = bits & 0x4000 ? 2 : 1;
    q.half_b = sum_of_pulses(noise, d, q.shift);
    const int32_t c = shr32(dpf_mul16(dpf_of(k), 24576), 2 * q.shift - 1);
    q.discriminant = mac32(c, q.half_b, q.half_b);
    return q;
}

/* The root of smaller magnitude, limited. */
static int16_t pulse_gain(const struct quadratic *q) {
    const int16_t root = g729_sqrt(q->discriminant);
    const int16_t x1 = sub16(root, q->half_b), x2 = neg16(add16(q->half_b, root));
    const int16_t gain = shr16_rounded(abs16(x2) < abs16(x1) ? x2 : x1, 2 - q->shift);
    return gain > LARGEST_GAIN ? LARGEST_GAIN : gain < -LARGEST_GAIN ? -LARGEST_GAIN : gain;
}

static void noise_subframe(int16_t *excitation, int16_t gain, int16_t *seed, struct g729_taming *taming) {
    int16_t noise[G729_SUBFRAME];
    struct draw d = draw_subframe(seed);
    draw_gaussian(noise, gain, seed);
    const int16_t peak = add_pitch(excitation, noise, &d);
    const int32_t k = mul32(gain, low16(shr32(mul32(gain, G729_SUBFRAME), 6))); /* 4 * 40 gain^2 / 128 */
    struct quadratic q = with_pitch(excitation, &d, peak, k);
    if (q.discriminant < 0) {
        memcpy(excitation, noise, sizeof noise);
        d.pitch_gain_q14 = 0;
        q = without_pitch(noise, &d, k);
    }
    const int16_t pulse = pulse_gain(&q);
    for (int i = 0; i < PULSES; i++) {
        int16_t *at = &excitation[d.place[i]];
        *at = d.positive[i] ? add16(*at, pulse) : sub16(*at, pulse);
    }
    if (taming)
        g729_taming_update(taming, d.pitch_gain_q14, d.lag.samples);
}

void g729_noise_excitation(int16_t *excitation, int16_t gain, int16_t *seed, struct g729_taming *taming) {
    if (gain == 0) { /* silence; nothing is drawn */
        memset(excitation, 0, G729_FRAME * sizeof *excitation);
        for (int i = 0; taming && i < G729_FRAME / G729_SUBFRAME; i++)
            g729_taming_update(taming, 0, G729_SUBFRAME + 1);
        return;
    }
    noise_subframe(excitation, gain, seed, taming);
    noise_subframe(excitation + G729_SUBFRAME, gain, seed, taming);
}
