/* The codecs as the plane sees them: how long a frame is, and what a payload must be to be whole.
 *
 * A payload is a whole number of frames (RFC 3551 section 4.5.6, RFC 3952 section 3).  G.729 may end with a
 * silence descriptor of two bytes, which lasts as long as a frame; iLBC says its mode by its length; G.711
 * has samples, not frames.
 */
#ifndef TANDEM_PLANE_CODEC_H
#define TANDEM_PLANE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIT_SAMPLES = 80,    /* 10 ms at 8 kHz: the tick, and the grid of the playout slots */
    FRAME_UNITS_MAX = 3,  /* iLBC of 30 ms */
    NOISE_BYTES_MAX = 33, /* RFC 3389: a level and coefficients */
};

/* What a payload type means on a row: `receive_map[pt]`. */
enum codec {
    CODEC_NONE = 0,
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_G729,
    CODEC_ILBC_20,
    CODEC_ILBC_30,
    CODECS, /* those above have frames */
    CODEC_COMFORT_NOISE = 126,
    CODEC_EVENT = 127
};

struct codec_facts {
    uint8_t frame_units; /* of 10 ms */
    uint8_t frame_bytes; /* at most SLOT_BYTES */
    uint8_t sid_bytes;   /* of a silence descriptor; 0 = there is none */
    uint8_t other_mode;  /* enum codec: the same codec with frames of another length */
};
extern const struct codec_facts codec_facts[CODECS];

static inline bool codec_has_frames(uint8_t codec) {
    return codec > CODEC_NONE && codec < CODECS;
}

static inline bool codec_is_g711(uint8_t codec) {
    return codec == CODEC_PCMU || codec == CODEC_PCMA;
}

static inline bool codec_is_ilbc(uint8_t codec) {
    return codec == CODEC_ILBC_20 || codec == CODEC_ILBC_30;
}

/* Units of one frame; what has no frames lasts a unit. */
static inline int32_t codec_units(uint8_t codec) {
    return codec_has_frames(codec) ? codec_facts[codec].frame_units : 1;
}

static inline int32_t codec_sid_bytes(uint8_t codec) {
    return codec_has_frames(codec) ? codec_facts[codec].sid_bytes : 0;
}

struct payload {
    enum codec codec;   /* in the mode that the length says */
    int32_t frames;     /* whole ones; 0 for G.711, which has none */
    int32_t tail_bytes; /* a silence descriptor behind them */
    uint32_t samples;   /* how long it lasts */
    int32_t units;      /* ... rounded up */
};

/* Understand a payload of frames or of comfort noise; use payload_read(). */
bool payload_read_frames(struct payload *out, enum codec codec, size_t bytes);

/* Understand a payload of `bytes` bytes.  False: it is not whole.  Nearly all of them are G.711's. */
static inline bool payload_read(struct payload *out, enum codec codec, size_t bytes) {
    if (!codec_is_g711((uint8_t)codec) || bytes == 0)
        return payload_read_frames(out, codec, bytes);
    int32_t units = (int32_t)((bytes + UNIT_SAMPLES - 1) / UNIT_SAMPLES);
    *out = (struct payload){.codec = codec, .samples = (uint32_t)bytes, .units = units};
    return true;
}

/* Can `from` be sent as `to` without decoding?  A table look-up a byte at most. */
static inline bool relay_possible(uint8_t from, uint8_t to) {
    return to != CODEC_NONE && (from == to || (codec_is_g711(from) && codec_is_g711(to)));
}

#endif
