#include "g729/g729.h"

void g729_encode_rows(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                      int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    for (size_t i = 0; i < n; i++)
        lengths[i] =
            (int32_t)g729_encode(&bank[rows[i]], out + i * G729_SPEECH_BYTES, in + i * G729_FRAME, annexb);
}

size_t g729_decode_rows(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                        const uint8_t *restrict in, const int32_t *restrict lengths) {
    for (size_t i = 0; i < n; i++)
        if (!g729_is_length(lengths[i]))
            return i;
    for (size_t i = 0; i < n; i++)
        g729_decode(&bank[rows[i]], out + i * G729_FRAME, in + i * G729_SPEECH_BYTES, lengths[i]);
    return n;
}
