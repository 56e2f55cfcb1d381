/* Rows whose packets are encrypted: SRTP between the wire and everything else of the plane.
 *
 * What does it do?
 *   Opens what comes before anything else looks at it, and protects what is sent after everything else is
 * done. How does it work? The row says which suite it has (row.crypto) and holds what only the packets know
 * (row.srtp_*), in memory that outlives the process.  The keys are this process's own: whoever says what rows
 * shall be says them again.  A master key that is new begins its direction anew; one that stays keeps its
 * roll-over and replay window. How do I use it? secure_row() when a row's keys are said, secure_open() and
 * secure_sends() a packet, secure_forget() at the end.
 */
#ifndef TANDEM_PLANE_SECURE_H
#define TANDEM_PLANE_SECURE_H

#include "plane/plane.h"

/* The keys of a row: both directions, and the one that the peer used before. */
struct secrets {
    struct srtp_keys out, in, before;
    struct srtp_stream before_heard[SRTP_STREAMS];
    double before_until; /* s: packets under way when the key changed */
};

struct security {
    struct srtp_engine engine;
    struct secrets *rows; /* [capacity] */
};

/* From now on a row has `suite`; ours[] and theirs[] are master keys, each with its salt behind it. */
void secure_row(struct plane *plane, int32_t index, enum srtp_suite suite, const uint8_t *ours,
                const uint8_t *theirs, double now);
/* A row has no keys (any more). */
void secure_forget(struct plane *plane, int32_t index);

/* Open a packet of a row that has a suite: VERDICT_HOLD and plain[*plain_bytes], or why not. */
enum verdict secure_open(struct plane *plane, int32_t index, bool rtcp, const uint8_t *data, size_t bytes,
                         double now, uint8_t plain[PACKET_BYTES], size_t *plain_bytes);
/* Protect what goes to rows that have a suite.  Returns how many of sends[n] are left: what cannot be
 * protected is not sent. */
size_t secure_sends(struct plane *plane, struct send *sends, size_t n, bool rtcp);

#endif
