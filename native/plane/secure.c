#include "plane/secure.h"

#include "plane/flight.h"

static const double OLD_KEY_S = 2.0;

/* A name for a master key that tells nothing of it; never 0. */
static uint64_t name_of(const struct srtp_engine *engine, enum srtp_suite suite, const uint8_t *master) {
    const size_t bytes = (size_t)srtp_suites[suite].key_bytes + srtp_suites[suite].salt_bytes;
    uint8_t named[1 + SRTP_MASTER_BYTES_MAX] = {(uint8_t)suite}, digest[SHA1_BYTES];
    memcpy(named + 1, master, bytes);
    sha1_digest(engine, named, 1 + bytes, digest);
    return (uint64_t)read_u32(digest) << 32 | read_u32(digest + 4) | 1;
}

static void take_theirs(struct row *row, struct secrets *secrets, uint64_t name, double now) {
    if (row->srtp_in_name == name)
        return;
    secrets->before_until = 0;
    if (row->srtp_in_name && secrets->in.suite) {
        secrets->before = secrets->in;
        secrets->before_until = now + OLD_KEY_S;
        memcpy(secrets->before_heard, row->srtp_in, sizeof row->srtp_in);
    }
    row->srtp_in_name = name;
    memset(row->srtp_in, 0, sizeof row->srtp_in);
}

void secure_row(struct plane *plane, int32_t index, enum srtp_suite suite, const uint8_t *ours,
                const uint8_t *theirs, double now) {
    struct row *row = &plane->rows[index];
    struct secrets *secrets = &plane->security->rows[index];
    const struct srtp_engine *engine = &plane->security->engine;
    take_theirs(row, secrets, name_of(engine, suite, theirs), now);
    const uint64_t name = name_of(engine, suite, ours);
    if (row->srtp_out_name != name)
        memset(&row->srtp_out, 0, sizeof row->srtp_out);
    row->srtp_out_name = name;
    row->crypto = (uint8_t)suite;
    srtp_keys_derive(engine, &secrets->in, suite, theirs);
    srtp_keys_derive(engine, &secrets->out, suite, ours);
}

void secure_forget(struct plane *plane, int32_t index) {
    plane->rows[index].crypto = SRTP_NONE;
    if (plane->security)
        memset(&plane->security->rows[index], 0, sizeof(struct secrets));
}

/* With the key that is agreed; else with that of before; else as a sender that began again, which is believed
 * only while an offer or answer is fresh: at other times it would be a replay. */
static enum srtp_result open_somehow(struct row *row, struct secrets *secrets,
                                     const struct srtp_engine *engine, bool rtcp, const uint8_t *data,
                                     size_t bytes, double now, uint8_t *plain, size_t *plain_bytes) {
    enum srtp_result result =
        srtp_open(engine, &secrets->in, row->srtp_in, rtcp, data, bytes, plain, plain_bytes);
    if (result == SRTP_UNAUTHENTIC && now < secrets->before_until)
        result =
            srtp_open(engine, &secrets->before, secrets->before_heard, rtcp, data, bytes, plain, plain_bytes);
    if (result == SRTP_UNAUTHENTIC && !rtcp && now < row->learn_until && row->srtp_in[0].roll_over)
        result = srtp_open_afresh(engine, &secrets->in, row->srtp_in, data, bytes, plain, plain_bytes);
    return result;
}

enum verdict secure_open(struct plane *plane, int32_t index, bool rtcp, const uint8_t *data, size_t bytes,
                         double now, uint8_t plain[PACKET_BYTES], size_t *plain_bytes) {
    static const uint8_t verdicts[] = {
        [SRTP_OPENED] = VERDICT_HOLD,
        [SRTP_MALFORMED] = DROP_MALFORMED,
        [SRTP_UNAUTHENTIC] = DROP_UNAUTHENTIC,
        [SRTP_REPLAYED] = DROP_DUPLICATE,
        [SRTP_OLD] = DROP_OLD,
    };
    struct security *security = plane->security;
    if (!security || security->rows[index].in.suite == SRTP_NONE)
        return DROP_UNAUTHENTIC; /* the keys have not been said again yet */
    if (bytes > PACKET_BYTES)
        return DROP_MALFORMED;
    return verdicts[open_somehow(&plane->rows[index], &security->rows[index], &security->engine, rtcp, data,
                                 bytes, now, plain, plain_bytes)];
}

static bool protect(struct plane *plane, struct send *send, bool rtcp) {
    struct security *security = plane->security;
    if (!security || security->rows[send->row].out.suite == SRTP_NONE)
        return false;
    size_t bytes = send->bytes;
    const bool done =
        srtp_protect(&security->engine, &security->rows[send->row].out, &plane->rows[send->row].srtp_out,
                     rtcp, send->data, &bytes, sizeof send->data);
    send->bytes = (uint32_t)bytes;
    return done;
}

size_t secure_sends(struct plane *plane, struct send *sends, size_t n, bool rtcp) {
    size_t kept = 0;
    if (plane->flight) /* the recorder has neither keys nor what only they make */
        flight_digest(plane->flight->digests, sends, n);
    for (size_t i = 0; i < n; i++) {
        if (plane->rows[sends[i].row].crypto && !protect(plane, &sends[i], rtcp))
            continue;
        if (kept != i)
            sends[kept] = sends[i];
        kept++;
    }
    return kept;
}
