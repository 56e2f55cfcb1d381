#include "g729/g729.h"
#include "g729/in_step.h"

/* How many of the next rows can be coded in step: eight at most, none of them twice. */
static size_t distinct(const intptr_t *rows, size_t n) {
    size_t count = 1;
    for (; count < n && count < LANES; count++)
        for (size_t i = 0; i < count; i++)
            if (rows[i] == rows[count])
                return count;
    return count;
}

bool g729_is_length(int32_t n_bytes) {
    return n_bytes == G729_SPEECH_BYTES || n_bytes == G729_SID_BYTES || n_bytes == G729_UNTRANSMITTED ||
           n_bytes == G729_LOST;
}

static g729_encode_function *encoder_here(void) {
#ifdef TANDEM_G729_AVX2
    if (__builtin_cpu_supports("avx2"))
        return g729_encode_in_step_avx2;
#endif
    return g729_encode_in_step;
}

static g729_decode_function *decoder_here(void) {
#ifdef TANDEM_G729_AVX2
    if (__builtin_cpu_supports("avx2"))
        return g729_decode_in_step_avx2;
#endif
    return g729_decode_in_step;
}

void g729_encode_rows(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                      int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    g729_encode_function *const encode = encoder_here();
    for (size_t i = 0, count; i < n; i += count) {
        count = distinct(rows + i, n - i);
        encode(bank, rows + i, count, out + i * G729_SPEECH_BYTES, lengths + i, in + i * G729_FRAME, annexb);
    }
}

size_t g729_decode_rows(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                        const uint8_t *restrict in, const int32_t *restrict lengths) {
    g729_decode_function *const decode = decoder_here();
    for (size_t i = 0; i < n; i++)
        if (!g729_is_length(lengths[i]))
            return i;
    for (size_t i = 0, count; i < n; i += count) {
        count = distinct(rows + i, n - i);
        decode(bank, rows + i, count, out + i * G729_FRAME, in + i * G729_SPEECH_BYTES, lengths + i);
    }
    return n;
}

size_t g729_encode(struct g729_encoder *encoder, uint8_t out[G729_SPEECH_BYTES], const int16_t in[G729_FRAME],
                   bool annexb) {
    const intptr_t row = 0;
    int32_t length;
    encoder_here()(encoder, &row, 1, out, &length, in, annexb);
    return (size_t)length;
}

void g729_decode(struct g729_decoder *decoder, int16_t out[G729_FRAME], const uint8_t *in, int32_t n_bytes) {
    const intptr_t row = 0;
    decoder_here()(decoder, &row, 1, out, in, &n_bytes);
}
