/* 3.7 and A.3.7: the closed-loop pitch: lag and gain of the adaptive codebook.
 *
 * What does it do?  Among lags near a guess, finds the one whose past excitation, filtered, explains most of
 * the target; then a third of a sample more or less.
 * How does it work?  The target is filtered backwards once, so that a candidate costs one scalar product;
 * Annex A maximises that product alone, without the energy.
 * How do I use it?  excitation[0..39] holds the LPC residual, which stands in for the future of lags below
 * 40; it becomes the prediction.
 */
#ifndef TANDEM_G729_PITCH_SEARCH_H
#define TANDEM_G729_PITCH_SEARCH_H

#include "g729/gains.h"
#include "g729/pitch_lag.h"

struct g729_lag_range {
    int first, last;
    int last_fine; /* no thirds beyond */
};

/* out[i] = sum over j >= i of h[j - i] * target[j], scaled to 13 bits. */
void g729_filter_backwards(lanes out[G729_SUBFRAME], const lanes h_q12[G729_SUBFRAME],
                           const lanes target[G729_SUBFRAME]);

/* For one row; backwards is its target, filtered so. */
struct g729_lag g729_search_lag(int16_t *excitation, const int16_t backwards[G729_SUBFRAME],
                                struct g729_lag_range range);

/* 3.7.3: target . y / y . y, Q14, at most 1.2; both products are noted for the gain quantiser.  For the first
 * n rows. */
void g729_pitch_gains(int16_t gain_q14[LANES], struct g729_gain_products products[LANES],
                      const lanes target[G729_SUBFRAME], const lanes y[G729_SUBFRAME], size_t n);

#endif
