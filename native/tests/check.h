/* What every C test of the plane uses: one check that names its place, and a plane of a few rows. */
#ifndef TANDEM_TESTS_CHECK_H
#define TANDEM_TESTS_CHECK_H

#include "plane/plane.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    ROWS = 4,
    NOTICES = 8,
    PCMU = 0,
    PCMA = 8,
    G729 = 18,
    NOISE = 13,
    ILBC = 97,
    EVENT = 101,
    FRAME = 160,
    SSRC = 77
};

/* A plane in the test's own memory; rows 0 and 1 are each other's peers. */
struct fixture {
    struct plane plane;
    struct row rows[ROWS];
    uint8_t slots[ROWS * SLOTS * SLOT_BYTES];
    int32_t slot_unit[ROWS * SLOTS];
    uint8_t slot_fill[ROWS * SLOTS], slot_codec[ROWS * SLOTS];
    _Alignas(double) uint8_t voices[ROWS * VOICE_BYTES];
    struct notice notices[NOTICES];
    struct send sends[SEND_MAX];
    int n_sends;
};

static inline struct address address_of(uint8_t last_byte, uint16_t port) {
    return (struct address){.ip = {192, 0, 2, last_byte}, .port = port, .family = 4};
}

static inline void fixture_begin(struct fixture *f, enum mode mode) {
    memset(f, 0, sizeof *f);
    memset(f->slot_unit, 0xff, sizeof f->slot_unit);
    f->plane = (struct plane){
        .rows = f->rows,
        .slots = f->slots,
        .slot_unit = f->slot_unit,
        .slot_fill = f->slot_fill,
        .slot_codec = f->slot_codec,
        .notices = f->notices,
        .capacity = ROWS,
        .notices_capacity = NOTICES,
    };
    voices_lay(&f->plane.voices, f->voices, ROWS);
    for (int i = 0; i < ROWS; i++) {
        struct row *row = &f->rows[i];
        row->generation = 1;
        row->peer = i ^ 1;
        row->mode = (uint8_t)mode;
        row->receiving = row->sending = 1;
        row->remote = address_of((uint8_t)(10 + i), 4000);
        row->tx_ssrc = 1000u + (uint32_t)i;
        row->tx_sequence = 99;
        row->send_codec = CODEC_PCMU;
        row->send_units = 2;
        row->event_send = 1;
        row->event_send_pt = EVENT;
        row->receive_map[PCMU] = CODEC_PCMU;
        row->receive_map[PCMA] = CODEC_PCMA;
        row->receive_map[G729] = CODEC_G729;
        row->receive_map[ILBC] = CODEC_ILBC_20;
        row->receive_map[NOISE] = CODEC_COMFORT_NOISE;
        row->receive_map[EVENT] = CODEC_EVENT;
    }
}

/* A packet of row 0's phone arrives from where it was signalled. */
static inline enum verdict hear(struct fixture *f, uint8_t payload_type, uint16_t sequence,
                                uint32_t timestamp, const uint8_t *payload, size_t bytes, double now) {
    uint8_t packet[PACKET_BYTES];
    rtp_write(packet, false, payload_type, sequence, timestamp, SSRC);
    if (bytes)
        memcpy(packet + RTP_HEADER_BYTES, payload, bytes);
    return plane_arrive(&f->plane, 0, &f->rows[0].remote, packet, RTP_HEADER_BYTES + bytes, false, now,
                        f->sends, &f->n_sends);
}

/* A frame of 20 ms, each byte `fill`. */
static inline enum verdict hear_audio(struct fixture *f, uint16_t sequence, uint32_t timestamp, uint8_t fill,
                                      double now) {
    uint8_t payload[FRAME];
    memset(payload, fill, sizeof payload);
    return hear(f, PCMU, sequence, timestamp, payload, sizeof payload, now);
}

static inline uint16_t sent_sequence(const struct send *send) {
    return read_u16(send->data + 2);
}

static inline uint32_t sent_timestamp(const struct send *send) {
    return read_u32(send->data + 4);
}

static inline bool sent_marker(const struct send *send) {
    return send->data[1] >> 7;
}

#endif
