/* 3.9: the gains of the two excitations.
 *
 * What does it do?  Codes pitch gain (Q14) and code gain (Q1) with 7 bits, decodes them, and invents them for
 * lost frames.
 * How does it work?  The code gain is predicted from the energy of the code vector and from what the last
 * four predictions were wrong by; a codebook of two stages holds pitch gains and corrections.  The encoder
 * tries 4 * 8 of the 8 * 16 pairs, those next to the unquantised optimum.
 * How do I use it?  One struct g729_gain_memory a direction.
 */
#ifndef TANDEM_G729_GAINS_H
#define TANDEM_G729_GAINS_H

#include "g729/filters.h"

#include <stdbool.h>
#include <stdint.h>

enum { G729_GAIN_HISTORY = 4 };

struct g729_gain_memory {
    int16_t error_q10[G729_GAIN_HISTORY]; /* dB that predictions were wrong by, the newest first */
};

struct g729_gains {
    int16_t pitch_q14;
    int16_t code_q1;
};

/* A scalar product as 16-bit mantissa and exponent. */
struct g729_product {
    int16_t mantissa;
    int16_t exponent;
};

/* The scalar products that the error of a pair of gains depends on: target x, filtered past y, filtered code
 * z. |x - gp y - gc z|^2 = |x|^2 + gp^2 yy - 2 gp xy + gc^2 zz - 2 gc xz + 2 gp gc yz */
struct g729_gain_products {
    struct g729_product yy, minus_2xy, zz, minus_2xz, yz2;
};

void g729_gain_memory_reset(struct g729_gain_memory *memory);

/* Choose the gains; returns GA << 4 | GB.  tame: keep the pitch gain below 1 (3.7.3). */
uint16_t g729_quantize_gains(struct g729_gain_memory *memory, struct g729_gains *gains,
                             const struct g729_gain_products *products, const int16_t *code_q13, bool tame);

void g729_dequantize_gains(struct g729_gain_memory *memory, struct g729_gains *gains, uint16_t index1,
                           uint16_t index2, const int16_t *code_q13);

/* 4.4.2: the frame was lost; the gains fade. */
void g729_fade_gains(struct g729_gain_memory *memory, struct g729_gains *gains);

/* 3.10, 4.1.6: excitation[i] := gp * excitation[i] + gc * code[i]. */
void g729_mix_excitation(int16_t excitation[G729_SUBFRAME], const int16_t code_q13[G729_SUBFRAME],
                         struct g729_gains gains);

/* What follows is shared with gain_search.c. */

/* The predicted code gain: mantissa and exponent (Q). */
struct g729_product g729_predict_gain(const struct g729_gain_memory *memory, const int16_t *code_q13);

/* The gains of a pair of entries; the memory takes their correction. */
struct g729_gains g729_gains_of_entries(struct g729_gain_memory *memory, int entry1, int entry2,
                                        struct g729_product predicted);

#endif
