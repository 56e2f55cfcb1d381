/* One verdict for every packet, in the order in which the checks get dearer. */
#include "plane/flight.h"
#include "plane/secure.h"

enum { PACKETS_PER_SECOND_MAX = 200 };

void plane_notice(struct plane *plane, int32_t row, enum notice_kind kind, uint32_t value, uint32_t extra,
                  double now) {
    if (plane->notices_n == plane->notices_capacity) {
        plane->notices_lost++;
        return;
    }
    plane->notices[plane->notices_n++] = (struct notice){row, kind, value, extra, now};
}

static bool over_rate(struct row *row, double now) {
    uint32_t second = (uint32_t)now;
    if (second != row->rate_second) {
        row->rate_second = second;
        row->rate_count = 0;
    }
    if (row->rate_count >= PACKETS_PER_SECOND_MAX)
        return true;
    row->rate_count++;
    return false;
}

static bool may_relay(const struct row *peer, const struct payload *payload) {
    if (payload->codec == CODEC_COMFORT_NOISE)
        return peer->noise_send;
    /* a silence descriptor is not for a phone that did not agree on them */
    return relay_possible((uint8_t)payload->codec, peer->send_codec) &&
           (payload->tail_bytes == 0 || peer->send_dtx);
}

static enum verdict relay(struct plane *plane, int32_t index, const struct rtp *rtp,
                          const struct payload *payload, double now, struct send *send) {
    const struct row *peer = &plane->rows[plane->rows[index].peer];
    if (may_relay(peer, payload))
        return egress_forward(plane, index, rtp, payload, now, send);
    if (payload->codec == CODEC_COMFORT_NOISE)
        egress_skip(plane, index, rtp);
    else
        plane_notice(plane, index, NOTICE_RELAY_REFUSED, payload->codec, peer->send_codec, now);
    return VERDICT_HOLD;
}

/* Audio goes into the playout slots in every mode, so that a relayed row enters the tick warm; it is relayed
 * first, while the slots still say where the sender's time had come to. */
static enum verdict arrive_audio(struct plane *plane, int32_t index, const struct rtp *rtp,
                                 const struct payload *payload, double now, struct send sends[SEND_MAX],
                                 int *n_sends) {
    struct row *row = &plane->rows[index];
    row->audio_at = now;
    if (row->mode != MODE_RELAY || row->peer < 0)
        return slots_store(plane, index, rtp, payload, now);
    enum verdict verdict = relay(plane, index, rtp, payload, now, &sends[0]);
    slots_store(plane, index, rtp, payload, now);
    *n_sends = verdict == VERDICT_FORWARD;
    return verdict;
}

static enum verdict arrive_rtp(struct plane *plane, int32_t index, const struct address *source,
                               const uint8_t *data, size_t bytes, double now, struct send sends[SEND_MAX],
                               int *n_sends) {
    struct row *row = &plane->rows[index];
    struct rtp rtp;
    if (!rtp_read(&rtp, data, bytes))
        return DROP_MALFORMED;
    enum codec codec = row->receive_map[rtp.payload_type];
    struct payload payload;
    bool audio = payload_read(&payload, codec, rtp.payload_bytes);
    bool nothing = rtp.payload_bytes == 0; /* keeps a path open (RFC 6263) and says nothing */
    if (codec == CODEC_NONE || (!audio && !nothing && codec != CODEC_EVENT))
        return DROP_FOREIGN_PAYLOAD;
    enum verdict verdict = latch_accept(plane, index, source, &rtp, now);
    if (verdict != VERDICT_HOLD)
        return verdict;
    if (over_rate(row, now))
        return DROP_RATE;
    verdict = receive_count(row, &rtp, now);
    if (verdict != VERDICT_HOLD)
        return verdict;
    if (codec == CODEC_EVENT)
        return digit_arrive(plane, index, &rtp, now, sends, n_sends);
    if (nothing)
        return DROP_FOREIGN_PAYLOAD;
    if (!row->receiving)
        return DROP_HELD;
    return arrive_audio(plane, index, &rtp, &payload, now, sends, n_sends);
}

static enum verdict judge_plain(struct plane *plane, int32_t index, const struct address *source,
                                const uint8_t *data, size_t bytes, bool on_rtcp_socket, double now,
                                struct send sends[SEND_MAX], int *n_sends) {
    if (plane->flight)
        flight_arrive(plane->flight, index, source, data, bytes, on_rtcp_socket, now);
    switch (packet_kind(data, bytes)) {
    case PACKET_RTP:
        if (on_rtcp_socket)
            return DROP_MALFORMED;
        return arrive_rtp(plane, index, source, data, bytes, now, sends, n_sends);
    case PACKET_RTCP:
        if (!address_same_ip(source, &plane->rows[index].latched) &&
            !address_same_ip(source, &plane->rows[index].remote))
            return DROP_STRANGER;
        return rtcp_arrive(plane, index, data, bytes, now);
    case PACKET_STUN:
    case PACKET_DTLS:
        return VERDICT_EDGE;
    case PACKET_FOREIGN:
        break;
    }
    return DROP_MALFORMED;
}

static enum verdict judge(struct plane *plane, int32_t index, const struct address *source,
                          const uint8_t *data, size_t bytes, bool on_rtcp_socket, double now,
                          struct send sends[SEND_MAX], int *n_sends) {
    if (plane->rows[index].generation == 0)
        return DROP_HELD;
    enum packet_kind kind = packet_kind(data, bytes);
    if (!plane->rows[index].crypto || (kind != PACKET_RTP && kind != PACKET_RTCP))
        return judge_plain(plane, index, source, data, bytes, on_rtcp_socket, now, sends, n_sends);
    uint8_t plain[PACKET_BYTES];
    enum verdict verdict = secure_open(plane, index, kind == PACKET_RTCP, data, bytes, now, plain, &bytes);
    if (verdict == VERDICT_HOLD)
        return judge_plain(plane, index, source, plain, bytes, on_rtcp_socket, now, sends, n_sends);
    if (plane->flight)
        flight_refuse(plane->flight, index, source, verdict, now);
    return verdict;
}

enum verdict plane_arrive(struct plane *plane, int32_t index, const struct address *source,
                          const uint8_t *data, size_t bytes, bool on_rtcp_socket, double now,
                          struct send sends[SEND_MAX], int *n_sends) {
    *n_sends = 0;
    enum verdict verdict = judge(plane, index, source, data, bytes, on_rtcp_socket, now, sends, n_sends);
    plane->rows[index].verdicts[verdict]++;
    *n_sends = (int)secure_sends(plane, sends, (size_t)*n_sends, false);
    return verdict;
}
