/* 3.2.3, 3.2.5, 3.2.6: from filter to line spectrum and back.
 *
 * What does it do?  Turns the predictor A(z) into ten line spectral pairs (cosines, Q15) and these into
 * frequencies (LSF), and all of it backwards.
 * How does it work?  A(z) = F1(z) + F2(z), a symmetric and an antisymmetric polynomial whose roots lie on the
 * unit circle and alternate.  They are looked for on a grid of 51 points (A.3.2.3), halving an interval with
 * a change of sign twice and then drawing a straight line.
 * How do I use it?  LSFs of the quantiser run from 0 to pi in Q13; those of the VAD from 0 to 0.5 in Q15.
 */
#ifndef TANDEM_G729_LSP_H
#define TANDEM_G729_LSP_H

#include "g729/filters.h"
#include "g729/lanes.h"

/* lsp_q15 := the roots of a_q12, or previous_q15 if fewer than ten are found. */
void g729_lsp_of_filter(int16_t lsp_q15[G729_ORDER], const int16_t a_q12[G729_ORDER + 1],
                        const int16_t previous_q15[G729_ORDER]);

/* The filters of both subframes: halfway from old to new, and new. */
void g729_interpolate_filters(lanes a_q12[2][G729_ORDER + 1], const int16_t *const old_q15[LANES],
                              const int16_t *const new_q15[LANES]);

void g729_lsf_of_lsp(int16_t lsf_q13[G729_ORDER], const int16_t lsp_q15[G729_ORDER]);
void g729_lsp_of_lsf(int16_t lsp_q15[G729_ORDER], const int16_t lsf_q13[G729_ORDER]);
void g729_normal_lsf_of_lsp(int16_t lsf_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]);

#endif
