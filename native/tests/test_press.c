/* Keys that we press: packets, their order beside audio, and when none is sent. */
#include "plane/press.h"

#include "check.h"

enum { KEY_5 = 5, END = 0x80 };

static struct fixture f;
static struct press press;
static struct send sent[64];

static void begin(enum mode mode) {
    fixture_begin(&f, mode);
    memset(&press, 0, sizeof press);
}

/* Let ticks come from `from` on for `n` of them; returns how many packets there were. */
static size_t ticks(double from, int n) {
    size_t count = 0;
    for (int i = 0; i < n && count < COUNT(sent); i++)
        count += press_next(&f.plane, 0, &press, from + i * 0.01, &sent[count]);
    return count;
}

static uint16_t duration(const struct send *send) {
    return read_u16(send->data + RTP_HEADER_BYTES + 2);
}

static bool is_end(const struct send *send) {
    return send->data[RTP_HEADER_BYTES + 1] & END;
}

static void a_key_is_one_event_with_a_marker_a_growing_duration_and_three_ends(void) {
    begin(MODE_TICK);
    CHECK(press_add(&press, KEY_5, 16, 1.0));
    CHECK(ticks(1.0, 100) == 10);
    for (int i = 0; i < 10; i++) {
        CHECK(sent[i].row == 0 && sent[i].bytes == RTP_HEADER_BYTES + 4);
        CHECK((sent[i].data[1] & 0x7f) == EVENT && sent[i].data[RTP_HEADER_BYTES] == KEY_5);
        CHECK(sent_marker(&sent[i]) == (i == 0) && is_end(&sent[i]) == (i >= 7));
        CHECK(sent_sequence(&sent[i]) == 100 + i && sent_timestamp(&sent[i]) == sent_timestamp(&sent[0]));
        CHECK(duration(&sent[i]) == (i < 7 ? 160 * (i + 1) : 1280));
    }
    CHECK(press.n == 0);
}

static void a_short_key_lasts_long_enough_to_be_heard(void) {
    begin(MODE_TICK);
    press_add(&press, KEY_5, 1, 1.0);
    CHECK(duration(&sent[ticks(1.0, 100) - 1]) == 800);
}

static void keys_come_one_after_another_with_a_pause(void) {
    begin(MODE_TICK);
    press_add(&press, 1, 10, 1.0);
    press_add(&press, 2, 10, 1.0);
    CHECK(ticks(1.0, 40) == 14);
    CHECK(sent[6].data[RTP_HEADER_BYTES] == 1 && sent[7].data[RTP_HEADER_BYTES] == 2);
    CHECK(sent_marker(&sent[7]) && sent_timestamp(&sent[7]) - sent_timestamp(&sent[0]) >= 800 + 400);
}

static void more_than_sixteen_keys_do_not_wait(void) {
    begin(MODE_TICK);
    for (int i = 0; i < PRESS_MAX; i++)
        CHECK(press_add(&press, KEY_5, 10, 1.0));
    CHECK(!press_add(&press, KEY_5, 10, 1.0));
}

static void a_phone_that_wants_no_events_gets_none(void) {
    begin(MODE_TICK);
    f.rows[0].event_send = 0;
    press_add(&press, KEY_5, 10, 1.0);
    CHECK(ticks(1.0, 20) == 0 && press.n == 0);
}

/* Row 1 speaks to row 0, by relay. */
static enum verdict relayed(uint16_t sequence, uint32_t timestamp, double now) {
    uint8_t packet[RTP_HEADER_BYTES + FRAME] = {0};
    rtp_write(packet, false, PCMU, sequence, timestamp, SSRC);
    return plane_arrive(&f.plane, 1, &f.rows[1].remote, packet, sizeof packet, false, now, f.sends,
                        &f.n_sends);
}

static void relayed_audio_is_silent_meanwhile_and_goes_on_behind(void) {
    begin(MODE_RELAY);
    CHECK(relayed(7, 160, 1.00) == VERDICT_FORWARD && sent_sequence(&f.sends[0]) == 100);
    press_add(&press, KEY_5, 10, 1.0);
    const size_t n = ticks(1.06, 16);
    CHECK(n == 7 && sent_sequence(&sent[0]) == 101);
    CHECK(relayed(8, 320, 1.02) == DROP_HELD);
    CHECK(relayed(9, 2080, 1.24) == VERDICT_FORWARD);
    CHECK(sent_sequence(&f.sends[0]) == 108 && sent_marker(&f.sends[0]));
}

static void a_key_that_comes_as_events_too_is_not_pressed_again(void) {
    begin(MODE_RELAY);
    press_add(&press, KEY_5, 10, 1.0);
    uint8_t packet[RTP_HEADER_BYTES + 4];
    rtp_write(packet, true, EVENT, 7, 160, SSRC);
    memcpy(packet + RTP_HEADER_BYTES, (uint8_t[]){KEY_5, 10, 0, 160}, 4);
    CHECK(plane_arrive(&f.plane, 1, &f.rows[1].remote, packet, sizeof packet, false, 1.03, f.sends,
                       &f.n_sends) == VERDICT_EVENT);
    CHECK(ticks(1.0, 30) == 0 && press.n == 0);
}

int main(void) {
    a_key_is_one_event_with_a_marker_a_growing_duration_and_three_ends();
    a_short_key_lasts_long_enough_to_be_heard();
    keys_come_one_after_another_with_a_pause();
    more_than_sixteen_keys_do_not_wait();
    a_phone_that_wants_no_events_gets_none();
    relayed_audio_is_silent_meanwhile_and_goes_on_behind();
    a_key_that_comes_as_events_too_is_not_pressed_again();
    return 0;
}
