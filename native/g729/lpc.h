/* 3.2.1, 3.2.2: linear prediction: window, autocorrelation, Levinson-Durbin.
 *
 * What does it do?  Finds the filter A(z) that predicts 30 ms of speech.
 * How does it work?  Correlations of the windowed samples, normalised alike, weighted by a lag window (60 Hz)
 * and a little noise; then the recursion in split 32-bit numbers.  An unstable filter is replaced by the last
 * stable one.
 * How do I use it?  Annex B looks at 12 lags, the filter uses 10.
 */
#ifndef TANDEM_G729_LPC_H
#define TANDEM_G729_LPC_H

#include "g729/filters.h"
#include "g729/fixed.h"

enum { G729_LAGS = 12, G729_ANALYSIS = 240 };

struct g729_autocorrelation {
    struct dpf r[G729_LAGS + 1]; /* normalised so that r[0] has its highest bit set */
    int16_t exponent;            /* energy of the windowed signal = r[0] * 2^exponent */
};

/* What the last stable filter was. */
struct g729_lpc_memory {
    int16_t a_q12[G729_ORDER + 1];
    int16_t reflection_q15[2];
};

struct g729_prediction {
    int16_t a_q12[G729_ORDER + 1];
    int16_t reflection_q15[2]; /* the first two coefficients */
    int16_t error;             /* energy of the residual, in units of the upper half of r[0] */
};

void g729_lpc_memory_reset(struct g729_lpc_memory *memory);
void g729_autocorrelate(struct g729_autocorrelation *out, const int16_t in[G729_ANALYSIS]);
void g729_apply_lag_window(struct g729_autocorrelation *inout);

/* If the filter is unstable, out->error stays as it was. */
void g729_predict(struct g729_lpc_memory *memory, struct g729_prediction *out,
                  const struct dpf r[G729_ORDER + 1]);

#endif
