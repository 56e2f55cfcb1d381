/* Who encodes for whom, and whose memory is where when that changes. */
#include "check.h"
#include "mixer/chorus.h"

enum { SINGERS = 4, UNITS_MEMORY = 7 };

struct choir {
    struct row rows[SINGERS];
    struct mix_row mix[SINGERS];
    struct mouth mouths[SINGERS];
    struct g729_encoder encoders[SINGERS];
    struct voices voices;
    int32_t at[SINGERS], signal_of[SINGERS];
    struct chorus choruses[SINGERS * CHORUS_KINDS];
};

/* Four rows of G.729 that have heard the signal of row 0 for long, each with a memory of its own. */
static void begin(struct choir *c) {
    memset(c, 0, sizeof *c);
    c->voices = (struct voices){.mouths = c->mouths, .g729_encoders = c->encoders};
    for (int i = 0; i < SINGERS; i++) {
        c->rows[i].send_codec = c->mouths[i].codec = CODEC_G729;
        c->mouths[i].spoke_at = 1.0;
        c->mix[i].shared_ticks = 1;
        c->mix[i].key = (uint64_t)(100 + i);
        c->mouths[i].settled_ticks = CHORUS_SETTLED_TICKS;
        c->at[i] = i;
        memset(&c->encoders[i], 10 + i, sizeof c->encoders[i]);
    }
}

static void form(struct choir *c, const int32_t *rows, size_t n) {
    int32_t at[SINGERS];
    for (size_t i = 0; i < n; i++)
        at[i] = c->at[rows[i]];
    chorus_form(&c->voices, c->rows,
                &(struct chorus_job){.mix = c->mix,
                                     .rows = rows,
                                     .at = at,
                                     .signal_of = c->signal_of,
                                     .choruses = c->choruses,
                                     .n = n,
                                     .positions = SINGERS,
                                     .now = 1.01});
}

static uint8_t memory(const struct choir *c, int row) {
    return ((const uint8_t *)&c->encoders[row])[UNITS_MEMORY];
}

static const int32_t all[] = {0, 1, 2, 3};

static void the_first_leads_and_the_others_follow(void) {
    struct choir c;
    begin(&c);
    form(&c, all, 4);
    CHECK(c.mouths[0].follows == MOUTH_LEADS);
    for (int i = 1; i < SINGERS; i++)
        CHECK(c.mouths[i].follows == 1 && memory(&c, i) == 10 + i);
}

static void who_is_new_or_idle_or_coded_otherwise_sings_alone(void) {
    struct choir c;
    begin(&c);
    c.mouths[0].settled_ticks = CHORUS_SETTLED_TICKS - 2;
    c.mouths[1].spoke_at = 0.5;
    c.rows[2].send_dtx = 1;
    form(&c, all, 4);
    for (int i = 0; i < SINGERS; i++)
        CHECK(c.mouths[i].follows == MOUTH_LEADS);
}

static void who_leaves_takes_the_leaders_memory(void) {
    struct choir c;
    begin(&c);
    form(&c, all, 4);
    c.mix[2].shared_ticks = 0;
    form(&c, all, 4);
    CHECK(c.mouths[2].follows == MOUTH_LEADS && memory(&c, 2) == 10 && memory(&c, 3) == 13);
}

static void when_the_leader_leaves_the_next_goes_on_with_its_memory(void) {
    struct choir c;
    begin(&c);
    form(&c, all, 4);
    c.mix[0].shared_ticks = 0;
    form(&c, all, 4);
    CHECK(c.mouths[0].follows == MOUTH_LEADS && memory(&c, 0) == 10);
    CHECK(c.mouths[1].follows == MOUTH_LEADS && memory(&c, 1) == 10);
    CHECK(c.mouths[2].follows == 2 && c.mouths[3].follows == 2);
}

static void a_new_first_goes_on_with_the_memory_of_the_chorus(void) {
    struct choir c;
    begin(&c);
    c.mouths[0].settled_ticks = 0;
    form(&c, all + 1, 3);
    c.mouths[0].settled_ticks = CHORUS_SETTLED_TICKS - 1;
    CHECK(c.mouths[2].follows == 2 && c.mouths[3].follows == 2);
    form(&c, all, 4);
    CHECK(memory(&c, 0) == 11 && memory(&c, 1) == 11);
    CHECK(c.mouths[1].follows == 1 && c.mouths[2].follows == 1 && c.mouths[3].follows == 1);
}

static void the_memory_is_that_of_the_senior_and_of_equals_that_of_the_least_key(void) {
    struct choir c;
    begin(&c);
    c.mix[3].key = 1;
    form(&c, all, 4);
    CHECK(memory(&c, 0) == 13 && c.mouths[3].follows == 1);
    begin(&c);
    c.mix[3].key = 1;
    c.mouths[2].settled_ticks++;
    form(&c, all, 4);
    CHECK(memory(&c, 0) == 12 && c.mouths[2].follows == 1);
}

static void a_row_that_is_thrown_away_leaves_its_memory(void) {
    struct choir c;
    begin(&c);
    form(&c, all, 4);
    chorus_disband(&c.voices, 0, SINGERS);
    for (int i = 1; i < SINGERS; i++)
        CHECK(c.mouths[i].follows == MOUTH_LEADS && memory(&c, i) == 10);
}

static void different_signals_are_different_choruses(void) {
    struct choir c;
    begin(&c);
    c.signal_of[2] = c.signal_of[3] = 2;
    form(&c, all, 4);
    CHECK(c.mouths[1].follows == 1 && c.mouths[2].follows == MOUTH_LEADS && c.mouths[3].follows == 3);
}

int main(void) {
    the_first_leads_and_the_others_follow();
    who_is_new_or_idle_or_coded_otherwise_sings_alone();
    who_leaves_takes_the_leaders_memory();
    when_the_leader_leaves_the_next_goes_on_with_its_memory();
    a_new_first_goes_on_with_the_memory_of_the_chorus();
    the_memory_is_that_of_the_senior_and_of_equals_that_of_the_least_key();
    a_row_that_is_thrown_away_leaves_its_memory();
    different_signals_are_different_choruses();
    return 0;
}
