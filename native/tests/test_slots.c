/* The playout slots: what the tick plays, given when packets came. */
#include "check.h"
#include "plane/pace.h"

static struct fixture f;

/* Play one unit of row 0: the first byte of its frame, '+' = more of the frame before, '~' = a pause,
 * '-' = nothing was there. */
static char play(void) {
    struct frame frame = slots_next(&f.plane, 0, 0);
    switch (frame.kind) {
    case FRAME_HERE:
        return (char)frame.data[0];
    case FRAME_REST:
        return '+';
    case FRAME_SILENT:
        return '~';
    default:
        return '-';
    }
}

static void expect(const char *played) {
    for (; *played; played++) {
        char unit = play();
        if (unit != *played)
            fprintf(stderr, "played '%c', not '%c'\n", unit, *played);
        CHECK(unit == *played);
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

static void what_was_overtaken_is_dropped(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa");
    come(3, 'c');
    expect("--cc");
    CHECK(come(2, 'b') == DROP_OLD);
    CHECK(f.rows[0].late_packets == 1 && f.rows[0].inserted_units == 0);
    come(4, 'd');
    expect("dd");
}

/* Packet `sequence` comes `late` seconds after it was sent; two ticks follow. */
static void step(uint16_t sequence, double late) {
    double sent = sequence * 0.02;
    hear_audio(&f, sequence, 160u * sequence, 'a', sent + late);
    slots_next(&f.plane, 0, sent + late + 0.001);
    slots_next(&f.plane, 0, sent + late + 0.011);
}

static void the_delay_grows_to_all_but_one_in_a_hundred(void) {
    fixture_begin(&f, MODE_TICK);
    for (uint16_t i = 1; i < 150; i++)
        step(i, i % 10 == 0 ? 0.04 : 0.0);
    int32_t want;
    CHECK(pace_want(&f.rows[0], &want) && want - pace_least(&f.rows[0]) >= 320);
    fixture_begin(&f, MODE_TICK);
    for (uint16_t i = 1; i < 190; i++)
        step(i, i == 160 ? 0.2 : 0.0);
    CHECK(pace_want(&f.rows[0], &want) && want - pace_least(&f.rows[0]) <= 40);
}

static void a_fixed_delay_is_what_was_asked_for(void) {
    fixture_begin(&f, MODE_TICK);
    f.rows[0].play_fixed = 6;
    come(1, 'a');
    expect("------aa");
    for (uint16_t i = 2; i < 20; i++)
        come(i, 'b');
    int32_t want;
    CHECK(pace_want(&f.rows[0], &want) && want - pace_least(&f.rows[0]) == 480);
}

static void a_late_packet_is_played_when_nothing_newer_was(void) {
    fixture_begin(&f, MODE_TICK);
    come(1, 'a');
    expect("-aa---");
    CHECK(come(2, 'b') == VERDICT_HOLD);
    CHECK(f.rows[0].inserted_units == 3);
    expect("bb");
}

static void a_delay_that_is_too_long_is_seen_and_shortened_by_a_frame(void) {
    fixture_begin(&f, MODE_TICK);
    for (uint16_t i = 1; i < 4; i++)
        hear_audio(&f, i, 160u * i, 'a', 0.08);
    for (uint16_t i = 4; i < 300; i++) { /* each waits for seven units; one would do */
        double now = i * 0.02;
        hear_audio(&f, i, 160u * i, 'a', now);
        slots_next(&f.plane, 0, now + 0.001);
        slots_next(&f.plane, 0, now + 0.011);
    }
    CHECK(f.rows[0].dropped_units == 0 && slots_spare(&f.plane, 0) > 20);
    int32_t before = f.rows[0].play_unit;
    slots_skip(&f.plane, 0);
    CHECK(f.rows[0].dropped_units == 1 && f.rows[0].play_unit == before + 1);
    CHECK(slots_spare(&f.plane, 0) == 0);
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
    struct frame frame = slots_next(&f.plane, 0, 0);
    CHECK(frame.data[0] == 0xff && frame.data[39] == 0xff && frame.data[40] == 'b');
    frame = slots_next(&f.plane, 0, 0);
    CHECK(frame.data[0] == 'b' && frame.data[79] == 'b');
    frame = slots_next(&f.plane, 0, 0);
    CHECK(frame.data[39] == 'b' && frame.data[40] == 'c');
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

/* Frames of row 0's phone, all bytes `name`. */
static enum verdict frames(uint8_t payload_type, uint16_t sequence, uint32_t timestamp, char name,
                           size_t bytes) {
    uint8_t payload[PACKET_BYTES];
    memset(payload, name, sizeof payload);
    return hear(&f, payload_type, sequence, timestamp, payload, bytes, timestamp / 8000.0);
}

static void a_payload_is_whole_frames_or_none(void) {
    static const struct {
        uint8_t payload_type;
        size_t bytes;
        enum verdict expected;
    } cases[] = {
        {G729, 10, VERDICT_HOLD},          {G729, 32, VERDICT_HOLD},
        {G729, 2, VERDICT_HOLD},           {G729, 1, DROP_FOREIGN_PAYLOAD},
        {G729, 11, DROP_FOREIGN_PAYLOAD},  {G729, 320, VERDICT_HOLD},
        {G729, 330, DROP_FOREIGN_PAYLOAD}, {ILBC, 38, VERDICT_HOLD},
        {ILBC, 76, VERDICT_HOLD},          {ILBC, 50, VERDICT_HOLD},
        {ILBC, 37, DROP_FOREIGN_PAYLOAD},  {ILBC, 2, DROP_FOREIGN_PAYLOAD},
        {NOISE, 1, VERDICT_HOLD},          {NOISE, 11, VERDICT_HOLD},
        {NOISE, 34, DROP_FOREIGN_PAYLOAD},
    };
    for (size_t c = 0; c < COUNT(cases); c++) {
        fixture_begin(&f, MODE_TICK);
        CHECK(frames(cases[c].payload_type, 1, 160, 'a', cases[c].bytes) == cases[c].expected);
        CHECK(f.rows[0].rx_received == (cases[c].expected == VERDICT_HOLD) || cases[c].bytes == 330);
    }
}

static void a_frame_of_many_units_is_taken_once(void) {
    fixture_begin(&f, MODE_TICK);
    frames(ILBC, 1, 0, 'a', 76);
    frames(ILBC, 2, 320, 'b', 50);
    expect("-a+a+b++-");
}

static void a_lost_frame_lasts_as_long_as_one_that_came(void) {
    fixture_begin(&f, MODE_TICK);
    frames(ILBC, 1, 0, 'a', 50);
    expect("-a++");
    expect("-++-++");
    CHECK(f.rows[0].concealed_units == 6);
    frames(ILBC, 5, 4 * 240, 'e', 50);
    expect("-++e++");
}

static void concealment_ends_when_its_frame_comes(void) {
    fixture_begin(&f, MODE_TICK);
    frames(ILBC, 1, 0, 'a', 50);
    expect("-a++-");
    frames(ILBC, 2, 240, 'b', 50);
    expect("b++");
    CHECK(f.rows[0].inserted_units == 1 && f.rows[0].late_packets == 1);
}

static void a_gap_in_time_alone_is_a_pause_and_one_in_both_is_a_loss(void) {
    fixture_begin(&f, MODE_TICK);
    frames(G729, 1, 0, 'a', 20);
    frames(G729, 2, 400, 'b', 20);
    frames(G729, 4, 800, 'd', 20);
    expect("-aa~~~bb---dd");
    CHECK(f.rows[0].silent_units == 3 && f.rows[0].concealed_units == 3);
}

static void after_a_descriptor_everything_is_a_pause(void) {
    fixture_begin(&f, MODE_TICK);
    frames(G729, 1, 0, 'a', 12);
    expect("-aa~~~~");
    frames(NOISE, 2, 800, 'n', 1);
    expect("~~");
    CHECK(f.rows[0].concealed_units == 0);
}

static void a_pause_that_was_taken_for_a_loss_is_not_counted_as_one(void) {
    fixture_begin(&f, MODE_TICK);
    frames(G729, 1, 0, 'a', 20);
    expect("-aa---");
    CHECK(f.rows[0].concealed_units == 3);
    frames(G729, 2, 400, 'b', 20);
    CHECK(f.rows[0].concealed_units == 0 && f.rows[0].silent_units == 3);
    expect("bb");
}

static void any_timestamp_and_length_stays_within_the_slots(void) {
    static uint8_t payload[PACKET_BYTES - RTP_HEADER_BYTES];
    uint32_t random = 1;
    fixture_begin(&f, MODE_TICK);
    for (int i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t timestamp = i % 3 ? random : (uint32_t)i * 160;
        static const uint8_t types[] = {PCMU, G729, ILBC, NOISE};
        hear(&f, types[random >> 30], (uint16_t)i, timestamp, payload, 1 + random % sizeof payload, i * 0.02);
        if (random & 0x10000)
            play();
    }
    CHECK(f.slot_unit[SLOTS] == -1); /* row 1 was not touched */
}

int main(void) {
    a_packet_is_played_one_tick_after_it_could_be();
    disorder_within_the_delay_is_put_right();
    what_was_overtaken_is_dropped();
    the_delay_grows_to_all_but_one_in_a_hundred();
    a_fixed_delay_is_what_was_asked_for();
    a_late_packet_is_played_when_nothing_newer_was();
    a_delay_that_is_too_long_is_seen_and_shortened_by_a_frame();
    a_jump_of_the_clock_starts_anew_and_a_straggler_is_no_jump();
    units_off_the_grid_are_shared_by_neighbours();
    time_goes_on_while_a_row_is_held();
    a_relayed_row_is_warm_when_it_is_played();
    a_row_that_is_relayed_again_drops_what_is_buffered();
    a_row_that_never_heard_anything_enters_and_leaves_in_peace();
    a_payload_is_whole_frames_or_none();
    a_frame_of_many_units_is_taken_once();
    a_lost_frame_lasts_as_long_as_one_that_came();
    concealment_ends_when_its_frame_comes();
    a_gap_in_time_alone_is_a_pause_and_one_in_both_is_a_loss();
    after_a_descriptor_everything_is_a_pause();
    a_pause_that_was_taken_for_a_loss_is_not_counted_as_one();
    any_timestamp_and_length_stays_within_the_slots();
    return 0;
}
