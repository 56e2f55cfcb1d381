#include "fuzz/fuzz.h"

#include <string.h>

/* splitmix64: one addition and a hash, any seed will do */
static uint64_t next(uint64_t *random) {
    uint64_t z = (*random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *random, size_t n) {
    return (size_t)(next(random) % n);
}

/* Short runs mostly, sometimes long ones. */
static size_t some_bytes(uint64_t *random, size_t at_most) {
    const size_t n = (size_t)1 << below(random, 9);
    return below(random, n < at_most ? n : at_most) + 1;
}

static void fill(uint8_t *out, size_t n, uint64_t *random) {
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(next(random) >> 56);
}

/* Make room for n bytes at a place, or for as many as there is room. */
static size_t open_gap(uint8_t *out, size_t *bytes, size_t at, size_t n) {
    n = n < FUZZ_BYTES - *bytes ? n : FUZZ_BYTES - *bytes;
    memmove(out + at + n, out + at, *bytes - at);
    *bytes += n;
    return n;
}

static void insert_noise(uint8_t *out, size_t *bytes, size_t at, uint64_t *random) {
    fill(out + at, open_gap(out, bytes, at, some_bytes(random, 64)), random);
}

static void insert_copy(uint8_t *out, size_t *bytes, size_t at, uint64_t *random) {
    uint8_t copy[FUZZ_BYTES];
    const size_t from = below(random, *bytes), n = some_bytes(random, *bytes - from);
    memcpy(copy, out + from, n);
    memcpy(out + at, copy, open_gap(out, bytes, at, n));
}

static void cut_out(uint8_t *out, size_t *bytes, size_t at, uint64_t *random) {
    const size_t n = some_bytes(random, *bytes - at);
    memmove(out + at, out + at + n, *bytes - at - n);
    *bytes -= n;
}

static void splice(uint8_t *out, size_t *bytes, size_t at, const struct corpus *corpus, uint64_t *random) {
    const struct corpus_entry *other = &corpus->entries[below(random, corpus->n)];
    if (other->bytes == 0)
        return;
    const size_t from = below(random, other->bytes), room = FUZZ_BYTES - at;
    const size_t n = other->bytes - from < room ? other->bytes - from : room;
    memcpy(out + at, other->data + from, n);
    *bytes = at + n;
}

static void mutate(uint8_t *out, size_t *bytes, const struct corpus *corpus, uint64_t *random) {
    static const uint8_t extremes[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    const size_t at = below(random, *bytes);
    switch (below(random, 8)) {
    case 0:
        out[at] ^= (uint8_t)(1 << below(random, 8));
        break;
    case 1:
        out[at] = extremes[below(random, sizeof extremes)];
        break;
    case 2:
        fill(out + at, some_bytes(random, *bytes - at), random);
        break;
    case 3:
        memset(out + at, extremes[below(random, sizeof extremes)], some_bytes(random, *bytes - at));
        break;
    case 4:
        insert_noise(out, bytes, at, random);
        break;
    case 5:
        insert_copy(out, bytes, at, random);
        break;
    case 6:
        cut_out(out, bytes, at, random);
        break;
    default:
        splice(out, bytes, at, corpus, random);
    }
}

size_t fuzz_next(const struct corpus *corpus, uint64_t *random, uint8_t out[FUZZ_BYTES]) {
    if (corpus->n == 0 || below(random, 8) == 0) {
        const size_t n = below(random, (size_t)1 << below(random, 13));
        fill(out, n, random);
        return n;
    }
    const struct corpus_entry *valid = &corpus->entries[below(random, corpus->n)];
    size_t bytes = valid->bytes;
    memcpy(out, valid->data, bytes);
    for (size_t i = (size_t)1 << below(random, 5); i && bytes; i--)
        mutate(out, &bytes, corpus, random);
    return bytes;
}

void corpus_keep(struct corpus *corpus, const uint8_t *input, size_t bytes, uint64_t *random) {
    enum { ROOM = sizeof corpus->entries / sizeof *corpus->entries };
    struct corpus_entry *place = &corpus->entries[corpus->n < ROOM ? corpus->n++ : below(random, ROOM)];
    free(place->data);
    *place = (struct corpus_entry){malloc(bytes + !bytes), bytes};
    memcpy(place->data, input, bytes);
}

void script_take(struct script *script, uint8_t *out, size_t n) {
    const size_t left = (size_t)(script->end - script->at), there = n < left ? n : left;
    memcpy(out, script->at, there);
    memset(out + there, 0, n - there);
    script->at += there;
}
