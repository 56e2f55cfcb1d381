/* Up to LANES rows of a bank, all different, one frame each: what rows.c divides a batch into.
 *
 * The arguments are those of g729_encode_rows and g729_decode_rows; lengths are valid. */
#ifndef TANDEM_G729_IN_STEP_H
#define TANDEM_G729_IN_STEP_H

#include "g729/g729.h"

void g729_encode_in_step(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                         int32_t *restrict lengths, const int16_t *restrict in, bool annexb);
void g729_decode_in_step(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                         const uint8_t *restrict in, const int32_t *restrict lengths);

#endif
