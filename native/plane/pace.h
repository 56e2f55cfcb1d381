/* How long a row's packets are on their way, and how long playout should wait for them.
 *
 * A packet's transit is its arrival less its timestamp, in samples: its least is the path's, what lies above
 * it is jitter.  The last 100 to 200 packets are counted in bins of 5 ms; playout wants to wait for all but
 * one in a hundred of them, and never much longer than the slowest took.  The counts stand in a ring of bins,
 * so that a clock that drifts for days needs no care.
 */
#ifndef TANDEM_PLANE_PACE_H
#define TANDEM_PLANE_PACE_H

#include "plane/plane.h"

/* The sender's time means something new: begin to measure. */
void pace_reset(struct row *row);
/* A packet of audio arrived. */
void pace_measure(struct row *row, uint32_t timestamp, double now);
/* When `play_unit` is due, as a transit like those measured. */
int32_t pace_of(const struct row *row, uint32_t due_samples);
/* The transit that playout wants; false while too little is known. */
bool pace_want(const struct row *row, int32_t *want);
/* The least transit seen lately: a delay is counted from it. */
int32_t pace_least(const struct row *row);

/* Moments as samples, in the wrapping count that RTP timestamps use. */
static inline uint32_t pace_samples(double now) {
    return (uint32_t)(uint64_t)(now * 8000.0);
}

#endif
