#include "g729/bits.h"

/* Fields are pushed into the low end of a word and pulled from it in reverse; a speech frame is two words of
 * 40 bits. */
static void store(uint8_t *out, uint64_t word, int n_bytes) {
    for (int i = n_bytes - 1; i >= 0; i--, word >>= 8)
        out[i] = (uint8_t)(word & 0xFF);
}

static uint64_t load(const uint8_t *in, int n_bytes) {
    uint64_t word = 0;
    for (int i = 0; i < n_bytes; i++)
        word = word << 8 | in[i];
    return word;
}

static uint64_t push(uint64_t word, uint16_t field, int n_bits) {
    return word << n_bits | field;
}

static uint16_t pull(uint64_t *word, int n_bits) {
    const uint16_t field = (uint16_t)(*word & ((1u << n_bits) - 1));
    *word >>= n_bits;
    return field;
}

static uint64_t push_innovation(uint64_t word, const struct g729_subframe_parameters *in) {
    word = push(push(word, in->positions, 13), in->signs, 4);
    return push(push(word, in->gain1, 3), in->gain2, 4);
}

static void pull_innovation(uint64_t *word, struct g729_subframe_parameters *out) {
    out->gain2 = pull(word, 4);
    out->gain1 = pull(word, 3);
    out->signs = pull(word, 4);
    out->positions = pull(word, 13);
}

/* 51 bits up to the end of the first subframe, 29 of the second: split where the words meet, 11 bits before
 * that end. */
enum { SECOND_BITS = 29, SPILL_BITS = 11, WORD_BYTES = 5 };

void g729_pack_speech(uint8_t out[G729_SPEECH_BYTES], const struct g729_speech_parameters *in) {
    uint64_t first = push(in->lsf.mode, in->lsf.first, 7);
    first = push(push(first, in->lsf.second, 5), in->lsf.third, 5);
    first = push(push(first, in->subframe[0].lag, 8), in->subframe[0].parity, 1);
    first = push_innovation(first, &in->subframe[0]);
    const uint64_t second = push_innovation(in->subframe[1].lag, &in->subframe[1]);
    const uint64_t spill = first & ((1u << SPILL_BITS) - 1);
    store(out, first >> SPILL_BITS, WORD_BYTES);
    store(out + WORD_BYTES, spill << SECOND_BITS | second, WORD_BYTES);
}

void g729_unpack_speech(struct g729_speech_parameters *out, const uint8_t in[G729_SPEECH_BYTES]) {
    uint64_t second = load(in + WORD_BYTES, WORD_BYTES);
    uint64_t first = load(in, WORD_BYTES) << SPILL_BITS | second >> SECOND_BITS;
    pull_innovation(&second, &out->subframe[1]);
    out->subframe[1].lag = pull(&second, 5);
    out->subframe[1].parity = 0;
    pull_innovation(&first, &out->subframe[0]);
    out->subframe[0].parity = pull(&first, 1);
    out->subframe[0].lag = pull(&first, 8);
    out->lsf.third = pull(&first, 5);
    out->lsf.second = pull(&first, 5);
    out->lsf.first = pull(&first, 7);
    out->lsf.mode = pull(&first, 1);
}

void g729_pack_sid(uint8_t out[G729_SID_BYTES], const struct g729_sid_parameters *in) {
    const uint64_t lsf = push(push(in->lsf.mode, in->lsf.first, 5), in->lsf.second, 4);
    store(out, push(lsf, in->gain, 5) << 1, G729_SID_BYTES);
}

void g729_unpack_sid(struct g729_sid_parameters *out, const uint8_t in[G729_SID_BYTES]) {
    uint64_t word = load(in, G729_SID_BYTES) >> 1;
    out->gain = pull(&word, 5);
    out->lsf.third = 0;
    out->lsf.second = pull(&word, 4);
    out->lsf.first = pull(&word, 5);
    out->lsf.mode = pull(&word, 1);
}

uint16_t g729_parity(uint16_t lag) {
    return (uint16_t)(1 ^ (__builtin_popcount(lag >> 2 & 0x3F) & 1));
}
