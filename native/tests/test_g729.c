/* G.729 as a whole: fuzzed under the sanitizers, and the operators on their edges.
 *
 * What comes out is digested: every instruction set must give the digests noted here. */
#include "g729/fixed.h"
#include "g729/in_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static uint32_t random_state = 1;

static uint32_t random_bits(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* FNV-1a */
static uint32_t digest(uint32_t hash, const void *data, size_t n) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static void sums_saturate_to_their_width(void) {
    CHECK(add16(30000, 30000) == INT16_MAX && sub16(-30000, 30000) == INT16_MIN);
    CHECK(neg16(INT16_MIN) == INT16_MAX && abs16(INT16_MIN) == INT16_MAX);
    CHECK(add32(INT32_MAX, 1) == INT32_MAX && sub32(INT32_MIN, 1) == INT32_MIN);
    CHECK(neg32(INT32_MIN) == INT32_MAX && abs32(INT32_MIN) == INT32_MAX);
}

static void minus_one_squared_is_almost_one(void) {
    CHECK(mul16(INT16_MIN, INT16_MIN) == INT16_MAX);
    CHECK(mul16_rounded(INT16_MIN, INT16_MIN) == INT16_MAX);
    CHECK(mul32(INT16_MIN, INT16_MIN) == INT32_MAX);
    CHECK(mac32(INT32_MIN, INT16_MIN, INT16_MIN) == -1); /* the product saturates first */
    CHECK(msu32(0, INT16_MIN, INT16_MIN) == -INT32_MAX);
}

static void products_are_cut_downwards(void) {
    CHECK(mul16(-1, 1) == -1 && mul16(1, 1) == 0);
    CHECK(mul16_rounded(-1, 1) == 0 && mul16_rounded(0x4000, 1) == 1);
}

static void any_shift_count_is_defined(void) {
    CHECK(shl16(1, 15) == INT16_MAX && shl16(-1, 15) == INT16_MIN && shl16(1, 1000) == INT16_MAX);
    CHECK(shl16(0, 1000) == 0 && shr16(-1, 1000) == -1 && shr16(5, 1000) == 0 && shr16(1, -2) == 4);
    CHECK(shl32(1, 31) == INT32_MAX && shl32(-1, 31) == INT32_MIN && shl32(-1, 1000) == INT32_MIN);
    CHECK(shr32(-1, 1000) == -1 && shr32(5, 1000) == 0 && shl32(-8, -2) == -2 && shr32(3, -1) == 6);
    CHECK(shr32_rounded(3, 1) == 2 && shr32_rounded(-3, 1) == -1 && shr32_rounded(1, 32) == 0);
    CHECK(shr16_rounded(1, 16) == 0 && shr16_rounded(6, 2) == 2 && shr16_rounded(1, -3) == 8);
}

static void norms_are_the_shifts_that_still_fit(void) {
    CHECK(norm32(0) == 0 && norm32(1) == 30 && norm32(-1) == 31 && norm32(INT32_MIN) == 0);
    CHECK(norm16(0) == 0 && norm16(1) == 14 && norm16(-1) == 15 && norm16(INT16_MIN) == 0);
}

static void split_numbers_lose_their_lowest_bit(void) {
    CHECK(dpf_value(dpf_of(0x12345679)) == 0x12345678 && dpf_value(dpf_of(-1)) == -2);
    CHECK(round16(INT32_MAX) == INT16_MAX && round16(0x8000) == 1 && round16(0x7FFF) == 0);
    CHECK(div16(1, 2) == 0x4000 && div16(7, 7) == INT16_MAX && div16(0, 7) == 0);
}

static void fields_come_back_as_they_were_packed(void) {
    for (int i = 0; i < 1000; i++) {
        uint8_t in[G729_SPEECH_BYTES], out[G729_SPEECH_BYTES];
        struct g729_speech_parameters speech;
        struct g729_sid_parameters sid;
        for (int j = 0; j < G729_SPEECH_BYTES; j++)
            in[j] = (uint8_t)random_bits();
        g729_unpack_speech(&speech, in);
        g729_pack_speech(out, &speech);
        CHECK(memcmp(in, out, sizeof in) == 0);
        in[1] &= 0xFE;
        g729_unpack_sid(&sid, in);
        g729_pack_sid(out, &sid);
        CHECK(memcmp(in, out, G729_SID_BYTES) == 0);
    }
}

/* The kernel for one instruction set. */
struct kernel {
    g729_encode_function *encode;
    g729_decode_function *decode;
};

/* Any bytes and any losses: nothing may be read or written out of bounds, no operation may be undefined. */
static void any_frames_decode(const struct kernel *kernel, uint32_t expected) {
    static const int32_t kinds[8] = {10, 10, 10, 10, 10, 2, G729_LOST, G729_UNTRANSMITTED};
    static struct g729_decoder decoder;
    uint32_t hash = 2166136261u;
    random_state = 2;
    g729_decoder_reset(&decoder);
    for (int i = 0; i < 3000; i++) {
        uint8_t in[G729_SPEECH_BYTES];
        int16_t out[G729_FRAME];
        if (i % 300 == 0)
            g729_decoder_reset(&decoder);
        for (int j = 0; j < G729_SPEECH_BYTES; j++)
            in[j] = (uint8_t)random_bits();
        const int32_t length = kinds[random_bits() % 8];
        kernel->decode(&decoder, &(const intptr_t){0}, 1, out, in, &length);
        for (int j = 0; j < G729_FRAME; j++) {
            const uint8_t bytes[2] = {(uint8_t)(out[j] & 0xFF), (uint8_t)(out[j] >> 8 & 0xFF)};
            hash = digest(hash, bytes, sizeof bytes);
        }
    }
    CHECK(hash == expected);
}

/* Blocks of noise of any level, constant blocks and square waves. */
static void any_samples_encode(const struct kernel *kernel, bool annexb, uint32_t expected) {
    static struct g729_encoder encoder;
    uint32_t hash = 2166136261u;
    random_state = 3;
    g729_encoder_reset(&encoder);
    for (int i = 0; i < 600; i++) {
        uint8_t out[G729_SPEECH_BYTES];
        int16_t in[G729_FRAME];
        const int kind = i / 30 % 3, shift = i / 90 % 3 * 7;
        if (i % 300 == 0)
            g729_encoder_reset(&encoder);
        for (int j = 0; j < G729_FRAME; j++) {
            const int16_t noise = (int16_t)(uint16_t)(random_bits() & 0xFFFF);
            const int16_t square = j / (1 + i % 50) % 2 ? INT16_MAX : INT16_MIN;
            in[j] = (int16_t)((kind == 0 ? noise : kind == 1 ? square : INT16_MIN) >> shift);
        }
        int32_t n_bytes;
        kernel->encode(&encoder, &(const intptr_t){0}, 1, out, &n_bytes, in, annexb);
        CHECK(n_bytes == 10 || (annexb && (n_bytes == 2 || n_bytes == 0)));
        hash = digest(hash, out, (size_t)n_bytes);
    }
    CHECK(hash == expected);
}

/* States of random bytes, where they pass for valid: nothing may be undefined then either. */
static void any_valid_state_can_be_used(void) {
    static struct g729_encoder encoder;
    static struct g729_decoder decoder;
    for (int i = 0; i < 400; i++) {
        uint8_t frame[G729_SPEECH_BYTES] = {0};
        int16_t pcm[G729_FRAME];
        for (size_t j = 0; j < sizeof encoder; j++)
            ((uint8_t *)&encoder)[j] = (uint8_t)random_bits();
        for (size_t j = 0; j < sizeof decoder; j++)
            ((uint8_t *)&decoder)[j] = (uint8_t)random_bits();
        CHECK(i > 5 || !g729_encoder_is_valid(&encoder) || !g729_decoder_is_valid(&decoder));
        encoder.vad.may_extend = encoder.vad.was_speech = encoder.vad.was_speech_before = i & 1;
        encoder.dtx.changed = decoder.was_speech = i & 2;
        encoder.vad.frame = (int16_t)(i % 140);
        encoder.vad.n_quiet = encoder.vad.n_extended = 0;
        encoder.dtx.n_in_pair = (int16_t)(i & 1);
        encoder.dtx.n_frames_since_sid = 2;
        encoder.dtx.n_energies = 1;
        decoder.lag = 144;
        decoder.lsf.last_mode = i & 1;
        for (int j = 0; j < G729_ORDER; j++)
            decoder.lsf.last_q13[j] &= INT16_MAX;
        CHECK(g729_encoder_is_valid(&encoder) && g729_decoder_is_valid(&decoder));
        for (int j = 0; j < 4; j++) {
            g729_decode(&decoder, pcm, frame, j % 2 ? G729_UNTRANSMITTED : G729_LOST);
            g729_decode(&decoder, pcm, frame, j % 2 ? G729_SPEECH_BYTES : G729_SID_BYTES);
            g729_encode(&encoder, frame, pcm, true);
        }
    }
}

static void a_bad_length_stops_the_batch_before_it_starts(void) {
    static struct g729_decoder bank[2];
    const intptr_t rows[3] = {1, 0, 1};
    const int32_t lengths[3] = {10, G729_LOST, 3};
    const uint8_t in[3 * G729_SPEECH_BYTES] = {0};
    int16_t out[3 * G729_FRAME];
    memset(out, 0x11, sizeof out);
    g729_decoder_reset(&bank[0]);
    g729_decoder_reset(&bank[1]);
    CHECK(g729_decode_rows(bank, rows, 3, out, in, lengths) == 2);
    CHECK(out[0] == 0x1111);
    CHECK(g729_decode_rows(bank, rows, 2, out, in, lengths) == 2);
    CHECK(out[0] != 0x1111 && out[2 * G729_FRAME] == 0x1111);
}

/* Speech, noise and pauses of any row, some rows twice in a batch; alone is what the rows give one by one. */
static void a_batch_gives_what_its_rows_give_alone(const struct kernel *kernel) {
    enum { ROWS = 19, FRAMES = 60 };
    static struct g729_encoder encoders[ROWS], lone_encoders[ROWS];
    static struct g729_decoder decoders[ROWS], lone_decoders[ROWS];
    static const int32_t kinds[8] = {10, 10, 10, 10, 10, 2, G729_LOST, G729_UNTRANSMITTED};
    for (int row = 0; row < ROWS; row++) {
        g729_encoder_reset(&encoders[row]), g729_encoder_reset(&lone_encoders[row]);
        g729_decoder_reset(&decoders[row]), g729_decoder_reset(&lone_decoders[row]);
    }
    for (int frame = 0; frame < FRAMES; frame++) {
        uint8_t coded[ROWS][G729_SPEECH_BYTES] = {{0}};
        int16_t pcm[ROWS][G729_FRAME], heard[ROWS][G729_FRAME];
        int32_t lengths[ROWS];
        intptr_t rows[ROWS];
        for (int i = 0; i < ROWS; i++) {
            rows[i] = (intptr_t)(random_bits() % ROWS);
            for (int j = 0; j < G729_FRAME; j++)
                pcm[i][j] = (int16_t)((int16_t)(uint16_t)(random_bits() & 0xFFFF) >> rows[i] % 12);
        }
        kernel->encode(encoders, rows, ROWS, coded[0], lengths, pcm[0], true);
        for (int i = 0; i < ROWS; i++) {
            uint8_t alone[G729_SPEECH_BYTES] = {0};
            int32_t length;
            kernel->encode(lone_encoders, &rows[i], 1, alone, &length, pcm[i], true);
            CHECK(length == lengths[i] && memcmp(alone, coded[i], sizeof alone) == 0);
            lengths[i] = i % 2 ? length : kinds[random_bits() % 8];
        }
        kernel->decode(decoders, rows, ROWS, heard[0], coded[0], lengths);
        for (int i = 0; i < ROWS; i++) {
            int16_t alone[G729_FRAME];
            kernel->decode(lone_decoders, &rows[i], 1, alone, coded[i], &lengths[i]);
            CHECK(memcmp(alone, heard[i], sizeof alone) == 0);
        }
    }
}

static void bits_are_those_of_the_standard_with(const struct kernel *kernel) {
    any_frames_decode(kernel, 0x4ce2d6f5u);
    any_samples_encode(kernel, false, 0x88757985u);
    any_samples_encode(kernel, true, 0x969aa808u);
    a_batch_gives_what_its_rows_give_alone(kernel);
}

int main(void) {
    sums_saturate_to_their_width();
    minus_one_squared_is_almost_one();
    products_are_cut_downwards();
    any_shift_count_is_defined();
    norms_are_the_shifts_that_still_fit();
    split_numbers_lose_their_lowest_bit();
    fields_come_back_as_they_were_packed();
    bits_are_those_of_the_standard_with(&(struct kernel){g729_encode_batch, g729_decode_batch});
#ifdef TANDEM_G729_X86
    if (__builtin_cpu_supports("sse4.1"))
        bits_are_those_of_the_standard_with(
            &(struct kernel){g729_encode_batch_sse41, g729_decode_batch_sse41});
    if (__builtin_cpu_supports("avx2"))
        bits_are_those_of_the_standard_with(&(struct kernel){g729_encode_batch_avx2, g729_decode_batch_avx2});
#endif
    any_valid_state_can_be_used();
    a_bad_length_stops_the_batch_before_it_starts();
    return 0;
}
