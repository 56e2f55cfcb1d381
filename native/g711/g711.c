#include "g711/g711.h"

#include "g711/clones.h"

#include <string.h>

/* The upper half of an IEEE single (a bfloat16): sign, 8 bits of exponent with bias 127, 7 bits of fraction.
 * A code's segment lies at the bottom of the exponent, its step right beside it:
 *
 *     15 14      10 9      7 6     3 2        0
 *    +--+----------+--------+-------+----------+
 *    | 0| exponent | segment| step  | below it |
 *    +--+----------+--------+-------+----------+
 *
 * All but the conversion itself is done in 16 bits, and codes are narrowed to 8 only at the end: twice as
 * many lanes a vector and one narrowing instead of three. */
enum { STEP_SHIFT = 3, EXPONENT_SHIFT = 7, BIAS = 127, HALF_STEP = 1 << (STEP_SHIFT - 1) };

static inline int16_t upper_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (int16_t)(bits >> 16);
}

static inline float from_upper_half(int16_t half) {
    const uint32_t bits = (uint32_t)(uint16_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* -1 for a negative sample, 0 for others: x ^ sign is the one's complement of negative x. */
static inline int16_t sign_of(int16_t sample) {
    return (int16_t)(-(sample < 0));
}

/* Below 16 the A-law has no next smaller segment: it goes on with the steps of segment 1, as a float's
 * subnormals do.  So lift x to 16 and take the lift off afterwards: 16 - x, or 0 from 16 on. */
static inline int16_t lift_to_16(int16_t x) {
    const int16_t below = (int16_t)(16 - x);
    return (int16_t)(below & ~(below >> 15));
}

/* Bring segment and step down to the code's lower 7 bits and put its sign above them. */
static inline uint8_t code_of(int segment_step, int16_t sign) {
    const int16_t placed = (int16_t)(segment_step ^ (sign & (0x80 << STEP_SHIFT)));
    return (uint8_t)(placed >> STEP_SHIFT);
}

/* G.711 table 2a/b.  The magnitude has 13 bits after the shift; with 33 added, 33..63 is segment 0 and each
 * doubling one more, up to 8191 where the law clips. */
static inline uint8_t ulaw_encode_one(int16_t sample) {
    const int16_t sign = sign_of(sample);
    const int16_t biased = (int16_t)(((sample ^ sign) >> 2) + 33);
    const int16_t clipped = biased < 8191 ? biased : 8191;
    const int16_t segment_step = (int16_t)(upper_half((float)clipped) - ((BIAS + 5) << EXPONENT_SHIFT));
    return code_of(segment_step, sign) ^ 0xFF;
}

/* G.711 table 1a/b.  The magnitude has 11 bits after the shift; 16..31 is segment 1 and each doubling one
 * more, up to 7. */
static inline uint8_t alaw_encode_one(int16_t sample) {
    const int16_t sign = sign_of(sample);
    const int16_t magnitude = (int16_t)((sample ^ sign) >> 4);
    const int16_t lift = lift_to_16(magnitude);
    const int16_t lifted = (int16_t)(magnitude + lift);
    const int16_t segment_step =
        (int16_t)(upper_half((float)lifted) - ((BIAS + 3) << EXPONENT_SHIFT) - (lift << STEP_SHIFT));
    return code_of(segment_step, sign) ^ 0xD5;
}

/* 1.step and half a step, times 2^(segment + 7): the middle of a step, (33 + 2 * step) * 2^(segment + 2). */
static inline int16_t middle_of(int16_t segment_step) {
    const int bits = (segment_step << STEP_SHIFT) + HALF_STEP + ((BIAS + 7) << EXPONENT_SHIFT);
    return (int16_t)from_upper_half((int16_t)bits);
}

/* An int, not an int16_t: GCC 12 would load the code into half a register, and each sample of a loop's scalar
 * tail would wait for the one before (5 ns instead of 1). */
static inline int16_t with_sign_of(uint8_t code, int16_t magnitude) {
    const int sign = -(code < 0x80);
    return (int16_t)((magnitude ^ sign) - sign);
}

/* Encoding added 33 to the magnitude's upper 13 bits, 132 to all of it. */
static inline int16_t ulaw_decode_one(uint8_t code) {
    return with_sign_of(code, (int16_t)(middle_of((code ^ 0x7F) & 0x7F) - 132));
}

static inline int16_t alaw_decode_one(uint8_t code) {
    const int16_t segment_step = (code ^ 0x55) & 0x7F;
    const int16_t lift = lift_to_16(segment_step);
    return with_sign_of(code, (int16_t)(middle_of((int16_t)(segment_step + lift)) - (lift << 4)));
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
