/* The media plane: packets of four rows, from anybody, at any time, between ticks and commands.
 *
 * What an input says: records of an operation and what it needs.
 *     0 tick   1 a row's report   2 a row's mode   3 in and out of the tick   4 time goes by   else a packet:
 *     a byte   bits 0-1 the row, 2-3 the source, 4 on the RTCP socket, 5-7 how many ms later
 *     a byte   its length in words of 32 bits, 0 to 255, and in
 *     a byte   bits 0-1 odd bytes more; then the packet
 */
#include "fuzz/fuzz.h"
#include "plane/plane.h"
#include "tests/check.h"

#include <math.h>

enum operation { TICK, REPORT, CHANGE_MODE, CROSS, WAIT };

struct story {
    struct fixture fixture;
    double now;
    uint32_t arrived[ROWS];
    uint64_t digest;
};

static void note_sends(struct story *story, const struct send *sends, size_t n) {
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(sends[i].row >= 0 && sends[i].row < ROWS);
        FUZZ_CHECK(sends[i].bytes >= RTP_HEADER_BYTES && sends[i].bytes <= PACKET_BYTES);
        story->digest = fuzz_digest(story->digest, sends[i].data, sends[i].bytes);
    }
}

static void arrive(struct story *story, struct script *script) {
    struct fixture *f = &story->fixture;
    const uint8_t how = script_byte(script), words = script_byte(script), odd = script_byte(script);
    const size_t bytes = (size_t)words * 4 + odd % 4;
    const int32_t row = how % ROWS;
    const struct address source =
        address_of((uint8_t)(10 + row + (how >> 2) % 4 / 3), (uint16_t)(4000 + (how >> 2) % 3));
    uint8_t *packet = malloc(bytes + !bytes);
    script_take(script, packet, bytes);
    story->now += (how >> 5) * 0.005;
    f->n_sends = 0;
    const enum verdict verdict =
        plane_arrive(&f->plane, row, &source, packet, bytes, how >> 4 & 1, story->now, f->sends, &f->n_sends);
    free(packet);
    FUZZ_CHECK(verdict < VERDICTS && f->n_sends >= 0 && f->n_sends <= SEND_MAX);
    note_sends(story, f->sends, (size_t)f->n_sends);
    story->digest = fuzz_digest(story->digest, &verdict, sizeof verdict);
    story->arrived[row]++;
}

static void tick(struct story *story) {
    static const int32_t rows[ROWS] = {0, 1, 2, 3};
    static const uint32_t samples[ROWS] = {UNIT_SAMPLES, UNIT_SAMPLES, UNIT_SAMPLES, UNIT_SAMPLES};
    struct fixture *f = &story->fixture;
    uint8_t payloads[ROWS][SLOT_BYTES], codecs[ROWS];
    int32_t lengths[ROWS];
    struct send sends[ROWS];
    slots_take(&f->plane, rows, ROWS, payloads[0], lengths, codecs);
    for (int row = 0; row < ROWS; row++)
        FUZZ_CHECK(lengths[row] >= -1 && lengths[row] <= SLOT_BYTES);
    note_sends(
        story, sends,
        egress_emit(&f->plane, rows, ROWS, payloads[0], SLOT_BYTES, lengths, samples, story->now, sends));
    FUZZ_CHECK(f->plane.notices_n >= 0 && f->plane.notices_n <= NOTICES);
    f->plane.notices_n = 0;
    story->now += 0.01;
}

static void report(struct story *story, int row, bool bye) {
    uint8_t out[PACKET_BYTES];
    const size_t bytes = rtcp_write(&story->fixture.rows[row], story->now, 1e9 + story->now, bye, out);
    FUZZ_CHECK(bytes <= PACKET_BYTES && bytes % 4 == 0);
    story->digest = fuzz_digest(story->digest, out, bytes);
}

static void cross(struct story *story, int row, bool enters) {
    story->fixture.rows[row].mode = enters ? MODE_TICK : MODE_RELAY;
    if (enters)
        slots_enter(&story->fixture.plane, row, story->now);
    else
        slots_leave(&story->fixture.plane, row);
}

static void perform(struct story *story, enum operation operation, struct script *script) {
    const uint8_t how = operation > WAIT || operation == TICK ? 0 : script_byte(script);
    switch (operation) {
    case TICK:
        tick(story);
        break;
    case REPORT:
        report(story, how % ROWS, how >> 7);
        break;
    case CHANGE_MODE:
        story->fixture.rows[how % ROWS].mode = (uint8_t)((how >> 2) % (MODE_TICK + 1));
        story->fixture.rows[how % ROWS].receiving = how >> 7;
        break;
    case CROSS:
        cross(story, how % ROWS, how >> 7);
        break;
    case WAIT:
        story->now += ldexp(0.001, how % 32);
        break;
    default:
        arrive(story, script);
    }
}

uint64_t fuzz_plane(uint64_t digest, const uint8_t *input, size_t bytes) {
    static struct story story;
    struct script script = {input, input + bytes};
    story = (struct story){.now = 1.0, .digest = digest};
    fixture_begin(&story.fixture, (enum mode)(script_byte(&script) % (MODE_TICK + 1)));
    while (!script_is_over(&script))
        perform(&story, (enum operation)(script_byte(&script) % 16), &script);
    for (int row = 0; row < ROWS; row++) {
        uint32_t counted = 0;
        for (int verdict = 0; verdict < VERDICTS; verdict++)
            counted += story.fixture.rows[row].verdicts[verdict];
        FUZZ_CHECK(counted == story.arrived[row]);
    }
    return story.digest;
}
