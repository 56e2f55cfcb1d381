#include "g729/in_step.h"
#include "g729/lanes.h"

/* How many of the next rows can be coded in step: no more than lanes, none of them twice. */
static size_t distinct(const intptr_t *rows, size_t n) {
    size_t count = 1;
    for (; count < n && count < LANES; count++)
        for (size_t i = 0; i < count; i++)
            if (rows[i] == rows[count])
                return count;
    return count;
}

void g729_encode_batch(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                       int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    for (size_t i = 0, count; i < n; i += count) {
        count = distinct(rows + i, n - i);
        g729_encode_in_step(bank, rows + i, count, out + i * G729_SPEECH_BYTES, lengths + i,
                            in + i * G729_FRAME, annexb);
    }
}

void g729_decode_batch(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                       const uint8_t *restrict in, const int32_t *restrict lengths) {
    for (size_t i = 0, count; i < n; i += count) {
        count = distinct(rows + i, n - i);
        g729_decode_in_step(bank, rows + i, count, out + i * G729_FRAME, in + i * G729_SPEECH_BYTES,
                            lengths + i);
    }
}
