/* The capture's ring: what a record says, what lies around the ring's end, and what finds no room. */
#include "plane/capture.h"

#include "check.h"

enum { RING = CAPTURE_RING_BYTES_MIN, AT_IP = 16, AT_UDP_V4 = AT_IP + 20, AT_UDP_V6 = AT_IP + 40 };

static struct capture capture;
static _Alignas(CAPTURE_LINE) uint8_t memory[sizeof(struct capture_head) + RING];

static void begin(void) {
    CHECK(sizeof memory == capture_bytes(RING));
    capture_lay(&capture, memory, RING);
}

static struct address v6_of(uint8_t last_byte, uint16_t port) {
    return (struct address){.ip = {0x20, 1, 0xd, 0xb8, [15] = last_byte}, .port = port, .family = 6};
}

static uint32_t field(int number) {
    uint32_t value;
    memcpy(&value, capture.ring + 4 * number, sizeof value);
    return value;
}

static uint32_t sum_of(const uint8_t *data, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)(data[i] << 8 | (i + 1 < n ? data[i + 1] : 0));
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void test_a_record_says_when_from_whom_to_whom_and_what(void) {
    begin();
    const struct address from = address_of(1, 4000), to = address_of(2, 4002);
    capture_packet(&capture, 1e9 + 0.25, &from, &to, (const uint8_t *)"abc", 3, 3);
    CHECK(field(0) == 1000000000 && field(1) == 250000 && field(2) == 31 && field(3) == 31);
    CHECK(read_u16(capture.ring + AT_IP + 2) == 31 && sum_of(capture.ring + AT_IP, 20) == 0xffff);
    CHECK(memcmp(capture.ring + AT_IP + 12, (uint8_t[]){192, 0, 2, 1, 192, 0, 2, 2}, 8) == 0);
    CHECK(read_u16(capture.ring + AT_UDP_V4) == 4000 && read_u16(capture.ring + AT_UDP_V4 + 2) == 4002);
    CHECK(read_u16(capture.ring + AT_UDP_V4 + 4) == 11 &&
          memcmp(capture.ring + AT_UDP_V4 + 8, "abc", 3) == 0);
    CHECK(capture.shared->head == 47 && capture.shared->packets == 1);
}

static void test_a_datagram_of_ipv6_has_a_checksum(void) {
    for (size_t bytes = 0; bytes < 300; bytes++) {
        begin();
        uint8_t data[300], pseudo[4 + 300 + 64] = {0};
        for (size_t i = 0; i < bytes; i++)
            data[i] = (uint8_t)(i * 31 + bytes);
        const struct address from = v6_of(1, 4000), to = v6_of(2, 4002);
        capture_packet(&capture, 1, &from, &to, data, bytes, bytes);
        pseudo[1] = 17;
        write_u16(pseudo + 2, (uint16_t)(8 + bytes));
        memcpy(pseudo + 4, capture.ring + AT_IP + 8, 32 + 8 + bytes);
        CHECK(sum_of(pseudo, 4 + 32 + 8 + bytes) == 0xffff);
        CHECK(read_u16(capture.ring + AT_UDP_V6 + 6) != 0);
    }
}

static void test_what_was_cut_off_is_said(void) {
    begin();
    const struct address from = address_of(1, 4000), to = address_of(2, 4002);
    capture_packet(&capture, 1, &from, &to, (const uint8_t *)"abc", 3, 2000);
    CHECK(field(2) == 31 && field(3) == 2028 && read_u16(capture.ring + AT_UDP_V4 + 4) == 2008);
}

static void test_what_finds_no_room_is_counted_and_the_rest_is_whole(void) {
    begin();
    const struct address from = address_of(1, 4000), to = address_of(2, 4002);
    uint8_t data[1000] = {0};
    const size_t record = 44 + sizeof data, fit = RING / record;
    for (size_t i = 0; i < fit + 3; i++)
        capture_packet(&capture, 1, &from, &to, data, sizeof data, sizeof data);
    CHECK(capture.shared->packets == fit && capture.shared->lost == 3);
    CHECK(capture.shared->head == fit * record);
}

/* Read as the drain does: record by record, whatever lies around the ring's end. */
static uint8_t at(uint64_t position) {
    return capture.ring[position % RING];
}

static void test_a_record_may_lie_around_the_rings_end(void) {
    begin();
    const struct address from = address_of(1, 4000), to = address_of(2, 4002);
    uint8_t data[777];
    for (int n = 0; n < 1000; n++) {
        memset(data, n, sizeof data);
        const uint64_t place = capture.shared->head;
        capture_packet(&capture, n, &from, &to, data, sizeof data, sizeof data);
        CHECK(at(place) == (uint8_t)n && at(place + 44) == (uint8_t)n && at(place + 44 + 776) == (uint8_t)n);
        capture.shared->tail = capture.shared->head;
    }
    CHECK(capture.shared->lost == 0 && capture.shared->packets == 1000);
}

int main(void) {
    test_a_record_says_when_from_whom_to_whom_and_what();
    test_a_datagram_of_ipv6_has_a_checksum();
    test_what_was_cut_off_is_said();
    test_what_finds_no_room_is_counted_and_the_rest_is_whole();
    test_a_record_may_lie_around_the_rings_end();
    return 0;
}
