/* The other end of the tick: what a row hears is encoded and put into packets.
 *
 * A frame is encoded as soon as it is whole, so an iLBC row works in one tick of two or three; a new row
 * begins within a frame, at a place that its number gives, so that a thousand rows do not all work in the
 * same tick. A packet leaves when it is full (`send_units`), or with a silence descriptor as its last frame
 * (RFC 3551 section 4.5.6).  What need not be sent at all only moves the row's clock on.
 */
#include "g711/g711.h"
#include "plane/secure.h"

static void start(struct voices *voices, struct row *row, int32_t index) {
    struct mouth *mouth = &voices->mouths[index];
    mouth->codec = row->send_codec;
    if (mouth->codec == CODEC_G729)
        g729_encoder_reset(&voices->g729_encoders[index]);
    else if (codec_is_ilbc(mouth->codec))
        ilbc_encoder_start(&voices->ilbc_encoders[index], 10 * codec_units(mouth->codec));
    row->tx_phase = (uint8_t)(index % codec_units(mouth->codec));
    mouth->gathered = row->tx_phase;
    mouth->bytes = 0;
    mouth->follows = MOUTH_LEADS;
    mouth->settled_ticks = 0;
    memset(mouth->pcm, 0, sizeof mouth->pcm);
}

/* G.729 rows of a tick, encoded in step. */
struct batch {
    size_t n;
    intptr_t rows[VOICE_ROWS];
    int32_t lengths[VOICE_ROWS];
    uint8_t payloads[VOICE_ROWS][G729_SPEECH_BYTES];
    int16_t pcm[VOICE_ROWS][UNIT_SAMPLES];
};

/* Take in 10 ms.  True: a frame is whole. */
static bool gather(struct plane *plane, int32_t index, const int16_t pcm[UNIT_SAMPLES], double now) {
    struct row *row = &plane->rows[index];
    struct mouth *mouth = &plane->voices.mouths[index];
    if (mouth->codec != row->send_codec || now - mouth->spoke_at > MOUTH_FORGETS_S)
        start(&plane->voices, row, index);
    mouth->spoke_at = now;
    if (row->tx_phase == 0) { /* whatever waited is not wanted any more: the relay spoke in between */
        mouth->gathered = 0;
        mouth->bytes = 0;
    }
    memcpy(mouth->pcm + mouth->gathered * UNIT_SAMPLES, pcm, UNIT_SAMPLES * sizeof *pcm);
    row->tx_phase++;
    if (++mouth->gathered < codec_units(mouth->codec))
        return false;
    mouth->gathered = 0;
    return true;
}

static void put_g729(struct batch *batch, int32_t index, const int16_t pcm[UNIT_SAMPLES]) {
    batch->rows[batch->n] = index;
    memcpy(batch->pcm[batch->n++], pcm, sizeof *batch->pcm);
}

static uint8_t *end_of_pending(struct mouth *mouth) {
    return mouth->pending + mouth->bytes;
}

/* Returns the bytes of the frame; G.729's come with its batch. */
static int32_t encode(struct voices *voices, int32_t index, struct batch *batch) {
    struct mouth *mouth = &voices->mouths[index];
    switch (mouth->codec) {
    case CODEC_PCMU:
        g711_ulaw_encode(end_of_pending(mouth), mouth->pcm, UNIT_SAMPLES);
        return UNIT_SAMPLES;
    case CODEC_PCMA:
        g711_alaw_encode(end_of_pending(mouth), mouth->pcm, UNIT_SAMPLES);
        return UNIT_SAMPLES;
    case CODEC_G729:
        put_g729(batch, index, mouth->pcm);
        return 0;
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        ilbc_encode(&voices->ilbc_encoders[index], end_of_pending(mouth), mouth->pcm);
        return codec_facts[mouth->codec].frame_bytes;
    default:
        return 0;
    }
}

static bool send_packet(struct plane *plane, int32_t index, double now, struct send *send) {
    struct row *row = &plane->rows[index];
    struct mouth *mouth = &plane->voices.mouths[index];
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

/* A frame of so many bytes is at the end of `pending`: send the packet if it is its last. */
static bool pack(struct plane *plane, int32_t index, int32_t bytes, double now, struct send *send) {
    struct row *row = &plane->rows[index];
    struct mouth *mouth = &plane->voices.mouths[index];
    const int32_t whole = codec_has_frames(mouth->codec) ? codec_facts[mouth->codec].frame_bytes : 0;
    mouth->frame_at = mouth->bytes;
    mouth->frame_bytes = (uint16_t)bytes;
    mouth->bytes = (uint16_t)(mouth->bytes + bytes);
    const bool ends = bytes < whole, full = row->tx_phase >= row->send_units;
    if (!ends && !full && mouth->bytes + whole <= PENDING_BYTES)
        return false;
    const bool sent = send_packet(plane, index, now, send);
    if (bytes == 0)
        row->tx_marker = 1;
    return sent;
}

/* What a batch gave, to the ends of the mouths' `pending`; bytes[] of row `rows[i]` is set where it stands.
 */
static void encode_batch(struct voices *voices, struct batch *batch, bool dtx, const int32_t *rows,
                         int32_t *bytes) {
    if (batch->n == 0)
        return;
    g729_encode_rows(voices->g729_encoders, batch->rows, batch->n, batch->payloads[0], batch->lengths,
                     batch->pcm[0], dtx);
    for (size_t i = 0, at = 0; i < batch->n; i++, at++) {
        while (rows[at] != batch->rows[i])
            at++;
        bytes[at] = batch->lengths[i];
        memcpy(end_of_pending(&voices->mouths[rows[at]]), batch->payloads[i], (size_t)bytes[at]);
    }
}

/* As the bytes of a frame: it is not whole; it is that of the row which this one follows. */
enum { WAITS = -1, FOLLOWS = -2 };

/* The leader's frame, which is there: it has a lower number.  Returns its bytes. */
static int32_t follow(struct voices *voices, int32_t index) {
    struct mouth *mouth = &voices->mouths[index];
    const struct mouth *leader = &voices->mouths[mouth->follows - 1];
    memcpy(end_of_pending(mouth), leader->pending + leader->frame_at, leader->frame_bytes);
    return leader->frame_bytes;
}

static int32_t begin_frame(struct plane *plane, int32_t index, struct batch batches[2]) {
    if (plane->voices.mouths[index].follows != MOUTH_LEADS)
        return FOLLOWS;
    return encode(&plane->voices, index, &batches[plane->rows[index].send_dtx != 0]);
}

static size_t speak_some(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                         const int16_t (*pcm)[UNIT_SAMPLES], double now, struct send *sends) {
    int32_t bytes[VOICE_ROWS];
    struct batch batches[2]; /* without and with discontinuous transmission */
    batches[0].n = batches[1].n = 0;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = WAITS;
        if (gather(plane, rows[i], pcm[at[i]], now))
            bytes[i] = begin_frame(plane, rows[i], batches);
    }
    for (int dtx = 0; dtx < 2; dtx++)
        encode_batch(&plane->voices, &batches[dtx], dtx, rows, bytes);
    size_t n_sends = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == FOLLOWS)
            bytes[i] = follow(&plane->voices, rows[i]);
        if (bytes[i] != WAITS)
            n_sends += pack(plane, rows[i], bytes[i], now, &sends[n_sends]);
    }
    return n_sends;
}

size_t speak_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  const int16_t (*pcm)[UNIT_SAMPLES], double now, struct send *sends) {
    size_t n_sends = 0;
    for (size_t i = 0; i < n; i += VOICE_ROWS)
        n_sends += speak_some(plane, rows + i, at + i, n - i < VOICE_ROWS ? n - i : VOICE_ROWS, pcm, now,
                              sends + n_sends);
    return secure_sends(plane, sends, n_sends, false);
}
