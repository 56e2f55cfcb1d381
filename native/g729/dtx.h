/* B.4.1: discontinuous transmission: when to describe the noise again.
 *
 * What does it do?  Decides for every frame of noise whether a SID frame is due, makes it, and makes
 * the noise that the decoder will make.
 * How does it work?  The filter of the last two frames is compared with that of the last SID frame (a
 * distance after Itakura), and the level with its level.  If the noise of the last frames was alike,
 * their mean filter is sent, else the current one.
 * How do I use it?  g729_dtx_observe for every frame, g729_dtx_frame for those of noise.
 */
#ifndef TANDEM_G729_DTX_H
#define TANDEM_G729_DTX_H

#include "g729/lpc.h"
#include "g729/sid.h"
#include "g729/taming.h"

enum { G729_DTX_FRAMES = 2, G729_DTX_SUMS = 3 };

/* Autocorrelations with a common exponent: value = r * 2^-exponent. */
struct g729_dtx_correlation {
    int16_t r[G729_ORDER + 1];
    int16_t exponent;
};

struct g729_dtx {
    struct g729_dtx_correlation recent[G729_DTX_FRAMES]; /* of the last frames, the newest first */
    struct g729_dtx_correlation sums[G729_DTX_SUMS];     /* of pairs of frames, the newest first */
    struct g729_dtx_correlation reference;               /* of the filter that was sent last */
    struct g729_energy energies[G729_DTX_FRAMES];        /* of residuals, the newest first */
    int16_t lsp_q15[G729_ORDER];                         /* sent last */
    int16_t past_a_q12[G729_ORDER + 1];
    int16_t seed, gain, sid_gain;
    int16_t level_db; /* sent last */
    int16_t n_energies, n_frames_since_sid, n_in_pair;
    bool changed;
};

/* The outcome of a frame of noise. */
struct g729_dtx_result {
    bool send;
    struct g729_sid_parameters sid;
};

void g729_dtx_reset(struct g729_dtx *dtx);

/* A frame's correlations, before the lag window; of speech or noise. */
void g729_dtx_observe(struct g729_dtx *dtx, const struct g729_autocorrelation *in, bool speech);

/* A frame of speech has been: start the generator anew. */
void g729_dtx_restart(struct g729_dtx *dtx);

/* What a frame of noise shares with the encoder. */
struct g729_dtx_context {
    struct g729_lpc_memory *lpc;
    struct g729_lsf_memory *lsf;
    struct g729_taming *taming;
    const int16_t *lsp_q15; /* quantised, of the frame before */
    int16_t *excitation;    /* becomes the noise, with its past before it */
};

struct g729_dtx_result g729_dtx_frame(struct g729_dtx *dtx, const struct g729_dtx_context *context,
                                      bool first);

#endif
