/* The recorder's ring: what is kept, in which order, and what makes room for it. */
#include "plane/flight.h"

#include "check.h"

enum { RING = FLIGHT_RING_BYTES_MIN, TELL = FLIGHT_TOLD };

struct recorder {
    struct flight flight;
    _Alignas(double) uint8_t memory[sizeof(struct flight_head) + ROWS * sizeof(uint64_t) + RING];
};

static struct recorder recorder;

static struct flight *begin(void) {
    CHECK(sizeof recorder.memory == flight_bytes(ROWS, RING));
    flight_lay(&recorder.flight, recorder.memory, ROWS, RING);
    return &recorder.flight;
}

static const struct flight_record *record_at(const struct flight *flight, uint64_t place) {
    return (const struct flight_record *)(const void *)(flight->ring + place % RING);
}

/* Go from the oldest record to the newest; returns how many are no filling, and checks that they are numbered
 * without a gap up to `last`. */
static size_t walk(const struct flight *flight, uint32_t last) {
    size_t n = 0;
    uint32_t number = 0;
    uint64_t place = flight->shared->tail;
    while (place < flight->shared->head) {
        const struct flight_record *record = record_at(flight, place);
        CHECK(place % RING + sizeof *record + record->bytes <= RING);
        if (record->kind != FLIGHT_FILL) {
            uint32_t said;
            memcpy(&said, record + 1, sizeof said);
            CHECK(n == 0 || said == number + 1);
            number = said;
            n++;
        }
        place += (sizeof *record + record->bytes + 7) / 8 * 8;
    }
    CHECK(place == flight->shared->head && number == last);
    return n;
}

static void test_the_oldest_make_room(void) {
    struct flight *flight = begin();
    uint8_t data[3000] = {0};
    for (uint32_t i = 1; i <= 5000; i++) {
        memcpy(data, &i, sizeof i);
        flight_tell(flight, TELL, data, sizeof i + i * 7919 % (sizeof data - sizeof i));
        CHECK(flight->shared->head - flight->shared->tail <= RING);
    }
    CHECK(walk(flight, 5000) > RING / sizeof data);
}

static void test_what_is_too_large_is_counted_and_not_kept(void) {
    struct flight *flight = begin();
    static uint8_t large[RING / 8];
    flight_tell(flight, TELL, large, sizeof large);
    CHECK(flight->shared->lost == 1 && flight->shared->head == 0);
    flight_tell(flight, TELL, large, sizeof large - sizeof(struct flight_record));
    CHECK(flight->shared->lost == 1 && flight->shared->head == sizeof large);
}

static void test_a_packet_is_kept_as_it_came(void) {
    struct fixture f;
    fixture_begin(&f, MODE_RELAY);
    f.plane.flight = begin();
    hear_audio(&f, 7, 160, 0x55, 1.25);
    const struct flight_record *record = record_at(&recorder.flight, 0);
    struct flight_arrival arrival;
    memcpy(&arrival, record + 1, sizeof arrival);
    CHECK(record->kind == FLIGHT_ARRIVAL && record->bytes == sizeof arrival + RTP_HEADER_BYTES + FRAME);
    CHECK(arrival.row == 0 && arrival.now == 1.25 && address_same(&arrival.source, &f.rows[0].remote));
    CHECK(f.n_sends == 1 && recorder.flight.digests[1] != 0 && recorder.flight.digests[0] == 0);
    CHECK(recorder.flight.shared->head == (sizeof *record + record->bytes + 7) / 8 * 8);
}

static void test_every_byte_and_the_order_count(void) {
    struct send sends[2] = {{.row = 0, .bytes = 172}, {.row = 0, .bytes = 172}};
    sends[1].data[171] = 1;
    uint64_t there = 0, back = 0, again = 0;
    flight_digest(&there, sends, 2);
    flight_digest(&back, &sends[1], 1);
    flight_digest(&back, &sends[0], 1);
    flight_digest(&again, sends, 2);
    CHECK(there == again && there != back);
    for (size_t i = 0; i < 172; i++) {
        uint64_t other = 0;
        sends[0].data[i] ^= 0x80;
        flight_digest(&other, sends, 2);
        sends[0].data[i] ^= 0x80;
        CHECK(other != there);
    }
}

static void test_a_row_is_kept_without_what_its_slots_do_not_hold(void) {
    struct fixture f;
    fixture_begin(&f, MODE_TICK);
    memset(f.slots, 0xee, sizeof f.slots);
    memset(f.slot_fill, 0xee, sizeof f.slot_fill);
    f.slot_unit[3] = 3; /* row 0 */
    f.slot_fill[3] = 10;
    flight_keep(begin(), &f.plane, 0);
    const uint8_t *slots =
        recorder.flight.ring + sizeof(struct flight_record) + sizeof(struct flight_row) + sizeof(struct row);
    for (int i = 0; i < SLOTS * SLOT_BYTES; i++)
        CHECK(slots[i] == (i / SLOT_BYTES == 3 && i % SLOT_BYTES < 10 ? 0xee : 0));
}

int main(void) {
    test_the_oldest_make_room();
    test_what_is_too_large_is_counted_and_not_kept();
    test_a_packet_is_kept_as_it_came();
    test_every_byte_and_the_order_count();
    test_a_row_is_kept_without_what_its_slots_do_not_hold();
    return 0;
}
