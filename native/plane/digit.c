/* Telephone events (RFC 4733): each key press is reported once, and passed on to the peer.
 *
 *     |     event     |E|R| volume    |          duration             |
 *
 * A digit is one SSRC and RTP timestamp, whatever was lost of it.  It is reported at its end, or by the tick
 * after 120 ms without a packet.  Its end goes out once more than it came in.
 */
#include "plane/plane.h"

enum { EVENT_BYTES = 4, EVENT_LAST_KEY = 15 };
static const double EVENT_GAP_S =
    0.12; /* audio stays silent this long after an event packet that is not the end */

static void report(struct plane *plane, int32_t index, double now) {
    struct row *row = &plane->rows[index];
    if (!row->digit_active)
        return;
    row->digit_active = 0;
    if (row->digit_code <= EVENT_LAST_KEY)
        plane_notice(plane, index, NOTICE_DIGIT, row->digit_code, row->digit_duration, now);
}

static void begin(struct plane *plane, int32_t index, const struct rtp *rtp, double now) {
    struct row *row = &plane->rows[index];
    report(plane, index, now); /* a digit whose end was lost */
    row->digit_known = 1;
    row->digit_active = 1;
    row->digit_end_sent = 0;
    row->digit_code = rtp->payload[0];
    row->digit_ssrc = rtp->ssrc;
    row->digit_timestamp = rtp->timestamp;
    row->digit_duration = 0;
    if (row->peer >= 0)
        row->digit_out_timestamp = egress_event_timestamp(plane, index, rtp, now);
}

static void pass_on(struct plane *plane, int32_t index, const struct rtp *rtp, bool first, bool end,
                    double now, struct send sends[SEND_MAX], int *n_sends) {
    struct row *row = &plane->rows[index];
    if (row->peer < 0)
        return;
    struct row *peer = &plane->rows[row->peer];
    if (peer->generation == 0 || !peer->sending || !peer->event_send || (row->digit_end_sent && !end))
        return;
    egress_event(plane, index, rtp, row->digit_out_timestamp, first, &sends[(*n_sends)++]);
    peer->tx_event_until = end ? now : now + EVENT_GAP_S;
    if (end && !row->digit_end_sent) {
        row->digit_end_sent = 1;
        egress_event(plane, index, rtp, row->digit_out_timestamp, false, &sends[(*n_sends)++]);
    }
}

enum verdict digit_arrive(struct plane *plane, int32_t index, const struct rtp *rtp, double now,
                          struct send sends[SEND_MAX], int *n_sends) {
    struct row *row = &plane->rows[index];
    if (rtp->payload_bytes < EVENT_BYTES)
        return DROP_MALFORMED;
    bool same_sender = row->digit_known && rtp->ssrc == row->digit_ssrc;
    bool first = !same_sender || rtp->timestamp != row->digit_timestamp;
    if (first && same_sender && (int32_t)(rtp->timestamp - row->digit_timestamp) < 0 &&
        now - row->digit_at < 1.0)
        return DROP_OLD; /* a straggler of the digit before */
    if (first)
        begin(plane, index, rtp, now);
    bool end = rtp->payload[1] >> 7;
    uint16_t duration = read_u16(rtp->payload + 2);
    if (duration > row->digit_duration)
        row->digit_duration = duration;
    row->digit_at = now;
    pass_on(plane, index, rtp, first, end, now, sends, n_sends);
    if (end)
        report(plane, index, now);
    return VERDICT_EVENT;
}
