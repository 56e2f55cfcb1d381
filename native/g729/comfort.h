/* B.4.5: the decoder while the other side is silent.
 *
 * What does it do?  Turns SID frames and the absence of frames into filters and an excitation.
 * How does it work?  The last SID frame's spectrum and gain go on; the gain is approached by eighths.
 * How do I use it?  Once for every frame that is not speech.
 */
#ifndef TANDEM_G729_COMFORT_H
#define TANDEM_G729_COMFORT_H

#include "g729/sid.h"

struct g729_comfort {
    int16_t lsp_q15[G729_ORDER]; /* of the last SID frame */
    int16_t sid_gain;            /* of the last SID frame */
    int16_t gain;                /* of the last frame */
    int16_t seed;
    struct g729_energy speech; /* of the last good frame, in case the first SID frame is lost */
};

void g729_comfort_reset(struct g729_comfort *comfort);

/* A frame of speech has been: start the generator anew. */
void g729_comfort_restart(struct g729_comfort *comfort);

/* A frame arrived: remember how loud its excitation was. */
void g729_comfort_remember(struct g729_comfort *comfort, const int16_t excitation[G729_FRAME]);

/* excitation[0..79] := comfort noise (with its past before it).  sid NULL = nothing was transmitted, or it
 * was lost; first: the frame before was speech.  comfort->lsp_q15 is then the spectrum. */
void g729_comfort_frame(struct g729_comfort *comfort, struct g729_lsf_memory *memory, int16_t *excitation,
                        const struct g729_sid_parameters *sid, bool first);

#endif
