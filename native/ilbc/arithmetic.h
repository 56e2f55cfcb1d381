/* The few operators of the fixed-point codec, each defined for every operand.
 *
 * What does it do?  Bit counts, shifts by a signed count, saturation, division, as the codec means them.
 * How does it work?  Where the standard's C would shift a negative number left or overflow, these wrap modulo
 * 2^32, on unsigned numbers: the same bits as the code has on every machine it is used on, and nothing
 * undefined.
 */
#ifndef TANDEM_ILBC_ARITHMETIC_H
#define TANDEM_ILBC_ARITHMETIC_H

#include <limits.h>
#include <stdint.h>

static inline int min_int(int a, int b) {
    return a < b ? a : b;
}

static inline int max_int(int a, int b) {
    return a > b ? a : b;
}

/* Bits that a non-negative number needs; 0 for 0, 32 for negative ones. */
static inline int bits_of(int32_t x) {
    return x == 0 ? 0 : 32 - __builtin_clz((uint32_t)x);
}

/* How often x can be doubled and still fit; 0 for 0. */
static inline int norm_of(int32_t x) {
    const uint32_t magnitude = (uint32_t)(x < 0 ? ~x : x);
    return x == 0 ? 0 : magnitude == 0 ? 31 : __builtin_clz(magnitude) - 1;
}

static inline int32_t add_wrapping(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t subtract_wrapping(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t multiply_wrapping(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static inline int32_t shift_left(int32_t x, int count) {
    return (int32_t)((uint32_t)x << count);
}

/* Left by count, right if it is negative: -31 to 31. */
static inline int32_t shift_by(int32_t x, int count) {
    return count >= 0 ? shift_left(x, count) : x >> -count;
}

static inline int32_t absolute(int32_t x) {
    return x < 0 ? subtract_wrapping(0, x) : x;
}

static inline int16_t saturate16(int32_t x) {
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

static inline int32_t saturate32(int64_t x) {
    return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x);
}

/* Towards zero; by 0 it is the greatest number. */
static inline int32_t divide(int32_t numerator, int16_t denominator) {
    return denominator == 0    ? INT32_MAX
           : denominator == -1 ? subtract_wrapping(0, numerator)
                               : numerator / denominator;
}

/* Of a negative number 0. */
static inline int32_t square_root(int32_t x) {
    int32_t root = 0;
    for (int bit = 1 << 15; bit; bit >>= 1) {
        const int64_t trial = root | bit;
        if (trial * trial <= x)
            root |= bit;
    }
    return root;
}

#endif
