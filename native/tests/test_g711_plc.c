/* Appendix I on signals whose concealment can be told beforehand; the G.191 vectors run from tests/codecs. */
#include "g711/plc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

enum { FRAME = G711_PLC_FRAME, DELAY = G711_PLC_DELAY, N_FRAMES = 40, N = N_FRAMES * FRAME };

typedef int16_t signal_at(int i);

static uint32_t chance = 1;

static uint32_t any(void) {
    chance = chance * 1664525u + 1013904223u;
    return chance >> 8;
}

static int16_t noise(int i) {
    (void)i;
    return (int16_t)any();
}

static int16_t square(int i) {
    return i / 45 % 2 ? 32767 : -32768;
}

/* A pulse train with a period of 100 samples. */
static int16_t pulses(int i) {
    return (int16_t)(12000 - 240 * (i % 100));
}

/* Run a signal through a new row; frames from `first_lost` up to `first_good` are lost. */
static void conceal(int16_t out[N], signal_at *signal, int first_lost, int first_good) {
    struct g711_plc state = {0};
    for (int i = 0; i < N; i++)
        out[i] = signal(i);
    for (int frame = 0; frame < N_FRAMES; frame++)
        if (frame >= first_lost && frame < first_good)
            g711_plc_lost(&state, out + frame * FRAME);
        else
            g711_plc_good(&state, out + frame * FRAME);
    CHECK(g711_plc_is_valid(&state));
}

static void without_loss_everything_comes_thirty_samples_later(void) {
    int16_t out[N];
    conceal(out, pulses, N_FRAMES, N_FRAMES);
    for (int i = 0; i < N; i++)
        CHECK(out[i] == (i < DELAY ? 0 : pulses(i - DELAY)));
}

static void a_periodic_signal_goes_on_through_a_loss(void) {
    int16_t out[N];
    conceal(out, pulses, 20, 21);
    for (int i = DELAY; i < N; i++)
        CHECK(abs(out[i] - pulses(i - DELAY)) <= 1); /* weights that sum up to almost 1, cut towards zero */
}

static void a_long_loss_fades_and_is_silent_after_sixty_milliseconds(void) {
    int16_t out[N];
    conceal(out, square, 10, 30);
    for (int i = 16 * FRAME + DELAY; i < 30 * FRAME + DELAY; i++)
        CHECK(out[i] == 0);
    int loudest = 32768;
    for (int frame = 11; frame < 16; frame++) {
        int peak = 0;
        for (int i = 0; i < FRAME; i++)
            peak = abs(out[frame * FRAME + DELAY + i]) > peak ? abs(out[frame * FRAME + DELAY + i]) : peak;
        CHECK(peak <= loudest);
        loudest = peak - 32768 / 8;
    }
}

static void a_loss_before_the_first_frame_is_silence(void) {
    int16_t out[N];
    conceal(out, noise, 0, 4);
    for (int i = 0; i < 4 * FRAME + DELAY; i++)
        CHECK(out[i] == 0);
}

static void a_batch_is_its_rows_one_by_one_in_any_order(void) {
    enum { ROWS = 7, ROUNDS = 200 };
    static struct g711_plc batch[ROWS], single[ROWS];
    for (int round = 0; round < ROUNDS; round++) {
        ptrdiff_t rows[ROWS];
        int16_t pcm[ROWS][FRAME], expected[ROWS][FRAME];
        uint8_t lost[ROWS];
        for (int i = 0; i < ROWS; i++) {
            rows[i] = (ptrdiff_t)(any() % ROWS); /* some twice: two consecutive frames */
            lost[i] = any() % 3 == 0;
            for (int k = 0; k < FRAME; k++)
                pcm[i][k] = expected[i][k] = noise(k);
            (lost[i] ? g711_plc_lost : g711_plc_good)(&single[rows[i]], expected[i]);
        }
        g711_plc_process(batch, rows, pcm[0], lost, ROWS);
        CHECK(memcmp(pcm, expected, sizeof pcm) == 0);
        CHECK(memcmp(batch, single, sizeof batch) == 0);
    }
}

/* Bytes that pass for a state lead to no access outside of it, whatever frames follow (under the sanitizers).
 */
static void any_valid_state_can_go_on(void) {
    int n_valid = 0;
    for (int round = 0; round < 20000; round++) {
        struct g711_plc state;
        for (size_t i = 0; i < sizeof state; i++)
            ((uint8_t *)&state)[i] = (uint8_t)any();
        state.newest = (int16_t)(any() % 6);
        state.lost = (int16_t)(any() % 8);
        state.pitch = (int16_t)(38 + any() % 85);
        state.n_repeated = (int16_t)(state.pitch * (int)(1 + any() % 3));
        state.at = (int16_t)(any() % 400);
        if (!g711_plc_is_valid(&state))
            continue;
        n_valid++;
        for (int frame = 0; frame < 10; frame++) {
            int16_t pcm[FRAME] = {32767, -32768};
            (any() % 3 ? g711_plc_lost : g711_plc_good)(&state, pcm);
            CHECK(g711_plc_is_valid(&state));
        }
    }
    CHECK(n_valid > 1000);
}

static void states_that_point_outside_are_refused(void) {
    const struct g711_plc fine = {.lost = 2, .pitch = 50, .n_repeated = 100, .at = 99};
    const struct g711_plc wrong[] = {
        {.newest = -1},
        {.newest = G711_PLC_HISTORY_FRAMES},
        {.lost = -1},
        {.lost = G711_PLC_SILENT_AFTER + 1},
        {.lost = 1, .pitch = 39, .n_repeated = 39},
        {.lost = 1, .pitch = 121, .n_repeated = 121},
        {.lost = 3, .pitch = 50, .n_repeated = 100},
        {.lost = 1, .pitch = 50, .n_repeated = 50, .at = 50},
        {.lost = 1, .pitch = 50, .n_repeated = 50, .at = -1},
    };
    CHECK(g711_plc_is_valid(&fine));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!g711_plc_is_valid(&wrong[i]));
}

int main(void) {
    without_loss_everything_comes_thirty_samples_later();
    a_periodic_signal_goes_on_through_a_loss();
    a_long_loss_fades_and_is_silent_after_sixty_milliseconds();
    a_loss_before_the_first_frame_is_silence();
    a_batch_is_its_rows_one_by_one_in_any_order();
    any_valid_state_can_go_on();
    states_that_point_outside_are_refused();
    return 0;
}
