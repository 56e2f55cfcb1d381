#include "g729/mathematics.h"

#include "g729/tables.h"

/* Between entries i and i + 1 of a table, fraction_q15 of the way. */
static int32_t interpolated(const int16_t *table, int i, int16_t fraction_q15) {
    return msu32(from_high16(table[i]), sub16(table[i], table[i + 1]), fraction_q15);
}

struct logarithm g729_log2(int32_t x) {
    if (x <= 0)
        return (struct logarithm){0, 0};
    const int shift = norm32(x);
    const int32_t normal = (x << shift) >> 9; /* 6 bits of index, 15 of fraction and one more */
    const int32_t y =
        interpolated(g729_logarithm_q15, high16(normal) - 32, (int16_t)((normal >> 1) & 0x7FFF));
    return (struct logarithm){(int16_t)(30 - shift), high16(y)};
}

int32_t g729_power2(int exponent, int16_t fraction_q15) {
    const int32_t x = mul32(fraction_q15, 32); /* 5 bits of index in the upper half */
    const int32_t y = interpolated(g729_power_q14, high16(x), (int16_t)((x >> 1) & 0x7FFF));
    return shr32_rounded(y, 30 - exponent);
}

int32_t g729_inverse_sqrt(int32_t x) {
    if (x <= 0)
        return 0x3FFFFFFF;
    const int shift = norm32(x);
    const int exponent = 30 - shift;
    int32_t normal = x << shift;
    if (exponent % 2 == 0)
        normal >>= 1;
    normal >>= 9;
    const int32_t y =
        interpolated(g729_inverse_root_q15, high16(normal) - 16, (int16_t)((normal >> 1) & 0x7FFF));
    return shr32(y, (exponent >> 1) + 1);
}

int16_t g729_sqrt(int32_t x) {
    int16_t root = 0;
    for (int16_t bit = 0x4000; bit > 1; bit = (int16_t)(bit >> 1)) {
        const int16_t larger = add16(root, bit);
        if (x >= mul32(larger, larger))
            root = larger;
    }
    return root;
}
