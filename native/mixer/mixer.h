/* The conference mixer: every member of every room hears the others, in one call a tick.
 *
 * What does it do?
 *   A room's total is summed once in 32 bits; each member's own signal is taken from it and the result is
 * limited once. Around that sum: what a member says is weighed (mute, gain, gate, the loudest N, automatic
 * gain), what it hears is weighed too (deaf, gain), may be something else (music on hold) and may hold a
 * whisper for it alone (coach).
 *
 * How does it work?
 *   Integers only, so every machine gets the same bits; sums and strict orders only, so it does not matter in
 * which order the members stand: ties are broken by `key`, which goes with a member wherever it goes. Weights
 * are Q12 and move in a straight line over a tick, so nothing clicks.  All state lies in the caller's
 * `mix_row`s.
 *
 * How do I use it?
 *   Write the wishes of struct mix_row and struct mix_room between ticks, fill a struct mix_job, call
 * mix_rooms(). numpy sees the fields by mix_row_fields[].
 */
#ifndef TANDEM_MIXER_MIXER_H
#define TANDEM_MIXER_MIXER_H

#include "plane/plane.h"

enum {
    MIX_SAMPLES_MAX = 960,   /* 20 ms at 48 kHz */
    MIX_MEMBERS_MAX = 65535, /* beyond it 32 bits could overflow: 65,535 * 32,768 < 2^31 */
    MIX_UNITY = 4096,        /* Q12: as it is */
    MIX_WEIGHT_MAX = 65535,  /* Q12: +24 dB */
    MIX_LOUDEST_MAX = 64,
    MIX_AUTO_UNITY = 65536 /* Q16 */
};

/* Who hears what a member says: `heard_by`, or the one row that does. */
enum mix_heard_by { MIX_HEARD_BY_ROOM = -1, MIX_HEARD_BY_NOBODY = -2 };

/* Powers are mean squares of int16 samples: 2^30 is 0 dBov. */
struct mix_row {
    /* wishes: written between ticks */
    uint64_t key;      /* the member's own, wherever it is: breaks ties */
    int32_t heard_by;  /* enum mix_heard_by or a row */
    uint16_t gain_in;  /* Q12, of what it says */
    uint16_t gain_out; /* Q12, of what it hears */
    uint8_t muted, deaf;
    uint8_t aside;     /* hears what lies in `hears` already (music on hold), not the room */
    uint8_t person;    /* gated and ranked; else a prompt or a tone, always heard */
    uint8_t whispered; /* somebody in the room is heard by this row alone */
    uint8_t switched;  /* what it hears jumps in the next tick: hide the step; the kernel clears it */

    /* state: the kernel's */
    uint8_t was_aside;
    uint8_t spoken;              /* enum mix_spoken, of this tick */
    uint16_t weight, out_weight; /* Q12, as the last tick ended */
    int16_t last_heard;          /* the last sample it heard */
    uint8_t open;                /* its gate: there is a voice, or was a moment ago */
    uint8_t hangover;            /* ticks until it closes */
    uint8_t chosen;              /* among the loudest N */
    uint8_t active;              /* the room's active speaker */
    uint8_t told_active;         /* ... as was last told: Python's */
    uint8_t window_ticks;
    uint16_t leading;      /* ticks as the loudest while somebody else is the active speaker */
    uint16_t silent;       /* ticks since its gate was open */
    uint32_t shared_ticks; /* for so long it has heard the whole total, as others do */
    uint32_t peak;         /* of this tick, 0 to 32768 */
    uint32_t power;        /* of this tick */
    uint32_t smooth;       /* over 40 ms: what meters show */
    uint32_t slow;         /* over 320 ms: who is loudest */
    uint32_t window_min, earlier_min, floor; /* least of `smooth` lately; 0 = not known yet */
    uint32_t speech;                         /* over 1.3 s of speech: automatic gain's measure */
    uint32_t auto_gain;                      /* Q16 */
};
extern const struct row_field mix_row_fields[];

/* How a room is mixed; numbers of people, 0 = never. */
struct mix_room {
    int32_t gate_from;    /* the gate works in rooms of so many people or more */
    int32_t loudest_from; /* ... and only the `loudest` are heard in rooms of so many */
    int32_t loudest;      /* at most MIX_LOUDEST_MAX */
    uint32_t margin_q8;   /* power ratio by which a newcomer must be louder */
    int32_t auto_gain;    /* 1 = bring everybody to one level */
};
extern const struct row_field mix_room_fields[];

/* One tick of many rooms.  Member i is row member_rows[i], at position member_at[i] of said, spoken, hears
 * and signal_of; members[offsets[r]..offsets[r + 1]) are in room room_of[r]. */
struct mix_job {
    struct mix_row *rows;
    const struct mix_room *rooms;
    const int32_t *room_of, *offsets, *member_rows, *member_at;
    const int16_t *said; /* [][samples] */
    int16_t *spoken;     /* [][samples] scratch: what a weighed member says */
    int16_t *hears;      /* [][samples] in: what a member hears aside; out: what each hears */
    int32_t *
        signal_of; /* [] the position whose `hears` is what this one hears: its own, or one that many share */
    size_t n_rooms, samples;
};
void mix_rooms(const struct mix_job *job);

/* --- the parts, one concept a file --- */

/* A room of one tick: its job and its members [begin, end). */
struct mix_members {
    const struct mix_job *job;
    const struct mix_room *room;
    size_t begin, end;
    int32_t people;
};
static inline struct mix_row *mix_member(const struct mix_members *all, size_t i) {
    return &all->job->rows[all->job->member_rows[i]];
}

/* voice.c: level, noise floor, gate, automatic gain */
void voice_measure(struct mix_row *row, const int16_t *pcm, size_t samples);
void voice_adjust(struct mix_row *row);

/* choose.c: the loudest N and the active speaker */
void choose_loudest(const struct mix_members *all);
void choose_active(const struct mix_members *all);

/* sum.c: the loops.  ramp[i] = (i + 1) / n in Q15. */
void sum_ramp(int32_t *ramp, size_t n);
void sum_add(int32_t *restrict total, const int16_t *restrict in, size_t n);
void sum_limit(int16_t *restrict out, const int32_t *restrict total, size_t n);
void sum_minus(int16_t *restrict out, const int32_t *restrict total, const int16_t *restrict own, size_t n);
void sum_weigh(int16_t *out, const int16_t *in, const int32_t *restrict ramp, int32_t from, int32_t to,
               size_t n);
void sum_bridge(int16_t *out, const int32_t *restrict ramp, int32_t step, size_t n);
struct sum_level {
    uint32_t power; /* mean square */
    uint32_t peak;
};
struct sum_level sum_level(const int16_t *in, size_t n);

#endif
