/* Encode once for all who hear the same: rows whose signal, codec and place in the frame agree follow one.
 *
 * What does it do?
 *   Before a tick's frames are encoded, chorus_form() finds the rows that hear one signal and lets all but
 * the first of them follow: speak.c then copies the leader's frames instead of encoding.
 *
 * How does it work?
 *   An encoder has a memory, and so has the decoder in the phone.  A row may follow when it has heard the
 * common signal for half a second: then its own encoder's memory has become that of the leader, and the phone
 * does not notice the change.  A row that leaves takes the leader's memory along, exactly as the phone has
 * heard it, so there is nothing to notice at all.  The leader is the first row of its chorus, whoever that
 * is; its memory is that of the member who has heard the common signal for longest (of equals, that with the
 * least key), so it does not matter which rows they have.  G.711 has no memory, and encoding it costs no more
 * than copying would: its rows do not follow.
 *
 * How do I use it?
 *   chorus_form() once a tick after mixing, with the rows that will be encoded, in rising order;
 * chorus_leave() before a row's state is changed from elsewhere, chorus_disband() before it is thrown away.
 */
#ifndef TANDEM_MIXER_CHORUS_H
#define TANDEM_MIXER_CHORUS_H

#include "mixer/mixer.h"

enum {
    CHORUS_KINDS = 8,          /* codecs, and where in a frame a row can be */
    CHORUS_SETTLED_TICKS = 50, /* of one signal, until an encoder's memory is that of its neighbours */
    CHORUS_NOBODY = -1
};

struct chorus {
    int32_t leader, senior; /* rows */
};

/* Row rows[i] hears the signal at signal_of[at[i]]; choruses[positions * CHORUS_KINDS] is scratch. */
struct chorus_job {
    const struct mix_row *mix;
    const int32_t *rows, *at, *signal_of;
    struct chorus *choruses;
    size_t n, positions;
    double now;
};
void chorus_form(struct voices *voices, const struct row *rows, const struct chorus_job *job);
/* The row encodes for itself from now on. */
void chorus_leave(struct voices *voices, int32_t row);
/* So do all that follow it. */
void chorus_disband(struct voices *voices, int32_t row, int32_t capacity);

#endif
