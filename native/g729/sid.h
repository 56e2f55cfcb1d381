/* B.4.1.3, B.4.2: silence insertion descriptors: 15 bits that describe noise.
 *
 * What does it do?  Quantises the spectrum (10 bits) and the gain (5 bits) of background noise, and decodes
 * them.
 * How does it work?  The spectrum with the speech quantiser's tables, of which a SID frame can name a part,
 * and with its memory; the gain as a level in dB, in steps of 4 dB up to 14 dB and of 2 above.
 * How do I use it?  See dtx.h (encoder) and comfort.h (decoder).
 */
#ifndef TANDEM_G729_SID_H
#define TANDEM_G729_SID_H

#include "g729/lsf_quantizer.h"

/* Of a frame's residual: energy = mantissa * 2^-exponent. */
struct g729_energy {
    int16_t mantissa;
    int16_t exponent;
};

/* The SID frame's spectrum; memory takes its vector. */
void g729_sid_decode_lsp(struct g729_lsf_memory *memory, int16_t lsp_q15[G729_ORDER],
                         const struct g729_lsf_parameters *indices);
void g729_sid_quantize_lsp(struct g729_lsf_memory *memory, struct g729_lsf_parameters *indices,
                           int16_t quantized_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]);

/* The predictor of a mode. */
struct g729_lsf_predictor g729_sid_predictor_of(int mode);

/* The index of the mean of 1 or 2 energies, and its level in *level_db. */
int g729_sid_quantize_gain(const struct g729_energy *energies, int n, int *level_db);

/* The index for the energy of a whole frame's excitation, of which the decoder knows no SID frame. */
int g729_sid_gain_of_speech(struct g729_energy energy);

#endif
