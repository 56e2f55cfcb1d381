/* The arithmetic of G.729: 16 and 32-bit fractions that saturate.
 *
 * What does it do?  The basic operators that the standard is written in (ITU-T G.191), under names that say
 * their width: add16 saturates to 16 bits, mac32 to 32.
 * How does it work?  In wider integers, clamped once an operator.  mac32 and msu32 saturate twice: first the
 * product (only -1 * -1 can overflow), then the sum.  A shift by a negative count goes the other way; left
 * shifts saturate, right shifts floor, and any count is defined.
 *   A dpf ("double precision format") is a 32-bit number in two halves, high 16 and low 15 bits: the lowest
 * bit is lost, and products drop the low halves' product and cut each cross product on its own.  A product
 * made of all 64 bits would be more exact and therefore wrong.
 * How do I use it?  There is no overflow flag: the five places that steer by one find it out themselves.
 */
#ifndef TANDEM_G729_FIXED_H
#define TANDEM_G729_FIXED_H

#include <stdint.h>

static inline int16_t clamp16(int32_t x) {
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

static inline int32_t clamp32(int64_t x) {
    return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x);
}

static inline int16_t add16(int16_t a, int16_t b) {
    return clamp16(a + b);
}

static inline int16_t sub16(int16_t a, int16_t b) {
    return clamp16(a - b);
}

static inline int16_t neg16(int16_t a) {
    return clamp16(-a);
}

static inline int16_t abs16(int16_t a) {
    return clamp16(a < 0 ? -a : a);
}

static inline int32_t add32(int32_t a, int32_t b) {
    return clamp32((int64_t)a + b);
}

static inline int32_t sub32(int32_t a, int32_t b) {
    return clamp32((int64_t)a - b);
}

static inline int32_t neg32(int32_t a) {
    return clamp32(-(int64_t)a);
}

static inline int32_t abs32(int32_t a) {
    return a < 0 ? neg32(a) : a;
}

static inline int32_t shl32(int32_t a, int count) {
    if (count < 0)
        return a >> (count < -31 ? 31 : -count);
    return clamp32((int64_t)((uint64_t)(int64_t)a << (count > 31 ? 31 : count)));
}

static inline int32_t shr32(int32_t a, int count) {
    return shl32(a, -count);
}

/* Round by the last bit that is shifted out. */
static inline int32_t shr32_rounded(int32_t a, int count) {
    if (count > 31)
        return 0;
    return count <= 0 ? shl32(a, -count) : (a >> count) + ((a >> (count - 1)) & 1);
}

static inline int16_t shl16(int16_t a, int count) {
    if (count < 0)
        return (int16_t)(a >> (count < -15 ? 15 : -count));
    return clamp16((int32_t)((uint32_t)(int32_t)a << (count > 15 ? 15 : count)));
}

static inline int16_t shr16(int16_t a, int count) {
    return shl16(a, -count);
}

static inline int16_t shr16_rounded(int16_t a, int count) {
    if (count > 15)
        return 0;
    if (count <= 0)
        return shl16(a, -count);
    return (int16_t)((a >> count) + ((a >> (count - 1)) & 1));
}

/* Fraction by fraction: Q15 * Q15 -> Q15, cut. */
static inline int16_t mul16(int16_t a, int16_t b) {
    return clamp16((a * b) >> 15);
}

static inline int16_t mul16_rounded(int16_t a, int16_t b) {
    return clamp16((a * b + 0x4000) >> 15);
}

/* Q15 * Q15 -> Q31. */
static inline int32_t mul32(int16_t a, int16_t b) {
    const int32_t product = a * b;
    return product == 0x40000000 ? INT32_MAX : product * 2;
}

static inline int32_t mac32(int32_t sum, int16_t a, int16_t b) {
    return add32(sum, mul32(a, b));
}

static inline int32_t msu32(int32_t sum, int16_t a, int16_t b) {
    return sub32(sum, mul32(a, b));
}

static inline int16_t high16(int32_t a) {
    return (int16_t)(a >> 16);
}

static inline int16_t low16(int32_t a) {
    return (int16_t)(uint16_t)((uint32_t)a & 0xFFFF);
}

static inline int32_t from_high16(int16_t a) {
    return (int32_t)a * 65536;
}

static inline int16_t round16(int32_t a) {
    return high16(add32(a, 0x8000));
}

/* How far a can be shifted left before it saturates; 0 for 0. */
static inline int norm32(int32_t a) {
    const uint32_t magnitude = (uint32_t)(a < 0 ? ~a : a);
    return a == 0 ? 0 : magnitude == 0 ? 31 : __builtin_clz(magnitude) - 1;
}

static inline int norm16(int16_t a) {
    const uint32_t magnitude = (uint32_t)(a < 0 ? ~a : a);
    return a == 0 ? 0 : magnitude == 0 ? 15 : __builtin_clz(magnitude) - 17;
}

/* a / b as a Q15 fraction, cut; for 0 <= a <= b and b > 0.  The standard leaves other arguments undefined;
 * here they give the nearest fraction. */
static inline int16_t div16(int16_t a, int16_t b) {
    if (a <= 0)
        return 0;
    if (a >= b)
        return INT16_MAX;
    return (int16_t)((a * 32768) / b);
}

struct dpf {
    int16_t high, low;
};

static inline struct dpf dpf_of(int32_t a) {
    return (struct dpf){high16(a), (int16_t)((a >> 1) & 0x7FFF)};
}

static inline int32_t dpf_value(struct dpf a) {
    return add32(from_high16(a.high), a.low * 2);
}

static inline int32_t dpf_mul(struct dpf a, struct dpf b) {
    const int32_t crossed = mac32(mul32(a.high, b.high), mul16(a.high, b.low), 1);
    return mac32(crossed, mul16(a.low, b.high), 1);
}

static inline int32_t dpf_mul16(struct dpf a, int16_t b) {
    return mac32(mul32(a.high, b), mul16(a.low, b), 1);
}

/* a / b as a Q31 fraction for 0 <= a < b and b normalised: one Newton step from the 16-bit inverse. */
static inline int32_t dpf_div(int32_t a, struct dpf b) {
    const int16_t near = div16(0x3FFF, b.high);
    const int32_t correction = sub32(INT32_MAX, dpf_mul16(b, near));
    const int32_t inverse = dpf_mul16(dpf_of(correction), near);
    return shl32(dpf_mul(dpf_of(a), dpf_of(inverse)), 2);
}

#endif
