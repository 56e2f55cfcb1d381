#include "g729/g729.h"
#include "g729/in_step.h"

bool g729_is_length(int32_t n_bytes) {
    return n_bytes == G729_SPEECH_BYTES || n_bytes == G729_SID_BYTES || n_bytes == G729_UNTRANSMITTED ||
           n_bytes == G729_LOST;
}

struct kernel {
    g729_encode_function *encode;
    g729_decode_function *decode;
};

/* What suits n rows: with AVX2 eight go in step, but few rows are done sooner four by four. */
static struct kernel kernel_for(size_t n) {
#ifdef TANDEM_G729_X86
    enum { FEW = 4 };
    if (n > FEW && __builtin_cpu_supports("avx2"))
        return (struct kernel){g729_encode_batch_avx2, g729_decode_batch_avx2};
    if (__builtin_cpu_supports("sse4.1"))
        return (struct kernel){g729_encode_batch_sse41, g729_decode_batch_sse41};
#else
    (void)n;
#endif
    return (struct kernel){g729_encode_batch, g729_decode_batch};
}

void g729_encode_rows(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                      int32_t *restrict lengths, const int16_t *restrict in, bool annexb) {
    kernel_for(n).encode(bank, rows, n, out, lengths, in, annexb);
}

size_t g729_decode_rows(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                        const uint8_t *restrict in, const int32_t *restrict lengths) {
    for (size_t i = 0; i < n; i++)
        if (!g729_is_length(lengths[i]))
            return i;
    kernel_for(n).decode(bank, rows, n, out, in, lengths);
    return n;
}

size_t g729_encode(struct g729_encoder *encoder, uint8_t out[G729_SPEECH_BYTES], const int16_t in[G729_FRAME],
                   bool annexb) {
    const intptr_t row = 0;
    int32_t length;
    kernel_for(1).encode(encoder, &row, 1, out, &length, in, annexb);
    return (size_t)length;
}

void g729_decode(struct g729_decoder *decoder, int16_t out[G729_FRAME], const uint8_t *in, int32_t n_bytes) {
    const intptr_t row = 0;
    kernel_for(1).decode(decoder, &row, 1, out, in, &n_bytes);
}
