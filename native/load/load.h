/* A load of RTP legs: what a media server is measured with (Linux).
 *
 * What does it do?
 *   Plays `n` phones: each sends one packet of 20 ms every 20 ms through a connected UDP socket of its own,
 * and counts what it hears: packets, losses by sequence number, and the spacing between two packets.
 *
 * How does it work?
 *   One thread.  Phones are spread over 20 slots of 1 ms; in each slot the phones of that slot send, and
 * until the next slot begins the loop takes what has arrived.  Times are the monotonic clock's when a packet
 * is read.
 *
 * How do I use it?
 *   Fill in fd, payload_type, ssrc and song of each phone; load_run() returns after `seconds`; the first
 * `settle_s` seconds are not counted.
 */
#ifndef TANDEM_LOAD_LOAD_H
#define TANDEM_LOAD_LOAD_H

#include <stddef.h>
#include <stdint.h>

enum { LOAD_SPACING_BINS = 1000, LOAD_BINS_PER_MS = 10, LOAD_PAYLOAD_BYTES = 160 };

/* What a phone says, over and over: `packets` payloads of `bytes` each. */
struct song {
    const uint8_t *payloads;
    uint32_t packets, bytes;
};

struct phone {
    int32_t fd;
    uint32_t ssrc;
    uint32_t received, lost, reordered, foreign;
    uint32_t sent, send_errors;
    uint32_t timestamp;
    uint16_t sequence, heard_sequence;
    uint8_t payload_type, heard;
    uint8_t padding[2];
    double heard_at;
    double spacing_max_s;
    const struct song *song;
    uint32_t line; /* the payload that comes next */
};

struct load_result {
    uint64_t spacing[LOAD_SPACING_BINS]; /* how often, by 0.1 ms; the last bin is everything above */
    double late_max_s;                   /* how late the load itself was: a run is void above 5 ms */
    uint64_t late_slots, slots;
};

/* 0, or -1 with errno. */
int load_run(struct phone *phones, size_t n, double seconds, double settle_s, struct load_result *result);

#endif
