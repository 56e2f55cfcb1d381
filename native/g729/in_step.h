/* Up to LANES rows of a bank, all different, one frame each: what rows.c divides a batch into.
 *
 * The arguments are those of g729_encode_rows and g729_decode_rows; lengths are valid. */
#ifndef TANDEM_G729_IN_STEP_H
#define TANDEM_G729_IN_STEP_H

#include "g729/g729.h"

typedef void g729_encode_function(struct g729_encoder *bank, const intptr_t *rows, size_t n,
                                  uint8_t *restrict out, int32_t *restrict lengths,
                                  const int16_t *restrict in, bool annexb);
typedef void g729_decode_function(struct g729_decoder *bank, const intptr_t *rows, size_t n,
                                  int16_t *restrict out, const uint8_t *restrict in,
                                  const int32_t *restrict lengths);

g729_encode_function g729_encode_in_step;
g729_decode_function g729_decode_in_step;

/* The same compiled for AVX2, if TANDEM_G729_AVX2 is defined (avx2.h). */
g729_encode_function g729_encode_in_step_avx2;
g729_decode_function g729_decode_in_step_avx2;

#endif
