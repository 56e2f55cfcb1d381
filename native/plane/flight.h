/* The flight recorder: everything that went into a plane, in its order, in memory that was there before.
 *
 * What does it do?
 *   A plane is a function of its inputs.  Whoever keeps them, and now and then what the rows were, can have
 * the audio, the statistics and the events again, bit for bit.  plane_arrive() writes each packet into the
 * recorder that is attached to the plane; Python writes commands and ticks into the same ring (kinds of its
 * own, from FLIGHT_TOLD on), so that one order holds them all.
 *
 * How does it work?
 *   A ring of records that is never longer than it was made: the oldest make room for the newest.  A record
 * lies in one piece, so what is left at the ring's end is filled.  Positions only grow; a record is at its
 * position modulo the ring's bytes.  Another process may read: `tail` moves before anything is overwritten,
 * `head` after a record is whole.  So a reader copies from tail to head, looks at tail again, and throws away
 * what lies before it.
 *   What left the plane is not kept, only a digest a row: a replay that sends the same has the same digests.
 * Encrypted rows are recorded between the wire's side of secure.h and ours: no key is in the record.
 *
 * How do I use it?
 *   flight_lay() over memory of flight_bytes(); plane->flight = &flight; flight_tell() for what is no packet.
 */
#ifndef TANDEM_PLANE_FLIGHT_H
#define TANDEM_PLANE_FLIGHT_H

#include "plane/plane.h"

#include <stdatomic.h>

enum { FLIGHT_RING_BYTES_MIN = 1 << 18 };

enum flight_kind {
    FLIGHT_FILL,    /* nothing: the ring's end */
    FLIGHT_ARRIVAL, /* struct flight_arrival, then the packet; `flag` = it came on the RTCP socket */
    FLIGHT_REFUSED, /* struct flight_arrival: it could not be opened (secure.h); `flag` is the verdict */
    FLIGHT_ROW,     /* struct flight_row, struct row, its slots, its codec states */
    FLIGHT_TOLD,    /* the first kind that is Python's */
};

struct flight_record {
    uint32_t bytes; /* of what follows; the next record begins at the next multiple of 8 */
    uint8_t kind, flag;
    uint16_t padding;
};

struct flight_arrival {
    double now;
    int32_t row;
    struct address source;
};

struct flight_row {
    uint64_t digest;
    int32_t row;
    uint32_t voice_bytes;
};

/* The beginning of the memory; what is `label` is the owner's business. */
struct flight_head {
    uint64_t ring_bytes;
    _Atomic uint64_t tail, head; /* of the oldest record, of the next */
    uint64_t lost;               /* records larger than an eighth of the ring, which were not kept */
    char label[32];
};

struct flight {
    struct flight_head *shared;
    uint64_t *digests; /* a row each: of all that was sent to it */
    uint8_t *ring;
};

/* Bytes of memory for so many rows and a ring of `ring_bytes` (a multiple of 8, FLIGHT_RING_BYTES_MIN or
 * more). */
size_t flight_bytes(size_t capacity, size_t ring_bytes);
/* Lay an empty recorder into memory, aligned as a double is. */
void flight_lay(struct flight *flight, uint8_t *memory, size_t capacity, size_t ring_bytes);

/* A packet came for a row; it is plain. */
void flight_arrive(struct flight *flight, int32_t row, const struct address *source, const uint8_t *data,
                   size_t bytes, bool on_rtcp_socket, double now);
/* One came that is nothing to anybody, and was counted. */
void flight_refuse(struct flight *flight, int32_t row, const struct address *source, enum verdict verdict,
                   double now);
/* Something else happened. */
void flight_tell(struct flight *flight, uint8_t kind, const uint8_t *data, size_t bytes);
/* What a row is now. */
void flight_keep(struct flight *flight, const struct plane *plane, int32_t row);

/* Add packets to the digests of their rows. */
void flight_digest(uint64_t *digests, const struct send *sends, size_t n);

#endif
