#include "g729/lpc.h"

#include "g729/tables.h"

#include <string.h>

void g729_lpc_memory_reset(struct g729_lpc_memory *memory) {
    memset(memory, 0, sizeof *memory);
    memory->a_q12[0] = 4096;
}

/* r[0] starts from 1: it is never zero. */
static int32_t energy_of(const int16_t windowed[G729_ANALYSIS], bool *saturated) {
    return g729_energy(windowed, G729_ANALYSIS, 1, saturated);
}

void g729_autocorrelate(struct g729_autocorrelation *out, const int16_t in[G729_ANALYSIS]) {
    int16_t windowed[G729_ANALYSIS];
    int exponent = -1;                      /* of the doubling in Q15 * Q15 -> Q31 */
    for (int i = 0; i < G729_ANALYSIS; i++) /* no window is -1 */
        windowed[i] = (int16_t)((in[i] * g729_lpc_window_q15[i] + 0x4000) >> 15);
    bool saturated;
    int32_t energy = energy_of(windowed, &saturated);
    for (; saturated; energy = energy_of(windowed, &saturated)) {
        for (int i = 0; i < G729_ANALYSIS; i++)
            windowed[i] = (int16_t)(windowed[i] >> 2);
        exponent += 4;
    }
    /* r[0] did not saturate, so no partial sum of another lag can (Cauchy-Schwarz). */
    const int shift = norm32(energy);
    out->r[0] = dpf_of(shl32(energy, shift));
    out->exponent = (int16_t)(exponent - shift);
    for (int lag = 1; lag <= G729_LAGS; lag++)
        out->r[lag] =
            dpf_of(g729_dot_plain(windowed, windowed + lag, (size_t)(G729_ANALYSIS - lag), 0) * (1 << shift));
}

void g729_apply_lag_window(struct g729_autocorrelation *inout) {
    for (int i = 1; i <= G729_LAGS; i++) {
        const struct dpf window = {g729_lag_window_high_q15[i - 1], g729_lag_window_low[i - 1]};
        inout->r[i] = dpf_of(dpf_mul(inout->r[i], window));
    }
}

/* An energy with the bits that it lost to normalisation. */
struct error {
    struct dpf value;
    int exponent;
};

/* error * (1 - k^2) */
static struct error reduced(struct error error, struct dpf k) {
    const int32_t rest = sub32(INT32_MAX, abs32(dpf_mul(k, k)));
    const int32_t product = dpf_mul(error.value, dpf_of(rest));
    const int shift = norm32(product);
    return (struct error){dpf_of(shl32(product, shift)), error.exponent + shift};
}

/* -numerator / error, Q31 */
static int32_t reflection(int32_t numerator, struct error error) {
    const int32_t quotient = dpf_div(abs32(numerator), error.value);
    return shl32(numerator > 0 ? neg32(quotient) : quotient, error.exponent);
}

static void finish(struct g729_lpc_memory *memory, struct g729_prediction *out,
                   const struct dpf a_q27[G729_ORDER + 1], struct error error) {
    out->error = shr16(error.value.high, error.exponent);
    out->a_q12[0] = 4096;
    for (int i = 1; i <= G729_ORDER; i++)
        out->a_q12[i] = round16(shl32(dpf_value(a_q27[i]), 1));
    memcpy(memory->a_q12, out->a_q12, sizeof memory->a_q12);
    memcpy(memory->reflection_q15, out->reflection_q15, sizeof memory->reflection_q15);
}

void g729_predict(struct g729_lpc_memory *memory, struct g729_prediction *out,
                  const struct dpf r[G729_ORDER + 1]) {
    enum { UNSTABLE_Q15 = 32750 };
    struct dpf a[G729_ORDER + 1], next[G729_ORDER + 1]; /* Q27 */
    struct error error = {r[0], 0};
    int32_t k = reflection(dpf_value(r[1]), error);
    out->reflection_q15[0] = high16(k);
    a[1] = dpf_of(shr32(k, 4));
    error = reduced(error, dpf_of(k));
    for (int i = 2; i <= G729_ORDER; i++) {
        int32_t sum = 0;
        for (int j = 1; j < i; j++)
            sum = add32(sum, dpf_mul(r[j], a[i - j]));
        sum = add32(shl32(sum, 4), dpf_value(r[i]));
        k = reflection(sum, error);
        const struct dpf k_split = dpf_of(k);
        if (i == 2)
            out->reflection_q15[1] = k_split.high;
        if (abs16(k_split.high) > UNSTABLE_Q15) {
            memcpy(out->a_q12, memory->a_q12, sizeof out->a_q12);
            memcpy(out->reflection_q15, memory->reflection_q15, sizeof out->reflection_q15);
            return;
        }
        for (int j = 1; j < i; j++)
            next[j] = dpf_of(add32(dpf_mul(k_split, a[i - j]), dpf_value(a[j])));
        next[i] = dpf_of(shr32(k, 4));
        memcpy(a + 1, next + 1, (size_t)i * sizeof *a);
        error = reduced(error, k_split);
    }
    finish(memory, out, a, error);
}
