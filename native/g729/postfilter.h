/* A.4.2: the post-filter: makes decoded speech less noisy to the ear.
 *
 * What does it do?  Emphasises the harmonics of the pitch and the formants, takes out the tilt that
 * this gives, and restores the level.
 * How does it work?  Residual by A(z/0.55); long-term filter with a whole lag near the decoded one;
 * tilt compensation; synthesis by 1/A(z/0.7); gain control sample by sample.
 * How do I use it?  Once a subframe, with the subframe's filter and lag.  Comfort noise has no pitch:
 * speech is false then, the memories move on.
 */
#ifndef TANDEM_G729_POSTFILTER_H
#define TANDEM_G729_POSTFILTER_H

#include "g729/filters.h"

struct g729_postfilter {
    int16_t residual[G729_LAG_MAX + G729_SUBFRAME]; /* the past, then this subframe */
    int16_t past[G729_ORDER];                       /* outputs of the synthesis */
    int16_t before;                                 /* the sample before, of the tilt compensation */
    int16_t gain_q12;
};

void g729_postfilter_reset(struct g729_postfilter *state);

/* n_rows rows in step, the other lanes repeat the first.  in has G729_ORDER samples of past. */
void g729_postfilter_subframe(struct g729_postfilter *const state[LANES], size_t n_rows,
                              lanes out[G729_SUBFRAME], const lanes *in, const lanes a_q12[G729_ORDER + 1],
                              const int lag[LANES], const bool speech[LANES]);

#endif
