/* Keys that we press ourselves (RFC 4733): what a leg's phone is told that heard of a key by other means.
 *
 * What does it do?
 *   A key takes as long as it was pressed, 100 ms at least: a packet every 20 ms whose duration grows, all
 * with the timestamp of the beginning, the marker on the first; then its end, three times (section 2.5.1.4).
 * 50 ms later the next one may begin.  Audio is silent meanwhile, and goes on under the next sequence number.
 *   Some phones say a key twice, by signalling and as events.  So a key waits for 60 ms before it begins, and
 * one that came as events from the other party is not pressed again: digit.c has passed it on.
 *
 * How do I use it?
 *   press_add() a key; press_next() every 10 ms for as long as `n` is not 0.  A phone that wants no events
 * (any more) gets none: what waits is forgotten.
 */
#ifndef TANDEM_PLANE_PRESS_H
#define TANDEM_PLANE_PRESS_H

#include "plane/plane.h"

enum { PRESS_MAX = 16, PRESS_LEAST_TENS = 10, PRESS_MOST_TENS = 250 };

/* The keys that wait for a row, the first of them perhaps under way. */
struct press {
    double due; /* when the next packet goes, s */
    uint32_t timestamp;
    uint16_t said; /* duration of the last packet, samples; 0 = not begun */
    uint8_t n, ends;
    uint8_t codes[PRESS_MAX], tens[PRESS_MAX]; /* the event, and for how many units of 10 ms */
};

/* False: too many wait. */
bool press_add(struct press *press, uint8_t code, uint8_t tens, double now);
/* The packet that is due for a row, if there is one. */
bool press_next(struct plane *plane, int32_t index, struct press *press, double now, struct send *send);

#endif
