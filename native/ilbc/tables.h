/* The numbers of iLBC: RFC 3951 section and meaning at each, Q format in its name.
 *
 * The fixed-point codec's values.  Most are RFC 3951's rounded to the Q format, some differ a little (the lag
 * window, the codebook filter): bit-exactness hangs on these, not on the RFC's.
 */
#ifndef TANDEM_ILBC_TABLES_H
#define TANDEM_ILBC_TABLES_H

#include <stdint.h>

/* 3.1: b0 b1 b2 -a1 -a2 of the input's high-pass */
extern const int16_t ILBC_HIGH_PASS_IN_Q12[5];
/* 4.8: the output's; its sections add up to half the level, doubled on the way out */
extern const int16_t ILBC_HIGH_PASS_OUT_Q12[5];
/* 3.2.1: symmetric, over the first 240 of 300 samples (30 ms only) */
extern const int16_t ILBC_WINDOW_Q15[240];
/* 3.2.1: over the last 240 */
extern const int16_t ILBC_ASYMMETRIC_WINDOW_Q15[240];
/* 3.2.1: 60 Hz of spread, and white noise on lag 0 */
extern const int32_t ILBC_LAG_WINDOW_Q31[11];
/* 0.9025^i */
extern const int16_t ILBC_CHIRP_SYNTHESIS_Q15[11];
/* 0.4222^i */
extern const int16_t ILBC_CHIRP_WEIGHTING_Q15[11];
/* 3.2.4: 64 x 3, 128 x 3, 128 x 4, each by columns: the first frequency of all entries, then the second, ...
 */
extern const int16_t ILBC_LSF_CODEBOOK_Q13[1088];
/* where a new call begins */
extern const int16_t ILBC_LSF_MEAN_Q13[10];
/* taken when the roots are not found */
extern const int16_t ILBC_LSP_MEAN_Q15[10];
/* 3.2.7: share of the older set in each sub-block */
extern const int16_t ILBC_LSF_WEIGHT_20_Q14[4];
/* the same; the first is between frames, the others within */
extern const int16_t ILBC_LSF_WEIGHT_30_Q14[6];
/* cosine over half a turn */
extern const int16_t ILBC_COS_Q15[64];
/* its slope, Q19 a step of 1/512 turn */
extern const int16_t ILBC_COS_SLOPE[64];
/* where the roots are looked for */
extern const int16_t ILBC_COS_GRID_Q15[61];
/* Q11, of frequency in 1/65536 turn by cosine in Q15 */
extern const int16_t ILBC_ACOS_SLOPE[64];
/* 3.4.1: favours the middle of the frame */
extern const int16_t ILBC_START_WINDOW[5];
/* 3.4.2: a sample of the start state in 3 bits */
extern const int16_t ILBC_STATE_LEVELS_Q13[8];
/* squared peak from which on the next scale is taken */
extern const int32_t ILBC_STATE_PEAK_BOUNDS[64];
/* 1 / scale: Q16 below 27, Q21 from there */
extern const int16_t ILBC_STATE_SCALE[64];
/* scale: Q8 below 37, Q5 below 59, then Q3 */
extern const int16_t ILBC_STATE_SCALE_INVERSE[64];
/* 3.6.3: what makes the second half of the codebook */
extern const int16_t ILBC_CODEBOOK_FILTER_Q12[8];
/* 3.6.3: 1/5 .. 4/5, for lags shorter than a sub-block */
extern const int16_t ILBC_BLEND_Q15[4];
/* 3.6.4.2: first stage, 5 bits; the last entry only ends the search */
extern const int16_t ILBC_GAIN_FIRST_Q14[33];
/* second, 4 bits */
extern const int16_t ILBC_GAIN_SECOND_Q14[17];
/* third, 3 bits */
extern const int16_t ILBC_GAIN_THIRD_Q14[9];
/* the first stage's, squared */
extern const int16_t ILBC_GAIN_FIRST_SQUARED_Q14[32];
/* 4.6.1: before the enhancer looks for the pitch at 4 kHz */
extern const int16_t ILBC_HALF_BAND_Q12[7];
/* 4.6.2: seven taps for sample positions at 0, 1/4, 1/2, 3/4 */
extern const int16_t ILBC_UPSAMPLE_Q12[7][4];
/* 4.6.3: of the third, second, first segment away */
extern const int16_t ILBC_SEGMENT_WEIGHT_Q16[3];
/* periodicity^4, Q15, at six points */
extern const int16_t ILBC_CONCEAL_PERIODICITY[6];
/* share of the pitch there */
extern const int16_t ILBC_CONCEAL_PITCH_Q15[6];
/* and its slope from there on */
extern const int16_t ILBC_CONCEAL_SLOPE_Q11[6];

#endif
