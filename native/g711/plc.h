/* Packet loss concealment for G.711: ITU-T G.711 Appendix I, bit-exact with the G.191 software tool library.
 *
 * What does it do?
 *   Fills lost 10 ms frames with what the talker was saying: the last pitch period again and again, fading,
 *   and silence after 60 ms.  It works on samples, so it serves both laws and any codec without a concealment
 *   of its own at 8 kHz.
 *
 * How does it work?
 *   - Everything comes out G711_PLC_DELAY samples (3.75 ms) later than it went in, lost or not: the last
 * quarter of a pitch period can still be bent towards the repetition when a loss begins.
 *   - The first lost frame finds the pitch (40 to 120 samples, 200 to 66 Hz) where the last 20 ms are most
 * like what was a pitch earlier, and repeats one period.  The second and the third add a period each, so that
 *     the ear hears no tone; each is 20 % quieter than the one before.
 *   - The first good frame after a loss is faded in over what the repetition would have been.
 *   - All samples are int16_t, and so all that the pitch search sums are whole numbers below 2^53: int64_t
 * gives what the standard's double does, in any order.  Only weights and the ratio that rates a lag are
 * doubles; they need -ffp-contract=off, or the results would depend on the machine.
 *
 * How do I use it?
 *   A row is one struct, all zero at the start of a call.  For each 10 ms of each row, in order, one of
 *       g711_plc_good(&state, pcm);       the frame that came; gives the frame to play in its place
 *       g711_plc_lost(&state, pcm);       none came; gives the frame to play
 *   or for a batch of rows g711_plc_process().  The struct has no pointers and no padding: copy it to move a
 *   call, and ask g711_plc_is_valid() about bytes that came from elsewhere.
 */
#ifndef TANDEM_G711_PLC_H
#define TANDEM_G711_PLC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    G711_PLC_FRAME = 80,                     /* 10 ms */
    G711_PLC_PITCH_MIN = 40,                 /* 200 Hz */
    G711_PLC_PITCH_MAX = 120,                /* 66 Hz */
    G711_PLC_PERIODS_MAX = 3,                /* repeated in turn */
    G711_PLC_DELAY = G711_PLC_PITCH_MAX / 4, /* the longest quarter period */
    G711_PLC_PAST = G711_PLC_PERIODS_MAX * G711_PLC_PITCH_MAX +
        G711_PLC_DELAY,          /* 390: what a loss looks at */
    G711_PLC_HISTORY_FRAMES = 5, /* they hold the past */
    G711_PLC_SILENT_AFTER = 6,   /* lost frames */
};

/* Only the history and `lost` mean anything while frames arrive; the rest is about the loss going on. */
struct g711_plc {
    int16_t history[G711_PLC_HISTORY_FRAMES][G711_PLC_FRAME]; /* a ring of frames, before the delay */
    int16_t past[G711_PLC_PAST];     /* the history when the loss began, its end bent for repetition */
    int16_t quarter[G711_PLC_DELAY]; /* the last pitch / 4 samples of it as they were */
    int16_t newest;                  /* the frame of the history that came last */
    int16_t lost;                    /* frames lost in a row, counted up to G711_PLC_SILENT_AFTER */
    int16_t pitch;                   /* samples of a period */
    int16_t n_repeated;              /* samples at the end of `past` that are repeated: 1 to 3 periods */
    int16_t at;                      /* the next sample among these */
    int16_t reserved[7];             /* makes a row a whole number of cache lines */
};

/* A frame arrived: keep it, and put the frame to play in its place. */
void g711_plc_good(struct g711_plc *state, int16_t pcm[G711_PLC_FRAME]);

/* A frame is missing: write the frame to play. */
void g711_plc_lost(struct g711_plc *state, int16_t out[G711_PLC_FRAME]);

/* One frame for each of n rows; a row that occurs twice gets two consecutive frames.  lost[i] is 0 or not. */
void g711_plc_process(struct g711_plc *states, const ptrdiff_t *rows /* [n] */,
                      int16_t *pcm /* [n * 80], in and out */, const uint8_t *lost /* [n] */, size_t n);

/* Whether these bytes are a state that a call can have: every index within its array. */
bool g711_plc_is_valid(const struct g711_plc *state);

#endif
