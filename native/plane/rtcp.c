/* RTCP (RFC 3550 section 6): reports taken in, reports written. */
#include "plane/xr.h"

enum {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_XR = 207,
    HEADER_BYTES = 8,
    SENDER_INFO_BYTES = 20,
    BLOCK_BYTES = 24,
    SDES_CNAME = 1,
    CLOCK_HZ = 8000
};
static const double NTP_EPOCH_S = 2208988800.0; /* 1900 to 1970 */
static const double ROUND_TRIP_MAX_S = 10.0;

/* Seconds in 1/65536, as the middle 32 bits of an NTP stamp count them. */
static uint32_t ntp_middle(double seconds) {
    return (uint32_t)(uint64_t)(seconds * 65536.0);
}

static void take_block(struct row *row, const uint8_t *block, double now) {
    if (read_u32(block) != row->tx_ssrc)
        return;
    row->remote_fraction = block[4];
    row->remote_lost = read_u32(block + 4) & 0xffffff;
    row->remote_jitter = read_u32(block + 12);
    uint32_t lsr = read_u32(block + 16), dlsr = read_u32(block + 20);
    if (lsr == 0 || lsr != row->reported_ntp)
        return;
    /* the stamp names our last SR, and the monotonic clock knows when that was: no step of the wall can
     * disturb */
    double trip = now - row->reported_at - dlsr / 65536.0;
    if (trip >= 0 && trip < ROUND_TRIP_MAX_S)
        row->round_trip = trip;
}

enum verdict rtcp_arrive(struct plane *plane, int32_t index, const uint8_t *data, size_t bytes, double now) {
    struct row *row = &plane->rows[index];
    size_t at = 0;
    while (at + 4 <= bytes) {
        size_t length = 4 + 4 * (size_t)read_u16(data + at + 2);
        if (data[at] >> 6 != RTP_VERSION || at + length > bytes)
            return DROP_MALFORMED;
        const uint8_t *packet = data + at;
        uint8_t type = packet[1];
        size_t blocks = packet[0] & 31, first = HEADER_BYTES + (type == RTCP_SR ? SENDER_INFO_BYTES : 0);
        if (type == RTCP_SR || type == RTCP_RR) {
            if (length < first + blocks * BLOCK_BYTES)
                return DROP_MALFORMED;
            if (type == RTCP_SR) {
                row->sr_ntp = read_u32(packet + 10);
                row->sr_at = now;
            }
            for (size_t b = 0; b < blocks; b++)
                take_block(row, packet + first + b * BLOCK_BYTES, now);
        } else if (type == RTCP_XR) {
            xr_take(row, packet, length);
        } else if (type == RTCP_BYE) {
            plane_notice(plane, index, NOTICE_BYE, 0, 0, now);
        }
        at += length;
    }
    if (at != bytes)
        return DROP_MALFORMED;
    row->heard_at = now; /* a sign of life (sip-interop: "RTCP counts as life sign") */
    return VERDICT_CONTROL;
}

static uint32_t lost_so_far(const struct row *row, uint32_t expected) {
    return expected > row->rx_received ? expected - row->rx_received : 0;
}

/* RFC 3550 A.3, 6.4.1 */
static uint8_t *write_block(struct row *row, double now, uint8_t *p) {
    uint32_t expected = row->rx_cycles + row->rx_max_sequence - row->rx_base_sequence + 1;
    uint32_t expected_now = expected - row->rx_expected_prior;
    uint32_t received_now = row->rx_received - row->rx_received_prior;
    row->rx_expected_prior = expected;
    row->rx_received_prior = row->rx_received;
    uint32_t lost_now = expected_now > received_now ? expected_now - received_now : 0;
    uint32_t fraction = expected_now ? (lost_now << 8) / expected_now : 0;
    uint32_t lost = lost_so_far(row, expected);
    write_u32(p, row->rx_ssrc);
    write_u32(p + 4, (fraction > 255 ? 255 : fraction) << 24 | (lost > 0x7fffff ? 0x7fffff : lost));
    write_u32(p + 8, row->rx_cycles + row->rx_max_sequence);
    write_u32(p + 12, row->rx_jitter16 >> 4);
    write_u32(p + 16, row->sr_at > 0 ? row->sr_ntp : 0);
    write_u32(p + 20, row->sr_at > 0 ? ntp_middle(now - row->sr_at) : 0);
    return p + BLOCK_BYTES;
}

static void write_header(uint8_t *p, size_t count, uint8_t type, size_t bytes, uint32_t ssrc) {
    p[0] = (uint8_t)(RTP_VERSION << 6 | count);
    p[1] = type;
    write_u16(p + 2, (uint16_t)(bytes / 4 - 1));
    write_u32(p + 4, ssrc);
}

static uint8_t *write_sdes(const struct row *row, uint8_t *p) {
    static const char HEX[] = "0123456789abcdef";
    enum {
        NAME_BYTES = 16,
        SDES_BYTES = HEADER_BYTES + 2 + NAME_BYTES + 2
    }; /* two zeros end and pad the chunk */
    memset(p, 0, SDES_BYTES);
    write_header(p, 1, RTCP_SDES, SDES_BYTES, row->tx_ssrc);
    p[8] = SDES_CNAME;
    p[9] = NAME_BYTES;
    for (int i = 0; i < NAME_BYTES; i++) /* RFC 7022: a name that says nothing about us */
        p[10 + i] = (uint8_t)HEX[row->leg_hash >> (4 * i) & 15];
    return p + SDES_BYTES;
}

size_t rtcp_write(struct row *row, double now, double wall, bool bye, uint8_t out[PACKET_BYTES]) {
    uint8_t *p = out + HEADER_BYTES;
    bool sender = row->tx_packets > 0;
    if (sender) {
        double ntp = wall + NTP_EPOCH_S;
        uint32_t seconds = (uint32_t)(uint64_t)ntp;
        uint32_t fraction = (uint32_t)(uint64_t)((ntp - (double)(uint64_t)ntp) * 4294967296.0);
        row->reported_ntp = seconds << 16 | fraction >> 16;
        row->reported_at = now;
        write_u32(p, seconds);
        write_u32(p + 4, fraction);
        write_u32(p + 8, egress_clock(row, now));
        write_u32(p + 12, row->tx_packets);
        write_u32(p + 16, row->tx_octets);
        p += SENDER_INFO_BYTES;
    }
    size_t blocks = row->rx_valid ? 1 : 0;
    if (blocks)
        p = write_block(row, now, p);
    write_header(out, blocks, sender ? RTCP_SR : RTCP_RR, (size_t)(p - out), row->tx_ssrc);
    p = write_sdes(row, p);
    if (blocks && row->xr_heard)
        p += xr_write(row, p);
    if (bye) {
        write_header(p, 1, RTCP_BYE, HEADER_BYTES, row->tx_ssrc);
        p += HEADER_BYTES;
    }
    return (size_t)(p - out);
}
