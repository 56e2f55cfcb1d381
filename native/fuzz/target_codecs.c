/* The decoders, as the plane uses them: banks of rows, batches in any order, a row more than once.
 *
 * What an input says: a byte that picks the codec's mode, then records.  A record is a byte
 *     bits 0-2   0 lost, 1 untransmitted, 2 a frame of any length, 3 start a row anew, else a frame
 *     bits 3-4   the row
 *     bit 5      decode what has been gathered
 * and what it needs: the frame; for 2 a byte, its length.
 */
#include "fuzz/fuzz.h"
#include "g711/g711.h"
#include "g711/plc.h"
#include "g729/g729.h"
#include "ilbc/ilbc.h"

#include <string.h>

enum { ROWS = 4, BATCH = 6, FRAME = 80, LOST = -1, UNTRANSMITTED = 0 };
enum kind { KIND_LOST, KIND_UNTRANSMITTED, KIND_ANY_LENGTH, KIND_ANEW };

struct batch {
    size_t n, stride; /* bytes between frames */
    ptrdiff_t rows[BATCH];
    int32_t lengths[BATCH];
    uint8_t *frames; /* [n * stride], exactly */
};

/* Decodes a batch; returns the digest with the samples added. */
typedef uint64_t decode_batch(uint64_t digest, void *bank, const struct batch *batch);
typedef void start_row(void *bank, ptrdiff_t row);

struct decoder {
    decode_batch *decode;
    start_row *start;
    void *bank;
    size_t stride;
    int32_t (*length)(uint8_t control); /* of a frame */
};

static void add_frame(struct batch *batch, struct script *script, ptrdiff_t row, int32_t length) {
    const size_t n = length > 0 && (size_t)length <= batch->stride ? (size_t)length : 0;
    uint8_t *frames = malloc((batch->n + 1) * batch->stride);
    memset(frames, 0xa5, (batch->n + 1) * batch->stride);
    if (batch->n)
        memcpy(frames, batch->frames, batch->n * batch->stride);
    free(batch->frames);
    batch->frames = frames;
    script_take(script, frames + batch->n * batch->stride, n);
    batch->rows[batch->n] = row;
    batch->lengths[batch->n++] = length;
}

static uint64_t flush(uint64_t digest, const struct decoder *decoder, struct batch *batch) {
    if (batch->n)
        digest = decoder->decode(digest, decoder->bank, batch);
    free(batch->frames);
    *batch = (struct batch){.stride = batch->stride};
    return digest;
}

static uint64_t tell(uint64_t digest, const struct decoder *decoder, struct script *script) {
    struct batch batch = {.stride = decoder->stride};
    for (ptrdiff_t row = 0; row < ROWS; row++)
        decoder->start(decoder->bank, row);
    while (!script_is_over(script)) {
        const uint8_t control = script_byte(script);
        const ptrdiff_t row = (control >> 3) % ROWS;
        switch (control & 7) {
        case KIND_LOST:
            add_frame(&batch, script, row, LOST);
            break;
        case KIND_UNTRANSMITTED:
            add_frame(&batch, script, row, UNTRANSMITTED);
            break;
        case KIND_ANY_LENGTH:
            add_frame(&batch, script, row, (int8_t)script_byte(script));
            break;
        case KIND_ANEW:
            digest = flush(digest, decoder, &batch);
            decoder->start(decoder->bank, row);
            break;
        default:
            add_frame(&batch, script, row, decoder->length(control));
        }
        if (control & 0x20 || batch.n == BATCH)
            digest = flush(digest, decoder, &batch);
    }
    return flush(digest, decoder, &batch);
}

/* The index of the first length that is none, or n. */
static size_t first_refused(const struct batch *batch, bool (*is_length)(int32_t)) {
    size_t i = 0;
    while (i < batch->n && is_length(batch->lengths[i]))
        i++;
    return i;
}

/* ---- G.711, with the concealment of Appendix I ---- */

static bool is_g711_length(int32_t length) {
    return length == LOST || length == UNTRANSMITTED || length == FRAME;
}

static int32_t g711_length(uint8_t control) {
    (void)control;
    return FRAME;
}

static void start_g711(void *bank, ptrdiff_t row) {
    memset((struct g711_plc *)bank + row, 0, sizeof(struct g711_plc));
}

static uint64_t conceal(uint64_t digest, struct g711_plc *bank, const struct batch *batch, int16_t *pcm) {
    uint8_t lost[BATCH];
    for (size_t i = 0; i < batch->n; i++)
        lost[i] = batch->lengths[i] != FRAME;
    g711_plc_process(bank, batch->rows, pcm, lost, batch->n);
    for (size_t i = 0; i < batch->n; i++)
        FUZZ_CHECK(g711_plc_is_valid(&bank[batch->rows[i]]));
    return fuzz_digest(digest, pcm, batch->n * FRAME * sizeof *pcm);
}

static uint64_t decode_g711(uint64_t digest, struct g711_plc *bank, const struct batch *batch,
                            g711_decoder *decode,
                            void (*encode)(uint8_t *restrict, const int16_t *restrict, size_t)) {
    int16_t *pcm = malloc(batch->n * FRAME * sizeof *pcm), again[FRAME];
    uint8_t codes[FRAME];
    const size_t refused = first_refused(batch, is_g711_length);
    FUZZ_CHECK(g711_decode_frames(decode, pcm, batch->frames, batch->lengths, batch->n) == refused);
    if (refused == batch->n && batch->lengths[0] == FRAME) { /* silence is 0, which A-law does not have */
        encode(codes, pcm, FRAME);
        decode(again, codes, FRAME);
        FUZZ_CHECK(memcmp(again, pcm, sizeof again) == 0);
    }
    if (refused == batch->n)
        digest = conceal(digest, bank, batch, pcm);
    free(pcm);
    return digest;
}

static uint64_t decode_pcmu(uint64_t digest, void *bank, const struct batch *batch) {
    return decode_g711(digest, bank, batch, g711_ulaw_decode, g711_ulaw_encode);
}

static uint64_t decode_pcma(uint64_t digest, void *bank, const struct batch *batch) {
    return decode_g711(digest, bank, batch, g711_alaw_decode, g711_alaw_encode);
}

static uint64_t tell_g711(uint64_t digest, const uint8_t *input, size_t bytes, decode_batch *decode) {
    struct g711_plc bank[ROWS];
    struct script script = {input, input + bytes};
    script_byte(&script); /* no modes */
    return tell(digest, &(struct decoder){decode, start_g711, bank, FRAME, g711_length}, &script);
}

uint64_t fuzz_pcmu(uint64_t digest, const uint8_t *input, size_t bytes) {
    return tell_g711(digest, input, bytes, decode_pcmu);
}

uint64_t fuzz_pcma(uint64_t digest, const uint8_t *input, size_t bytes) {
    return tell_g711(digest, input, bytes, decode_pcma);
}

/* ---- G.729 ---- */

static int32_t g729_length(uint8_t control) {
    return (control & 7) == 4 ? G729_SID_BYTES : G729_SPEECH_BYTES;
}

static void start_g729(void *bank, ptrdiff_t row) {
    g729_decoder_reset((struct g729_decoder *)bank + row);
}

static uint64_t decode_g729(uint64_t digest, void *bank, const struct batch *batch) {
    struct g729_decoder *decoders = bank;
    int16_t *pcm = malloc(batch->n * FRAME * sizeof *pcm);
    const size_t refused = first_refused(batch, g729_is_length);
    FUZZ_CHECK(g729_decode_rows(decoders, batch->rows, batch->n, pcm, batch->frames, batch->lengths) ==
               refused);
    if (refused == batch->n)
        digest = fuzz_digest(digest, pcm, batch->n * FRAME * sizeof *pcm);
    for (size_t i = 0; i < batch->n; i++)
        FUZZ_CHECK(g729_decoder_is_valid(&decoders[batch->rows[i]]));
    free(pcm);
    return digest;
}

uint64_t fuzz_g729(uint64_t digest, const uint8_t *input, size_t bytes) {
    struct g729_decoder bank[ROWS];
    struct script script = {input, input + bytes};
    script_byte(&script); /* no modes */
    return tell(digest, &(struct decoder){decode_g729, start_g729, bank, G729_SPEECH_BYTES, g729_length},
                &script);
}

/* ---- iLBC: the input's first byte says for which mode there is room ---- */

enum { ILBC_BYTES_20 = 38, ILBC_SAMPLES_20 = 160 };

static int32_t ilbc_length_20(uint8_t control) {
    (void)control;
    return ILBC_BYTES_20;
}

static int32_t ilbc_length_30(uint8_t control) {
    return (control & 7) == 4 ? ILBC_BYTES_20 : ILBC_BYTES;
}

static void start_ilbc_20(void *bank, ptrdiff_t row) {
    ilbc_decoder_start((struct ilbc_decoder *)bank + row, 20);
}

static void start_ilbc_30(void *bank, ptrdiff_t row) {
    ilbc_decoder_start((struct ilbc_decoder *)bank + row, 30);
}

static bool is_ilbc_length_20(int32_t length) {
    return length == LOST || length == UNTRANSMITTED || length == ILBC_BYTES_20;
}

static bool is_ilbc_length_30(int32_t length) {
    return is_ilbc_length_20(length) || length == ILBC_BYTES;
}

static uint64_t decode_ilbc(uint64_t digest, void *bank, const struct batch *batch) {
    struct ilbc_decoder *decoders = bank;
    const bool is_20 = batch->stride == ILBC_BYTES_20;
    const size_t samples = is_20 ? ILBC_SAMPLES_20 : ILBC_SAMPLES;
    int16_t *pcm = malloc(batch->n * samples * sizeof *pcm);
    const size_t refused = first_refused(batch, is_20 ? is_ilbc_length_20 : is_ilbc_length_30);
    FUZZ_CHECK(ilbc_decode_rows(decoders, is_20 ? 20 : 30, batch->rows, batch->n, pcm, batch->frames,
                                batch->lengths) == refused);
    if (refused == batch->n)
        digest = fuzz_digest(digest, pcm, batch->n * samples * sizeof *pcm);
    for (size_t i = 0; i < batch->n; i++)
        FUZZ_CHECK(ilbc_decoder_is_valid(&decoders[batch->rows[i]]));
    free(pcm);
    return digest;
}

uint64_t fuzz_ilbc(uint64_t digest, const uint8_t *input, size_t bytes) {
    struct ilbc_decoder bank[ROWS];
    struct script script = {input, input + bytes};
    const struct decoder decoder =
        script_byte(&script) & 1
            ? (struct decoder){decode_ilbc, start_ilbc_20, bank, ILBC_BYTES_20, ilbc_length_20}
            : (struct decoder){decode_ilbc, start_ilbc_30, bank, ILBC_BYTES, ilbc_length_30};
    return tell(digest, &decoder, &script);
}
