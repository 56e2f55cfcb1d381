/* The egress contract: what a phone hears has one SSRC, one sequence and one clock for the leg's whole life.
 *
 * Two writers take turns on a row: the relay (packets of another row, re-stamped) and the tick.  At each
 * change the next sequence number is the highest sent + 1, the timestamp goes on by whole packets on the
 * leg's own clock and never back, the marker is set, and whatever is older than the first packet forwarded is
 * dropped.  A relayed packet that would run ahead of the clock is dropped, not sent early: so a thousand
 * changes add up to nothing.
 */
#include "g711/g711.h"
#include "plane/plane.h"

enum {
    CLOCK_HZ = 8000,
    SEEN_WINDOW = 64,
    SEQUENCE_JUMP = 3000,
    CLOCK_JUMP = CLOCK_HZ,
    SKIP_MAX_UNITS = 20,
    EVENT_BYTES = 4,
    IN_STEP_SAMPLES = 240, /* the least that counts as a gap: a tick that comes late is none */
};
static const double CLOCK_GAIN = 1.0 / 256; /* of an error a packet: 5 s of time constant */

uint32_t egress_clock(const struct row *row, double now) {
    return row->tx_base_timestamp + (uint32_t)(int64_t)((now - row->tx_base_at) * CLOCK_HZ);
}

/* By how many samples our time runs ahead of the leg's clock. */
static int32_t ahead(const struct row *row, uint32_t timestamp, double now) {
    return (int32_t)(timestamp - egress_clock(row, now));
}

/* The leg's clock keeps to a relayed sender's, whose crystal may be 100 ppm off ours for hours. */
static void keep_to_sender(struct row *peer, uint32_t timestamp, double now) {
    peer->tx_base_at -= ((double)ahead(peer, timestamp, now) - peer->relay_ahead) * (CLOCK_GAIN / CLOCK_HZ);
}

/* The timestamp of the next packet of `samples`, when the last writer is not known to be in step with us. */
static uint32_t next_timestamp(struct row *row, uint32_t samples, double now) {
    if (!row->tx_started) {
        row->tx_started = 1;
        row->tx_base_at = now;
        row->tx_base_timestamp = row->tx_timestamp;
        return row->tx_timestamp;
    }
    uint32_t follows = row->tx_timestamp + row->tx_samples;
    int32_t behind = (int32_t)(egress_clock(row, now) - follows);
    int32_t gap = (int32_t)(samples + samples / 2);
    if (behind <
        (gap > IN_STEP_SAMPLES ? gap : IN_STEP_SAMPLES)) /* in step, give or take a packet's jitter */
        return follows;
    return follows + ((uint32_t)behind + samples / 2) / samples * samples;
}

static void sent(struct row *row, uint32_t timestamp, uint32_t samples, size_t octets) {
    row->tx_timestamp = timestamp;
    row->tx_samples = samples;
    row->tx_packets++;
    row->tx_octets += (uint32_t)octets;
}

static bool continues(const struct row *peer, int32_t source, const struct rtp *rtp, double now) {
    if (!peer->relay_locked || peer->relay_source != source || peer->relay_ssrc != rtp->ssrc)
        return false;
    int32_t age = (int16_t)(rtp->sequence - peer->relay_highest);
    if (age > SEQUENCE_JUMP || age <= -SEEN_WINDOW)
        return false;
    int32_t media = (int32_t)(rtp->timestamp - peer->relay_last_timestamp);
    if (age > 0 && media <= 0) /* a clock that went back */
        return false;
    double unexplained = media - (now - peer->relay_last_at) * CLOCK_HZ;
    return unexplained < CLOCK_JUMP && unexplained > -CLOCK_JUMP;
}

/* Would this packet, the first of a new writer, run ahead of the leg's clock by its own length? */
static bool too_early(const struct row *peer, int32_t source, uint32_t samples, double now) {
    bool same_writer = peer->relay_locked && peer->relay_source == source;
    return peer->tx_started && !same_writer &&
           ahead(peer, peer->tx_timestamp + peer->tx_samples, now) >= (int32_t)samples;
}

/* What lies between the sender's time so far and the packet that cuts in is never passed on. */
static void count_skipped(struct row *row, const struct rtp *rtp) {
    if (!row->slot_anchored)
        return;
    int32_t units = (int32_t)(rtp->timestamp - row->slot_origin) / UNIT_SAMPLES - row->slot_head;
    if (units > 0 && units <= SKIP_MAX_UNITS)
        row->dropped_units += (uint32_t)units;
}

static void cut_in(struct row *peer, int32_t source, const struct rtp *rtp, uint32_t samples, double now) {
    uint32_t timestamp = next_timestamp(peer, samples, now);
    peer->relay_sequence_delta = (uint16_t)(peer->tx_sequence + 1 - rtp->sequence);
    peer->relay_timestamp_delta = timestamp - rtp->timestamp;
    peer->relay_ahead = ahead(peer, timestamp, now);
    peer->relay_cut_in = rtp->sequence;
    peer->relay_highest = (uint16_t)(rtp->sequence - 1);
    peer->relay_seen = 0;
    peer->relay_ssrc = rtp->ssrc;
    peer->relay_source = source;
    peer->relay_locked = 1;
    peer->tx_marker = 1;
}

/* Note `sequence` as forwarded.  FORWARD, or why not. */
static enum verdict mark_seen(struct row *peer, uint16_t sequence) {
    int32_t ahead = (int16_t)(sequence - peer->relay_highest);
    if (ahead > 0) {
        peer->relay_seen = ahead < SEEN_WINDOW ? peer->relay_seen << ahead | 1 : 1;
        peer->relay_highest = sequence;
        return VERDICT_FORWARD;
    }
    if ((int16_t)(sequence - peer->relay_cut_in) < 0 || -ahead >= SEEN_WINDOW)
        return DROP_OLD;
    uint64_t bit = UINT64_C(1) << -ahead;
    if (peer->relay_seen & bit)
        return DROP_DUPLICATE;
    peer->relay_seen |= bit;
    return VERDICT_FORWARD;
}

static bool is_locked(const struct row *peer, int32_t source, const struct rtp *rtp) {
    return peer->relay_locked && peer->relay_source == source && peer->relay_ssrc == rtp->ssrc;
}

/* The relay's numbers go on behind tx_sequence after `rtp`, which was not forwarded under its own. */
static void renumber(struct row *peer, const struct rtp *rtp) {
    if ((int16_t)(rtp->sequence - peer->relay_highest) > 0)
        peer->relay_highest = rtp->sequence;
    peer->relay_sequence_delta = (uint16_t)(peer->tx_sequence - peer->relay_highest);
    peer->relay_cut_in = (uint16_t)(peer->relay_highest + 1);
}

static void convert(uint8_t *restrict out, const uint8_t *restrict in, size_t n, uint8_t from, uint8_t to) {
    if (from == to || from == CODEC_COMFORT_NOISE) {
        memcpy(out, in, n);
        return;
    }
    const uint8_t *table = from == CODEC_PCMU ? g711_ulaw_to_alaw : g711_alaw_to_ulaw;
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}

/* Bring the peer's numbers in step with this sender's.  FORWARD, or why the packet cannot go out. */
static enum verdict follow(struct plane *plane, int32_t index, const struct rtp *rtp, uint32_t samples,
                           double now) {
    struct row *row = &plane->rows[index];
    struct row *peer = &plane->rows[row->peer];
    if (continues(peer, index, rtp, now))
        return VERDICT_FORWARD;
    if (rtp->sequence != row->rx_max_sequence)
        return DROP_OLD; /* a direction does not begin with a straggler */
    count_skipped(row, rtp);
    if (too_early(peer, index, samples, now)) {
        row->dropped_units += samples / UNIT_SAMPLES;
        return DROP_OLD;
    }
    cut_in(peer, index, rtp, samples, now);
    return VERDICT_FORWARD;
}

static void write_forwarded(const struct row *peer, const struct rtp *rtp, const struct payload *payload,
                            bool marker, struct send *send) {
    bool noise = payload->codec == CODEC_COMFORT_NOISE;
    uint16_t sequence = (uint16_t)(rtp->sequence + peer->relay_sequence_delta);
    uint32_t timestamp = rtp->timestamp + peer->relay_timestamp_delta;
    rtp_write(send->data, marker, noise ? peer->noise_send_pt : peer->send_pt, sequence, timestamp,
              peer->tx_ssrc);
    convert(send->data + RTP_HEADER_BYTES, rtp->payload, rtp->payload_bytes, (uint8_t)payload->codec,
            peer->send_codec);
    send->bytes = (uint32_t)(RTP_HEADER_BYTES + rtp->payload_bytes);
}

enum verdict egress_forward(struct plane *plane, int32_t index, const struct rtp *rtp,
                            const struct payload *payload, double now, struct send *send) {
    struct row *peer = &plane->rows[plane->rows[index].peer];
    if (!peer->sending || peer->generation == 0)
        return DROP_HELD;
    if (now < peer->tx_event_until) {
        if (is_locked(peer, index, rtp))
            renumber(peer, rtp);
        return DROP_HELD;
    }
    if (rtp->payload_bytes > PACKET_BYTES - RTP_HEADER_BYTES)
        return DROP_MALFORMED;
    enum verdict verdict = follow(plane, index, rtp, payload->samples, now);
    if (verdict != VERDICT_FORWARD)
        return verdict;
    bool newest = (int16_t)(rtp->sequence - peer->relay_highest) > 0;
    verdict = mark_seen(peer, rtp->sequence);
    if (verdict != VERDICT_FORWARD)
        return verdict;
    write_forwarded(peer, rtp, payload, rtp->marker || (newest && peer->tx_marker), send);
    send->row = plane->rows[index].peer;
    if (!newest) {
        peer->tx_packets++;
        peer->tx_octets += (uint32_t)rtp->payload_bytes;
        return VERDICT_FORWARD;
    }
    peer->tx_marker = 0;
    peer->tx_sequence = (uint16_t)(rtp->sequence + peer->relay_sequence_delta);
    peer->relay_last_timestamp = rtp->timestamp;
    peer->relay_last_at = now;
    uint32_t timestamp = rtp->timestamp + peer->relay_timestamp_delta;
    keep_to_sender(peer, timestamp, now);
    sent(peer, timestamp, payload->samples, rtp->payload_bytes);
    return VERDICT_FORWARD;
}

void egress_skip(struct plane *plane, int32_t index, const struct rtp *rtp) {
    struct row *peer = &plane->rows[plane->rows[index].peer];
    if (is_locked(peer, index, rtp))
        renumber(peer, rtp);
}

bool egress_emit(struct plane *plane, int32_t index, const struct spoken *spoken, double now,
                 struct send *send) {
    struct row *row = &plane->rows[index];
    uint32_t timestamp = next_timestamp(row, spoken->samples, now);
    if (row->relay_locked) /* a new writer */
        row->tx_marker = 1;
    row->relay_locked = 0;
    if (!row->sending || spoken->bytes == 0 || now < row->tx_event_until) {
        row->tx_timestamp = timestamp;
        row->tx_samples = spoken->samples;
        row->tx_marker = 1;
        return false;
    }
    rtp_write(send->data, row->tx_marker && spoken->speech, row->send_pt, ++row->tx_sequence, timestamp,
              row->tx_ssrc);
    memcpy(send->data + RTP_HEADER_BYTES, spoken->payload, spoken->bytes);
    send->row = index;
    send->bytes = (uint32_t)(RTP_HEADER_BYTES + spoken->bytes);
    row->tx_marker = row->tx_marker && !spoken->speech;
    sent(row, timestamp, spoken->samples, spoken->bytes);
    return true;
}

/* An event's packet takes the next sequence number, and the audio after it begins anew. */
static void write_event(struct row *row, const uint8_t event[EVENT_BYTES], uint32_t timestamp, bool first,
                        struct send *send) {
    rtp_write(send->data, first, row->event_send_pt, row->tx_sequence, timestamp, row->tx_ssrc);
    memcpy(send->data + RTP_HEADER_BYTES, event, EVENT_BYTES);
    send->bytes = RTP_HEADER_BYTES + EVENT_BYTES;
    row->tx_packets++;
    row->tx_octets += EVENT_BYTES;
    row->tx_marker = 1;
}

/* The relay's numbering makes room for it. */
void egress_event(struct plane *plane, int32_t index, const struct rtp *rtp, uint32_t timestamp, bool first,
                  struct send *send) {
    struct row *peer = &plane->rows[plane->rows[index].peer];
    peer->tx_sequence++;
    if (is_locked(peer, index, rtp))
        renumber(peer, rtp);
    else /* another SSRC than the audio's: the audio must not use this number again */
        peer->relay_locked = 0;
    write_event(peer, rtp->payload, timestamp, first, send);
    send->row = plane->rows[index].peer;
}

void egress_press(struct plane *plane, int32_t index, const uint8_t event[EVENT_BYTES], uint32_t timestamp,
                  bool first, struct send *send) {
    struct row *row = &plane->rows[index];
    row->tx_sequence++;
    if (row->relay_locked) { /* whoever is relayed to it goes on behind */
        row->relay_sequence_delta = (uint16_t)(row->tx_sequence - row->relay_highest);
        row->relay_cut_in = (uint16_t)(row->relay_highest + 1);
    }
    write_event(row, event, timestamp, first, send);
    send->row = index;
}

uint32_t egress_press_timestamp(struct plane *plane, int32_t index, double now) {
    struct row *row = &plane->rows[index];
    return next_timestamp(row, row->tx_samples ? row->tx_samples : 2 * UNIT_SAMPLES, now);
}

uint32_t egress_event_timestamp(struct plane *plane, int32_t index, const struct rtp *rtp, double now) {
    struct row *peer = &plane->rows[plane->rows[index].peer];
    if (is_locked(peer, index, rtp))
        return rtp->timestamp + peer->relay_timestamp_delta;
    return next_timestamp(peer, peer->tx_samples ? peer->tx_samples : 2 * UNIT_SAMPLES, now);
}
