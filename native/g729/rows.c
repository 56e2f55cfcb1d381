#include "g729/g729.h"
#include "g729/in_step.h"

bool g729_is_length(int32_t n_bytes) {
    return n_bytes == G729_SPEECH_BYTES || n_bytes == G729_SID_BYTES || n_bytes == G729_UNTRANSMITTED ||
           n_bytes == G729_LOST;
}

static g729_encode_function *encoder_here(void) {
#ifdef TANDEM_G729_AVX2
    if (__builtin_cpu_supports("avx2"))
        return g729_encode_batch_avx2;
#endif
    return g729_encode_batch;
}

static g729_decode_function *decoder_here(void) {
#ifdef TANDEM_G729_AVX2
    if (__builtin_cpu_supports("avx2"))
        return g729_decode_batch_avx2;
#endif
    return g729_decode_batch;
}

void g729_encode_rows(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                      int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    encoder_here()(bank, rows, n, out, lengths, in, annexb);
}

size_t g729_decode_rows(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                        const uint8_t *restrict in, const int32_t *restrict lengths) {
    for (size_t i = 0; i < n; i++)
        if (!g729_is_length(lengths[i]))
            return i;
    decoder_here()(bank, rows, n, out, in, lengths);
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
