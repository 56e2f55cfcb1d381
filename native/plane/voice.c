/* Which bytes of a row's codec states are in use, and whether they can be trusted. */
#include "plane/voice.h"

size_t voice_ear_bytes(const struct ear *ear) {
    const size_t before = offsetof(struct ear, state);
    switch (ear->codec) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        return before + sizeof ear->state.g711;
    case CODEC_G729:
        return before + sizeof ear->state.g729;
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        return before + sizeof ear->state.ilbc;
    default:
        return before;
    }
}

size_t voice_mouth_bytes(const struct mouth *mouth) {
    const size_t before = offsetof(struct mouth, state);
    switch (mouth->codec) {
    case CODEC_G729:
        return before + sizeof mouth->state.g729;
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        return before + sizeof mouth->state.ilbc;
    default:
        return before;
    }
}

static bool is_mode_of(int16_t mode_ms, uint8_t codec) {
    return mode_ms == 10 * codec_facts[codec].frame_units;
}

static bool ear_state_is_valid(const struct ear *ear) {
    switch (ear->codec) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        return g711_plc_is_valid(&ear->state.g711);
    case CODEC_G729:
        return g729_decoder_is_valid(&ear->state.g729);
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        return ilbc_decoder_is_valid(&ear->state.ilbc) && is_mode_of(ear->state.ilbc.mode_ms, ear->codec);
    default:
        return ear->codec == CODEC_NONE;
    }
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

bool voice_ear_is_valid(const struct ear *ear) {
    return ear->at <= FRAME_UNITS_MAX && ear->last >= INT16_MIN && ear->last <= INT16_MAX &&
           comfort_is_valid(&ear->comfort) && ear_state_is_valid(ear);
}

bool voice_mouth_is_valid(const struct mouth *mouth) {
    if (mouth->gathered >= FRAME_UNITS_MAX || mouth->bytes > PENDING_BYTES)
        return false;
    switch (mouth->codec) {
    case CODEC_G729:
        return g729_encoder_is_valid(&mouth->state.g729);
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        return ilbc_encoder_is_valid(&mouth->state.ilbc) &&
               is_mode_of(mouth->state.ilbc.mode_ms, mouth->codec);
    default:
        return true;
    }
}
