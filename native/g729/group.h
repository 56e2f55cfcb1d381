/* Inside the encoder: a group of rows that are coded in step, and what is found for a frame of them.
 *
 * What does it do?  encoder.c analyses frames and tells speech from noise; subframe.c does 3.7 to 3.10, the
 * searches of pitch, pulses and gains, for one subframe of all rows.
 * How does it work?  States are structs of rows; what is the same place in each is gathered into lanes, and
 * scattered back (lanes.h).
 * How do I use it?  A place is named by its offset in struct g729_encoder. */
#ifndef TANDEM_G729_GROUP_H
#define TANDEM_G729_GROUP_H

#include "g729/g729.h"
#include "g729/pitch_search.h"

enum { G729_SUBFRAMES = G729_FRAME / G729_SUBFRAME };

/* A row's frame on its way through the encoder. */
struct g729_frame {
    struct g729_speech_parameters parameters;
    struct g729_dtx_result noise;
    int16_t old_lsp_q15[G729_ORDER]; /* quantised, of the frame before */
    struct g729_lag_range range;
    struct g729_lag lag;
    bool speech;
};

/* Rows in step; the lanes from n on repeat the first row. */
struct g729_group {
    struct g729_encoder *encoder[LANES];
    struct g729_frame *frame[LANES];
    size_t n;
};

/* What all frames of a group have, of both subframes. */
struct g729_spectrum {
    lanes weighting_q12[G729_SUBFRAMES][G729_ORDER + 1]; /* A(z / 0.75) */
    lanes residual[G729_FRAME];
};

/* The same place in each row. */
static inline void g729_places(int16_t *out[LANES], const struct g729_group *group, size_t offset) {
    for (int row = 0; row < LANES; row++)
        out[row] = (int16_t *)((char *)group->encoder[row] + offset);
}

static inline void g729_gather(lanes *out, const struct g729_group *group, size_t offset, size_t n) {
    int16_t *in[LANES];
    g729_places(in, group, offset);
    lanes_gather(out, (const int16_t *const *)in, n);
}

static inline void g729_scatter(const struct g729_group *group, size_t offset, const lanes *in, size_t n) {
    int16_t *out[LANES];
    g729_places(out, group, offset);
    lanes_scatter(out, in, n);
}

enum {
    G729_EXCITATION = offsetof(struct g729_encoder, excitation) + G729_EXCITATION_PAST * sizeof(int16_t),
    G729_WEIGHTED = offsetof(struct g729_encoder, weighted) + G729_LAG_MAX * sizeof(int16_t),
    G729_SPEECH = offsetof(struct g729_encoder, speech) + G729_SPEECH_PAST * sizeof(int16_t),
};

/* Subframe s of all rows; its lags are looked for in the frames' ranges and noted there. */
void g729_encode_subframe(const struct g729_group *group, const struct g729_spectrum *spectrum, int s);

#endif
