/* The RTP fixed header (RFC 3550 section 5.1), and how packets on one port are told apart (RFC 7983).
 *
 *     0                   1                   2                   3
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    |                           timestamp                           |
 *    |           synchronization source (SSRC) identifier            |
 */
#ifndef TANDEM_PLANE_RTP_H
#define TANDEM_PLANE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTP_HEADER_BYTES = 12, RTP_VERSION = 2 };

enum packet_kind { PACKET_RTP, PACKET_RTCP, PACKET_STUN, PACKET_DTLS, PACKET_FOREIGN };

struct rtp {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t sequence;
    uint8_t payload_type;
    bool marker;
    const uint8_t *payload;
    size_t payload_bytes;
};

static inline uint16_t read_u16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void write_u16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void write_u32(uint8_t *p, uint32_t value) {
    write_u16(p, (uint16_t)(value >> 16));
    write_u16(p + 2, (uint16_t)value);
}

/* RFC 7983 section 7: the first byte decides; RFC 5761 section 4: the second tells RTCP from RTP. */
static inline enum packet_kind packet_kind(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return PACKET_FOREIGN;
    if (data[0] <= 3)
        return PACKET_STUN;
    if (data[0] >= 20 && data[0] <= 63)
        return PACKET_DTLS;
    if (data[0] < 128 || data[0] > 191)
        return PACKET_FOREIGN;
    return data[1] >= 192 && data[1] <= 223 ? PACKET_RTCP : PACKET_RTP;
}

/* Read the header of a packet of `bytes` bytes.  False: not RTP that we can use (RFC 3550 A.1's validity
 * checks). */
static inline bool rtp_read(struct rtp *out, const uint8_t *data, size_t bytes) {
    if (bytes < RTP_HEADER_BYTES || data[0] >> 6 != RTP_VERSION)
        return false;
    size_t header = RTP_HEADER_BYTES + 4u * (data[0] & 15u);
    if (data[0] & 0x10) { /* extension: profile word, length in 32-bit words */
        if (bytes < header + 4)
            return false;
        header += 4u + 4u * (size_t)read_u16(data + header + 2);
    }
    size_t end = bytes;
    if (data[0] & 0x20) { /* padding: the last byte counts itself */
        size_t padding = data[bytes - 1];
        if (padding == 0 || padding > bytes)
            return false;
        end -= padding;
    }
    if (header > end)
        return false;
    out->marker = data[1] >> 7;
    out->payload_type = data[1] & 0x7f;
    out->sequence = read_u16(data + 2);
    out->timestamp = read_u32(data + 4);
    out->ssrc = read_u32(data + 8);
    out->payload = data + header;
    out->payload_bytes = end - header;
    return true;
}

static inline void rtp_write(uint8_t *out, bool marker, uint8_t payload_type, uint16_t sequence,
                             uint32_t timestamp, uint32_t ssrc) {
    out[0] = RTP_VERSION << 6;
    out[1] = (uint8_t)((marker ? 0x80 : 0) | payload_type);
    write_u16(out + 2, sequence);
    write_u32(out + 4, timestamp);
    write_u32(out + 8, ssrc);
}

#endif
