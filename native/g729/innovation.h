/* 3.8: the fixed codebook: four pulses of +1 or -1 among 40 samples.
 *
 * What does it do?  Finds the four pulses that, filtered, come nearest to what the pitch did not
 * explain; and builds the code vector of an index.
 * How does it work?  Pulses sit on tracks (0, 5, 10.. / 1, 6.. / 2, 7.. / 3, 8.. or 4, 9..).  Annex A
 * looks at 320 of the 8192 places, depth first: two pulses at a time.
 * How do I use it?  Pulses are +8191 or -8192: the standard cuts 32767 and -32768.
 */
#ifndef TANDEM_G729_INNOVATION_H
#define TANDEM_G729_INNOVATION_H

#include "g729/bits.h"
#include "g729/filters.h"

/* The pulses of a subframe: code words and code vector. */
struct g729_innovation {
    uint16_t positions, signs;
    int16_t code_q13[G729_SUBFRAME];
};

/* Choose positions and signs.  target: x minus the pitch's share; h_q12: impulse response, which gets the
 * pitch sharpening; filtered_q12: the code vectors through it.  sharpness is a pitch gain in Q14.  n rows are
 * looked at, the other lanes repeat the first; out has no more. */
void g729_search_innovation(struct g729_innovation out[LANES], lanes filtered_q12[G729_SUBFRAME],
                            lanes h_q12[G729_SUBFRAME], const lanes target[G729_SUBFRAME],
                            const int lag[LANES], const int16_t sharpness_q14[LANES], size_t n);

/* The code vector of positions and signs, sharpened. */
void g729_decode_innovation(int16_t code_q13[G729_SUBFRAME], uint16_t positions, uint16_t signs, int lag,
                            int16_t sharpness_q14);

/* 3.8 (equation 48): x[i] += sharpness * x[i - lag], for lags within the subframe. */
void g729_sharpen(int16_t x[G729_SUBFRAME], int lag, int16_t sharpness_q14);

#endif
