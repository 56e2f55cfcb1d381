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
 */
enum { STEP_SHIFT = 3, EXPONENT_SHIFT = 7, BIAS = 127, HALF_STEP = 1 << (STEP_SHIFT - 1) };

/* A conversion needs 32 bits, a sample has 16, and moving samples between lanes is what costs.  So nothing is
 * moved: neighbours are one 32-bit number, and where it stays, each half becomes a float and its upper half
 * again.  Before and after, the same bytes are 16-bit lanes, twice as many a vector.
 *
 * A block is as much as a compiler keeps in registers from one loop to the next. */
enum { BLOCK = 128, LOWER = 0xFFFF };
static const uint32_t UPPER = 0xFFFF0000;
union block {
    int16_t lane[BLOCK];
    uint32_t pair[BLOCK / 2];
};

G711_INLINE uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

G711_INLINE float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Magnitudes to upper halves.  From a magnitude in the upper lane the lower one is not taken away: below the
 * step it only adds to the fraction, and as its highest bit is 0, rounding never carries beyond it.  The
 * upper lane's exponent is 16 too high, which as a code is 256 too many: that is cut off when it is narrowed.
 */
G711_INLINE void to_upper_halves(union block *block) {
    for (int i = 0; i < BLOCK / 2; i++) {
        const int32_t both = (int32_t)block->pair[i];
        block->pair[i] = bits_of((float)(both & LOWER)) >> 16 | (bits_of((float)both) & UPPER);
    }
}

/* The upper half of 2^exponent. */
G711_INLINE int16_t power(int exponent) {
    return (int16_t)((BIAS + exponent) << EXPONENT_SHIFT);
}

/* Segments and steps to the middle of each step: 1.step and half a step, times 2^(segment + 7). */
G711_INLINE void to_middles(union block *block) {
    for (int i = 0; i < BLOCK; i++)
        block->lane[i] = (int16_t)((block->lane[i] << STEP_SHIFT) + HALF_STEP + power(7));
    for (int i = 0; i < BLOCK / 2; i++) {
        const int32_t lower = (int32_t)float_of(block->pair[i] << 16);
        const int32_t upper = (int32_t)float_of(block->pair[i] & UPPER);
        block->pair[i] = (uint32_t)upper << 16 | (uint32_t)lower;
    }
}

/* -1 for a negative sample, 0 for others. */
G711_INLINE int16_t sign_of(int16_t sample) {
    return (int16_t)(sample >> 15);
}

/* One's complement of negative samples. */
G711_INLINE int16_t magnitude_of(int16_t sample) {
    return (int16_t)(sample ^ sign_of(sample));
}

/* A loop of its own: merged with the one before, each of its terms would be narrowed. */
G711_INLINE void narrow(uint8_t out[BLOCK], const union block *block) {
    for (int i = 0; i < BLOCK; i++)
        out[i] = (uint8_t)block->lane[i];
}

G711_INLINE void widen(int16_t out[BLOCK], const uint8_t in[BLOCK]) {
    for (int i = 0; i < BLOCK; i++)
        out[i] = in[i];
}

/* G.711 table 2a/b.  Of the 13 bits of magnitude that count, 33 more make 33..63 segment 0 and each doubling
 * one more, up to 8191 where the law clips.  Here the magnitude has two more bits below: 132 is 4 * 33. */
enum { ULAW_LIFT = 132, ULAW_CLIP = INT16_MAX - ULAW_LIFT };

G711_INLINE void ulaw_encode_block(uint8_t *restrict out, const int16_t *restrict in) {
    union block block;
    for (int i = 0; i < BLOCK; i++) {
        const int16_t magnitude = magnitude_of(in[i]);
        block.lane[i] = (int16_t)((magnitude < ULAW_CLIP ? magnitude : ULAW_CLIP) + ULAW_LIFT);
    }
    to_upper_halves(&block);
    for (int i = 0; i < BLOCK; i++) { /* -x - 1 is ~x: the code inverted */
        const int16_t inverted = (int16_t)(power(7) - block.lane[i] - 1);
        block.lane[i] = (int16_t)((inverted >> STEP_SHIFT) ^ (sign_of(in[i]) & 0x80));
    }
    narrow(out, &block);
}

G711_INLINE void ulaw_decode_block(int16_t *restrict out, const uint8_t *restrict in) {
    union block block;
    int16_t code[BLOCK];
    widen(code, in);
    for (int i = 0; i < BLOCK; i++)
        block.lane[i] = ~code[i] & 0x7F;
    to_middles(&block);
    for (int i = 0; i < BLOCK; i++) {
        const int16_t magnitude = (int16_t)(block.lane[i] - ULAW_LIFT);
        out[i] = (int16_t)(code[i] < 0x80 ? -magnitude : magnitude);
    }
}

/* G.711 table 1a/b.  Of the 11 bits of magnitude that count, 16..31 is segment 1 and each doubling one more.
 * Below there is no next smaller segment: the steps of segment 1 go on, as a float's subnormals do.  So
 * magnitudes are lifted to the first of segment 1, and the steps that lifted are taken off afterwards. */
enum { ALAW_LINEAR = 16 /* steps */, ALAW_BITS_BELOW = 4 /* of a magnitude, below its step */ };

G711_INLINE void alaw_encode_block(uint8_t *restrict out, const int16_t *restrict in) {
    const int16_t least = ALAW_LINEAR << ALAW_BITS_BELOW, unbias = -(power(8) >> STEP_SHIFT);
    union block block;
    for (int i = 0; i < BLOCK; i++) {
        const int16_t magnitude = magnitude_of(in[i]);
        block.lane[i] = magnitude > least ? magnitude : least;
    }
    to_upper_halves(&block);
    for (int i = 0; i < BLOCK; i++) {
        const int16_t steps = (int16_t)((magnitude_of(in[i]) >> ALAW_BITS_BELOW) + unbias);
        const int16_t linear = steps < ALAW_LINEAR + unbias ? steps : ALAW_LINEAR + unbias;
        const int16_t code = (int16_t)((block.lane[i] >> STEP_SHIFT) + linear);
        block.lane[i] = (int16_t)(code ^ ((sign_of(in[i]) & 0x80) ^ 0xD5));
    }
    narrow(out, &block);
}

G711_INLINE void alaw_decode_block(int16_t *restrict out, const uint8_t *restrict in) {
    union block block;
    int16_t code[BLOCK], lift[BLOCK];
    widen(code, in);
    for (int i = 0; i < BLOCK; i++) {
        const int16_t segment_step = (code[i] ^ 0x55) & 0x7F;
        block.lane[i] = segment_step > ALAW_LINEAR ? segment_step : ALAW_LINEAR;
        lift[i] = (int16_t)((block.lane[i] - segment_step) << ALAW_BITS_BELOW);
    }
    to_middles(&block);
    for (int i = 0; i < BLOCK; i++) {
        const int16_t magnitude = (int16_t)(block.lane[i] - lift[i]);
        out[i] = (int16_t)(code[i] < 0x80 ? -magnitude : magnitude);
    }
}

/* ---- any number of samples: whole blocks, and a last one filled up ---- */

typedef void block_encoder(uint8_t *restrict out /* [BLOCK] */, const int16_t *restrict in /* [BLOCK] */);
typedef void block_decoder(int16_t *restrict out /* [BLOCK] */, const uint8_t *restrict in /* [BLOCK] */);

G711_INLINE void encode_blocks(block_encoder *encode, uint8_t *restrict out, const int16_t *restrict in,
                               size_t n) {
    int16_t last_in[BLOCK] = {0};
    uint8_t last_out[BLOCK];
    for (; n >= BLOCK; n -= BLOCK, in += BLOCK, out += BLOCK)
        encode(out, in);
    if (n == 0)
        return;
    memcpy(last_in, in, n * sizeof *in);
    encode(last_out, last_in);
    memcpy(out, last_out, n * sizeof *out);
}

G711_INLINE void decode_blocks(block_decoder *decode, int16_t *restrict out, const uint8_t *restrict in,
                               size_t n) {
    uint8_t last_in[BLOCK] = {0};
    int16_t last_out[BLOCK];
    for (; n >= BLOCK; n -= BLOCK, in += BLOCK, out += BLOCK)
        decode(out, in);
    if (n == 0)
        return;
    memcpy(last_in, in, n * sizeof *in);
    decode(last_out, last_in);
    memcpy(out, last_out, n * sizeof *out);
}

G711_CLONES void g711_ulaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n) {
    encode_blocks(ulaw_encode_block, out, in, n);
}

G711_CLONES void g711_alaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n) {
    encode_blocks(alaw_encode_block, out, in, n);
}

G711_CLONES void g711_ulaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n) {
    decode_blocks(ulaw_decode_block, out, in, n);
}

G711_CLONES void g711_alaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n) {
    decode_blocks(alaw_decode_block, out, in, n);
}
