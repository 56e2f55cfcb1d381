#include "g729/postfilter.h"

#include "g729/fixed.h"
#include "g729/mathematics.h"

#include <string.h>

enum { RESIDUAL_GAMMA_Q15 = 18022 /* 0.55 */, SYNTHESIS_GAMMA_Q15 = 22938 /* 0.7 */ };

void g729_postfilter_reset(struct g729_postfilter *state) {
    memset(state, 0, sizeof *state);
    state->gain_q12 = 4096;
}

/* The harmonic part of a row: y = rest x + gain x[-lag]. */
struct harmonics {
    int32_t rest_q15, gain_q15;
    int lag;
};

static const struct harmonics none = {32768, 0, 0};

enum { LAGS = 7 };

/* What a long-term prediction with the best of lags from first on is worth. */
struct prediction {
    int lag;
    int32_t correlation, energy_then, energy_now;
};

static void predict(struct prediction *out, const int16_t *residual, int first) {
    enum { PAST = G729_SUBFRAME + LAGS - 1 };
    int16_t now[G729_SUBFRAME], past[PAST]; /* a quarter of it; past[0] is first + LAGS - 1 ago */
    for (int i = 0; i < G729_SUBFRAME; i++)
        now[i] = (int16_t)(residual[i] >> 2);
    for (int i = 0; i < PAST; i++)
        past[i] = (int16_t)(residual[i - first - (LAGS - 1)] >> 2);
    const int64_t energy_now = g729_exact_energy(now, G729_SUBFRAME);
    const bool fits = g729_fits(energy_now, g729_exact_energy(past, PAST));
    int best = 0;
    out->correlation = INT32_MIN;
    for (int i = 0; i < LAGS; i++) {
        const int16_t *then = past + LAGS - 1 - i;
        const int32_t sum =
            fits ? g729_dot_plain(now, then, G729_SUBFRAME, 0) : g729_dot(now, then, G729_SUBFRAME, 0);
        if (sum > out->correlation) {
            out->correlation = sum;
            best = i;
        }
    }
    out->lag = first + best;
    out->energy_now = clamp32(1 + 2 * energy_now);
    out->energy_then = clamp32(1 + 2 * g729_exact_energy(past + LAGS - 1 - best, G729_SUBFRAME));
}

/* A.4.2.1: none below a prediction gain of 3 dB. */
static struct harmonics harmonics_of(const int16_t *residual, int lag) {
    struct prediction p;
    predict(&p, residual, lag + 3 > G729_LAG_MAX ? G729_LAG_MAX - 6 : lag - 3);
    if (p.correlation < 0)
        p.correlation = 0;
    int32_t largest = p.correlation > p.energy_then ? p.correlation : p.energy_then;
    largest = largest > p.energy_now ? largest : p.energy_now;
    const int shift = norm32(largest);
    const int16_t c = round16(shl32(p.correlation, shift)), then = round16(shl32(p.energy_then, shift)),
                  now = round16(shl32(p.energy_now, shift));
    if (sub32(mul32(c, c), shr32(mul32(then, now), 1)) < 0)
        return none;
    if (c > then) /* gains above 1 */
        return (struct harmonics){21845 /* 2/3 */, 10923 /* 1/3 */, p.lag};
    const int16_t half = shr16(mul16(c, 16384), 1); /* (c/2) / (c/2 + then) and its rest */
    const int16_t sum = add16(half, shr16(then, 1));
    const int16_t gain = sum > 0 ? div16(half, sum) : 0;
    return (struct harmonics){sub16(INT16_MAX, gain), gain, p.lag};
}

static void mix_harmonics(lanes out[G729_SUBFRAME], const lanes residual[G729_SUBFRAME],
                          struct g729_postfilter *const state[LANES],
                          const struct harmonics harmonics[LANES]) {
    const int16_t *then[LANES];
    lanes before[G729_SUBFRAME], rest, gain;
    for (int row = 0; row < LANES; row++) {
        then[row] = state[row]->residual + G729_LAG_MAX - harmonics[row].lag;
        rest[row] = harmonics[row].rest_q15;
        gain[row] = harmonics[row].gain_q15;
    }
    lanes_gather(before, then, G729_SUBFRAME);
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = lanes_clamp16((rest * residual[i] >> 15) + (lanes_mul16(before[i], gain) >> 15));
}

enum { TILT_LENGTH = 22 };

/* The energy of an impulse response and its correlation with itself a sample later, upper halves. */
static rows_set correlate_response(lanes *energy, lanes *correlation, const lanes h[TILT_LENGTH]) {
    const lanes all = lanes_energy(h, TILT_LENGTH);
    *energy = all >> 16;
    *correlation = lanes_dot(h, h + 1, TILT_LENGTH - 1) >> 16;
    return lanes_set_of(~lanes_fit(all, all));
}

static int32_t correlation_saturating(const lanes h[TILT_LENGTH], int row) {
    int32_t sum = 0;
    for (int i = 0; i + 1 < TILT_LENGTH; i++)
        sum = mac32(sum, (int16_t)h[i][row], (int16_t)h[i + 1][row]);
    return high16(sum);
}

/* A.4.2.3: the first reflection coefficient of the formant filter's impulse response, times 0.8 if positive.
 */
static void find_tilt(lanes *tilt_q15, const lanes numerator_q12[G729_ORDER + 1],
                      const lanes denominator_q12[G729_ORDER + 1], size_t n_rows) {
    enum { TILT_Q15 = 26214 };
    lanes x[TILT_LENGTH], y[G729_ORDER + TILT_LENGTH], energy, correlation;
    memset(y, 0, G729_ORDER * sizeof *y);
    memset(x, 0, sizeof x);
    memcpy(x, numerator_q12, (G729_ORDER + 1) * sizeof *x);
    g729_synthesis(y, denominator_q12, x, TILT_LENGTH);
    const lanes *h = y + G729_ORDER;
    const rows_set doubtful = correlate_response(&energy, &correlation, h);
    for (size_t row = 0; row < n_rows; row++) {
        const int32_t c = doubtful >> row & 1 ? correlation_saturating(h, (int)row) : correlation[row];
        const int16_t scaled = mul16((int16_t)c, TILT_Q15);
        (*tilt_q15)[row] = c <= 0 ? 0 : div16(scaled, (int16_t)energy[row]);
    }
    lanes_repeat(tilt_q15, n_rows);
}

static void compensate_tilt(struct g729_postfilter *const state[LANES], lanes x[G729_SUBFRAME],
                            const lanes *tilt_q15) {
    lanes before;
    for (int row = 0; row < LANES; row++)
        before[row] = state[row]->before;
    for (int row = 0; row < LANES; row++)
        state[row]->before = (int16_t)x[G729_SUBFRAME - 1][row];
    for (int i = 0; i < G729_SUBFRAME; i++) {
        const lanes now = x[i];
        x[i] = lanes_clamp16(now - (lanes_mul16(before, *tilt_q15) >> 15));
        before = now;
    }
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

/* Energies of a quarter of x, doubled: forty squares of 14 bits fit 32 bits without a sign. */
static void find_energy(lanes *energy, const lanes x[G729_SUBFRAME]) {
    wrapping_lanes sum = {0};
    for (int i = 0; i < G729_SUBFRAME; i++)
        sum += (wrapping_lanes)lanes_mul16(x[i] >> 2, x[i] >> 2);
    const lanes saturated = lanes_above((lanes)(sum >> 30), lanes_of(0));
    *energy = lanes_select(saturated, lanes_of(INT32_MAX), (lanes)(sum << 1));
}

/* The gain approaches step / 0.1: at most 29491 + 3276, no more than 16 bits. */
static void follow_gain(lanes *gain_q12, lanes out[G729_SUBFRAME], const lanes in[G729_SUBFRAME],
                        const lanes *step) {
    lanes gain = *gain_q12;
    for (int i = 0; i < G729_SUBFRAME; i++) {
        gain = (lanes_mul16(gain, lanes_of(29491)) >> 15) + *step;
        out[i] = lanes_clamp16(lanes_mul16(in[i], gain) >> 12);
    }
    *gain_q12 = gain;
}

/* A.4.2.4: out := x at the level of in; what is silent stays, and its gain is forgotten. */
static void control_gain(struct g729_postfilter *const state[LANES], lanes out[G729_SUBFRAME],
                         const lanes x[G729_SUBFRAME], const lanes in[G729_SUBFRAME], size_t n_rows) {
    enum { ONE_Q12 = 4096, ONE_STEP_Q12 = 410 /* keeps a gain of one */ };
    lanes energy_in, energy_out, step = {0}, gain_q12 = {0};
    find_energy(&energy_in, in);
    find_energy(&energy_out, x);
    for (size_t row = 0; row < n_rows; row++) {
        const bool silent = energy_out[row] == 0;
        step[row] = silent ? ONE_STEP_Q12 : gain_step(energy_in[row], energy_out[row]);
        gain_q12[row] = silent ? ONE_Q12 : state[row]->gain_q12;
    }
    lanes_repeat(&step, n_rows);
    lanes_repeat(&gain_q12, n_rows);
    follow_gain(&gain_q12, out, x, &step);
    for (size_t row = 0; row < n_rows; row++)
        state[row]->gain_q12 = energy_out[row] == 0 ? 0 : (int16_t)gain_q12[row];
}

static void keep_residual(struct g729_postfilter *const state[LANES], const lanes residual[G729_SUBFRAME]) {
    int16_t *now[LANES];
    for (int row = 0; row < LANES; row++)
        now[row] = state[row]->residual + G729_LAG_MAX;
    lanes_scatter(now, residual, G729_SUBFRAME);
}

static void remember_outputs(lanes y[G729_ORDER], struct g729_postfilter *const state[LANES]) {
    const int16_t *past[LANES];
    for (int row = 0; row < LANES; row++)
        past[row] = state[row]->past;
    lanes_gather(y, past, G729_ORDER);
}

static void keep_outputs(struct g729_postfilter *const state[LANES], const lanes y[G729_ORDER]) {
    int16_t *past[LANES];
    for (int row = 0; row < LANES; row++)
        past[row] = state[row]->past;
    lanes_scatter(past, y, G729_ORDER);
}

void g729_postfilter_subframe(struct g729_postfilter *const state[LANES], size_t n_rows,
                              lanes out[G729_SUBFRAME], const lanes *in, const lanes a_q12[G729_ORDER + 1],
                              const int lag[LANES], const bool speech[LANES]) {
    lanes numerator_q12[G729_ORDER + 1], denominator_q12[G729_ORDER + 1], residual[G729_SUBFRAME],
        filtered[G729_SUBFRAME], y[G729_ORDER + G729_SUBFRAME], tilt_q15 = {0};
    struct harmonics harmonics[LANES];
    g729_expand(numerator_q12, a_q12, RESIDUAL_GAMMA_Q15);
    g729_expand(denominator_q12, a_q12, SYNTHESIS_GAMMA_Q15);
    g729_residual(residual, numerator_q12, in, G729_SUBFRAME);
    keep_residual(state, residual);
    for (size_t row = 0; row < LANES; row++)
        harmonics[row] = row >= n_rows  ? harmonics[0]
                         : !speech[row] ? none
                                        : harmonics_of(state[row]->residual + G729_LAG_MAX, lag[row]);
    mix_harmonics(filtered, residual, state, harmonics);
    find_tilt(&tilt_q15, numerator_q12, denominator_q12, n_rows);
    compensate_tilt(state, filtered, &tilt_q15);
    remember_outputs(y, state);
    g729_synthesis(y, denominator_q12, filtered, G729_SUBFRAME);
    keep_outputs(state, y + G729_SUBFRAME);
    control_gain(state, out, y + G729_ORDER, in + G729_ORDER, n_rows);
    for (size_t row = 0; row < n_rows; row++) {
        struct g729_postfilter *s = state[row];
        memmove(s->residual, s->residual + G729_SUBFRAME, G729_LAG_MAX * sizeof *s->residual);
    }
}
