/* The other end of the tick: what a row hears is encoded and put into packets.
 *
 * A frame is encoded as soon as it is whole, so an iLBC row works in one tick of two or three; a new row
 * begins within a frame, at a place that its number gives, so that a thousand rows do not all work in the
 * same tick. A packet leaves when it is full (`send_units`), or with a silence descriptor as its last frame
 * (RFC 3551 section 4.5.6).  What need not be sent at all only moves the row's clock on.
 */
#include "g711/g711.h"
#include "plane/plane.h"
#include "plane/voice.h"

static const double FORGET_S = 0.05; /* a mouth that was idle for so long begins anew */

static void start(struct row *row, struct mouth *mouth, int32_t index) {
    mouth->codec = row->send_codec;
    if (mouth->codec == CODEC_G729)
        g729_encoder_reset(&mouth->state.g729);
    else if (mouth->codec == CODEC_ILBC_20 || mouth->codec == CODEC_ILBC_30)
        ilbc_encoder_start(&mouth->state.ilbc, 10 * codec_units(mouth->codec));
    row->tx_phase = (uint8_t)(index % codec_units(mouth->codec));
    mouth->gathered = row->tx_phase;
    mouth->bytes = 0;
    memset(mouth->pcm, 0, sizeof mouth->pcm);
}

/* The frame in `mouth->pcm`.  Returns its bytes: fewer than a frame has are the packet's last. */
static size_t encode(struct mouth *mouth, uint8_t *out, bool dtx) {
    switch (mouth->codec) {
    case CODEC_PCMU:
        g711_ulaw_encode(out, mouth->pcm, UNIT_SAMPLES);
        return UNIT_SAMPLES;
    case CODEC_PCMA:
        g711_alaw_encode(out, mouth->pcm, UNIT_SAMPLES);
        return UNIT_SAMPLES;
    case CODEC_G729:
        return g729_encode(&mouth->state.g729, out, mouth->pcm, dtx);
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        ilbc_encode(&mouth->state.ilbc, out, mouth->pcm);
        return codec_facts[mouth->codec].frame_bytes;
    default:
        return 0;
    }
}

static bool send_packet(struct plane *plane, int32_t index, double now, struct send *send) {
    struct row *row = &plane->rows[index];
    struct mouth *mouth = &plane->mouths[index];
    const struct spoken spoken = {
        .payload = mouth->pending,
        .bytes = mouth->bytes,
        .samples = (uint32_t)row->tx_phase * UNIT_SAMPLES,
        .speech = mouth->bytes > codec_sid_bytes(mouth->codec),
    };
    row->tx_phase = 0;
    mouth->bytes = 0;
    return egress_emit(plane, index, &spoken, now, send);
}

static bool speak(struct plane *plane, int32_t index, const int16_t pcm[UNIT_SAMPLES], double now,
                  struct send *send) {
    struct row *row = &plane->rows[index];
    struct mouth *mouth = &plane->mouths[index];
    if (mouth->codec != row->send_codec || now - mouth->spoke_at > FORGET_S)
        start(row, mouth, index);
    mouth->spoke_at = now;
    if (row->tx_phase == 0) { /* whatever waited is not wanted any more: the relay spoke in between */
        mouth->gathered = 0;
        mouth->bytes = 0;
    }
    const int32_t frame_units = codec_units(mouth->codec);
    memcpy(mouth->pcm + mouth->gathered * UNIT_SAMPLES, pcm, UNIT_SAMPLES * sizeof *pcm);
    row->tx_phase++;
    if (++mouth->gathered < frame_units)
        return false;
    mouth->gathered = 0;
    const size_t whole = codec_has_frames(mouth->codec) ? codec_facts[mouth->codec].frame_bytes : 0;
    const size_t bytes = encode(mouth, mouth->pending + mouth->bytes, row->send_dtx);
    mouth->bytes = (uint16_t)(mouth->bytes + bytes);
    const bool ends = bytes < whole, full = row->tx_phase >= row->send_units;
    if (!ends && !full && mouth->bytes + whole <= PENDING_BYTES)
        return false;
    const bool sent = send_packet(plane, index, now, send);
    if (bytes == 0)
        row->tx_marker = 1;
    return sent;
}

size_t speak_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  const int16_t (*pcm)[UNIT_SAMPLES], double now, struct send *sends) {
    size_t n_sends = 0;
    for (size_t i = 0; i < n; i++)
        n_sends += speak(plane, rows[i], pcm[at[i]], now, &sends[n_sends]);
    return n_sends;
}
