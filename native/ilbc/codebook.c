#include "ilbc/codebook.h"
#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 3.6.3: the codebook of a block of n samples is, in the order of its indices,
 *   - every n successive samples of the memory, newest first;
 *   - for whole sub-blocks also 20 vectors whose lag is shorter than they are: the last 20 to 39 samples
 *     repeated, with a blend over the seam;
 *   - then all of them once more, from the memory filtered. */

int ilbc_codebook_size(int memory_length, int n) {
    const int plain = memory_length - n + 1;
    return 2 * (n == ILBC_SUBBLOCK ? plain + ILBC_AUGMENTED : plain);
}

void ilbc_codebook_filter(int16_t *restrict out, const int16_t *restrict memory, int n) {
    ilbc_fir(out, memory + 4, ILBC_CODEBOOK_FILTER_Q12, ILBC_CODEBOOK_TAPS, n);
}

static void vector_of(int16_t *restrict out, const int16_t *restrict end, int memory_length, int n,
                      int index) {
    int16_t filtered[ILBC_SUBBLOCK + 4 + ILBC_AUGMENTED] = {0};
    const int section = ilbc_codebook_size(memory_length, n) / 2, plain = memory_length - n + 1;
    const bool is_filtered = index >= section;
    if (is_filtered)
        index -= section;
    if (index < plain) {
        const int16_t *first = end - n - index;
        if (is_filtered)
            ilbc_codebook_filter(out, first, n);
        else
            memcpy(out, first, (size_t)n * sizeof *out);
    } else {
        const int lag = ILBC_AUGMENTED + index - plain;
        if (is_filtered) {
            ilbc_codebook_filter(filtered, end - ILBC_SUBBLOCK - 4, ILBC_SUBBLOCK + 4);
            end = filtered + ILBC_SUBBLOCK + 4;
        }
        ilbc_codebook_augment(out, end, lag);
    }
}

/* Wraps where it would overflow: only bits 14 to 29 are kept. */
static inline int16_t sum_q14(const int16_t gain_q14[ILBC_STAGES], int16_t a, int16_t b, int16_t c) {
    const uint32_t sum =
        (uint32_t)(gain_q14[0] * a) + (uint32_t)(gain_q14[1] * b) + (uint32_t)(gain_q14[2] * c);
    return (int16_t)((int32_t)(sum + 8192) >> 14);
}

void ilbc_codebook_sum(int16_t *restrict out, const int16_t *restrict end, int memory_length, int n,
                       const uint8_t *vector, const uint8_t *gain) {
    int16_t vectors[ILBC_STAGES][ILBC_AUGMENTED_ROOM], gain_q14[ILBC_STAGES];
    int limit_q14 = 16384;
    for (int stage = 0; stage < ILBC_STAGES; stage++) {
        gain_q14[stage] = ilbc_gain_q14(gain[stage], limit_q14, stage);
        limit_q14 = gain_q14[stage];
        vector_of(vectors[stage], end, memory_length, n, vector[stage]);
    }
    for (int i = 0; i < n; i++)
        out[i] = sum_q14(gain_q14, vectors[0][i], vectors[1][i], vectors[2][i]);
}
