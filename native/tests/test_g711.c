/* G.711 against the standard's own segment arithmetic, written the slow way, over the whole domain. */
#include "g711/g711.h"

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

enum { ALL_SAMPLES = 65536, ALL_CODES = 256 };

typedef void encoder(uint8_t *restrict out, const int16_t *restrict in, size_t n);
typedef void decoder(int16_t *restrict out, const uint8_t *restrict in, size_t n);

static uint8_t slow_ulaw_encode(int16_t sample) {
    int magnitude = ((sample < 0 ? ~sample : sample) >> 2) + 33, segment = 0;
    if (magnitude > 0x1FFF)
        magnitude = 0x1FFF;
    while (magnitude >> (segment + 6))
        segment++;
    const int code = segment << 4 | ((magnitude >> (segment + 1)) & 15);
    return (uint8_t)((sample < 0 ? 0x7F : 0xFF) ^ code);
}

static uint8_t slow_alaw_encode(int16_t sample) {
    const int magnitude = (sample < 0 ? ~sample : sample) >> 4;
    int segment = 0;
    while (magnitude >> (segment + 5))
        segment++;
    const int code = magnitude < 16 ? magnitude : (segment + 1) << 4 | ((magnitude >> segment) & 15);
    return (uint8_t)((sample < 0 ? 0x55 : 0xD5) ^ code);
}

static int16_t slow_ulaw_decode(uint8_t code) {
    const int segment = (~code >> 4) & 7, step = ~code & 15;
    const int magnitude = ((33 + 2 * step) * (1 << segment) - 33) * 4;
    return (int16_t)(code & 0x80 ? magnitude : -magnitude);
}

static int16_t slow_alaw_decode(uint8_t code) {
    const int segment = ((code ^ 0x55) >> 4) & 7, step = (code ^ 0x55) & 15;
    const int magnitude = segment ? (33 + 2 * step) * (1 << (segment + 2)) : (1 + 2 * step) * 8;
    return (int16_t)(code & 0x80 ? magnitude : -magnitude);
}

static int16_t samples[ALL_SAMPLES];
static uint8_t codes[ALL_CODES];

static void fill_domain(void) {
    for (int i = 0; i < ALL_SAMPLES; i++)
        samples[i] = (int16_t)(i - 32768);
    for (int i = 0; i < ALL_CODES; i++)
        codes[i] = (uint8_t)i;
}

static void every_sample_gets_the_standards_code(void) {
    static uint8_t ulaw[ALL_SAMPLES], alaw[ALL_SAMPLES];
    g711_ulaw_encode(ulaw, samples, ALL_SAMPLES);
    g711_alaw_encode(alaw, samples, ALL_SAMPLES);
    for (int i = 0; i < ALL_SAMPLES; i++) {
        CHECK(ulaw[i] == slow_ulaw_encode(samples[i]));
        CHECK(alaw[i] == slow_alaw_encode(samples[i]));
    }
}

/* Neighbours go through one conversion together: whatever the one is, it must not show in the other. */
static void no_sample_changes_the_code_of_its_neighbour(encoder *encode) {
    static const int16_t neighbours[] = {INT16_MIN, -32636, -256, -1, 0, 255, 256, 16383, 32635, INT16_MAX};
    static uint8_t alone[ALL_SAMPLES], beside[2 * ALL_SAMPLES];
    static int16_t pairs[2 * ALL_SAMPLES];
    encode(alone, samples, ALL_SAMPLES);
    for (size_t k = 0; k < 2 * sizeof neighbours / sizeof *neighbours; k++) {
        for (size_t i = 0; i < ALL_SAMPLES; i++) {
            pairs[2 * i + k % 2] = samples[i];
            pairs[2 * i + 1 - k % 2] = neighbours[k / 2];
        }
        encode(beside, pairs, 2 * ALL_SAMPLES);
        for (size_t i = 0; i < ALL_SAMPLES; i++)
            CHECK(beside[2 * i + k % 2] == alone[i]);
    }
}

static void every_code_gets_the_standards_sample(void) {
    int16_t ulaw[ALL_CODES], alaw[ALL_CODES];
    g711_ulaw_decode(ulaw, codes, ALL_CODES);
    g711_alaw_decode(alaw, codes, ALL_CODES);
    for (int i = 0; i < ALL_CODES; i++) {
        CHECK(ulaw[i] == slow_ulaw_decode(codes[i]));
        CHECK(alaw[i] == slow_alaw_decode(codes[i]));
    }
}

static void absent_frames_are_silence_and_a_bad_length_stops_all(void) {
    const int32_t lengths[4] = {G711_FRAME_SAMPLES, G711_LOST, G711_UNTRANSMITTED, 79};
    uint8_t in[4 * G711_FRAME_SAMPLES] = {0};
    int16_t out[4 * G711_FRAME_SAMPLES];
    memset(out, 0x11, sizeof out);
    CHECK(g711_decode_frames(g711_alaw_decode, out, in, lengths, 4) == 3);
    CHECK(out[0] == 0x1111);
    CHECK(g711_decode_frames(g711_alaw_decode, out, in, lengths, 3) == 3);
    for (int i = 0; i < 3 * G711_FRAME_SAMPLES; i++)
        CHECK(out[i] == (i < G711_FRAME_SAMPLES ? slow_alaw_decode(0) : 0));
    CHECK(out[3 * G711_FRAME_SAMPLES] == 0x1111);
    CHECK(g711_decode_frames(g711_ulaw_decode, out, in, lengths, 0) == 0);
}

static void minus_one_is_the_ones_complement_of_zero(void) {
    const int16_t around_zero[2] = {-1, 0};
    uint8_t out[2];
    g711_ulaw_encode(out, around_zero, 2);
    CHECK(out[0] == 0x7F && out[1] == 0xFF);
    g711_alaw_encode(out, around_zero, 2);
    CHECK(out[0] == 0x55 && out[1] == 0xD5);
}

static void tables_decode_then_encode(void) {
    int16_t pcm[ALL_CODES];
    uint8_t composed[ALL_CODES];
    g711_ulaw_decode(pcm, codes, ALL_CODES);
    g711_alaw_encode(composed, pcm, ALL_CODES);
    CHECK(memcmp(composed, g711_ulaw_to_alaw, ALL_CODES) == 0);
    g711_alaw_decode(pcm, codes, ALL_CODES);
    g711_ulaw_encode(composed, pcm, ALL_CODES);
    CHECK(memcmp(composed, g711_alaw_to_ulaw, ALL_CODES) == 0);
}

/* Vector loops have heads and tails: every length and offset, with guards that must stay as they were. */
static void any_length_at_any_offset_writes_n_and_no_more(encoder *encode, decoder *decode) {
    enum { N = 270, OFFSETS = 17, ROOM = N + OFFSETS + 1 };
    uint8_t whole[ROOM], part[ROOM];
    int16_t whole_pcm[ROOM], part_pcm[ROOM];
    const int16_t *in = samples + ALL_SAMPLES / 2 - N;
    encode(whole, in, ROOM);
    decode(whole_pcm, whole, ROOM);
    for (size_t n = 0; n <= N; n++)
        for (size_t at = 0; at < OFFSETS; at++) {
            memset(part, 0x11, sizeof part);
            memset(part_pcm, 0x11, sizeof part_pcm);
            encode(part + at, in + at, n);
            decode(part_pcm + at, whole + at, n);
            CHECK(memcmp(part + at, whole + at, n) == 0);
            CHECK(memcmp(part_pcm + at, whole_pcm + at, n * sizeof *part_pcm) == 0);
            CHECK(part[at + n] == 0x11 && part_pcm[at + n] == 0x1111);
            CHECK(at == 0 || (part[at - 1] == 0x11 && part_pcm[at - 1] == 0x1111));
        }
}

int main(void) {
#ifdef G711_ARCH
    if (!__builtin_cpu_supports(G711_ARCH)) {
        puts("skipped: this machine has no " G711_ARCH);
        return 0;
    }
#endif
    fill_domain();
    every_sample_gets_the_standards_code();
    no_sample_changes_the_code_of_its_neighbour(g711_ulaw_encode);
    no_sample_changes_the_code_of_its_neighbour(g711_alaw_encode);
    every_code_gets_the_standards_sample();
    minus_one_is_the_ones_complement_of_zero();
    absent_frames_are_silence_and_a_bad_length_stops_all();
    tables_decode_then_encode();
    any_length_at_any_offset_writes_n_and_no_more(g711_ulaw_encode, g711_ulaw_decode);
    any_length_at_any_offset_writes_n_and_no_more(g711_alaw_encode, g711_alaw_decode);
    return 0;
}
