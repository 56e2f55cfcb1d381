/* Symmetric RTP (RFC 4961, RFC 7362) that a stranger cannot move.
 *
 *   the source is ...                          then
 *   -----------------------------------------  -----------------------------------------------------------
 *   the signalled address                      it wins, for ever, as soon as it is heard
 *   where we are latched                       accepted, unless the signalled address has been heard
 *   new, within the learning window, and       learnt after 3 packets in order with a known payload type
 *   nothing is latched yet                     and one SSRC; the first two are not played; one source is
 * learnt at a time, so that junk in between does not hinder it the latched IP and SSRC, other port,       the
 * latch moves (a NAT rebinding) after 1 s of silence anything else                              a stranger:
 * counted, never answered
 *
 * A row with SRTP knows better: whoever has its key is the peer.
 */
#include "plane/plane.h"

enum { LEARN_PACKETS = 3 };
static const double REBIND_SILENCE_S = 1.0, CANDIDATE_SILENCE_S = 0.1;

static enum verdict accept_from(struct row *row, double now) {
    row->heard_at = now;
    return VERDICT_HOLD;
}

static void latch_to(struct plane *plane, int32_t index, const struct address *source, double now) {
    plane->rows[index].latched = *source;
    plane_notice(plane, index, NOTICE_LATCHED, source->port, 0, now);
}

static bool learnt(struct row *row, const struct address *source, const struct rtp *rtp, double now) {
    bool alive = row->candidate_count > 0 && now - row->candidate_at < CANDIDATE_SILENCE_S;
    bool same =
        row->candidate_count > 0 && address_same(source, &row->candidate) && rtp->ssrc == row->candidate_ssrc;
    if (alive && !same)
        return false;
    bool continues = same && rtp->sequence == (uint16_t)(row->candidate_sequence + 1);
    if (continues || !alive)
        row->candidate_at = now;
    row->candidate_count = continues ? (uint8_t)(row->candidate_count + 1) : 1;
    row->candidate = *source;
    row->candidate_ssrc = rtp->ssrc;
    row->candidate_sequence = rtp->sequence;
    return row->candidate_count >= LEARN_PACKETS;
}

/* Who has the key is the peer, wherever it is now; an older packet on its way does not lead back. */
static enum verdict follow_authentic(struct plane *plane, int32_t index, const struct address *source,
                                     const struct rtp *rtp, double now) {
    struct row *row = &plane->rows[index];
    bool newest =
        !row->rx_valid || rtp->ssrc != row->rx_ssrc || (int16_t)(rtp->sequence - row->rx_max_sequence) > 0;
    if (!address_known(&row->latched) && address_same(source, &row->remote))
        row->latched = *source;
    else if (!address_same(source, &row->latched) && (newest || !address_known(&row->latched)))
        latch_to(plane, index, source, now);
    return accept_from(row, now);
}

enum verdict latch_accept(struct plane *plane, int32_t index, const struct address *source,
                          const struct rtp *rtp, double now) {
    struct row *row = &plane->rows[index];
    if (row->crypto)
        return follow_authentic(plane, index, source, rtp, now);
    if (address_known(&row->remote) && address_same(source, &row->remote)) {
        if (!row->signalled_heard) {
            row->signalled_heard = 1;
            row->latched = *source;
        }
        return accept_from(row, now);
    }
    if (row->signalled_heard)
        return DROP_STRANGER;
    if (address_known(&row->latched)) {
        if (address_same(source, &row->latched))
            return accept_from(row, now);
        bool rebound = address_same_ip(source, &row->latched) && rtp->ssrc == row->rx_ssrc &&
                       now - row->heard_at >= REBIND_SILENCE_S;
        if (!rebound)
            return DROP_STRANGER;
        latch_to(plane, index, source, now);
        return accept_from(row, now);
    }
    if (now >= row->learn_until)
        return DROP_STRANGER;
    if (!learnt(row, source, rtp, now))
        return DROP_LEARNING;
    latch_to(plane, index, source, now);
    return accept_from(row, now);
}
