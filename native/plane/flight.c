/* A ring of records: room is made at one end, a record is written at the other. */
#include "plane/flight.h"

#include <string.h>

enum {
    ALIGNMENT = 8,
    EVICT_SHARE = 64,  /* room is made for so small a part of the ring at once, not record by record */
    LARGEST_SHARE = 8, /* no record is a larger part of the ring */
    ROW_PARTS = 7,
};

static uint64_t padded(uint64_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t flight_bytes(size_t capacity, size_t ring_bytes) {
    return sizeof(struct flight_head) + capacity * sizeof(uint64_t) + ring_bytes;
}

void flight_lay(struct flight *flight, uint8_t *memory, size_t capacity, size_t ring_bytes) {
    flight->shared = (struct flight_head *)(void *)memory;
    flight->digests = (uint64_t *)(void *)(flight->shared + 1);
    flight->ring = (uint8_t *)(flight->digests + capacity);
    memset(memory, 0, flight_bytes(capacity, ring_bytes)); /* all of it: no page is missing later */
    flight->shared->ring_bytes = ring_bytes;
}

static struct flight_record *record_at(const struct flight *flight, uint64_t position) {
    return (struct flight_record *)(void *)(flight->ring + position % flight->shared->ring_bytes);
}

static uint64_t after(const struct flight *flight, uint64_t position) {
    return position + padded(sizeof(struct flight_record) + record_at(flight, position)->bytes);
}

/* Let the oldest records go, so that those up to `end` have room. */
static void make_room(struct flight *flight, uint64_t end) {
    struct flight_head *shared = flight->shared;
    uint64_t tail = atomic_load_explicit(&shared->tail, memory_order_relaxed);
    if (end - tail <= shared->ring_bytes)
        return;
    const uint64_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    const uint64_t goal = end + shared->ring_bytes / EVICT_SHARE;
    while (goal - tail > shared->ring_bytes && tail != head)
        tail = after(flight, tail);
    atomic_store_explicit(&shared->tail, tail, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* a reader sees the new tail before it sees new bytes */
}

/* Where a record of so many bytes goes, its header written; NULL: it is too large to be kept. */
static uint8_t *begin(struct flight *flight, uint64_t *end, uint8_t kind, uint8_t flag, size_t bytes) {
    struct flight_head *shared = flight->shared;
    const uint64_t size = padded(sizeof(struct flight_record) + bytes);
    if (size > shared->ring_bytes / LARGEST_SHARE) {
        shared->lost++;
        return NULL;
    }
    uint64_t at = atomic_load_explicit(&shared->head, memory_order_relaxed);
    const uint64_t to_end = shared->ring_bytes - at % shared->ring_bytes;
    const uint64_t fill = size > to_end ? to_end : 0;
    make_room(flight, at + fill + size);
    if (fill)
        *record_at(flight, at) = (struct flight_record){
            .bytes = (uint32_t)(fill - sizeof(struct flight_record)), .kind = FLIGHT_FILL};
    at += fill;
    *record_at(flight, at) = (struct flight_record){.bytes = (uint32_t)bytes, .kind = kind, .flag = flag};
    *end = at + size;
    return (uint8_t *)(record_at(flight, at) + 1);
}

static void finish(struct flight *flight, uint64_t end) {
    atomic_store_explicit(&flight->shared->head, end, memory_order_release);
}

static void arrive(struct flight *flight, enum flight_kind kind, uint8_t flag,
                   const struct flight_arrival *arrival, const uint8_t *data, size_t bytes) {
    uint64_t end;
    uint8_t *at = begin(flight, &end, (uint8_t)kind, flag, sizeof *arrival + bytes);
    if (!at)
        return;
    memcpy(at, arrival, sizeof *arrival);
    if (bytes)
        memcpy(at + sizeof *arrival, data, bytes);
    finish(flight, end);
}

void flight_arrive(struct flight *flight, int32_t row, const struct address *source, const uint8_t *data,
                   size_t bytes, bool on_rtcp_socket, double now) {
    const struct flight_arrival arrival = {.now = now, .row = row, .source = *source};
    arrive(flight, FLIGHT_ARRIVAL, on_rtcp_socket, &arrival, data, bytes);
}

void flight_refuse(struct flight *flight, int32_t row, const struct address *source, enum verdict verdict,
                   double now) {
    const struct flight_arrival arrival = {.now = now, .row = row, .source = *source};
    arrive(flight, FLIGHT_REFUSED, (uint8_t)verdict, &arrival, NULL, 0);
}

void flight_tell(struct flight *flight, uint8_t kind, const uint8_t *data, size_t bytes) {
    uint64_t end;
    uint8_t *at = begin(flight, &end, kind, 0, bytes);
    if (!at)
        return;
    memcpy(at, data, bytes);
    finish(flight, end);
}

/* What lies in a slot behind its frame, or in one that has none, is of no use to anybody. */
static void blank_unused(const int32_t *unit, uint8_t *slots) {
    uint8_t *fill = slots + SLOTS * (SLOT_BYTES + sizeof *unit), *codec = fill + SLOTS;
    for (int i = 0; i < SLOTS; i++) {
        if (unit[i] < 0)
            fill[i] = codec[i] = 0;
        memset(slots + i * SLOT_BYTES + fill[i], 0, SLOT_BYTES - fill[i]);
    }
}

void flight_keep(struct flight *flight, const struct plane *plane, int32_t row) {
    uint8_t voice[VOICE_COPY_BYTES];
    const size_t voice_bytes = voice_save(&plane->voices, row, voice), first = (size_t)row * SLOTS;
    const struct flight_row head = {flight->digests[row], row, (uint32_t)voice_bytes};
    const struct {
        const void *data;
        size_t bytes;
    } parts[ROW_PARTS] = {
        {&head, sizeof head},
        {&plane->rows[row], sizeof(struct row)},
        {plane->slots + first * SLOT_BYTES, SLOTS * SLOT_BYTES},
        {plane->slot_unit + first, SLOTS * sizeof *plane->slot_unit},
        {plane->slot_fill + first, SLOTS},
        {plane->slot_codec + first, SLOTS},
        {voice, voice_bytes},
    };
    size_t bytes = 0;
    for (int i = 0; i < ROW_PARTS; i++)
        bytes += parts[i].bytes;
    uint64_t end;
    uint8_t *at = begin(flight, &end, FLIGHT_ROW, 0, bytes);
    if (!at)
        return;
    for (int i = 0; i < ROW_PARTS; at += parts[i++].bytes)
        memcpy(at, parts[i].data, parts[i].bytes);
    blank_unused(plane->slot_unit + first, at - bytes + sizeof head + sizeof(struct row));
    finish(flight, end);
}

/* Two lanes of multiply and fold: quick, and every bit of a packet counts.  It finds differences; it keeps no
 * secret. */
static uint64_t fold(uint64_t digest, uint64_t word) {
    digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return digest ^ digest >> 29;
}

static uint64_t digest_of(uint64_t digest, const uint8_t *data, size_t bytes) {
    uint64_t odd = bytes, words[2];
    size_t i = 0;
    for (; i + sizeof words <= bytes; i += sizeof words) {
        memcpy(words, data + i, sizeof words);
        digest = fold(digest, words[0]);
        odd = fold(odd, words[1]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, data + i, bytes - i);
    return fold(fold(digest, words[0]), fold(odd, words[1]));
}

void flight_digest(uint64_t *digests, const struct send *sends, size_t n) {
    for (size_t i = 0; i < n; i++)
        digests[sends[i].row] = digest_of(digests[sends[i].row], sends[i].data, sends[i].bytes);
}
