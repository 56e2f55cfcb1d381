/* 3.7.3: taming: keep an error of the channel from growing in a loop of large pitch gains.
 *
 * What does it do?  Bounds how large an error in the past excitation could have become in the decoder, and
 * tells the pitch search when to be careful.
 * How does it work?  Worst cases for four zones of the past, each grown by the gain of every subframe.
 * How do I use it?  Ask before the gains are chosen, tell after.
 */
#ifndef TANDEM_G729_TAMING_H
#define TANDEM_G729_TAMING_H

#include "g729/pitch_lag.h"

#include <stdbool.h>
#include <stdint.h>

enum { G729_TAMING_ZONES = 4 };

struct g729_taming {
    int32_t error_q14[G729_TAMING_ZONES]; /* the newest zone first */
};

void g729_taming_reset(struct g729_taming *taming);
bool g729_must_tame(const struct g729_taming *taming, struct g729_lag lag);
void g729_taming_update(struct g729_taming *taming, int16_t pitch_gain_q14, int lag);

#endif
