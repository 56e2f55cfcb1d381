#include "ilbc/blocks.h"

#include <string.h>

void ilbc_encode_rows(struct ilbc_encoder *encoders, const ptrdiff_t *restrict rows, size_t n_rows,
                      uint8_t *restrict frames, const int16_t *restrict pcm) {
    for (size_t i = 0; i < n_rows; i++) {
        struct ilbc_encoder *encoder = &encoders[rows[i]];
        const struct ilbc_mode mode = ilbc_mode_of(encoder->mode_ms);
        ilbc_encode(encoder, frames + i * (size_t)mode.bytes, pcm + i * (size_t)mode.samples);
    }
}

static bool is_frame(int32_t length, int mode_ms) {
    return length == 38 || (length == 50 && mode_ms == 30) || length == ILBC_UNTRANSMITTED ||
           length == ILBC_LOST;
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
        const int arrived_ms = lengths[i] == 38 ? 20 : lengths[i] == 50 ? 30 : decoder->mode_ms;
        int16_t *out = pcm + i * (size_t)room.samples;
        if (arrived_ms != decoder->mode_ms)
            ilbc_decoder_start(decoder, arrived_ms);
        ilbc_decode(decoder, out, lengths[i] > 0 ? frames + i * (size_t)room.bytes : NULL);
        const int n_given = ilbc_mode_of(arrived_ms).samples;
        memset(out + n_given, 0, (size_t)(room.samples - n_given) * sizeof *out);
    }
    return n_rows;
}
