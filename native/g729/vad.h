/* B.3: voice activity detection.
 *
 * What does it do?  Says of every 10 ms whether somebody speaks.
 * How does it work?  Four differences from a running mean of the noise (energy, energy below 1 kHz, zero
 * crossings, spectrum) are put before 14 planes; four rules then smooth the decision.  32 frames train it.
 * How do I use it?  Once a frame, in order; only where annexb is agreed.
 */
#ifndef TANDEM_G729_VAD_H
#define TANDEM_G729_VAD_H

#include "g729/lpc.h"

enum { G729_VAD_MINIMA = 16 };

/* Levels are logarithms, 2048 for 10 dB. */
struct g729_vad {
    int16_t frame; /* 1 is the first; after 32767 comes 256 */
    int16_t mean_energy, mean_noise_energy, mean_noise_low_energy, mean_zero_crossings;
    int16_t mean_lsf_q15[G729_ORDER];
    int16_t minima[G729_VAD_MINIMA]; /* of 8 frames each, the oldest first */
    int16_t minimum, previous_minimum, next_minimum;
    int16_t previous_energy;
    int16_t n_quiet;    /* frames of the training that were below 15 dB */
    int16_t n_updates;  /* of the noise means */
    int16_t n_silent;   /* frames of noise in a row */
    int16_t n_extended; /* frames of the second rule in a row */
    bool may_extend, was_speech, was_speech_before;
};

/* What the VAD looks at. */
struct g729_vad_input {
    const struct g729_autocorrelation *autocorrelation; /* after the lag window */
    const int16_t *window;                              /* the samples of the analysis */
    int16_t lsf_q15[G729_ORDER];
    int16_t reflection_q15; /* the second coefficient */
};

void g729_vad_reset(struct g729_vad *vad);
bool g729_vad_is_speech(struct g729_vad *vad, const struct g729_vad_input *in);

#endif
