/* RTCP: every length that lies, and reports that say what was counted. */
#include "check.h"

static struct fixture f;

static enum verdict take(const uint8_t *data, size_t bytes, double now) {
    uint8_t *exact = malloc(bytes + !bytes); /* so that asan sees a byte too many */
    memcpy(exact, data, bytes);
    enum verdict verdict = rtcp_arrive(&f.plane, 0, exact, bytes, now);
    free(exact);
    return verdict;
}

static void header(uint8_t *p, uint8_t count, uint8_t type, uint16_t words) {
    p[0] = 0x80 | count;
    p[1] = type;
    write_u16(p + 2, words);
}

static void lengths_that_lie_are_malformed(void) {
    static const struct {
        uint8_t count, type;
        uint16_t words;
        size_t bytes;
        enum verdict expected;
    } cases[] = {
        {0, 201, 1, 8, VERDICT_CONTROL},   {1, 201, 7, 32, VERDICT_CONTROL},
        {1, 200, 12, 52, VERDICT_CONTROL}, {0, 200, 6, 28, VERDICT_CONTROL},
        {0, 200, 1, 8, DROP_MALFORMED},    {1, 201, 1, 8, DROP_MALFORMED},
        {1, 201, 6, 28, DROP_MALFORMED},   {31, 201, 7, 32, DROP_MALFORMED},
        {0, 201, 2, 8, DROP_MALFORMED},    {0, 201, 0xffff, 8, DROP_MALFORMED},
        {0, 201, 1, 9, DROP_MALFORMED},    {0, 201, 1, 11, DROP_MALFORMED},
        {1, 203, 1, 8, VERDICT_CONTROL},   {0, 203, 0, 4, VERDICT_CONTROL},
        {9, 207, 1, 8, VERDICT_CONTROL},
    };
    uint8_t packet[64] = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        fixture_begin(&f, MODE_TICK);
        header(packet, cases[i].count, cases[i].type, cases[i].words);
        enum verdict verdict = take(packet, cases[i].bytes, 1);
        if (verdict != cases[i].expected)
            fprintf(stderr, "case %zu: verdict %d\n", i, (int)verdict);
        CHECK(verdict == cases[i].expected);
    }
}

static void any_bytes_are_taken_or_malformed(void) {
    uint8_t packet[128];
    uint32_t random = 7;
    fixture_begin(&f, MODE_TICK);
    for (int i = 0; i < 100000; i++) {
        for (size_t b = 0; b < sizeof packet; b++)
            packet[b] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        packet[0] = 0x80 | (packet[0] & 31);
        packet[1] = (uint8_t)(200 + packet[1] % 8);
        write_u16(packet + 2, packet[3] % 32);
        take(packet, packet[4] % sizeof packet, i);
    }
}

static void a_round_trip_is_now_less_what_they_echo(void) {
    uint8_t sr[PACKET_BYTES], rr[32] = {0};
    fixture_begin(&f, MODE_TICK);
    f.rows[0].tx_packets = 1;
    CHECK(rtcp_write(&f.rows[0], 100.0, 1.7e9, false, sr) == 28 + 28);
    header(rr, 1, 201, 7);
    write_u32(rr + 8, f.rows[0].tx_ssrc);
    write_u32(rr + 12, 5u << 24 | 1234);
    write_u32(rr + 20, 99);
    write_u32(rr + 24, read_u32(sr + 10)); /* the middle of our NTP stamp */
    write_u32(rr + 28, 65536 / 2);         /* held for half a second */
    CHECK(take(rr, sizeof rr, 100.75) == VERDICT_CONTROL);
    CHECK(f.rows[0].round_trip > 0.2499 && f.rows[0].round_trip < 0.2501);
    CHECK(f.rows[0].remote_lost == 1234 && f.rows[0].remote_fraction == 5 && f.rows[0].remote_jitter == 99);
    write_u32(rr + 8, 1);
    write_u32(rr + 20, 7);
    CHECK(take(rr, sizeof rr, 101) == VERDICT_CONTROL);
    CHECK(f.rows[0].remote_jitter == 99); /* about somebody else */
}

static void a_report_is_compound_and_its_lengths_add_up(void) {
    uint8_t packet[PACKET_BYTES];
    for (int senders = 0; senders < 2; senders++)
        for (int receivers = 0; receivers < 2; receivers++)
            for (int bye = 0; bye < 2; bye++) {
                fixture_begin(&f, MODE_TICK);
                f.rows[0].tx_packets = (uint32_t)senders;
                f.rows[0].rx_valid = (uint8_t)receivers;
                size_t n = rtcp_write(&f.rows[0], 5, 1.7e9, bye, packet);
                CHECK(n == 8u + 20u * (size_t)senders + 24u * (size_t)receivers + 28u + 8u * (size_t)bye);
                CHECK(packet[1] == (senders ? 200 : 201) && (packet[0] & 31) == receivers);
                CHECK(take(packet, n, 6) == VERDICT_CONTROL);
                CHECK(f.plane.notices_n == bye);
            }
}

int main(void) {
    lengths_that_lie_are_malformed();
    any_bytes_are_taken_or_malformed();
    a_round_trip_is_now_less_what_they_echo();
    a_report_is_compound_and_its_lengths_add_up();
    return 0;
}
