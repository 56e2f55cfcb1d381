/* The egress contract: sequence, timestamp and marker of what a phone hears, whoever writes. */
#include "check.h"

#include "g711/g711.h"

static struct fixture f;

/* One packet of silence by the tick for row 1. */
static int tick(double now) {
    uint8_t payload[FRAME];
    memset(payload, 0xff, sizeof payload);
    const struct spoken spoken = {payload, sizeof payload, FRAME, true};
    return egress_emit(&f.plane, 1, &spoken, now, f.sends);
}

static void a_forwarded_packet_is_ours_in_all_but_its_payload(void) {
    fixture_begin(&f, MODE_RELAY);
    f.rows[1].tx_timestamp = 5000;
    CHECK(hear_audio(&f, 7, 320, 0x42, 1) == VERDICT_FORWARD);
    const struct send *send = &f.sends[0];
    CHECK(f.n_sends == 1 && send->row == 1 && send->bytes == RTP_HEADER_BYTES + FRAME);
    CHECK(send->data[0] == 0x80 && sent_marker(send) && (send->data[1] & 0x7f) == f.rows[1].send_pt);
    CHECK(sent_sequence(send) == 100 && sent_timestamp(send) == 5000 && read_u32(send->data + 8) == 1001);
    CHECK(send->data[RTP_HEADER_BYTES] == 0x42 && send->data[send->bytes - 1] == 0x42);
}

static void each_law_becomes_the_other_by_the_table(void) {
    static const struct {
        uint8_t payload_type, send_codec;
        const uint8_t *table;
    } cases[] = {
        {PCMU, CODEC_PCMA, g711_ulaw_to_alaw},
        {PCMA, CODEC_PCMU, g711_alaw_to_ulaw},
        {PCMU, CODEC_PCMU, NULL},
        {PCMA, CODEC_PCMA, NULL},
    };
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    for (size_t c = 0; c < COUNT(cases); c++) {
        fixture_begin(&f, MODE_RELAY);
        f.rows[1].send_codec = cases[c].send_codec;
        CHECK(hear(&f, cases[c].payload_type, 1, 0, all, sizeof all, 1) == VERDICT_FORWARD);
        for (int i = 0; i < 256; i++)
            CHECK(f.sends[0].data[RTP_HEADER_BYTES + i] == (cases[c].table ? cases[c].table[i] : i));
    }
}

struct packet {
    uint16_t sequence;
    uint32_t timestamp;
    double now;
    enum verdict expected;
    uint16_t sent_sequence; /* when it is forwarded, of the stream that begins at 100 and 0 */
    uint32_t sent_timestamp;
};

static void play(const struct packet *packets, size_t n) {
    fixture_begin(&f, MODE_RELAY);
    for (size_t i = 0; i < n; i++) {
        enum verdict verdict = hear_audio(&f, packets[i].sequence, packets[i].timestamp, 1, packets[i].now);
        if (verdict != packets[i].expected)
            fprintf(stderr, "packet %zu: verdict %d\n", i, (int)verdict);
        CHECK(verdict == packets[i].expected);
        CHECK(f.n_sends == (verdict == VERDICT_FORWARD));
        if (verdict != VERDICT_FORWARD)
            continue;
        if (sent_timestamp(&f.sends[0]) != packets[i].sent_timestamp)
            fprintf(stderr, "packet %zu: timestamp %u\n", i, sent_timestamp(&f.sends[0]));
        CHECK(sent_sequence(&f.sends[0]) == packets[i].sent_sequence);
        CHECK(sent_timestamp(&f.sends[0]) == packets[i].sent_timestamp);
    }
}

static void loss_disorder_and_duplicates_show_as_they_are(void) {
    static const struct packet packets[] = {
        {10, 0, 1.00, VERDICT_FORWARD, 100, 0},     {12, 320, 1.04, VERDICT_FORWARD, 102, 320},
        {11, 160, 1.05, VERDICT_FORWARD, 101, 160}, {11, 160, 1.05, DROP_DUPLICATE, 0, 0},
        {15, 800, 1.10, VERDICT_FORWARD, 105, 800}, {9, 4294967136u, 1.10, DROP_OLD, 0, 0},
    };
    play(packets, COUNT(packets));
}

static void a_sender_that_restarts_goes_on_from_where_ours_was(void) {
    static const struct packet packets[] = {
        {10, 0, 1.00, VERDICT_FORWARD, 100, 0},
        {11, 160, 1.02, VERDICT_FORWARD, 101, 160},
        {12, 999160, 1.04, VERDICT_FORWARD, 102, 320}, /* the clock jumps */
        {13, 999000, 1.06, VERDICT_FORWARD, 103, 480}, /* and goes back */
        {40000, 999160, 1.08, DROP_OLD, 0, 0},         /* not proved yet */
        {40001, 999320, 1.10, VERDICT_FORWARD, 104, 640},
        {39500, 999480, 1.12, DROP_OLD, 0, 0},
        {39501, 999640, 1.14, VERDICT_FORWARD, 105, 1120}, /* two packets went missing: by the clock */
    };
    play(packets, COUNT(packets));
}

static void time_follows_the_clock_by_whole_packets_after_a_pause(void) {
    static const struct packet packets[] = {
        {10, 0, 1.00, VERDICT_FORWARD, 100, 0},
        {11, 160, 3.00, VERDICT_FORWARD, 101, 16000},
        {12, 320, 3.02, VERDICT_FORWARD, 102, 16160},
    };
    play(packets, COUNT(packets));
}

static void the_next_writer_counts_on_and_sets_the_marker(void) {
    fixture_begin(&f, MODE_RELAY);
    hear_audio(&f, 10, 0, 1, 1.00);
    hear_audio(&f, 11, 160, 1, 1.02);
    CHECK(tick(1.04) == 1);
    CHECK(sent_sequence(&f.sends[0]) == 102 && sent_timestamp(&f.sends[0]) == 320 &&
          sent_marker(&f.sends[0]));
    CHECK(tick(1.06) == 1 && !sent_marker(&f.sends[0]));
    CHECK(hear_audio(&f, 12, 320, 1, 1.08) == VERDICT_FORWARD);
    CHECK(sent_sequence(&f.sends[0]) == 104 && sent_timestamp(&f.sends[0]) == 640 &&
          sent_marker(&f.sends[0]));
    CHECK(hear_audio(&f, 11, 160, 1, 1.09) == DROP_DUPLICATE);
}

static void a_writer_does_not_run_ahead_of_the_clock(void) {
    fixture_begin(&f, MODE_RELAY);
    CHECK(tick(1.00) == 1 && tick(1.02) == 1);
    CHECK(hear_audio(&f, 10, 0, 1, 1.02) == DROP_OLD); /* 20 ms that have been said already */
    CHECK(f.rows[0].dropped_units == 2);
    CHECK(hear_audio(&f, 11, 160, 1, 1.04) == VERDICT_FORWARD);
    CHECK(sent_timestamp(&f.sends[0]) == 320);
}

/* The distance has no opposite in 32 bits. */
static void a_clock_half_a_cycle_away_is_taken_for_a_later_one(void) {
    fixture_begin(&f, MODE_TICK);
    CHECK(tick(1) == 1);
    f.rows[1].tx_timestamp = 0x80000000u - FRAME;
    f.rows[1].tx_base_timestamp = 0;
    CHECK(tick(1) == 1 && sent_timestamp(&f.sends[0]) == 0x80000000u);
}

static void a_leg_that_is_not_sent_to_only_moves_its_clock(void) {
    fixture_begin(&f, MODE_TICK);
    f.rows[1].sending = 0;
    CHECK(tick(1.00) == 0 && tick(1.02) == 0);
    f.rows[1].sending = 1;
    CHECK(tick(1.04) == 1);
    CHECK(sent_sequence(&f.sends[0]) == 100 && sent_timestamp(&f.sends[0]) == 320 &&
          sent_marker(&f.sends[0]));
}

static void an_empty_packet_is_not_forwarded_and_divides_nothing(void) {
    fixture_begin(&f, MODE_RELAY);
    CHECK(tick(1.00) == 1);
    CHECK(hear(&f, PCMU, 1, 0, NULL, 0, 9.0) == DROP_FOREIGN_PAYLOAD);
    CHECK(f.n_sends == 0);
}

static void a_packet_as_long_as_any_is_forwarded_whole(void) {
    static uint8_t payload[PACKET_BYTES - RTP_HEADER_BYTES];
    fixture_begin(&f, MODE_RELAY);
    CHECK(hear(&f, PCMU, 1, 0, payload, sizeof payload, 1) == VERDICT_FORWARD);
    CHECK(f.sends[0].bytes == PACKET_BYTES);
}

static void a_row_without_a_peer_forwards_nothing(void) {
    fixture_begin(&f, MODE_RELAY);
    f.rows[0].peer = -1;
    CHECK(hear_audio(&f, 1, 0, 1, 1) == VERDICT_HOLD);
    CHECK(f.n_sends == 0);
}

int main(void) {
    a_forwarded_packet_is_ours_in_all_but_its_payload();
    each_law_becomes_the_other_by_the_table();
    loss_disorder_and_duplicates_show_as_they_are();
    a_sender_that_restarts_goes_on_from_where_ours_was();
    time_follows_the_clock_by_whole_packets_after_a_pause();
    the_next_writer_counts_on_and_sets_the_marker();
    a_writer_does_not_run_ahead_of_the_clock();
    a_clock_half_a_cycle_away_is_taken_for_a_later_one();
    a_leg_that_is_not_sent_to_only_moves_its_clock();
    an_empty_packet_is_not_forwarded_and_divides_nothing();
    a_packet_as_long_as_any_is_forwarded_whole();
    a_row_without_a_peer_forwards_nothing();
    return 0;
}
