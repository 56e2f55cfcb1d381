/* iLBC's frames: every bit of every parameter has one place, and comes back from it. */
#include "ilbc/blocks.h"

#include "ilbc_check.h"

static int ones(const uint8_t *bytes, int n) {
    int count = 0;
    for (int i = 0; i < n; i++)
        count += __builtin_popcount(bytes[i]);
    return count;
}

/* Every bit of a frame, alone: it is one bit of one parameter, and packing that gives the frame again. */
static void every_bit_is_one_bit_of_one_parameter(int mode_ms) {
    const int n = ilbc_mode_of(mode_ms).bytes;
    for (int bit = 0; bit < 8 * n; bit++) {
        uint8_t bytes[ILBC_BYTES] = {0}, again[ILBC_BYTES] = {0};
        struct ilbc_frame frame;
        bytes[bit / 8] = (uint8_t)(0x80 >> bit % 8);
        ilbc_unpack(&frame, bytes, mode_ms);
        const int in_gap =
            frame.vector[1][1] > 127 || frame.vector[1][2] > 127; /* opened: more than one bit */
        CHECK(in_gap || ones((const uint8_t *)&frame, sizeof frame) == 1 || frame.vector[1][1] ||
              frame.vector[1][2]);
        ilbc_pack(again, &frame, mode_ms);
        CHECK(memcmp(again, bytes, (size_t)n) == 0);
    }
}

static void any_frame_comes_back(int mode_ms) {
    const int n = ilbc_mode_of(mode_ms).bytes;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[ILBC_BYTES], again[ILBC_BYTES];
        struct ilbc_frame frame;
        for (int i = 0; i < n; i++)
            bytes[i] = (uint8_t)next_random();
        ilbc_unpack(&frame, bytes, mode_ms);
        ilbc_pack(again, &frame, mode_ms);
        CHECK(memcmp(again, bytes, (size_t)n) == 0);
    }
}

static void last_bit_says_that_a_frame_is_empty(int mode_ms) {
    uint8_t bytes[ILBC_BYTES] = {0};
    struct ilbc_frame frame;
    bytes[ilbc_mode_of(mode_ms).bytes - 1] = 1;
    ilbc_unpack(&frame, bytes, mode_ms);
    CHECK(frame.empty == 1);
}

/* RFC 3951 3.8: the most important bits first. */
static void frame_begins_with_the_first_frequencies(int mode_ms) {
    uint8_t bytes[ILBC_BYTES] = {0xFC};
    struct ilbc_frame frame;
    ilbc_unpack(&frame, bytes, mode_ms);
    CHECK(frame.lsf[0] == 63 && frame.lsf[1] == 0);
}

int main(void) {
    for (int mode_ms = 20; mode_ms <= 30; mode_ms += 10) {
        every_bit_is_one_bit_of_one_parameter(mode_ms);
        any_frame_comes_back(mode_ms);
        last_bit_says_that_a_frame_is_empty(mode_ms);
        frame_begins_with_the_first_frequencies(mode_ms);
    }
    return 0;
}
