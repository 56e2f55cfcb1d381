/* Every packet gets one verdict, is counted, and is read no further than it is long. */
#include "check.h"

static struct fixture f;

static enum verdict take(const uint8_t *data, size_t bytes, bool on_rtcp) {
    uint8_t *exact = malloc(bytes + !bytes); /* so that asan sees a byte too many */
    memcpy(exact, data, bytes);
    enum verdict verdict =
        plane_arrive(&f.plane, 0, &f.rows[0].remote, exact, bytes, on_rtcp, 1.0, f.sends, &f.n_sends);
    free(exact);
    return verdict;
}

static void packets_are_told_apart_by_their_first_bytes(void) {
    static const struct {
        uint8_t first, second;
        enum packet_kind kind;
    } cases[] = {
        {0, 1, PACKET_STUN},     {3, 0, PACKET_STUN},    {4, 0, PACKET_FOREIGN},   {19, 0, PACKET_FOREIGN},
        {20, 0, PACKET_DTLS},    {63, 0, PACKET_DTLS},   {64, 0, PACKET_FOREIGN},  {127, 0, PACKET_FOREIGN},
        {128, 0, PACKET_RTP},    {191, 127, PACKET_RTP}, {128, 191, PACKET_RTP},   {128, 192, PACKET_RTCP},
        {128, 223, PACKET_RTCP}, {128, 224, PACKET_RTP}, {192, 0, PACKET_FOREIGN}, {255, 255, PACKET_FOREIGN},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK(packet_kind((const uint8_t[2]){cases[i].first, cases[i].second}, 2) == cases[i].kind);
    CHECK(packet_kind(NULL, 0) == PACKET_FOREIGN);
}

static void headers_end_where_the_packet_does(void) {
    static const struct {
        uint8_t first;
        uint16_t extension_words;
        uint8_t last;
        size_t bytes, payload; /* 9999 = not RTP */
    } cases[] = {
        {0x80, 0, 0, 12, 0},    {0x80, 0, 0, 11, 9999},       {0x80, 0, 0, 172, 160}, {0x8f, 0, 0, 72, 0},
        {0x8f, 0, 0, 71, 9999}, {0x90, 0, 0, 16, 0},          {0x90, 0, 0, 15, 9999}, {0x90, 1, 0, 20, 0},
        {0x90, 1, 0, 19, 9999}, {0x90, 0xffff, 0, 172, 9999}, {0xa0, 0, 0, 20, 9999}, {0xa0, 0, 8, 20, 0},
        {0xa0, 0, 9, 20, 9999}, {0xa0, 0, 255, 20, 9999},     {0xa0, 0, 3, 20, 5},    {0x40, 0, 0, 20, 9999},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *packet = calloc(1, cases[i].bytes);
        packet[0] = cases[i].first;
        if (cases[i].first & 0x10 && cases[i].bytes >= 16)
            write_u16(packet + 14, cases[i].extension_words);
        if (cases[i].last)
            packet[cases[i].bytes - 1] = cases[i].last;
        struct rtp rtp;
        bool read = rtp_read(&rtp, packet, cases[i].bytes);
        CHECK(read == (cases[i].payload != 9999));
        CHECK(!read || rtp.payload_bytes == cases[i].payload);
        free(packet);
    }
}

static void any_bytes_get_a_verdict_that_is_counted(void) {
    uint8_t packet[PACKET_BYTES];
    uint32_t random = 11;
    for (int mode = MODE_IDLE; mode <= MODE_TICK; mode++) {
        fixture_begin(&f, (enum mode)mode);
        for (int i = 0; i < 100000; i++) {
            for (size_t b = 0; b < 40; b++)
                packet[b] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
            if (i % 2)
                packet[0] = 0x80 | (packet[0] & 0x3f);
            if (i % 4 == 3)
                packet[1] = packet[1] & 1 ? PCMU : EVENT;
            enum verdict verdict = take(packet, random >> 8 & (i % 64 ? 63 : 1023), random >> 20 & 1);
            CHECK(verdict < VERDICTS);
        }
        uint32_t counted = 0;
        for (int v = 0; v < VERDICTS; v++)
            counted += f.rows[0].verdicts[v];
        CHECK(counted == 100000);
    }
}

static void notices_that_nobody_takes_are_counted_not_kept(void) {
    fixture_begin(&f, MODE_TICK);
    for (int i = 0; i < NOTICES + 5; i++)
        plane_notice(&f.plane, 0, NOTICE_BYE, 0, 0, 1);
    CHECK(f.plane.notices_n == NOTICES && f.plane.notices_lost == 5);
}

static void a_sender_is_cut_at_200_packets_a_second(void) {
    fixture_begin(&f, MODE_TICK);
    for (uint16_t i = 0; i < 300; i++)
        CHECK(hear_audio(&f, i, 160u * i, 1, 5.0 + i * 1e-3) == (i < 200 ? VERDICT_HOLD : DROP_RATE));
    CHECK(hear_audio(&f, 300, 48000, 1, 6.0) == VERDICT_HOLD);
}

int main(void) {
    packets_are_told_apart_by_their_first_bytes();
    headers_end_where_the_packet_does();
    any_bytes_get_a_verdict_that_is_counted();
    notices_that_nobody_takes_are_counted_not_kept();
    a_sender_is_cut_at_200_packets_a_second();
    return 0;
}
