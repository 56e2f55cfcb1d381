/* Comfort noise (RFC 3389) for codecs that have none of their own: what a pause sounds like at the other end.
 *
 *     |  level, -dBov |  k 1  |  k 2  | ...      each k a reflection coefficient, 127 = none
 *
 * How does it work?  Noise from a linear congruential generator, nearly Gaussian as a sum of four draws, goes
 * through an all-pole lattice of these coefficients.  Integers only: the same noise on every machine.
 *
 * How do I use it?  comfort_set() with each payload, comfort_noise() for each 10 ms.  All zero is silence.
 */
#ifndef TANDEM_PLANE_COMFORT_H
#define TANDEM_PLANE_COMFORT_H

#include "plane/codec.h"

enum { COMFORT_ORDER = 10 }; /* more coefficients than these are not used */

struct comfort {
    uint32_t seed;
    int32_t gain_q15, target_q15; /* of the excitation; the one follows the other */
    int32_t order;
    int32_t k_q15[COMFORT_ORDER];
    int32_t lattice[COMFORT_ORDER + 1];
};

void comfort_set(struct comfort *comfort, const uint8_t *payload, int32_t bytes);
void comfort_noise(struct comfort *comfort, int16_t out[UNIT_SAMPLES]);

#endif
