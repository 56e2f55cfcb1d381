/* A.3.4: the open-loop pitch: a first guess, once a frame.
 *
 * What does it do?  Finds the lag (20 to 143) at which the weighted speech is most like itself.
 * How does it work?  Correlations of every second sample in three ranges of lags, normalised by the energy;
 * a shorter lag that a longer one is a multiple of gets a bonus.
 * How do I use it?  weighted has G729_LAG_MAX samples of past before the frame.
 */
#ifndef TANDEM_G729_PITCH_OPEN_LOOP_H
#define TANDEM_G729_PITCH_OPEN_LOOP_H

#include "g729/filters.h"

int g729_open_loop_lag(const int16_t *weighted);

#endif
