/* Functions by table: logarithm, power, roots.
 *
 * What does it do?  log2, 2^x, 1/sqrt and sqrt of fixed-point numbers.
 * How does it work?  Normalise, look up the upper five or six bits, interpolate with the rest.
 * How do I use it?  log2_of splits its result into exponent and Q15 fraction; power_of puts one together.
 */
#ifndef TANDEM_G729_MATHEMATICS_H
#define TANDEM_G729_MATHEMATICS_H

#include "g729/fixed.h"

struct logarithm {
    int16_t exponent;
    int16_t fraction_q15;
};

struct logarithm g729_log2(int32_t x);                   /* 0 for x <= 0 */
int32_t g729_power2(int exponent, int16_t fraction_q15); /* 2^(exponent.fraction) */
int32_t g729_inverse_sqrt(int32_t x);                    /* Q30 / sqrt(x); 0x3FFFFFFF for x <= 0 */
int16_t g729_sqrt(int32_t x);                            /* sqrt(x / 2), cut */

#endif
