/* The playout slots: what the tick plays, given when packets came. */
#include "check.h"

static struct fixture f;

/* Play one unit of row 0: its first byte; 0 = nothing was there. */
static uint8_t play(void) {
    const int32_t row = 0;
    uint8_t payload[SLOT_BYTES], codec;
    int32_t length;
    slots_take(&f.plane, &row, 1, payload, &length, &codec);
    CHECK(length == -1 || length == UNIT_SAMPLES);
    return length < 0 ? 0 : payload[0];
}

static void expect(const char *played) {
    for (; *played; played++) {
        uint8_t unit = play(), want = *played == '-' ? 0 : (uint8_t)*played;
        if (unit != want)
            fprintf(stderr, "played %d, not '%c'\n", unit, *played);
        CHECK(unit == want);
    }
}

static enum verdict come(uint16_t sequence, char name) {
    return hear_audio(&f, sequence, 160u * sequence, (uint8_t)name, sequence * 0.02);
}

static void a_packet_is_played_one_tick_after_it_could_be(void) {
    fixture_begin(&f, MODE_TICK);
    expect("--");
    CHECK(come(1, 'a') == VERDICT_HOLD);
    expect("-aa");
    CHECK(come(2, 'b') == VERDICT_HOLD);
    expect("bb--");
}

static void disorder_within_the_delay_is_put_right(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-a");
    come(3, 'c');
    come(2, 'b');
    expect("abbcc-");
}

static void what_was_overtaken_is_dropped_and_the_delay_grows(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa");
    come(3, 'c');
    expect("--cc");
    CHECK(come(2, 'b') == DROP_OLD);
    CHECK(f.rows[0].late_packets == 1 && f.rows[0].inserted_units == 4);
    come(4, 'd');
    expect("----dd");
}

static void a_late_packet_is_played_when_nothing_newer_was(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa---");
    CHECK(come(2, 'b') == VERDICT_HOLD);
    CHECK(f.rows[0].inserted_units == 3);
    expect("bb");
}

static void a_delay_that_is_spare_for_a_hundred_packets_shrinks_by_a_unit(void) {
    fixture_begin(&f, MODE_TICK);
    for (uint16_t i = 1; i < 4; i++)
        come(i, 'a');
    for (uint16_t i = 4; i < 1000; i++) { /* each comes seven units early; one is needed */
        come(i, 'a');
        play();
        play();
    }
    CHECK(f.rows[0].dropped_units == 6 && f.rows[0].inserted_units == 0);
}

static void a_jump_of_the_clock_starts_anew_and_a_straggler_is_no_jump(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa");
    CHECK(hear_audio(&f, 2, 900000, 'b', 0.04) == VERDICT_HOLD);
    expect("-bb");
    CHECK(hear_audio(&f, 1, 160, 'x', 0.05) == DROP_DUPLICATE);
    CHECK(hear_audio(&f, 4, 900320, 'd', 0.08) == VERDICT_HOLD);
    CHECK(hear_audio(&f, 3, 5, 'x', 0.09) == DROP_OLD);
    expect("--dd");
}

static void units_off_the_grid_are_shared_by_neighbours(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    hear_audio(&f, 2, 320 + 40, 'b', 0.04);
    hear_audio(&f, 3, 320 + 200, 'c', 0.06);
    expect("-aa");
    const int32_t row = 0;
    uint8_t payload[SLOT_BYTES], codec;
    int32_t length;
    slots_take(&f.plane, &row, 1, payload, &length, &codec);
    CHECK(payload[0] == 0xff && payload[39] == 0xff && payload[40] == 'b');
    slots_take(&f.plane, &row, 1, payload, &length, &codec);
    CHECK(payload[0] == 'b' && payload[79] == 'b');
    slots_take(&f.plane, &row, 1, payload, &length, &codec);
    CHECK(payload[39] == 'b' && payload[40] == 'c');
}

static void time_goes_on_while_a_row_is_held(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa");
    f.rows[0].receiving = 0;
    CHECK(come(2, 'b') == DROP_HELD);
    expect("--------");
    f.rows[0].receiving = 1;
    come(6, 'f');
    expect("ff");
}

static void a_relayed_row_is_warm_when_it_is_played(void) {
    fixture_begin(&f, MODE_RELAY);
    come(1, 'a');
    come(2, 'b');
    come(3, 'c');
    slots_enter(&f.plane, 0, 0.065);
    f.rows[0].mode = MODE_TICK;
    CHECK(f.rows[0].inserted_units == 3);
    expect("bcc-");
    CHECK(f.rows[1].tx_marker && !f.rows[1].relay_locked);
}

static void a_row_that_is_relayed_again_drops_what_is_buffered(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    come(2, 'b');
    expect("-a");
    slots_leave(&f.plane, 0);
    CHECK(f.rows[0].dropped_units == 3);
}

static void a_row_that_never_heard_anything_enters_and_leaves_in_peace(void) {
    fixture_begin(&f, MODE_RELAY);
    f.rows[0].peer = -1;
    slots_enter(&f.plane, 0, 1e9);
    slots_leave(&f.plane, 0);
    f.rows[0].mode = MODE_TICK;
    expect("---");
    CHECK(f.rows[0].inserted_units == 0 && f.rows[0].dropped_units == 0);
}

static void any_timestamp_and_length_stays_within_the_slots(void) {
    static uint8_t payload[PACKET_BYTES - RTP_HEADER_BYTES];
    uint32_t random = 1;
    fixture_begin(&f, MODE_TICK);
    for (int i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t timestamp = i % 3 ? random : (uint32_t)i * 160;
        hear(&f, PCMU, (uint16_t)i, timestamp, payload, 1 + random % sizeof payload, i * 0.02);
        if (random & 0x10000)
            play();
    }
    CHECK(f.slot_unit[SLOTS] == -1); /* row 1 was not touched */
}

int main(void) {
    a_packet_is_played_one_tick_after_it_could_be();
    disorder_within_the_delay_is_put_right();
    what_was_overtaken_is_dropped_and_the_delay_grows();
    a_late_packet_is_played_when_nothing_newer_was();
    a_delay_that_is_spare_for_a_hundred_packets_shrinks_by_a_unit();
    a_jump_of_the_clock_starts_anew_and_a_straggler_is_no_jump();
    units_off_the_grid_are_shared_by_neighbours();
    time_goes_on_while_a_row_is_held();
    a_relayed_row_is_warm_when_it_is_played();
    a_row_that_is_relayed_again_drops_what_is_buffered();
    a_row_that_never_heard_anything_enters_and_leaves_in_peace();
    any_timestamp_and_length_stays_within_the_slots();
    return 0;
}
