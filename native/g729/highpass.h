/* 3.1 and 4.2.5: the two high passes at the codec's ends.
 *
 * What does it do?  Before the encoder: cut below 140 Hz and halve.  After the decoder: cut below 100 Hz and
 * double.
 * How does it work?  Second-order recursions whose outputs are remembered with 31 bits (struct dpf).
 * How do I use it?  One state a direction; zeroes are a new call's.
 */
#ifndef TANDEM_G729_HIGHPASS_H
#define TANDEM_G729_HIGHPASS_H

#include "g729/fixed.h"
#include "g729/lanes.h"

enum { G729_HIGHPASS_SAMPLES = 80 }; /* of a frame */

struct g729_highpass {
    struct dpf y1, y2; /* outputs one and two samples ago */
    int16_t x1, x2;    /* inputs one and two samples ago */
};

void g729_preprocess(struct g729_highpass *const state[LANES], int16_t *const out[LANES],
                     const int16_t *const in[LANES]);
void g729_postprocess(struct g729_highpass *const state[LANES], int16_t *const out[LANES],
                      const lanes in[G729_HIGHPASS_SAMPLES]);

#endif
