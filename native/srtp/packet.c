/* A packet's way in and out: where it is cut, which index it has, what is remembered of it. */
#include "plane/rtp.h"
#include "srtp/cipher.h"
#include "srtp/replay.h"

#include <string.h>

enum { RTCP_CLEAR_BYTES = 8, INDEX_BYTES = 4, HEADER_BYTES_MAX = 1500 };
static const uint32_t RTCP_INDICES = UINT32_C(1) << 31;

/* Bytes of an RTP header with its sources and extension; 0 = it does not fit. */
static size_t rtp_header_bytes(const uint8_t *data, size_t bytes) {
    if (bytes < RTP_HEADER_BYTES || data[0] >> 6 != RTP_VERSION)
        return 0;
    size_t header = RTP_HEADER_BYTES + 4u * (data[0] & 15u);
    if (data[0] & 0x10) {
        if (bytes < header + 4)
            return 0;
        header += 4u + 4u * (size_t)read_u16(data + header + 2);
    }
    return header <= bytes && header <= HEADER_BYTES_MAX ? header : 0;
}

static size_t header_bytes(bool rtcp, const uint8_t *data, size_t bytes) {
    if (!rtcp)
        return rtp_header_bytes(data, bytes);
    return bytes >= RTCP_CLEAR_BYTES && data[0] >> 6 == RTP_VERSION ? RTCP_CLEAR_BYTES : 0;
}

static size_t overhead(const struct srtp_keys *keys, bool rtcp) {
    const struct srtp_suite_facts *facts = &srtp_suites[keys->suite];
    return rtcp ? INDEX_BYTES + facts->rtcp_tag_bytes : facts->rtp_tag_bytes;
}

/* The relay may send an older number behind a newer one, so ours are guessed as a receiver would. */
static uint64_t next_rtp_index(struct srtp_sender *sender, uint16_t sequence) {
    const uint32_t roll_over =
        sender->started ? nearest_roll_over(sender->roll_over, sender->highest, sequence) : 0;
    const uint64_t index = packet_index(roll_over, sequence);
    if (!sender->started || index > packet_index(sender->roll_over, sender->highest)) {
        sender->roll_over = roll_over;
        sender->highest = sequence;
        sender->started = 1;
    }
    return index;
}

bool srtp_protect(const struct srtp_engine *engine, const struct srtp_keys *keys, struct srtp_sender *sender,
                  bool rtcp, uint8_t *data, size_t *bytes, size_t room) {
    struct srtp_parts parts = {
        .rtcp = rtcp, .header_bytes = header_bytes(rtcp, data, *bytes), .bytes = *bytes};
    if (parts.header_bytes == 0 || *bytes + overhead(keys, rtcp) > room)
        return false;
    parts.ssrc = read_u32(data + (rtcp ? 4 : 8));
    parts.index = rtcp ? sender->rtcp_index : next_rtp_index(sender, read_u16(data + 2));
    if (rtcp)
        sender->rtcp_index = (sender->rtcp_index + 1) % RTCP_INDICES;
    *bytes = srtp_seal(engine, keys, &parts, data);
    return *bytes > 0;
}

static int find_stream(const struct srtp_stream streams[SRTP_STREAMS], uint32_t ssrc) {
    for (int i = 0; i < SRTP_STREAMS; i++) {
        if ((streams[i].started || streams[i].rtcp_started) && streams[i].ssrc == ssrc)
            return i;
    }
    return SRTP_STREAMS;
}

/* The one in use comes to the front; who was heard longest ago makes room for a new one. */
static void keep(struct srtp_stream streams[SRTP_STREAMS], int at, const struct srtp_stream *stream) {
    if (at == SRTP_STREAMS)
        at = SRTP_STREAMS - 1;
    memmove(streams + 1, streams, (size_t)at * sizeof *streams);
    streams[0] = *stream;
}

static enum srtp_result note(uint64_t *window, uint64_t highest, uint64_t index) {
    if (replay_is_old(highest, index))
        return SRTP_OLD;
    if (replay_heard(*window, highest, index))
        return SRTP_REPLAYED;
    *window = replay_note(*window, highest, index);
    return SRTP_OPENED;
}

static enum srtp_result note_rtp(struct srtp_stream *stream, uint64_t index) {
    const uint64_t highest = packet_index(stream->roll_over, stream->highest);
    const enum srtp_result result = stream->started ? note(&stream->window, highest, index) : SRTP_OPENED;
    if (!stream->started)
        stream->window = 1;
    if (!stream->started || (result == SRTP_OPENED && index > highest)) {
        stream->started = 1;
        stream->roll_over = (uint32_t)(index >> 16);
        stream->highest = (uint16_t)index;
    }
    return result;
}

static enum srtp_result note_rtcp(struct srtp_stream *stream, uint64_t index) {
    const uint64_t highest = stream->rtcp_highest;
    const enum srtp_result result =
        stream->rtcp_started ? note(&stream->rtcp_window, highest, index) : SRTP_OPENED;
    if (!stream->rtcp_started)
        stream->rtcp_window = 1;
    if (!stream->rtcp_started || (result == SRTP_OPENED && index > highest)) {
        stream->rtcp_started = 1;
        stream->rtcp_highest = (uint32_t)index;
    }
    return result;
}

/* Where SRTCP's index is: before the tag of AES-CM, behind that of GCM. */
static uint32_t rtcp_word(const struct srtp_keys *keys, const uint8_t *data, size_t bytes) {
    const struct srtp_suite_facts *facts = &srtp_suites[keys->suite];
    return read_u32(data + bytes - INDEX_BYTES - (facts->aead ? 0 : facts->rtcp_tag_bytes));
}

/* Cut a packet that came; false: it is none. */
static bool cut(const struct srtp_keys *keys, bool rtcp, const uint8_t *data, size_t bytes,
                struct srtp_parts *parts) {
    const size_t more = overhead(keys, rtcp);
    if (bytes <= more)
        return false;
    parts->rtcp = rtcp;
    parts->bytes = bytes - more;
    parts->header_bytes = header_bytes(rtcp, data, parts->bytes);
    if (parts->header_bytes == 0)
        return false;
    parts->ssrc = read_u32(data + (rtcp ? 4 : 8));
    return true;
}

/* The index that a packet must have been encrypted under; false: there is none. */
static bool find_index(const struct srtp_keys *keys, const struct srtp_stream *stream, const uint8_t *data,
                       size_t bytes, struct srtp_parts *parts) {
    if (parts->rtcp) {
        const uint32_t word = rtcp_word(keys, data, bytes);
        parts->index = word % RTCP_INDICES;
        return word >= RTCP_INDICES; /* without the E bit it was sent in the clear, which nobody agreed to */
    }
    const uint16_t sequence = read_u16(data + 2);
    const uint32_t roll_over =
        stream->started ? nearest_roll_over(stream->roll_over, stream->highest, sequence) : 0;
    parts->index = packet_index(roll_over, sequence);
    return stream->roll_over > 0 || roll_over != UINT32_MAX; /* nothing is before the first of all */
}

/* Authenticity first: what a stranger made up is never taken for a duplicate. */
static enum srtp_result open_in(const struct srtp_engine *engine, const struct srtp_keys *keys,
                                struct srtp_stream *stream, struct srtp_parts *parts, const uint8_t *data,
                                size_t bytes, uint8_t *out) {
    if (!find_index(keys, stream, data, bytes, parts) || !srtp_unseal(engine, keys, parts, data, out))
        return SRTP_UNAUTHENTIC;
    return parts->rtcp ? note_rtcp(stream, parts->index) : note_rtp(stream, parts->index);
}

static enum srtp_result open_as(const struct srtp_engine *engine, const struct srtp_keys *keys,
                                struct srtp_stream streams[SRTP_STREAMS], bool rtcp, bool afresh,
                                const uint8_t *data, size_t bytes, uint8_t *out, size_t *out_bytes) {
    struct srtp_parts parts;
    if (!cut(keys, rtcp, data, bytes, &parts))
        return SRTP_MALFORMED;
    const int at = find_stream(streams, parts.ssrc);
    struct srtp_stream stream = {.ssrc = parts.ssrc};
    if (at < SRTP_STREAMS)
        stream = streams[at];
    if (afresh) {
        stream.started = 0;
        stream.roll_over = 0;
    }
    const enum srtp_result result = open_in(engine, keys, &stream, &parts, data, bytes, out);
    if (result == SRTP_OPENED) {
        keep(streams, at, &stream);
        *out_bytes = parts.bytes;
    }
    return result;
}

enum srtp_result srtp_open(const struct srtp_engine *engine, const struct srtp_keys *keys,
                           struct srtp_stream streams[SRTP_STREAMS], bool rtcp, const uint8_t *data,
                           size_t bytes, uint8_t *out, size_t *out_bytes) {
    return open_as(engine, keys, streams, rtcp, false, data, bytes, out, out_bytes);
}

enum srtp_result srtp_open_afresh(const struct srtp_engine *engine, const struct srtp_keys *keys,
                                  struct srtp_stream streams[SRTP_STREAMS], const uint8_t *data, size_t bytes,
                                  uint8_t *out, size_t *out_bytes) {
    return open_as(engine, keys, streams, false, true, data, bytes, out, out_bytes);
}
