/* The table of codecs, and payloads measured by it. */
#include "plane/codec.h"

const struct codec_facts codec_facts[CODECS] = {
    [CODEC_PCMU] = {.frame_units = 1, .frame_bytes = 80},
    [CODEC_PCMA] = {.frame_units = 1, .frame_bytes = 80},
    [CODEC_G729] = {.frame_units = 1, .frame_bytes = 10, .sid_bytes = 2},
    [CODEC_ILBC_20] = {.frame_units = 2, .frame_bytes = 38, .other_mode = CODEC_ILBC_30},
    [CODEC_ILBC_30] = {.frame_units = 3, .frame_bytes = 50, .other_mode = CODEC_ILBC_20},
};

static bool is_whole(enum codec codec, size_t bytes) {
    size_t tail = bytes % codec_facts[codec].frame_bytes;
    return tail == 0 || tail == codec_facts[codec].sid_bytes;
}

static bool read_frames(struct payload *out, size_t bytes) {
    const struct codec_facts *facts = &codec_facts[out->codec];
    out->frames = (int32_t)(bytes / facts->frame_bytes);
    out->tail_bytes = (int32_t)(bytes % facts->frame_bytes);
    out->units = out->frames * facts->frame_units + (out->tail_bytes ? 1 : 0);
    out->samples = (uint32_t)out->units * UNIT_SAMPLES;
    return true;
}

bool payload_read_frames(struct payload *out, enum codec codec, size_t bytes) {
    *out = (struct payload){.codec = codec, .samples = UNIT_SAMPLES, .units = 1};
    if (bytes == 0)
        return false;
    if (codec == CODEC_COMFORT_NOISE) /* it lasts until something else comes */
        return bytes <= NOISE_BYTES_MAX;
    if (!codec_has_frames((uint8_t)codec))
        return false;
    if (is_whole(codec, bytes))
        return read_frames(out, bytes);
    out->codec = codec_facts[codec].other_mode;
    return out->codec != CODEC_NONE && is_whole(out->codec, bytes) && read_frames(out, bytes);
}
