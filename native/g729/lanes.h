/* Rows in step: what a recursion cannot do for one row it does for some at once.
 *
 * What does it do?  A `lanes` is one 32-bit number of each of LANES rows.  Operators work on all of
 * them: code reads as if it were for one row, and x[i][row] is a row's own.
 * How does it work?  As a vector of GCC and Clang, as wide as the registers: four rows, or eight with
 * AVX2.  Signals change sides by transposing blocks of samples.  There is no saturation here: a block
 * computes in plain integers, notes in a set of rows where that may be wrong, and does those rows over
 * again.
 * How do I use it?  Lanes are passed by address, by value only to what is inlined: how a vector
 * travels in a call depends on the instruction set.  Lanes that no row needs repeat the first row; so
 * what comes out of them may be written where the first row's went.
 */
#ifndef TANDEM_G729_LANES_H
#define TANDEM_G729_LANES_H

#ifdef __SSE2__
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef int32_t lanes __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint32_t wrapping_lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef float float_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int16_t lanes16 __attribute__((vector_size(LANES * sizeof(int16_t))));

#define LANES_INLINE static inline __attribute__((always_inline))

/* A set of rows: bit l is row l. */
typedef unsigned rows_set;

LANES_INLINE lanes lanes_of(int32_t x) {
    return (lanes){0} + x;
}

/* a * b of numbers that fit 16 bits.  x86-64 has no quick product of 32 bits, but adds up two of 16: one of
 * them is zero here. */
LANES_INLINE lanes lanes_mul16(lanes a, lanes b) {
#if defined(__AVX2__)
    return (lanes)_mm256_madd_epi16((__m256i)a, (__m256i)(b & 0xFFFF));
#elif defined(__SSE2__)
    return (lanes)_mm_madd_epi16((__m128i)a, (__m128i)(b & 0xFFFF));
#else
    return a * b;
#endif
}

/* Loops over elements, which become one instruction each. */
LANES_INLINE lanes lanes_min(lanes a, lanes b) {
    lanes out;
    for (int l = 0; l < LANES; l++)
        out[l] = a[l] < b[l] ? a[l] : b[l];
    return out;
}

LANES_INLINE lanes lanes_max(lanes a, lanes b) {
    lanes out;
    for (int l = 0; l < LANES; l++)
        out[l] = a[l] > b[l] ? a[l] : b[l];
    return out;
}

LANES_INLINE lanes lanes_abs(lanes a) {
    return lanes_max(a, -a);
}

LANES_INLINE lanes lanes_clamp16(lanes a) {
    return lanes_max(lanes_min(a, lanes_of(INT16_MAX)), lanes_of(INT16_MIN));
}

/* -1 where a > b, else 0. */
LANES_INLINE lanes lanes_above(lanes a, lanes b) {
    lanes out;
    for (int l = 0; l < LANES; l++)
        out[l] = a[l] > b[l] ? -1 : 0;
    return out;
}

/* a where the mask is -1, b where it is 0. */
LANES_INLINE lanes lanes_select(lanes mask, lanes a, lanes b) {
    return b ^ ((a ^ b) & mask);
}

/* Lanes from n on := the first. */
LANES_INLINE void lanes_repeat(lanes *inout, size_t n) {
    for (size_t l = n; l < LANES; l++)
        (*inout)[l] = (*inout)[0];
}

LANES_INLINE rows_set lanes_set_of(lanes mask) {
    rows_set set = 0;
    for (int l = 0; l < LANES; l++)
        set |= (rows_set)(mask[l] & 1) << l;
    return set;
}

LANES_INLINE lanes lanes_widen(lanes16 a) {
#ifdef __AVX2__
    return (lanes)_mm256_cvtepi16_epi32((__m128i)a); /* GCC 12 makes four of it */
#else
    return __builtin_convertvector(a, lanes);
#endif
}

/* Where the lanes are numbers of one row, side by side: from and to memory, 16 bits each. */
LANES_INLINE lanes lanes_load(const int16_t in[LANES]) {
    lanes16 narrow;
    memcpy(&narrow, in, sizeof narrow);
    return lanes_widen(narrow);
}

LANES_INLINE void lanes_store(int16_t out[LANES], lanes in) {
    const lanes16 narrow = __builtin_convertvector(in, lanes16);
    memcpy(out, &narrow, sizeof narrow);
}

/* out[i] := in[row][i] for n >= LANES samples.  If the second row is the first, so are all. */
void lanes_gather(lanes *restrict out, const int16_t *const in[LANES], size_t n);

/* out[row][i] := in[i], 16 bits of it; likewise. */
void lanes_scatter(int16_t *const out[LANES], const lanes *restrict in, size_t n);

/* Twice the sum of x[i] * x[i], clamped to 32 bits: products in halves, so that nothing is lost. */
LANES_INLINE lanes lanes_energy(const lanes *x, size_t n) {
    lanes high = lanes_of(0), low = lanes_of(0);
    for (size_t i = 0; i < n; i++) {
        const lanes square = lanes_mul16(x[i], x[i]);
        high += square >> 16;
        low += square & 0xFFFF;
    }
    high += low >> 16;
    const lanes sum = (lanes)((wrapping_lanes)high << 17) + ((low & 0xFFFF) << 1);
    return lanes_select(lanes_above(high, lanes_of(0x3FFF)), lanes_of(INT32_MAX), sum);
}

/* Twice the sum of a[i] * b[i]; right where lanes_fit. */
LANES_INLINE lanes lanes_dot(const lanes *a, const lanes *b, size_t n) {
    wrapping_lanes sum = {0};
    for (size_t i = 0; i < n; i++)
        sum += (wrapping_lanes)lanes_mul16(a[i], b[i]);
    return (lanes)(sum << 1);
}

/* -1 where no partial sum of products of two vectors with these energies (doubled, clamped) can saturate: by
 * Cauchy-Schwarz none exceeds the root of the energies' product. */
LANES_INLINE lanes lanes_fit(lanes energy_a, lanes energy_b) {
    const float_lanes product =
        __builtin_convertvector(energy_a, float_lanes) * __builtin_convertvector(energy_b, float_lanes);
    lanes out;
    for (int l = 0; l < LANES; l++)
        out[l] = product[l] < 0x1p61f ? -1 : 0;
    return out & lanes_above(lanes_of(INT32_MAX), lanes_max(energy_a, energy_b));
}

#endif
