#include "g711/g711.h"

#include "g711/clones.h"

#include <string.h>

/* IEEE single: sign 1 bit, exponent 8 bits with bias 127, fraction 23 bits.  The code's four step bits are
 * the top of the fraction, its segment the bottom of the exponent:
 *
 *     31 30      26      23 22    19 18                  0
 *    +--+---------+--------+--------+---------------------+
 *    | 0| exponent| segment|  step  | below the step      |
 *    +--+---------+--------+--------+---------------------+
 */
enum { STEP_SHIFT = 19, BIAS = 127, HALF_STEP = 1 << (STEP_SHIFT - 1) };

static inline int32_t float_bits(float value) {
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bits_float(int32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* -1 for a negative sample, 0 for others. */
static inline int32_t sign_of(int16_t sample) {
    return -(int32_t)(sample < 0);
}

/* G.711 table 2a/b.  The magnitude has 13 bits after the shift; with 33 added, 33..63 is segment 0 and each
 * doubling one more, up to 8191 where the law clips. */
static inline uint8_t ulaw_encode_one(int16_t sample) {
    const int32_t sign = sign_of(sample);
    int32_t magnitude = ((sample ^ sign) >> 2) + 33;
    magnitude = magnitude < 8191 ? magnitude : 8191;
    const int32_t code = (float_bits((float)magnitude) >> STEP_SHIFT) - ((BIAS + 5) << 4);
    return (uint8_t)(code ^ 0xFF ^ (sign & 0x80));
}

/* Below 16 the A-law has no next smaller segment: it goes on with the steps of segment 1, as a float's
 * subnormals do.  So work on max(x, 16) and take off afterwards what that added. */
static inline int32_t at_least_16(int32_t x) {
    return x > 16 ? x : 16;
}

/* G.711 table 1a/b.  The magnitude has 11 bits after the shift; 16..31 is segment 1 and each doubling one
 * more, up to 7. */
static inline uint8_t alaw_encode_one(int16_t sample) {
    const int32_t sign = sign_of(sample);
    const int32_t magnitude = (sample ^ sign) >> 4;
    const int32_t normal = at_least_16(magnitude);
    const int32_t segment_step = (float_bits((float)normal) >> STEP_SHIFT) - ((BIAS + 3) << 4);
    const int32_t code = segment_step - (normal - magnitude);
    return (uint8_t)(code ^ 0xD5 ^ (sign & 0x80));
}

/* The middle of step m in segment s is (33 + 2m) * 2^(s + 2) - 132: 1.m plus half a step, times 2^(s + 7). */
static inline int16_t ulaw_decode_one(uint8_t code) {
    const int32_t sign = -(int32_t)(code < 0x80);
    const int32_t segment_step = ~code & 0x7F;
    const int32_t bits = (segment_step << STEP_SHIFT) + ((BIAS + 7) << 23) + HALF_STEP;
    const int32_t magnitude = (int32_t)bits_float(bits) - 132;
    return (int16_t)((magnitude ^ sign) - sign);
}

/* The middle of step m in segment s > 0 is (33 + 2m) * 2^(s + 2); segment 0 has steps of 16 as segment 1. */
static inline int16_t alaw_decode_one(uint8_t code) {
    const int32_t sign = -(int32_t)(code < 0x80);
    const int32_t segment_step = (code ^ 0x55) & 0x7F;
    const int32_t normal = at_least_16(segment_step);
    const int32_t bits = (normal << STEP_SHIFT) + ((BIAS + 7) << 23) + HALF_STEP;
    const int32_t magnitude = (int32_t)bits_float(bits) - ((normal - segment_step) << 4);
    return (int16_t)((magnitude ^ sign) - sign);
}

G711_CLONES void g711_ulaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_encode_one(in[i]);
}

G711_CLONES void g711_alaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_encode_one(in[i]);
}

G711_CLONES void g711_ulaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_decode_one(in[i]);
}

G711_CLONES void g711_alaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_decode_one(in[i]);
}
