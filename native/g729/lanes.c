#include "g729/lanes.h"

/* The first halves of a and b, their elements in turn; and the second. */
LANES_INLINE lanes16 first_in_turn(lanes16 a, lanes16 b) {
#ifdef __AVX2__
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

LANES_INLINE lanes16 second_in_turn(lanes16 a, lanes16 b) {
#ifdef __AVX2__
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

/* As many samples of each row as there are rows: these change places.  Each perfect shuffle of all moves the
 * highest bit of a number's address to the lowest. */
LANES_INLINE void transpose(lanes16 inout[LANES]) {
    for (int span = 1; span < LANES; span *= 2) {
        lanes16 mixed[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            mixed[2 * i] = first_in_turn(inout[i], inout[i + LANES / 2]);
            mixed[2 * i + 1] = second_in_turn(inout[i], inout[i + LANES / 2]);
        }
        memcpy(inout, mixed, sizeof mixed);
    }
}

/* One row in all lanes. */
static void spread(lanes *restrict out, const int16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = lanes_of(in[i]);
}

void lanes_gather(lanes *restrict out, const int16_t *const in[LANES], size_t n) {
    if (in[1] == in[0]) {
        spread(out, in[0], n);
        return;
    }
    for (size_t i = 0; i < n; i += LANES) {
        const size_t at = i + LANES > n ? n - LANES : i; /* the last block overlaps the one before */
        lanes16 block[LANES];
        for (int l = 0; l < LANES; l++)
            memcpy(&block[l], in[l] + at, sizeof block[l]);
        transpose(block);
        for (size_t k = 0; k < LANES; k++)
            out[at + k] = lanes_widen(block[k]);
    }
}

void lanes_scatter(int16_t *const out[LANES], const lanes *restrict in, size_t n) {
    if (out[1] == out[0]) {
        for (size_t i = 0; i < n; i++)
            out[0][i] = (int16_t)in[i][0];
        return;
    }
    for (size_t i = 0; i < n; i += LANES) {
        const size_t at = i + LANES > n ? n - LANES : i;
        lanes16 block[LANES];
        for (size_t k = 0; k < LANES; k++)
            block[k] = __builtin_convertvector(in[at + k], lanes16);
        transpose(block);
        for (int l = 0; l < LANES; l++)
            memcpy(out[l] + at, &block[l], sizeof block[l]);
    }
}
