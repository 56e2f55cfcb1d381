#include "mixer/chorus.h"

#include "plane/codec.h"

enum { NOBODY = -1 };

static void take_memory(struct voices *voices, int32_t row, int32_t from) {
    if (voices->mouths[row].codec == CODEC_G729)
        voices->g729_encoders[row] = voices->g729_encoders[from];
    else
        voices->ilbc_encoders[row] = voices->ilbc_encoders[from];
}

void chorus_leave(struct voices *voices, int32_t row) {
    struct mouth *mouth = &voices->mouths[row];
    if (mouth->follows == MOUTH_LEADS)
        return;
    take_memory(voices, row, mouth->follows - 1);
    mouth->follows = MOUTH_LEADS;
}

void chorus_disband(struct voices *voices, int32_t row, int32_t capacity) {
    for (int32_t other = 0; other < capacity; other++)
        if (voices->mouths[other].follows == row + 1)
            chorus_leave(voices, other);
}

static bool may_follow(const struct mouth *mouth, const struct row *row, uint32_t shared_ticks, double now) {
    bool goes_on = mouth->codec == row->send_codec && now - mouth->spoke_at <= MOUTH_FORGETS_S;
    bool remembers = mouth->codec == CODEC_G729 || codec_is_ilbc(mouth->codec);
    return goes_on && remembers && shared_ticks >= CHORUS_SETTLED_TICKS;
}

/* Rows of one kind have one encoder, and their frames begin in the same tick. */
static int32_t kind_of(const struct mouth *mouth, const struct row *row) {
    if (mouth->codec == CODEC_G729)
        return row->send_dtx != 0;
    int32_t gathered = row->tx_phase == 0 ? 0 : mouth->gathered;
    return (mouth->codec == CODEC_ILBC_20 ? 2 : 4) + gathered;
}

/* Where the leader of a row's chorus is noted; NULL: it sings alone. */
static int32_t *leader_of(const struct voices *voices, const struct row *rows, const struct chorus_job *job,
                          size_t i) {
    const int32_t index = job->rows[i];
    const struct mouth *mouth = &voices->mouths[index];
    if (!may_follow(mouth, &rows[index], job->mix[index].shared_ticks, job->now))
        return NULL;
    return &job->leaders[job->signal_of[job->at[i]] * CHORUS_KINDS + kind_of(mouth, &rows[index])];
}

/* The first of each chorus leads it from now on.  Those that leave theirs, or come to lead, take the memory
 * of the leader they had: before this tick has changed it. */
static void find_leaders(struct voices *voices, const struct row *rows, const struct chorus_job *job) {
    for (size_t i = 0; i < job->n; i++) {
        int32_t *leader = leader_of(voices, rows, job, i);
        if (leader && *leader == NOBODY)
            *leader = job->rows[i];
        if (!leader || *leader == job->rows[i])
            chorus_leave(voices, job->rows[i]);
    }
}

/* A leader who is new to a chorus that was there goes on with its memory. */
static void hand_over(struct voices *voices, int32_t leader, int32_t before) {
    if (leader != before)
        take_memory(voices, leader, before);
}

void chorus_form(struct voices *voices, const struct row *rows, const struct chorus_job *job) {
    for (size_t i = 0; i < job->positions * CHORUS_KINDS; i++)
        job->leaders[i] = NOBODY;
    find_leaders(voices, rows, job);
    for (size_t i = 0; i < job->n; i++) {
        struct mouth *mouth = &voices->mouths[job->rows[i]];
        const int32_t *leader = leader_of(voices, rows, job, i);
        if (!leader || *leader == job->rows[i])
            continue;
        if (mouth->follows != MOUTH_LEADS && mouth->follows != *leader + 1)
            hand_over(voices, *leader, mouth->follows - 1);
        mouth->follows = *leader + 1;
    }
}
