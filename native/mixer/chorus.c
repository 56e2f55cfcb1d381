#include "mixer/chorus.h"

#include "plane/codec.h"

static bool remembers(const struct mouth *mouth) {
    return mouth->codec == CODEC_G729 || codec_is_ilbc(mouth->codec);
}

/* The row whose encoder holds what this one's phone has heard. */
static int32_t singer_of(const struct voices *voices, int32_t row) {
    const int32_t follows = voices->mouths[row].follows;
    return follows == MOUTH_LEADS ? row : follows - 1;
}

static void take_memory(struct voices *voices, int32_t row, int32_t from) {
    if (row == from)
        return;
    if (voices->mouths[row].codec == CODEC_G729)
        voices->g729_encoders[row] = voices->g729_encoders[from];
    else
        voices->ilbc_encoders[row] = voices->ilbc_encoders[from];
}

void chorus_leave(struct voices *voices, int32_t row) {
    take_memory(voices, row, singer_of(voices, row));
    voices->mouths[row].follows = MOUTH_LEADS;
}

void chorus_disband(struct voices *voices, int32_t row, int32_t capacity) {
    for (int32_t other = 0; other < capacity; other++)
        if (voices->mouths[other].follows == row + 1)
            chorus_leave(voices, other);
}

/* Rows of one kind have one encoder, and their frames begin in the same tick. */
static int32_t kind_of(const struct mouth *mouth, const struct row *row) {
    if (mouth->codec == CODEC_G729)
        return row->send_dtx != 0;
    int32_t gathered = row->tx_phase == 0 ? 0 : mouth->gathered;
    return (mouth->codec == CODEC_ILBC_20 ? 2 : 4) + gathered;
}

/* The chorus of a row; NULL: it sings alone. */
static struct chorus *chorus_of(const struct voices *voices, const struct row *rows,
                                const struct chorus_job *job, size_t i) {
    const int32_t index = job->rows[i];
    const struct mouth *mouth = &voices->mouths[index];
    if (mouth->settled_ticks < CHORUS_SETTLED_TICKS)
        return NULL;
    return &job->choruses[job->signal_of[job->at[i]] * CHORUS_KINDS + kind_of(mouth, &rows[index])];
}

/* How long has this row heard what others hear, with the encoder that it has? */
static void settle(struct voices *voices, const struct row *rows, const struct chorus_job *job,
                   int32_t index) {
    struct mouth *mouth = &voices->mouths[index];
    bool goes_on = mouth->codec == rows[index].send_codec && job->now - mouth->spoke_at <= MOUTH_FORGETS_S;
    bool settles = goes_on && remembers(mouth) && job->mix[index].shared_ticks > 0;
    mouth->settled_ticks = settles ? mouth->settled_ticks + 1 : 0;
}

static bool is_senior(const struct voices *voices, const struct chorus_job *job, int32_t a, int32_t b) {
    const uint32_t a_ticks = voices->mouths[a].settled_ticks, b_ticks = voices->mouths[b].settled_ticks;
    return a_ticks != b_ticks ? a_ticks > b_ticks : job->mix[a].key < job->mix[b].key;
}

/* Enter a row into its chorus, if it has one: the first is its leader, the senior's memory will be
 * everybody's. */
static void enter(struct voices *voices, const struct row *rows, const struct chorus_job *job, size_t i) {
    const int32_t index = job->rows[i];
    settle(voices, rows, job, index);
    struct chorus *chorus = chorus_of(voices, rows, job, i);
    if (!chorus) {
        chorus_leave(voices, index);
        return;
    }
    if (chorus->leader == CHORUS_NOBODY)
        chorus->leader = chorus->senior = index;
    else if (is_senior(voices, job, index, chorus->senior))
        chorus->senior = index;
}

void chorus_form(struct voices *voices, const struct row *rows, const struct chorus_job *job) {
    for (size_t i = 0; i < job->positions * CHORUS_KINDS; i++)
        job->choruses[i] = (struct chorus){CHORUS_NOBODY, CHORUS_NOBODY};
    for (size_t i = 0; i < job->n; i++)
        enter(voices, rows, job, i);
    for (size_t i = 0; i < job->n; i++) { /* before anybody follows somebody else */
        const struct chorus *chorus = chorus_of(voices, rows, job, i);
        if (chorus && chorus->leader == job->rows[i])
            take_memory(voices, chorus->leader, singer_of(voices, chorus->senior));
    }
    for (size_t i = 0; i < job->n; i++) {
        const struct chorus *chorus = chorus_of(voices, rows, job, i);
        if (chorus)
            voices->mouths[job->rows[i]].follows =
                chorus->leader == job->rows[i] ? MOUTH_LEADS : chorus->leader + 1;
    }
}
