/* Mix-minus against the definition: each hears the sum of the others, limited once. */
#include "check.h"

enum { MEMBERS = 7, SAMPLES = 80 };

static int16_t limited(int32_t x) {
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

static void rooms_hear_their_own_alone(void) {
    int16_t pcm[MEMBERS * SAMPLES], out[MEMBERS * SAMPLES] = {0};
    static const int32_t members[] = {6, 0, 3, 5, 1}, offsets[] = {0, 2, 5};
    static const int32_t room_of[MEMBERS] = {0, 1, -1, 1, -1, 1, 0};
    uint32_t random = 3;
    for (size_t i = 0; i < COUNT(pcm); i++)
        pcm[i] = (int16_t)((random = random * 1664525 + 1013904223) >> 16);
    mix_rooms(out, pcm, members, offsets, 2, SAMPLES);
    for (int m = 0; m < MEMBERS; m++)
        for (int s = 0; s < SAMPLES; s++) {
            int32_t others = 0;
            for (int other = 0; other < MEMBERS; other++)
                if (other != m && room_of[m] >= 0 && room_of[other] == room_of[m])
                    others += pcm[other * SAMPLES + s];
            CHECK(out[m * SAMPLES + s] == limited(others));
        }
}

static void extremes_are_limited_once(void) {
    static const int16_t pcm[] = {32767, 32767, -32768, -32768};
    static const int32_t members[] = {0, 1, 2, 3}, offsets[] = {0, 4};
    int16_t out[4];
    mix_rooms(out, pcm, members, offsets, 1, 1);
    CHECK(out[0] == limited(32767 - 65536) && out[2] == limited(65534 - 32768));
}

static void a_room_of_one_hears_silence_and_no_room_nothing(void) {
    static const int16_t pcm[] = {1234};
    static const int32_t members[] = {0}, offsets[] = {0, 1};
    int16_t out[] = {7};
    mix_rooms(out, pcm, members, offsets, 0, 1);
    CHECK(out[0] == 7);
    mix_rooms(out, pcm, members, offsets, 1, 1);
    CHECK(out[0] == 0);
    mix_rooms(out, pcm, members, offsets, 1, 100000);
}

int main(void) {
    rooms_hear_their_own_alone();
    extremes_are_limited_once();
    a_room_of_one_hears_silence_and_no_room_nothing();
    return 0;
}
