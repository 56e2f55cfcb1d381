/* One vector of the codebook that decoder and search both build (codebook.c says what the codebook is).
 *
 * How do I use it?  end points behind the last sample of the memory or of its filtered copy; 40 samples from
 * end - lag on must be readable, and out must have room for 60: 40 are the vector, the others are scratch. So
 * both copies have a fixed length.
 */
#ifndef TANDEM_ILBC_CODEBOOK_H
#define TANDEM_ILBC_CODEBOOK_H

#include "ilbc/blocks.h"
#include "ilbc/clones.h"
#include "ilbc/tables.h"

#include <string.h>

enum { ILBC_AUGMENTED_ROOM = 60 };

ILBC_INLINE void ilbc_codebook_augment(int16_t *restrict out /* [60] */, const int16_t *restrict end,
                                       int lag) {
    memcpy(out, end - lag, ILBC_SUBBLOCK * sizeof *out);
    for (int i = 0; i < 4; i++)
        out[lag - 4 + i] = (int16_t)(((end[i - lag - 4] * ILBC_BLEND_Q15[i]) >> 15) +
                                     ((end[i - 4] * ILBC_BLEND_Q15[3 - i]) >> 15));
    memcpy(out + lag, end - lag, ILBC_AUGMENTED * sizeof *out);
}

#endif
