/* 3.2.4: the quantiser of line spectral frequencies, and what decodes it.
 *
 * What does it do?  Codes ten LSFs (Q13, 0 to pi) with 18 bits: a moving-average predictor over four frames
 * (L0), and a two-stage codebook for what it did not predict (L1; L2 and L3 for its halves).
 * How does it work?  Both predictors are tried; for each the nearest first stage, then the best halves by a
 * weighted distance.  Encoder and decoder remember the same vectors and rebuild the same spectrum.
 * How do I use it?  SID frames (sid.h) share the memory: their vectors are pushed into it as well.
 */
#ifndef TANDEM_G729_LSF_QUANTIZER_H
#define TANDEM_G729_LSF_QUANTIZER_H

#include "g729/bits.h"
#include "g729/filters.h"

enum { G729_LSF_HISTORY = 4 };

struct g729_lsf_memory {
    int16_t vector_q13[G729_LSF_HISTORY][G729_ORDER]; /* the newest first */
};

struct g729_lsf_decoder {
    struct g729_lsf_memory memory;
    int16_t last_q13[G729_ORDER]; /* of the last frame that arrived */
    uint16_t last_mode;
};

/* One predictor: weights of the past, the share of the new vector, and one over that share. */
struct g729_lsf_predictor {
    const int16_t (*past_q15)[G729_ORDER];
    const int16_t *rest_q15;
    const int16_t *rest_inverse_q12;
};

void g729_lsf_memory_reset(struct g729_lsf_memory *memory);
void g729_lsf_decoder_reset(struct g729_lsf_decoder *decoder);

/* Quantise lsp_q15 to quantized_q15 and its indices. */
void g729_quantize_lsp(struct g729_lsf_memory *memory, struct g729_lsf_parameters *indices,
                       int16_t quantized_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]);

/* The line spectral pairs of a frame; indices NULL = it was lost: repeat the last. */
void g729_dequantize_lsp(struct g729_lsf_decoder *decoder, int16_t lsp_q15[G729_ORDER],
                         const struct g729_lsf_parameters *indices);

/* What follows is shared with sid.c. */

/* The vector that predictor and memory would need to give lsf_q13. */
void g729_lsf_unpredict(int16_t vector_q13[G729_ORDER], const int16_t lsf_q13[G729_ORDER],
                        const struct g729_lsf_predictor *predictor, const struct g729_lsf_memory *memory);
/* The LSFs that predictor, memory and vector give; then the memory takes the vector. */
void g729_lsf_compose(int16_t lsf_q13[G729_ORDER], const int16_t vector_q13[G729_ORDER],
                      const struct g729_lsf_predictor *predictor, struct g729_lsf_memory *memory);
/* Put LSFs in order and apart, as a stable filter needs them. */
void g729_lsf_stabilize(int16_t lsf_q13[G729_ORDER]);
/* Weights of a spectrum's LSFs: large where two are close. */
void g729_lsf_weights(int16_t weight[G729_ORDER], const int16_t lsf_q13[G729_ORDER]);

enum { G729_LSF_LOWEST_Q13 = 40, G729_LSF_HIGHEST_Q13 = 25681, G729_LSF_GAP_Q13 = 321 };

#endif
