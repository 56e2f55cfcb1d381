/* The numbers of G.729.
 *
 * What does it do?  Names every table of the standard by what it is for, its Q format and its section.
 * How do I use it?  Read only; a value of format q has its binary point after q bits from the right.
 */
#ifndef TANDEM_G729_TABLES_H
#define TANDEM_G729_TABLES_H

#include <stdint.h>

/* 3.2.1: asymmetric analysis window: half a Hamming window, then a quarter of a cosine. */
extern const int16_t g729_lpc_window_q15[240];

/* 3.2.1: lag window, 60 Hz wide, for lags 1 to 12; with its low halves a split 32-bit number. */
extern const int16_t g729_lag_window_high_q15[12];

/* 3.2.1: the low halves of lag_window_high_q15. */
extern const int16_t g729_lag_window_low[12];

/* A.3.2.3: 51 points on the cosine axis between which the roots are looked for. */
extern const int16_t g729_lsp_grid_q15[51];

/* 3.2.4: cos(i * pi / 64). */
extern const int16_t g729_cosine_q15[65];

/* 3.2.4: slope of the cosine between two of its points. */
extern const int16_t g729_cosine_slope_q19[64];

/* 3.2.4: slope of the arc cosine between two points of the cosine. */
extern const int16_t g729_arccosine_slope_q12[64];

/* 3.2.4: first stage of the LSF quantiser (L1). */
extern const int16_t g729_lsp_codebook1_q13[128][10];

/* 3.2.4: second stage; its halves are chosen by L2 and L3. */
extern const int16_t g729_lsp_codebook2_q13[32][10];

/* The first stage once more, an element of all 128 entries side by side: for searching several at a time. */
extern const int16_t g729_lsp_codebook1_by_element_q13[10][128];

/* The second stage once more, an element of all 32 entries side by side. */
extern const int16_t g729_lsp_codebook2_by_element_q13[10][32];

/* The least and the largest of each element of the first stage: bounds a distance. */
extern const int16_t g729_lsp_codebook1_range_q13[2][10];

/* The least and the largest of each element of the second stage. */
extern const int16_t g729_lsp_codebook2_range_q13[2][10];

/* 3.2.4: the two moving-average predictors (L0), four frames back. */
extern const int16_t g729_lsp_predictor_q15[2][4][10];

/* 3.2.4: 1 - sum of the predictor: the share of the new vector. */
extern const int16_t g729_lsp_predictor_rest_q15[2][10];

/* 3.2.4: 1 / lsp_predictor_rest_q15. */
extern const int16_t g729_lsp_predictor_rest_inverse_q12[2][10];

/* 3.2.4: what the predictor remembers of a new call: LSFs evenly spaced. */
extern const int16_t g729_lsf_start_q13[10];

/* 3.2.5: line spectral pairs of a new call. */
extern const int16_t g729_lsp_start_q15[10];

/* 3.7.1: low pass for the excitation at thirds of a sample (one side, 10 taps a third). */
extern const int16_t g729_interpolation_q15[31];

/* 3.9.1: moving-average predictor of the code energy. */
extern const int16_t g729_gain_predictor_q13[4];

/* 3.9.2: first stage (GA): pitch gain Q14, correction of the code gain Q13. */
extern const int16_t g729_gain_codebook1[8][2];

/* 3.9.2: second stage (GB). */
extern const int16_t g729_gain_codebook2[16][2];

/* 3.9.3: index on the line of each entry, chosen so that a bit error does little harm. */
extern const int16_t g729_gain_index1_of[8];

/* 3.9.3: the same for the second stage. */
extern const int16_t g729_gain_index2_of[16];

/* 3.9.3: the inverse of gain_index1_of. */
extern const int16_t g729_gain_entry1_of[8];

/* 3.9.3: the inverse of gain_index2_of. */
extern const int16_t g729_gain_entry2_of[16];

/* 3.9.2: the lines along which entries lie, Q10 Q14 Q16 Q19. */
extern const int16_t g729_gain_preselect[2][2];

/* 3.9.2: the same with 32 bits, Q26 Q30 Q32 Q35. */
extern const int32_t g729_gain_preselect_fine[2][2];

/* 3.9.2: thresholds between first candidates of the first stage. */
extern const int16_t g729_gain_threshold1_q14[4];

/* 3.9.2: thresholds between first candidates of the second stage. */
extern const int16_t g729_gain_threshold2_q15[8];

/* 3.7.3: the zone of the past that a lag reaches into. */
extern const int16_t g729_taming_zone_of[153];

/* 2^(i/32). */
extern const int16_t g729_power_q14[33];

/* log2(1 + i/32). */
extern const int16_t g729_logarithm_q15[33];

/* 1 / sqrt(i/16 + 1) on 48 steps. */
extern const int16_t g729_inverse_root_q15[49];

/* B.3.1.2: autocorrelation of a low pass at 1 kHz. */
extern const int16_t g729_vad_low_band_q15[13];

/* B.3: 32 / (32 - n) without its power of two: makes a mean of a sum that lacks n frames. */
extern const int16_t g729_vad_start_scale_q15[33];

/* B.3: the power of two of vad_start_scale_q15. */
extern const int16_t g729_vad_start_shift[33];

/* B.3.7: how fast noise means move: energies, zero crossings, spectrum (old and new share each),
 * by the number of updates so far: below 20, 30, 40, 50, 60, and from there on. */
extern const int16_t g729_vad_rates_q15[6][6];

/* B.4.2.1: the 32 gains of comfort noise. */
extern const int16_t g729_sid_gain[32];

/* B.4.1.3: 1/80 of an energy; for none, one or two energies to average. */
extern const int16_t g729_sid_energy_share_q15[3];

/* B.4.1.3: bits of room for the sum of that many energies. */
extern const int16_t g729_sid_energy_margin[3];

/* B.4.2.2: LSF predictors of SID frames: that of speech mode 0, and 0.6 of it with 0.4 of mode 1. */
extern const int16_t g729_sid_predictor_q15[2][4][10];

/* B.4.2.2: the share of the new vector. */
extern const int16_t g729_sid_predictor_rest_q15[2][10];

/* B.4.2.2: 1 / sid_predictor_rest_q15. */
extern const int16_t g729_sid_predictor_rest_inverse_q12[2][10];

/* B.4.2.2: entries of lsp_codebook1_q13 that a SID frame can name. */
extern const int16_t g729_sid_subset1[32];

/* B.4.2.2: entries of lsp_codebook2_q13, low and high half. */
extern const int16_t g729_sid_subset2[2][16];

/* B.4.2.2: weight of the two predictors in the first search. */
extern const int16_t g729_sid_mode_weight_q15[2];

/* B.4.4: line spectral pairs of comfort noise before the first SID frame. */
extern const int16_t g729_sid_lsp_start_q15[10];

#endif
