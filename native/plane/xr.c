/* RFC 3611 section 4.7, the VoIP metrics report block:
 *
 *     |     BT=7      |   reserved    |       block length = 8        |
 *     |                        SSRC of source                         |
 *     |   loss rate   | discard rate  | burst density |  gap density  |
 *     |       burst duration          |         gap duration          |
 *     |     round trip delay          |       end system delay        |
 *     | signal level  |  noise level  |     RERL      |     Gmin      |
 *     |   R factor    | ext. R factor |    MOS-LQ     |    MOS-CQ     |
 *     |   RX config   |   reserved    |          JB nominal           |
 *     |          JB maximum           |          JB abs max           |
 */
#include "plane/xr.h"

#include "plane/quality.h"

enum {
    RTCP_XR = 207,
    HEADER_BYTES = 8,
    BLOCK_VOIP = 7,
    BLOCK_BYTES = 36,
    UNAVAILABLE = 127,
    MOS_LQ_AT = 26,
    MOS_CQ_AT = 27,
    MOS_LEAST_10 = 10,
    MOS_MOST_10 = 50,
    RX_ADAPTIVE = 0xb0, /* enhanced concealment (10), adaptive buffer (11) */
    RX_FIXED = 0xa0,    /* ... not adaptive (10) */
    RATE_KHZ = 8,
    UNIT_MS = 10,
};

static bool is_mos(uint8_t value) {
    return value >= MOS_LEAST_10 && value <= MOS_MOST_10;
}

/* The peer's opinion of what we send: in conversation, else of listening alone. */
static void take_mos(struct row *row, const uint8_t *block) {
    if (is_mos(block[MOS_CQ_AT]))
        row->remote_mos_10 = block[MOS_CQ_AT];
    else if (is_mos(block[MOS_LQ_AT]))
        row->remote_mos_10 = block[MOS_LQ_AT];
}

void xr_take(struct row *row, const uint8_t *packet, size_t bytes) {
    row->xr_heard = 1;
    for (size_t at = HEADER_BYTES; at + 4 <= bytes;) {
        const uint8_t *block = packet + at;
        const size_t length = 4 + 4 * (size_t)read_u16(block + 2);
        if (at + length > bytes)
            return;
        if (block[0] == BLOCK_VOIP && length == BLOCK_BYTES && read_u32(block + 4) == row->tx_ssrc)
            take_mos(row, block);
        at += length;
    }
}

static uint8_t of_256(uint32_t part, uint32_t whole) {
    const uint64_t share = whole ? (uint64_t)part * 256 / whole : 0;
    return (uint8_t)(share > 255 ? 255 : share);
}

static uint16_t at_most(double value) {
    return (uint16_t)(value < 0 ? 0 : value > UINT16_MAX ? UINT16_MAX : value);
}

static void write_losses(const struct row *row, uint8_t *block) {
    const uint32_t expected = row->rx_cycles + row->rx_max_sequence - row->rx_base_sequence + 1;
    const uint32_t lost = expected > row->rx_received ? expected - row->rx_received : 0;
    const struct bursts bursts = quality_bursts(row);
    block[8] = of_256(lost, expected);
    block[9] = of_256(row->verdicts[DROP_OLD], expected);
    block[10] = bursts.burst_density;
    block[11] = bursts.gap_density;
    write_u16(block + 12, bursts.burst_ms);
    write_u16(block + 14, bursts.gap_ms);
}

size_t xr_write(const struct row *row, uint8_t *out) {
    uint8_t *block = out + HEADER_BYTES;
    out[0] = RTP_VERSION << 6;
    out[1] = RTCP_XR;
    write_u16(out + 2, (HEADER_BYTES + BLOCK_BYTES) / 4 - 1);
    write_u32(out + 4, row->tx_ssrc);
    memset(block, 0, BLOCK_BYTES);
    block[0] = BLOCK_VOIP;
    write_u16(block + 2, BLOCK_BYTES / 4 - 1);
    write_u32(block + 4, row->rx_ssrc);
    write_losses(row, block);
    const bool played = row->mode == MODE_TICK;
    const uint16_t waits = at_most(played ? row->play_delay / RATE_KHZ : 0);
    write_u16(block + 16, at_most(row->round_trip * 1000));
    write_u16(block + 18, at_most(waits + row->slot_span * UNIT_MS));
    block[20] = block[21] = block[22] = UNAVAILABLE;
    block[23] = QUALITY_GAP;
    block[24] = row->mos_100 ? row->r_factor : UNAVAILABLE;
    block[25] = UNAVAILABLE;
    block[MOS_LQ_AT] = UNAVAILABLE;
    block[MOS_CQ_AT] = row->mos_100 ? (uint8_t)(row->mos_100 / 10) : UNAVAILABLE;
    block[28] = row->play_fixed ? RX_FIXED : RX_ADAPTIVE;
    write_u16(block + 30, waits);
    write_u16(block + 32, waits);
    write_u16(block + 34, SLOTS * UNIT_MS);
    return HEADER_BYTES + BLOCK_BYTES;
}
