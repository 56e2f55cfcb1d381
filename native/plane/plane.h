/* The media plane's table: one row per leg, and what happens to a packet when it arrives.
 *
 * What does it do?
 *   Every packet of every row gets one verdict the moment it arrives.  A relayed row's packet is re-stamped
 * for the other leg and handed back to be sent at once; audio is also copied into the row's playout slots,
 * from which the tick (Python, numpy) takes it; telephone events, RTCP, statistics and latching are dealt
 * with here.
 *
 * How does it work?
 *   No sockets, no clock, no malloc, no globals: bytes, a source address and `now` come in; a verdict and at
 * most two packets come out.  The live loop (io/) and the virtual one (tests, replay) call the same functions
 * in the same order and so get the same bits.  Rows live in memory of the caller, which is a memfd in
 * production: a process that dies leaves its rows to the next one.
 *
 * How do I use it?
 *   Fill a struct plane with pointers to arrays of `capacity` rows; call plane_arrive() for each packet, then
 *   slots_take() and egress_emit() from the tick.  numpy sees the fields of struct row by row_fields[].
 */
#ifndef TANDEM_PLANE_PLANE_H
#define TANDEM_PLANE_PLANE_H

#include "plane/address.h"
#include "plane/codec.h"
#include "plane/rtp.h"
#include "plane/voice.h"
#include "srtp/srtp.h"

enum {
    SLOTS = 64,          /* playout slots a row, a unit each: 640 ms */
    SLOT_BYTES = 80,     /* the largest frame */
    PACKET_BYTES = 1500, /* the largest packet we take or send */
    DELAY_BINS = 128,    /* two windows of 64 */
    DELAY_UNITS = 1,     /* playout starts this many ticks after the first that could */
    SEND_MAX = 2, /* an arrival causes at most two packets: an event's end goes out once more than it came */
};

enum verdict {
    VERDICT_FORWARD,      /* sent on to the peer (and stored) */
    VERDICT_HOLD,         /* stored for the tick */
    VERDICT_EVENT,        /* a telephone event, reported and perhaps sent on */
    VERDICT_EDGE,         /* STUN, DTLS: the edge's business */
    VERDICT_CONTROL,      /* RTCP, taken in */
    DROP_MALFORMED,       /* not RTP, or RTP that breaks RFC 3550 */
    DROP_FOREIGN_PAYLOAD, /* a payload type that was not negotiated, or a payload that is not whole */
    DROP_STRANGER,        /* from an address that may not send here */
    DROP_LEARNING,        /* the first packets of a source that is being learnt */
    DROP_RATE,            /* more than 200 packets a second */
    DROP_DUPLICATE,       /* a sequence number that came before */
    DROP_OLD,             /* from before the direction's last change, or too late to be played */
    DROP_HELD,            /* the row is on hold, or nobody listens */
    DROP_UNAUTHENTIC,     /* SRTP that is not from whom it should be */
    VERDICTS
};

/* What the tick is told about a row: struct notice. */
enum notice_kind { NOTICE_DIGIT = 1, NOTICE_LATCHED = 2, NOTICE_RELAY_REFUSED = 3, NOTICE_BYE = 4 };

enum mode { MODE_IDLE = 0, MODE_RELAY = 1, MODE_TICK = 2 };

struct row {
    /* who: written by the commands only */
    uint64_t generation; /* 0 = free */
    uint64_t leg_hash;   /* finds the row again after a restart */
    int32_t rtp_fd, rtcp_fd;
    int32_t peer; /* the row that hears this one alone, or -1; itself for an echo */
    uint8_t mode; /* enum mode, of the direction row -> peer */
    uint8_t receiving, sending;
    uint8_t crypto; /* enum srtp_suite: all packets of this row are so (secure.h) */

    /* where: latching */
    struct address remote, remote_rtcp; /* as signalled */
    struct address latched;             /* where we send, once heard */
    struct address candidate;           /* being learnt */
    uint32_t candidate_ssrc;
    uint16_t candidate_sequence;
    uint8_t candidate_count;
    uint8_t signalled_heard;
    double candidate_at; /* when it came or went on, s */
    double learn_until;  /* s, monotonic */
    double heard_at;     /* last packet accepted; 0 = none */

    /* receive statistics, RFC 3550 A.1, A.3, A.8 */
    uint32_t rx_ssrc;
    uint32_t rx_base_sequence, rx_cycles;
    uint32_t rx_received;
    uint32_t rx_transit;  /* arrival - timestamp, RTP units */
    uint32_t rx_jitter16; /* 16 times the jitter, RTP units */
    uint32_t rx_expected_prior, rx_received_prior;
    uint64_t rx_bytes;
    uint64_t rx_seen; /* window of the last 64 sequence numbers, bit 0 = rx_max_sequence */
    uint16_t rx_max_sequence;
    uint16_t rx_bad_sequence; /* RFC 3550 A.1: a second packet in order proves a restart */
    uint8_t rx_valid, rx_bad_valid;
    uint16_t rate_count; /* packets in the present second */
    uint32_t rate_second;
    uint32_t lost_before;        /* losses of earlier SSRCs */
    uint32_t verdicts[VERDICTS]; /* how many packets got each */

    /* playout: media time in units of 10 ms since `slot_origin` */
    uint32_t slot_origin; /* RTP timestamp of unit 0 */
    int32_t slot_head;    /* one past the newest unit */
    int32_t play_unit;    /* where the next frame is looked for: the end of the one that is playing */
    int32_t played_head;  /* one past the newest unit that was heard: nothing before it is played again */
    double audio_at;      /* when the newest audio came */
    uint8_t slot_anchored;
    uint8_t slot_span;  /* units of the newest packet */
    uint8_t play_codec; /* enum codec of the frame heard last: what is lost was like it */
    uint32_t inserted_units, dropped_units, concealed_units, late_packets;
    uint32_t silent_units;  /* not sent on purpose: discontinuous transmission */
    uint32_t absent_units;  /* since the last frame that was there */
    uint16_t slot_sequence; /* of the newest packet */
    uint8_t play_rest;      /* units of the frame that is playing, still to come */
    uint8_t play_silent;    /* the last that came was a silence descriptor, or noise */
    uint8_t play_lost;      /* the frame that is playing is concealment */
    uint8_t play_joint;     /* what comes next does not follow what was played */
    uint8_t play_fresh;     /* the sender began anew: so shall the decoder */
    uint8_t play_fixed;     /* units: wait so long, whatever the network does; 0 = by measure (pace.c) */
    uint8_t clear;          /* nothing is concealed and nothing invented: what is not there is zero */

    /* transit times of the packets, in samples since `delay_origin`: see pace.h */
    uint32_t delay_origin;
    int32_t delay_least[2]; /* of the present window, and of the one before */
    int32_t delay_most[2];
    int32_t delay_want;     /* playout should wait so long */
    int32_t play_delay;     /* what it waits beyond the least, samples */
    uint32_t play_samples;  /* when it was played last */
    uint16_t delay_packets; /* in the present window */
    uint16_t shrink_ticks;  /* for how long the delay has been longer than it should be */
    uint8_t delay_known;    /* there is a window before */
    uint8_t delay_wanted;   /* delay_want means something */
    uint8_t delay_bins[DELAY_BINS];

    /* quality: losses and bursts (RFC 3611 A.2), and what was made of them last; see quality.h */
    uint32_t burst_packets; /* since the last loss */
    uint32_t burst_lost;    /* in the present burst */
    uint32_t burst_c11, burst_c13, burst_c14, burst_c22, burst_c23, burst_c33;
    uint32_t rated_expected, rated_received, rated_late;
    uint16_t mos_100;
    uint8_t r_factor;      /* 0 = not rated yet */
    uint8_t remote_mos_10; /* as the peer's extended report has it; 0 = none came */
    uint8_t xr_heard;      /* the peer sends extended reports: it may have ours */
    uint8_t heard_codec;   /* enum codec of the newest packet of audio */
    uint8_t quality_padding[2];

    /* telephone events heard, RFC 4733 */
    uint32_t digit_timestamp, digit_ssrc;
    double digit_at; /* last packet of the digit in progress */
    uint16_t digit_duration;
    uint8_t digit_code, digit_active;
    uint8_t digit_known, digit_end_sent; /* any digit heard yet; its end has been passed on */
    uint16_t digit_pad;
    uint32_t digit_out_timestamp;
    uint32_t digits; /* how many were reported */

    /* what we send to this row's phone: the egress contract (one SSRC, sequence and clock for the leg's life)
     */
    uint32_t tx_ssrc;
    uint32_t tx_timestamp; /* of the last audio packet */
    uint32_t tx_samples;   /* its length */
    uint32_t tx_base_timestamp;
    double tx_base_at;     /* the leg's clock: tx_base_timestamp at this moment */
    double tx_event_until; /* audio is silent until then: a digit is being sent */
    uint32_t tx_packets;
    uint32_t tx_octets;
    uint16_t tx_sequence; /* of the last packet */
    uint8_t tx_started, tx_marker;
    uint8_t send_codec, send_pt;
    uint8_t send_units; /* of a packet */
    uint8_t send_dtx;   /* silence may go unsent (G.729 Annex B) */
    uint8_t noise_send; /* 1 = noise_send_pt is agreed (RFC 3389) */
    uint8_t noise_send_pt;
    uint8_t tx_phase;   /* units said and not yet sent */
    uint8_t event_send; /* 1 = event_send_pt is agreed */
    uint8_t event_send_pt;

    /* relay into this row: how the source's numbers become ours */
    uint32_t relay_ssrc, relay_timestamp_delta, relay_last_timestamp;
    int32_t relay_ahead; /* our time against the leg's clock when the source cut in */
    double relay_last_at;
    uint64_t relay_seen;
    uint16_t relay_sequence_delta, relay_highest, relay_cut_in;
    uint8_t relay_locked, relay_padding;
    int32_t relay_source;

    /* RTCP */
    double rtcp_due;
    double sr_at;          /* when their last SR came */
    double round_trip;     /* s, 0 = unknown */
    double reported_at;    /* when our last SR was written, monotonic */
    uint32_t reported_ntp; /* the middle 32 bits of its NTP stamp; 0 = none */
    uint32_t sr_ntp;       /* the middle 32 bits of its NTP stamp */
    uint32_t remote_lost;  /* as they report it */
    uint32_t remote_jitter;
    uint32_t rtcp_random;
    uint8_t remote_fraction;
    uint8_t rtcp_padding[3];

    /* SRTP: what only the packets know, each way, and under which master key (0 = none) */
    uint64_t srtp_out_name, srtp_in_name;
    struct srtp_sender srtp_out;
    struct srtp_stream srtp_in[SRTP_STREAMS];

    uint8_t receive_map[128]; /* payload type -> enum codec */
};

/* A field of struct row as numpy sees it; `count` > 1 is an array. */
struct row_field {
    const char *name, *type;
    uint16_t offset, count;
};
extern const struct row_field row_fields[];

struct notice {
    int32_t row;
    uint32_t kind; /* enum notice_kind */
    uint32_t value, extra;
    double at;
};

/* A packet to send: `row` says through which socket and to whom. */
struct send {
    int32_t row;
    uint32_t bytes;
    uint8_t data[PACKET_BYTES];
};

struct plane {
    struct row *rows;
    uint8_t *slots;      /* [capacity][SLOTS][SLOT_BYTES] frames by media time */
    int32_t *slot_unit;  /* [capacity][SLOTS] the unit that a slot's frame begins at; -1 = none */
    uint8_t *slot_fill;  /* [capacity][SLOTS] bytes; 0 = nothing was sent, on purpose */
    uint8_t *slot_codec; /* [capacity][SLOTS] enum codec */
    struct voices voices;
    struct notice *notices;
    int32_t capacity, notices_capacity, notices_n;
    uint32_t notices_lost;
    struct flight *flight;     /* the recorder (flight.h); NULL = none */
    struct security *security; /* SRTP's keys (secure.h); NULL = nothing can be encrypted */
};

/* One packet for `row`.  Writes what must be sent now into sends[0..*n_sends). */
enum verdict plane_arrive(struct plane *plane, int32_t row, const struct address *source, const uint8_t *data,
                          size_t bytes, bool on_rtcp_socket, double now, struct send sends[SEND_MAX],
                          int *n_sends);

/* arrive.c's rooms, one concept a file */
enum verdict latch_accept(struct plane *plane, int32_t index, const struct address *source,
                          const struct rtp *rtp, double now);
enum verdict receive_count(struct row *row, const struct rtp *rtp, double now);
enum verdict slots_store(struct plane *plane, int32_t index, const struct rtp *rtp,
                         const struct payload *payload, double now);
enum verdict digit_arrive(struct plane *plane, int32_t index, const struct rtp *rtp, double now,
                          struct send sends[SEND_MAX], int *n_sends);
enum verdict egress_forward(struct plane *plane, int32_t index, const struct rtp *rtp,
                            const struct payload *payload, double now, struct send *send);
/* A packet of rows[index] is not for its peer: the peer's sequence numbers show no gap. */
void egress_skip(struct plane *plane, int32_t index, const struct rtp *rtp);
/* A telephone event of rows[index] goes to its peer under the next sequence number, at `timestamp`. */
void egress_event(struct plane *plane, int32_t index, const struct rtp *rtp, uint32_t timestamp, bool first,
                  struct send *send);
/* The same for a key that we press ourselves (press.h), to rows[index]'s own phone. */
void egress_press(struct plane *plane, int32_t index, const uint8_t event[4], uint32_t timestamp, bool first,
                  struct send *send);
/* When a key that is pressed now is pressed on the row's clock. */
uint32_t egress_press_timestamp(struct plane *plane, int32_t index, double now);
/* When a digit that begins now begins on the peer's clock. */
uint32_t egress_event_timestamp(struct plane *plane, int32_t index, const struct rtp *rtp, double now);
enum verdict rtcp_arrive(struct plane *plane, int32_t index, const uint8_t *data, size_t bytes, double now);

void plane_notice(struct plane *plane, int32_t row, enum notice_kind kind, uint32_t value, uint32_t extra,
                  double now);

/* What a row plays next. */
enum frame_kind {
    FRAME_NONE,   /* nothing was ever heard, or it does not count */
    FRAME_REST,   /* more of the frame before */
    FRAME_HERE,   /* data[bytes] of `codec`, comfort noise among them */
    FRAME_SILENT, /* the sender paused */
    FRAME_LOST,   /* it did not come, or not in time */
};
struct frame {
    enum frame_kind kind;
    uint8_t codec;
    int32_t bytes;
    const uint8_t *data;
};
/* Take the next 10 ms out of a row's slots. */
struct frame slots_next(struct plane *plane, int32_t index, double now);
/* The delay is longer than it should be, for how many ticks, and the next frame is here: 0 = not so. */
uint32_t slots_spare(const struct plane *plane, int32_t index);
/* The frame just taken will not be heard: take the next in its place. */
struct frame slots_skip(struct plane *plane, int32_t index);

static inline size_t slot_of(int32_t index, int32_t unit) {
    return (size_t)index * SLOTS + ((uint32_t)unit & (SLOTS - 1));
}

/* The playout of a tick: 10 ms of rows[i] into pcm[at[i]], decoded, concealed or comfort noise. */
void playout_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  int16_t (*pcm)[UNIT_SAMPLES], double now);
/* The other end of a tick: rows[i] hears 10 ms, pcm[at[i]].  Returns how many of sends[] were written. */
size_t speak_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  const int16_t (*pcm)[UNIT_SAMPLES], double now, struct send *sends);
/* Begin to play a row that was relayed: the little that playout's delay asks for is played again (and
 * counted). */
void slots_enter(struct plane *plane, int32_t row, double now);
/* Leave the tick for the relay: what is buffered is dropped (and counted). */
void slots_leave(struct plane *plane, int32_t row);

/* A packet of audio that the tick made. */
struct spoken {
    const uint8_t *payload;
    size_t bytes; /* 0 = nothing to say: only the row's clock moves on */
    uint32_t samples;
    bool speech; /* else silence descriptors alone: no talkspurt begins with them */
};
/* Stamp it for `row`.  False: nothing is to be sent (the row does not listen, or a digit is under way). */
bool egress_emit(struct plane *plane, int32_t row, const struct spoken *spoken, double now,
                 struct send *send);
/* The leg's own clock: the RTP time at `now`. */
uint32_t egress_clock(const struct row *row, double now);

/* A compound RTCP packet for `row`: SR or RR with one report block, SDES CNAME, BYE on request.  Returns its
 * bytes. */
size_t rtcp_write(struct row *row, double now, double wall, bool bye, uint8_t out[PACKET_BYTES]);

#endif
