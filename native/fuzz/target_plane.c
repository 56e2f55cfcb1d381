/* The media plane: packets of four rows, from anybody, at any time, between ticks and commands.
 *
 * What an input says: a byte, the mode of all rows to begin with; then records of an operation and what it
 * needs. 0 tick: every row is played, and hears its peer 1 a row's report   2 a row's mode   3 in and out of
 * the tick   4 time goes by   5 what a row is sent 6 and more: a packet: a byte   bits 0-1 the row, 2-3 the
 * source, 4 on the RTCP socket, 5-7 how many times 5 ms later a byte   its length in words of 32 bits, 0 to
 * 255, and in a byte   bits 0-1 odd bytes more; then the packet
 */
#include "fuzz/fuzz.h"
#include "plane/plane.h"
#include "plane/voice.h"
#include "tests/check.h"

#include <math.h>

enum operation { TICK, REPORT, CHANGE_MODE, CROSS, WAIT, CHANGE_VOICE };

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

/* What a tick leaves of a row can be moved to another process; there it is asked whether it is valid. */
static void move_voice(struct plane *plane, int32_t row) {
    uint8_t copy[VOICE_COPY_BYTES];
    const size_t bytes = voice_save(&plane->voices, row, copy);
    FUZZ_CHECK(bytes <= sizeof copy && voice_is_valid(copy, bytes));
    voice_forget(&plane->voices, row);
    voice_load(&plane->voices, row, copy);
}

static void tick(struct story *story) {
    static const int32_t rows[ROWS] = {0, 1, 2, 3}, peers[ROWS] = {1, 0, 3, 2};
    struct fixture *f = &story->fixture;
    int16_t pcm[ROWS][UNIT_SAMPLES];
    struct send sends[ROWS];
    playout_rows(&f->plane, rows, rows, ROWS, pcm, story->now);
    story->digest = fuzz_digest(story->digest, pcm, sizeof pcm);
    const size_t n =
        speak_rows(&f->plane, rows, peers, ROWS, (const int16_t (*)[UNIT_SAMPLES])pcm, story->now, sends);
    FUZZ_CHECK(n <= ROWS);
    note_sends(story, sends, n);
    for (int row = 0; row < ROWS; row++)
        move_voice(&f->plane, row);
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

/* What a re-INVITE may change of how a row is spoken to. */
static void change_voice(struct row *row, uint8_t how) {
    row->send_codec = (uint8_t)(CODEC_PCMU + (how >> 2) % (CODECS - CODEC_PCMU));
    row->send_units =
        (uint8_t)(codec_units(row->send_codec) * (1 + (how >> 5) % (PACKET_UNITS_MAX / FRAME_UNITS_MAX)));
    row->send_dtx = row->noise_send = how >> 7;
}

static void perform(struct story *story, enum operation operation, struct script *script) {
    const uint8_t how = operation > CHANGE_VOICE || operation == TICK ? 0 : script_byte(script);
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
    case CHANGE_VOICE:
        change_voice(&story->fixture.rows[how % ROWS], how);
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
