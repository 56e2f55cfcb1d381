/* What RFC 3550 says a receiver counts: A.1 (sequence numbers), A.3 (loss), A.8 (jitter). */
#include "plane/quality.h"

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, SEEN_WINDOW = 64, CLOCK_HZ = 8000 };

static void restart(struct row *row, const struct rtp *rtp, double now) {
    if (row->rx_valid) { /* losses of the SSRC that ends here are not forgotten */
        uint32_t expected = row->rx_cycles + row->rx_max_sequence - row->rx_base_sequence + 1;
        if (expected > row->rx_received)
            row->lost_before += expected - row->rx_received;
        row->play_fresh = 1;
    }
    row->rx_ssrc = rtp->ssrc;
    row->rx_base_sequence = rtp->sequence;
    row->rx_max_sequence = rtp->sequence;
    row->rx_cycles = 0;
    row->rx_received = 0;
    row->rx_expected_prior = row->rx_received_prior = 0;
    row->rated_received = 0;
    row->rated_expected = 0;
    row->burst_packets++;
    row->rx_seen = 1;
    row->rx_valid = 1;
    row->rx_bad_valid = 0;
    row->rx_transit = (uint32_t)(uint64_t)(now * CLOCK_HZ) - rtp->timestamp;
}

/* A.8: J += (|D| - J) / 16, in integers scaled by 16. */
static void count_jitter(struct row *row, const struct rtp *rtp, double now) {
    uint32_t transit = (uint32_t)(uint64_t)(now * CLOCK_HZ) - rtp->timestamp;
    int32_t d = (int32_t)(transit - row->rx_transit);
    row->rx_transit = transit;
    uint32_t distance = d < 0 ? (uint32_t)-(int64_t)d : (uint32_t)d;
    if (distance < CLOCK_HZ) /* a jump of the sender's clock is not jitter */
        row->rx_jitter16 += distance - ((row->rx_jitter16 + 8) >> 4);
}

/* A.1.  HOLD: go on; DROP_DUPLICATE: seen before; DROP_OLD: far outside, and not yet proved a restart. */
static enum verdict count_sequence(struct row *row, const struct rtp *rtp, double now) {
    uint16_t ahead = (uint16_t)(rtp->sequence - row->rx_max_sequence);
    if (ahead != 0 && ahead < MAX_DROPOUT) {
        if (rtp->sequence < row->rx_max_sequence)
            row->rx_cycles += 1u << 16;
        row->rx_max_sequence = rtp->sequence;
        if (ahead > 1)
            quality_lost(row, ahead - 1u);
        row->burst_packets++;
        row->rx_seen = ahead < SEEN_WINDOW ? row->rx_seen << ahead | 1 : 1;
        return VERDICT_HOLD;
    }
    uint16_t behind = (uint16_t)(row->rx_max_sequence - rtp->sequence);
    if (behind < SEEN_WINDOW) {
        uint64_t bit = UINT64_C(1) << behind;
        if (row->rx_seen & bit)
            return DROP_DUPLICATE;
        row->rx_seen |= bit;
        return VERDICT_HOLD;
    }
    if (behind < MAX_MISORDER)
        return DROP_OLD;
    if (row->rx_bad_valid && rtp->sequence == row->rx_bad_sequence) {
        restart(row, rtp, now);
        return VERDICT_HOLD;
    }
    row->rx_bad_sequence = (uint16_t)(rtp->sequence + 1);
    row->rx_bad_valid = 1;
    return DROP_OLD;
}

enum verdict receive_count(struct row *row, const struct rtp *rtp, double now) {
    if (!row->rx_valid || rtp->ssrc != row->rx_ssrc) {
        restart(row, rtp, now);
    } else {
        enum verdict verdict = count_sequence(row, rtp, now);
        if (verdict != VERDICT_HOLD)
            return verdict;
        /* events hold the timestamp of their start: they say nothing about the path */
        if (row->receive_map[rtp->payload_type] != CODEC_EVENT)
            count_jitter(row, rtp, now);
    }
    row->rx_received++;
    row->rx_bytes += rtp->payload_bytes;
    return VERDICT_HOLD;
}
