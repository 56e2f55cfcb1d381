/* The mixer against the definition: each hears the sum of the others, weighed and limited once. */
#include "check.h"
#include "mixer/mixer.h"

enum { MEMBERS = 7, SAMPLES = 80 };

struct stage {
    struct mix_row rows[MEMBERS];
    struct mix_room rooms[2];
    int32_t at[MEMBERS], signal_of[MEMBERS];
    int16_t said[MEMBERS * SAMPLES], spoken[MEMBERS * SAMPLES], hears[MEMBERS * SAMPLES];
};

static const int32_t both[] = {0, 1};

static void begin(struct stage *s) {
    memset(s, 0, sizeof *s);
    for (int i = 0; i < MEMBERS; i++)
        s->rows[i] = (struct mix_row){.key = (uint64_t)(100 + i),
                                      .heard_by = MIX_HEARD_BY_ROOM,
                                      .gain_in = MIX_UNITY,
                                      .gain_out = MIX_UNITY,
                                      .weight = MIX_UNITY,
                                      .out_weight = MIX_UNITY,
                                      .auto_gain = MIX_AUTO_UNITY,
                                      .person = 1};
    uint32_t random = 3;
    for (size_t i = 0; i < COUNT(s->said); i++)
        s->said[i] = (int16_t)((random = random * 1664525 + 1013904223) >> 16);
}

static void mix(struct stage *s, const int32_t *members, const int32_t *offsets, size_t n_rooms) {
    mix_rooms(&(struct mix_job){.rows = s->rows,
                                .rooms = s->rooms,
                                .room_of = both,
                                .offsets = offsets,
                                .member_rows = members,
                                .member_at = members,
                                .said = s->said,
                                .spoken = s->spoken,
                                .hears = s->hears,
                                .signal_of = s->signal_of,
                                .n_rooms = n_rooms,
                                .samples = SAMPLES});
}

static int16_t limited(int32_t x) {
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

static void rooms_hear_their_own_alone(void) {
    static const int32_t members[] = {6, 0, 3, 5, 1}, offsets[] = {0, 2, 5};
    static const int32_t room_of[MEMBERS] = {0, 1, -1, 1, -1, 1, 0};
    struct stage s;
    begin(&s);
    mix(&s, members, offsets, 2);
    for (int m = 0; m < MEMBERS; m++)
        for (int i = 0; i < SAMPLES; i++) {
            int32_t others = 0;
            for (int other = 0; other < MEMBERS; other++)
                if (other != m && room_of[m] >= 0 && room_of[other] == room_of[m])
                    others += s.said[other * SAMPLES + i];
            CHECK(s.hears[m * SAMPLES + i] == limited(others));
        }
}

static void a_mute_fades_within_a_tick_and_shares_the_total(void) {
    static const int32_t members[] = {0, 1, 2, 3}, offsets[] = {0, 4};
    struct stage s;
    begin(&s);
    s.rows[1].muted = s.rows[2].muted = 1;
    mix(&s, members, offsets, 1);
    CHECK(s.rows[1].spoken && s.rows[1].weight == 0);
    CHECK(s.signal_of[1] == 1 && s.signal_of[2] == 2);
    mix(&s, members, offsets, 1);
    CHECK(s.signal_of[0] == 0 && s.signal_of[1] == 1 && s.signal_of[2] == 1 && s.signal_of[3] == 3);
    for (int i = 0; i < SAMPLES; i++)
        CHECK(s.hears[SAMPLES + i] == limited(s.said[i] + s.said[3 * SAMPLES + i]));
}

static void a_whisper_is_heard_by_one(void) {
    static const int32_t members[] = {0, 1, 2}, offsets[] = {0, 3};
    struct stage s;
    begin(&s);
    s.rows[2].heard_by = 0;
    s.rows[0].whispered = 1;
    mix(&s, members, offsets, 1);
    for (int i = 0; i < SAMPLES; i++) {
        CHECK(s.hears[i] == limited(s.said[SAMPLES + i] + s.said[2 * SAMPLES + i]));
        CHECK(s.hears[SAMPLES + i] == s.said[i]);
        CHECK(s.hears[2 * SAMPLES + i] == limited(s.said[i] + s.said[SAMPLES + i]));
    }
}

static void the_greatest_weight_of_the_greatest_sample_is_limited(void) {
    int32_t ramp[2];
    static const int16_t in[] = {32767, -32768};
    int16_t out[2];
    sum_ramp(ramp, 2);
    CHECK(ramp[0] == 16384 && ramp[1] == 32768);
    sum_weigh(out, in, ramp, MIX_WEIGHT_MAX, MIX_WEIGHT_MAX, 2);
    CHECK(out[0] == 32767 && out[1] == -32768);
    sum_weigh(out, in, ramp, MIX_WEIGHT_MAX, 0, 2);
    CHECK(out[1] == 0);
    sum_bridge(out, ramp, -65535, 2);
    CHECK(out[0] == -1 && out[1] == 0);
}

static void loud_noise_is_no_overflow(void) {
    struct mix_row row = {.auto_gain = MIX_AUTO_UNITY};
    int16_t pcm[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        pcm[i] = -32768;
    for (int tick = 0; tick < 1000; tick++) {
        voice_measure(&row, pcm, SAMPLES);
        voice_adjust(&row);
    }
    CHECK(row.power == 1u << 30 && row.peak == 32768 && row.open);
    CHECK(row.auto_gain == MIX_AUTO_UNITY / 4);
}

int main(void) {
    rooms_hear_their_own_alone();
    a_mute_fades_within_a_tick_and_shares_the_total();
    a_whisper_is_heard_by_one();
    the_greatest_weight_of_the_greatest_sample_is_limited();
    loud_noise_is_no_overflow();
    return 0;
}
