/* What was on the wire, as records of a capture file, in a ring that another process empties.
 *
 * What does it do?
 *   capture_packet() turns a datagram into what stands in a file of pcap: a record's header, IP, UDP, and the
 * bytes as they were on the wire (of SRTP: encrypted).  Whoever empties the ring only appends what it finds.
 *
 * How does it work?
 *   One writer, one reader, a ring of bytes that both map.  Positions only grow; a byte is at its position
 * modulo the ring's length, so a record may lie around the ring's end.  The writer moves `head` when a record
 * is whole, the reader moves `tail` when it has taken one.  A record that finds no room is counted and gone:
 * nothing here waits for a disk.
 *   IP has a checksum; UDP has one only in IPv6, where it must (RFC 8200 section 8.1).
 *
 * How do I use it?
 *   capture_lay() over memory of capture_bytes(); capture_packet() for each datagram.  The reader is
 * gateway/observe/trace/drain.py.
 */
#ifndef TANDEM_PLANE_CAPTURE_H
#define TANDEM_PLANE_CAPTURE_H

#include "plane/address.h"

#include <stdatomic.h>
#include <stddef.h>

enum { CAPTURE_RING_BYTES_MIN = 1 << 16, CAPTURE_LINE = 64 };

/* The beginning of the memory: what each side writes has a cache line of its own. */
struct capture_head {
    _Alignas(CAPTURE_LINE) uint64_t ring_bytes;
    _Alignas(CAPTURE_LINE) _Atomic uint64_t tail; /* taken so far; the reader's */
    _Alignas(CAPTURE_LINE) _Atomic uint64_t head; /* written so far; the writer's, as is what follows */
    uint64_t packets, lost;
};

struct capture {
    struct capture_head *shared;
    uint8_t *ring;
};

/* Bytes of memory for a ring of `ring_bytes` (CAPTURE_RING_BYTES_MIN or more). */
size_t capture_bytes(size_t ring_bytes);
/* Lay an empty ring into memory, aligned as a cache line is. */
void capture_lay(struct capture *capture, uint8_t *memory, size_t ring_bytes);

/* A datagram went from one address to another, of the same family, at `at`: seconds since 1970.  `data` has
 * the first `bytes` of its payload's `whole`. */
void capture_packet(struct capture *capture, double at, const struct address *from, const struct address *to,
                    const uint8_t *data, size_t bytes, size_t whole);

#endif
