#include "ilbc/blocks.h"

#include <string.h>

void ilbc_encode_rows(struct ilbc_encoder *encoders, int mode_ms, const ptrdiff_t *restrict rows,
                      size_t n_rows, uint8_t *restrict frames, const int16_t *restrict pcm) {
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    for (size_t i = 0; i < n_rows; i++) {
        struct ilbc_encoder *encoder = &encoders[rows[i]];
        if (encoder->mode_ms != mode_ms)
            ilbc_encoder_start(encoder, mode_ms);
        ilbc_encode(encoder, frames + i * (size_t)mode.bytes, pcm + i * (size_t)mode.samples);
    }
}

static bool is_frame(int32_t length, int mode_ms) {
    return length == 38 || (length == 50 && mode_ms == 30) || length == ILBC_UNTRANSMITTED ||
           length == ILBC_LOST;
}

/* A frame says its mode; without one the row stays in its own, a new row takes the bank's. */
static int mode_of_frame(int32_t length, const struct ilbc_decoder *decoder, int mode_ms) {
    if (length > 0)
        return length == 38 ? 20 : 30;
    return decoder->mode_ms == 20 ? 20 : mode_ms;
}

size_t ilbc_decode_rows(struct ilbc_decoder *decoders, int mode_ms, const ptrdiff_t *restrict rows,
                        size_t n_rows, int16_t *restrict pcm, const uint8_t *restrict frames,
                        const int32_t *restrict lengths) {
    const struct ilbc_mode room = ilbc_mode_of(mode_ms);
    for (size_t i = 0; i < n_rows; i++)
        if (!is_frame(lengths[i], mode_ms))
            return i;
    for (size_t i = 0; i < n_rows; i++) {
        struct ilbc_decoder *decoder = &decoders[rows[i]];
        const int ms = mode_of_frame(lengths[i], decoder, mode_ms), n_given = ilbc_mode_of(ms).samples;
        int16_t *out = pcm + i * (size_t)room.samples;
        if (decoder->mode_ms != ms)
            ilbc_decoder_start(decoder, ms);
        ilbc_decode(decoder, out, lengths[i] > 0 ? frames + i * (size_t)room.bytes : NULL);
        memset(out + n_given, 0, (size_t)(room.samples - n_given) * sizeof *out);
    }
    return n_rows;
}

static bool is_mode(int mode_ms) {
    return mode_ms == 0 || mode_ms == 20 || mode_ms == 30;
}

static bool is_within(int x, int least, int greatest) {
    return least <= x && x <= greatest;
}

static bool is_high_pass(const struct ilbc_high_pass *state) {
    return is_within(state->out_q14[0], INT32_MIN / 2, INT32_MAX / 2) &&
           is_within(state->out_q14[1], INT32_MIN / 2, INT32_MAX / 2);
}

bool ilbc_encoder_is_valid(const struct ilbc_encoder *encoder) {
    return is_mode(encoder->mode_ms) && is_high_pass(&encoder->high_pass);
}

/* Lags and periods are where samples are read; everything else may have any value. */
bool ilbc_decoder_is_valid(const struct ilbc_decoder *decoder) {
    if (decoder->mode_ms == 0)
        return true;
    for (int i = 0; i < ILBC_PERIODS; i++)
        if (!is_within(decoder->period_q2[i], 80, 472))
            return false;
    return is_mode(decoder->mode_ms) && is_within(decoder->pitch_lag, 19, 119) && decoder->lost_run >= 0 &&
           (decoder->lost_run == 0 || is_within(decoder->conceal_lag, 16, 122)) &&
           is_within(decoder->conceal_shift, 0, 5) && is_high_pass(&decoder->high_pass);
}
