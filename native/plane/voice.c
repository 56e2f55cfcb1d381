/* Where codec states lie, what of a row's is in use, and whether bytes that came from elsewhere can be. */
#include "plane/voice.h"

#include <string.h>

void voices_lay(struct voices *voices, uint8_t *memory, size_t capacity) {
    /* doubles first: what follows needs less alignment, and every size is a multiple of its own */
    voices->mouths = (struct mouth *)(void *)memory;
    voices->ears = (struct ear *)(void *)(voices->mouths + capacity);
    voices->g729_decoders = (struct g729_decoder *)(void *)(voices->ears + capacity);
    voices->g729_encoders = (struct g729_encoder *)(void *)(voices->g729_decoders + capacity);
    voices->ilbc_decoders = (struct ilbc_decoder *)(void *)(voices->g729_encoders + capacity);
    voices->ilbc_encoders = (struct ilbc_encoder *)(void *)(voices->ilbc_decoders + capacity);
    voices->concealers = (struct g711_plc *)(void *)(voices->ilbc_encoders + capacity);
}

void voice_forget(struct voices *voices, int32_t row) {
    memset(&voices->ears[row], 0, sizeof *voices->ears); /* a codec's state is started with its first frame */
    memset(&voices->mouths[row], 0, sizeof *voices->mouths);
}

static size_t ear_state_bytes(uint8_t codec) {
    if (codec_is_g711(codec))
        return sizeof(struct g711_plc);
    if (codec == CODEC_G729)
        return sizeof(struct g729_decoder);
    return codec_is_ilbc(codec) ? sizeof(struct ilbc_decoder) : 0;
}

static size_t mouth_state_bytes(uint8_t codec) {
    if (codec == CODEC_G729)
        return sizeof(struct g729_encoder);
    return codec_is_ilbc(codec) ? sizeof(struct ilbc_encoder) : 0;
}

static void *ear_state(const struct voices *voices, int32_t row) {
    const uint8_t codec = voices->ears[row].codec;
    if (codec_is_g711(codec))
        return &voices->concealers[row];
    return codec == CODEC_G729 ? (void *)&voices->g729_decoders[row] : (void *)&voices->ilbc_decoders[row];
}

/* That of the row which encodes for this one, if it follows another. */
static void *mouth_state(const struct voices *voices, int32_t row) {
    const struct mouth *mouth = &voices->mouths[row];
    const int32_t singer = mouth->follows == MOUTH_LEADS ? row : mouth->follows - 1;
    return mouth->codec == CODEC_G729 ? (void *)&voices->g729_encoders[singer]
                                      : (void *)&voices->ilbc_encoders[singer];
}

size_t voice_save(const struct voices *voices, int32_t row, uint8_t *out) {
    const struct ear *ear = &voices->ears[row];
    const struct mouth *mouth = &voices->mouths[row];
    struct mouth alone = *mouth;
    alone.follows = MOUTH_LEADS;
    const size_t ear_bytes = ear_state_bytes(ear->codec), mouth_bytes = mouth_state_bytes(mouth->codec);
    uint8_t *p = out;
    memcpy(p, ear, sizeof *ear);
    memcpy(p += sizeof *ear, &alone, sizeof alone);
    memcpy(p += sizeof *mouth, ear_state(voices, row), ear_bytes);
    memcpy(p += ear_bytes, mouth_state(voices, row), mouth_bytes);
    return (size_t)(p + mouth_bytes - out);
}

void voice_load(struct voices *voices, int32_t row, const uint8_t *copy) {
    struct ear *ear = &voices->ears[row];
    struct mouth *mouth = &voices->mouths[row];
    memcpy(ear, copy, sizeof *ear);
    memcpy(mouth, copy += sizeof *ear, sizeof *mouth);
    memcpy(ear_state(voices, row), copy += sizeof *mouth, ear_state_bytes(ear->codec));
    copy += ear_state_bytes(ear->codec);
    memcpy(mouth_state(voices, row), copy, mouth_state_bytes(mouth->codec));
}

static bool is_mode_of(int16_t mode_ms, uint8_t codec) {
    return mode_ms == 10 * codec_facts[codec].frame_units;
}

static bool ear_state_is_valid(uint8_t codec, const uint8_t *bytes) {
    union {
        struct g711_plc g711;
        struct g729_decoder g729;
        struct ilbc_decoder ilbc;
    } state;
    memcpy(&state, bytes, ear_state_bytes(codec));
    if (codec_is_g711(codec))
        return g711_plc_is_valid(&state.g711);
    if (codec == CODEC_G729)
        return g729_decoder_is_valid(&state.g729);
    if (codec_is_ilbc(codec))
        return ilbc_decoder_is_valid(&state.ilbc) && is_mode_of(state.ilbc.mode_ms, codec);
    return codec == CODEC_NONE;
}

static bool mouth_state_is_valid(uint8_t codec, const uint8_t *bytes) {
    union {
        struct g729_encoder g729;
        struct ilbc_encoder ilbc;
    } state;
    memcpy(&state, bytes, mouth_state_bytes(codec));
    if (codec == CODEC_G729)
        return g729_encoder_is_valid(&state.g729);
    if (codec_is_ilbc(codec))
        return ilbc_encoder_is_valid(&state.ilbc) && is_mode_of(state.ilbc.mode_ms, codec);
    return true;
}

static bool comfort_is_valid(const struct comfort *comfort) {
    if (comfort->order < 0 || comfort->order > COMFORT_ORDER)
        return false;
    for (int i = 0; i <= COMFORT_ORDER; i++)
        if (comfort->lattice[i] > INT32_MAX / 2 || comfort->lattice[i] < INT32_MIN / 2)
            return false;
    for (int i = 0; i < COMFORT_ORDER; i++)
        if (comfort->k_q15[i] > INT16_MAX || comfort->k_q15[i] < INT16_MIN)
            return false;
    return comfort->gain_q15 >= 0 && comfort->gain_q15 < 1 << 18 && comfort->target_q15 >= 0 &&
           comfort->target_q15 < 1 << 18;
}

bool voice_is_valid(const uint8_t *copy, size_t bytes) {
    struct ear ear;
    struct mouth mouth;
    if (bytes < sizeof ear + sizeof mouth)
        return false;
    memcpy(&ear, copy, sizeof ear);
    memcpy(&mouth, copy + sizeof ear, sizeof mouth);
    const uint8_t *ear_at = copy + sizeof ear + sizeof mouth, *mouth_at = ear_at + ear_state_bytes(ear.codec);
    return bytes == (size_t)(mouth_at - copy) + mouth_state_bytes(mouth.codec) && ear.at <= FRAME_UNITS_MAX &&
           ear.last >= INT16_MIN && ear.last <= INT16_MAX && comfort_is_valid(&ear.comfort) &&
           mouth.gathered < FRAME_UNITS_MAX && mouth.follows == MOUTH_LEADS &&
           mouth.bytes <= PENDING_BYTES - UNIT_SAMPLES && ear_state_is_valid(ear.codec, ear_at) &&
           mouth_state_is_valid(mouth.codec, mouth_at);
}
