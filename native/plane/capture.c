/* Headers are written once per packet, and the ring's end is the only case in the copying. */
#include "plane/capture.h"

#include "plane/rtp.h"

enum {
    RECORD_BYTES = 16,
    V4_BYTES = 20,
    V6_BYTES = 40,
    UDP_BYTES = 8,
    HEAD_BYTES_MAX = RECORD_BYTES + V6_BYTES + UDP_BYTES,
    UDP_PROTOCOL = 17,
    HOPS = 64,
};

size_t capture_bytes(size_t ring_bytes) {
    return sizeof(struct capture_head) + ring_bytes;
}

void capture_lay(struct capture *capture, uint8_t *memory, size_t ring_bytes) {
    capture->shared = (struct capture_head *)(void *)memory;
    capture->ring = memory + sizeof(struct capture_head);
    memset(memory, 0, capture_bytes(ring_bytes)); /* all of it: no page is missing later */
    capture->shared->ring_bytes = ring_bytes;
}

/* The sum of RFC 1071 goes on over `n` more bytes; only the last piece may be of odd length. */
static uint32_t sum_on(uint32_t sum, const uint8_t *data, size_t n) {
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += read_u16(data + i);
    return n % 2 ? sum + ((uint32_t)data[n - 1] << 8) : sum;
}

static uint16_t checksum(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

/* The record's header is in the order of the machine, as the file's magic number is. */
static void write_record(uint8_t out[RECORD_BYTES], double at, size_t kept, size_t whole) {
    const uint32_t seconds = (uint32_t)at;
    const uint32_t fields[] = {seconds, (uint32_t)((at - seconds) * 1e6), (uint32_t)kept, (uint32_t)whole};
    memcpy(out, fields, RECORD_BYTES);
}

static void write_v4(uint8_t out[V4_BYTES], const struct address *from, const struct address *to,
                     size_t whole) {
    memset(out, 0, V4_BYTES);
    out[0] = 0x45;
    write_u16(out + 2, (uint16_t)(V4_BYTES + UDP_BYTES + whole));
    out[8] = HOPS;
    out[9] = UDP_PROTOCOL;
    memcpy(out + 12, from->ip, 4);
    memcpy(out + 16, to->ip, 4);
    write_u16(out + 10, checksum(sum_on(0, out, V4_BYTES)));
}

static void write_v6(uint8_t out[V6_BYTES], const struct address *from, const struct address *to,
                     size_t whole) {
    memset(out, 0, V6_BYTES);
    out[0] = 0x60;
    write_u16(out + 4, (uint16_t)(UDP_BYTES + whole));
    out[6] = UDP_PROTOCOL;
    out[7] = HOPS;
    memcpy(out + 8, from->ip, 16);
    memcpy(out + 24, to->ip, 16);
}

/* Over the addresses, length and protocol of IPv6, then the datagram; 0 is written as its negative. */
static uint16_t checksum_v6(const uint8_t *ip, const uint8_t udp[UDP_BYTES], const uint8_t *data,
                            size_t bytes) {
    const uint32_t sum = sum_on(sum_on(sum_on(0, ip + 4, 2), ip + 8, 32), udp, UDP_BYTES) + UDP_PROTOCOL;
    const uint16_t found = checksum(sum_on(sum, data, bytes));
    return found ? found : 0xffff;
}

/* All that stands before a datagram's payload; returns its bytes. */
static size_t write_head(uint8_t out[HEAD_BYTES_MAX], double at, const struct address *from,
                         const struct address *to, const uint8_t *data, size_t bytes, size_t whole) {
    const size_t ip_bytes = from->family == 4 ? V4_BYTES : V6_BYTES, head = ip_bytes + UDP_BYTES;
    uint8_t *ip = out + RECORD_BYTES, *udp = ip + ip_bytes;
    write_record(out, at, head + bytes, head + whole);
    if (from->family == 4)
        write_v4(ip, from, to, whole);
    else
        write_v6(ip, from, to, whole);
    write_u16(udp, from->port);
    write_u16(udp + 2, to->port);
    write_u16(udp + 4, (uint16_t)(UDP_BYTES + whole));
    write_u16(udp + 6, 0);
    if (from->family != 4)
        write_u16(udp + 6, checksum_v6(ip, udp, data, bytes));
    return RECORD_BYTES + head;
}

static void put(struct capture *capture, uint64_t position, const uint8_t *data, size_t bytes) {
    const size_t ring_bytes = capture->shared->ring_bytes, place = position % ring_bytes;
    const size_t first = bytes < ring_bytes - place ? bytes : ring_bytes - place;
    memcpy(capture->ring + place, data, first);
    memcpy(capture->ring, data + first, bytes - first);
}

void capture_packet(struct capture *capture, double at, const struct address *from, const struct address *to,
                    const uint8_t *data, size_t bytes, size_t whole) {
    struct capture_head *shared = capture->shared;
    uint8_t head[HEAD_BYTES_MAX];
    const size_t head_bytes = write_head(head, at, from, to, data, bytes, whole);
    const uint64_t begin = atomic_load_explicit(&shared->head, memory_order_relaxed);
    const uint64_t used = begin - atomic_load_explicit(&shared->tail, memory_order_acquire);
    if (used + head_bytes + bytes > shared->ring_bytes) {
        shared->lost++;
        return;
    }
    put(capture, begin, head, head_bytes);
    put(capture, begin + head_bytes, data, bytes);
    shared->packets++;
    atomic_store_explicit(&shared->head, begin + head_bytes + bytes, memory_order_release);
}
