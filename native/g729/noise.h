/* B.4.4: the excitation of comfort noise, the same in encoder and decoder.
 *
 * What does it do?  Makes 80 samples of noise with a given gain, such that it sounds like the codec's
 * own.
 * How does it work?  For each subframe a random pitch with a random small gain, Gaussian noise and
 * four random pulses, whose gain is the root of a quadratic that makes the energy right.  All numbers
 * come from one generator, in a fixed order.
 * How do I use it?  Encoder and decoder set the seed to G729_NOISE_SEED at every active frame, so that
 * both draw the same.
 */
#ifndef TANDEM_G729_NOISE_H
#define TANDEM_G729_NOISE_H

#include "g729/taming.h"

enum { G729_NOISE_SEED = 11111 };

/* The next number of the generator. */
int16_t g729_random(int16_t *seed);

/* excitation[0..79] := noise; it has its past before it.  taming NULL = the decoder, which has none. */
void g729_noise_excitation(int16_t *excitation, int16_t gain, int16_t *seed, struct g729_taming *taming);

#endif
