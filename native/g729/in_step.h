/* From a batch to rows in step.
 *
 * What does it do?  batch.c divides a batch into groups of up to LANES rows, all different; encoder.c
 * and decoder.c code one frame of each row of a group.
 * How does it work?  All of it is compiled again for better instruction sets (isa.h); rows.c calls
 * what suits the machine and the batch.
 * How do I use it?  The arguments are those of g729_encode_rows and g729_decode_rows; lengths are
 * valid.
 */
#ifndef TANDEM_G729_IN_STEP_H
#define TANDEM_G729_IN_STEP_H

#include "g729/g729.h"

typedef void g729_encode_function(struct g729_encoder *bank, const intptr_t *rows, size_t n,
                                  uint8_t *restrict out, int32_t *restrict lengths,
                                  const int16_t *restrict in, bool annexb);
typedef void g729_decode_function(struct g729_decoder *bank, const intptr_t *rows, size_t n,
                                  int16_t *restrict out, const uint8_t *restrict in,
                                  const int32_t *restrict lengths);

g729_encode_function g729_encode_batch, g729_encode_in_step;
g729_decode_function g729_decode_batch, g729_decode_in_step;

/* If TANDEM_G729_X86 is defined: */
g729_encode_function g729_encode_batch_sse41, g729_encode_batch_avx2;
g729_decode_function g729_decode_batch_sse41, g729_decode_batch_avx2;

#endif
