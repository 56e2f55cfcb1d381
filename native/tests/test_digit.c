/* Telephone events: what is told, and what the peer is sent, for each way of losing packets. */
#include "check.h"

struct event {
    uint16_t sequence;
    uint32_t timestamp;
    uint8_t code;
    bool end;
    uint16_t duration;
    double now;
    enum verdict expected;
    int n_sends, n_told; /* packets to the peer; digits told so far */
};

static struct fixture f;

static int told(void) {
    int n = 0;
    for (int i = 0; i < f.plane.notices_n; i++)
        n += f.notices[i].kind == NOTICE_DIGIT;
    return n;
}

static void play(const struct event *events, size_t n) {
    fixture_begin(&f, MODE_RELAY);
    for (size_t i = 0; i < n; i++) {
        const struct event *e = &events[i];
        const uint8_t payload[4] = {e->code, (uint8_t)((e->end ? 0x80 : 0) | 10), (uint8_t)(e->duration >> 8),
                                    (uint8_t)e->duration};
        enum verdict verdict = hear(&f, EVENT, e->sequence, e->timestamp, payload, sizeof payload, e->now);
        if (verdict != e->expected || f.n_sends != e->n_sends || told() != e->n_told)
            fprintf(stderr, "event %zu: verdict %d, %d sent, %d told\n", i, (int)verdict, f.n_sends, told());
        CHECK(verdict == e->expected);
        CHECK(f.n_sends == e->n_sends);
        CHECK(told() == e->n_told);
    }
}

static void a_whole_digit_is_told_at_its_first_end(void) {
    static const struct event events[] = {
        {1, 800, 5, false, 160, 1.00, VERDICT_EVENT, 1, 0},
        {2, 800, 5, false, 320, 1.02, VERDICT_EVENT, 1, 0},
        {3, 800, 5, true, 320, 1.04, VERDICT_EVENT, 2, 1},
        {4, 800, 5, true, 320, 1.06, VERDICT_EVENT, 1, 1},
        {5, 800, 5, true, 320, 1.08, VERDICT_EVENT, 1, 1},
    };
    play(events, COUNT(events));
    CHECK(f.notices[0].value == 5 && f.notices[0].extra == 320);
}

static void an_end_alone_is_a_digit(void) {
    static const struct event events[] = {{9, 800, 11, true, 800, 1.00, VERDICT_EVENT, 2, 1}};
    play(events, COUNT(events));
    CHECK(sent_marker(&f.sends[0]) && !sent_marker(&f.sends[1]));
    CHECK(sent_sequence(&f.sends[1]) == sent_sequence(&f.sends[0]) + 1);
    CHECK(sent_timestamp(&f.sends[1]) == sent_timestamp(&f.sends[0]));
}

static void ends_with_one_sequence_number_count_once(void) {
    static const struct event events[] = {
        {1, 800, 1, false, 160, 1.00, VERDICT_EVENT, 1, 0},
        {2, 800, 1, true, 320, 1.02, VERDICT_EVENT, 2, 1},
        {2, 800, 1, true, 320, 1.04, DROP_DUPLICATE, 0, 1},
        {2, 800, 1, true, 320, 1.06, DROP_DUPLICATE, 0, 1},
    };
    play(events, COUNT(events));
}

static void a_lost_end_is_told_when_the_next_digit_begins(void) {
    static const struct event events[] = {
        {1, 800, 1, false, 160, 1.00, VERDICT_EVENT, 1, 0},
        {2, 1600, 2, false, 160, 1.05, VERDICT_EVENT, 1, 1},
        {3, 1600, 2, true, 320, 1.07, VERDICT_EVENT, 2, 2},
    };
    play(events, COUNT(events));
}

static void a_straggler_of_the_digit_before_is_old(void) {
    static const struct event events[] = {
        {2, 800, 1, true, 320, 1.02, VERDICT_EVENT, 2, 1},
        {4, 1600, 2, false, 160, 1.10, VERDICT_EVENT, 1, 1},
        {3, 800, 1, true, 320, 1.12, DROP_OLD, 0, 1},
        {5, 1600, 2, true, 320, 1.14, VERDICT_EVENT, 2, 2},
    };
    play(events, COUNT(events));
}

static void a_long_gap_under_one_timestamp_is_one_digit(void) {
    static const struct event events[] = {
        {1, 800, 1, false, 160, 1.0, VERDICT_EVENT, 1, 0},
        {60, 800, 1, true, 16000, 3.0, VERDICT_EVENT, 2, 1},
    };
    play(events, COUNT(events));
}

static void what_is_no_key_is_passed_on_and_not_told(void) {
    static const struct event events[] = {{1, 800, 16, true, 320, 1.0, VERDICT_EVENT, 2, 0}};
    play(events, COUNT(events));
}

static void a_short_payload_is_malformed(void) {
    fixture_begin(&f, MODE_RELAY);
    for (size_t bytes = 0; bytes < 4; bytes++)
        CHECK(hear(&f, EVENT, (uint16_t)bytes, 0, (const uint8_t[4]){1, 0x80, 3, 0}, bytes, 1) ==
              DROP_MALFORMED);
}

static void audio_after_a_digit_goes_on_behind_its_numbers(void) {
    static const uint8_t end[4] = {1, 0x80, 3, 0x20};
    fixture_begin(&f, MODE_RELAY);
    CHECK(hear_audio(&f, 1, 0, 1, 1.00) == VERDICT_FORWARD);
    CHECK(hear(&f, EVENT, 2, 160, end, sizeof end, 1.02) == VERDICT_EVENT);
    CHECK(sent_sequence(&f.sends[0]) == 101 && sent_sequence(&f.sends[1]) == 102);
    CHECK(sent_timestamp(&f.sends[0]) == 160);
    CHECK(hear_audio(&f, 3, 960, 1, 1.12) == VERDICT_FORWARD);
    CHECK(sent_sequence(&f.sends[0]) == 103 && sent_timestamp(&f.sends[0]) == 960 &&
          sent_marker(&f.sends[0]));
}

static void audio_is_silent_until_120_ms_after_a_digit_that_does_not_end(void) {
    static const uint8_t begun[4] = {1, 10, 0, 160};
    fixture_begin(&f, MODE_RELAY);
    CHECK(hear_audio(&f, 1, 0, 1, 1.00) == VERDICT_FORWARD);
    CHECK(hear(&f, EVENT, 2, 160, begun, sizeof begun, 1.02) == VERDICT_EVENT);
    CHECK(hear_audio(&f, 3, 160, 1, 1.03) == DROP_HELD);
    CHECK(hear_audio(&f, 4, 1280, 1, 1.15) == VERDICT_FORWARD);
    CHECK(sent_sequence(&f.sends[0]) == 102); /* what was silenced leaves no gap */
}

static void nobody_who_cannot_hear_events_gets_one(void) {
    static const uint8_t end[4] = {1, 0x80, 3, 0x20};
    fixture_begin(&f, MODE_RELAY);
    f.rows[1].event_send = 0;
    CHECK(hear(&f, EVENT, 2, 160, end, sizeof end, 1.02) == VERDICT_EVENT);
    CHECK(f.n_sends == 0 && told() == 1);
}

int main(void) {
    a_whole_digit_is_told_at_its_first_end();
    an_end_alone_is_a_digit();
    ends_with_one_sequence_number_count_once();
    a_lost_end_is_told_when_the_next_digit_begins();
    a_straggler_of_the_digit_before_is_old();
    a_long_gap_under_one_timestamp_is_one_digit();
    what_is_no_key_is_passed_on_and_not_told();
    a_short_payload_is_malformed();
    audio_after_a_digit_goes_on_behind_its_numbers();
    audio_is_silent_until_120_ms_after_a_digit_that_does_not_end();
    nobody_who_cannot_hear_events_gets_one();
    return 0;
}
