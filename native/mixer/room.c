/* One tick of a room: measure, choose, weigh, sum once, and what each member hears of it. */
#include "mixer/mixer.h"

/* What a member adds in this tick. */
enum mix_spoken { SPOKEN_NOTHING, SPOKEN_PLAIN, SPOKEN_WEIGHED };

static const int16_t *spoken_by(const struct mix_members *all, size_t i) {
    const struct mix_job *job = all->job;
    const int16_t *from = mix_member(all, i)->spoken == SPOKEN_WEIGHED ? job->spoken : job->said;
    return from + (size_t)job->member_at[i] * job->samples;
}

static int32_t count_people(const struct mix_members *all) {
    int32_t people = 0;
    for (size_t i = all->begin; i < all->end; i++)
        people += mix_member(all, i)->person;
    return people;
}

static void measure(const struct mix_members *all) {
    const struct mix_job *job = all->job;
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        voice_measure(row, job->said + (size_t)job->member_at[i] * job->samples, job->samples);
        if (all->room->auto_gain && row->person)
            voice_adjust(row);
    }
}

/* The weight that a member's signal has at the end of this tick. */
static uint16_t wanted_weight(const struct mix_members *all, const struct mix_row *row) {
    bool gated = all->room->gate_from > 0 && all->people >= all->room->gate_from && row->person;
    bool coach = row->heard_by != MIX_HEARD_BY_ROOM;
    if (row->muted || (gated && !row->open) || (!coach && !row->chosen))
        return 0;
    uint64_t weight = row->gain_in;
    if (all->room->auto_gain && row->person)
        weight = weight * row->auto_gain / MIX_AUTO_UNITY;
    return (uint16_t)(weight > MIX_WEIGHT_MAX ? MIX_WEIGHT_MAX : weight);
}

/* Weigh what a member says and note what came of it. */
static void weigh(const struct mix_members *all, size_t i, const int32_t *ramp) {
    const struct mix_job *job = all->job;
    struct mix_row *row = mix_member(all, i);
    size_t at = (size_t)job->member_at[i] * job->samples;
    uint16_t from = row->weight, to = wanted_weight(all, row);
    row->weight = to;
    if (from == 0 && to == 0) {
        row->spoken = SPOKEN_NOTHING;
    } else if (from == MIX_UNITY && to == MIX_UNITY) {
        row->spoken = SPOKEN_PLAIN;
    } else {
        row->spoken = SPOKEN_WEIGHED;
        sum_weigh(job->spoken + at, job->said + at, ramp, from, to, job->samples);
    }
}

/* Add up what the whole room hears. */
static void sum_room(const struct mix_members *all, int32_t *total, const int32_t *ramp) {
    for (size_t i = all->begin; i < all->end; i++) {
        weigh(all, i, ramp);
        const struct mix_row *row = mix_member(all, i);
        if (row->spoken != SPOKEN_NOTHING && row->heard_by == MIX_HEARD_BY_ROOM)
            sum_add(total, spoken_by(all, i), all->job->samples);
    }
}

static void hear_room(const struct mix_members *all, size_t i, const int32_t *total, int16_t *hears) {
    const struct mix_row *row = mix_member(all, i);
    if (row->spoken == SPOKEN_NOTHING || row->heard_by != MIX_HEARD_BY_ROOM)
        sum_limit(hears, total, all->job->samples);
    else
        sum_minus(hears, total, spoken_by(all, i), all->job->samples);
}

/* The same for a member that somebody coaches: their whispers come before the limit. */
static void hear_whispers(const struct mix_members *all, size_t i, const int32_t *total, int16_t *hears) {
    const struct mix_job *job = all->job;
    int32_t sum[MIX_SAMPLES_MAX];
    memcpy(sum, total, job->samples * sizeof *sum);
    for (size_t other = all->begin; other < all->end; other++) {
        const struct mix_row *row = mix_member(all, other);
        if (row->heard_by == job->member_rows[i] && row->spoken != SPOKEN_NOTHING && other != i)
            sum_add(sum, spoken_by(all, other), job->samples);
    }
    hear_room(all, i, sum, hears);
}

/* Does this member hear the whole total and nothing else, so that one signal serves for many? */
static bool hears_total(const struct mix_row *row) {
    bool adds = row->spoken != SPOKEN_NOTHING && row->heard_by == MIX_HEARD_BY_ROOM;
    bool plain = row->out_weight == MIX_UNITY && row->gain_out == MIX_UNITY && !row->deaf;
    return !adds && plain && !row->aside && !row->whispered && !row->switched;
}

static void hear(const struct mix_members *all, size_t i, const int32_t *total, const int32_t *ramp) {
    const struct mix_job *job = all->job;
    struct mix_row *row = mix_member(all, i);
    int16_t *hears = job->hears + (size_t)job->member_at[i] * job->samples;
    if (row->whispered && !row->aside)
        hear_whispers(all, i, total, hears);
    else if (!row->aside)
        hear_room(all, i, total, hears);
    uint16_t from = row->out_weight, to = row->deaf ? 0 : row->gain_out;
    row->out_weight = to;
    if (from != MIX_UNITY || to != MIX_UNITY)
        sum_weigh(hears, hears, ramp, from, to, job->samples);
    if (row->switched)
        sum_bridge(hears, ramp, row->last_heard - hears[0], job->samples);
    row->switched = 0;
}

/* Give everybody ears; those who hear the same share the signal of the first of them. */
static void hear_all(const struct mix_members *all, const int32_t *total, const int32_t *ramp) {
    const struct mix_job *job = all->job;
    int32_t shared = -1;
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        row->switched |= row->aside != row->was_aside;
        row->was_aside = row->aside;
        bool shares = hears_total(row);
        row->shared_ticks = shares ? row->shared_ticks + 1 : 0;
        job->signal_of[job->member_at[i]] = shares && shared >= 0 ? shared : job->member_at[i];
        if (!shares || shared < 0)
            hear(all, i, total, ramp);
        if (shares && shared < 0)
            shared = job->member_at[i];
        row->last_heard = job->hears[((size_t)job->signal_of[job->member_at[i]] + 1) * job->samples - 1];
    }
}

static void mix_room(struct mix_members *all, const int32_t *ramp) {
    int32_t total[MIX_SAMPLES_MAX] = {0};
    all->people = count_people(all);
    measure(all);
    choose_loudest(all);
    choose_active(all);
    sum_room(all, total, ramp);
    hear_all(all, total, ramp);
}

void mix_rooms(const struct mix_job *job) {
    int32_t ramp[MIX_SAMPLES_MAX];
    if (job->samples == 0 || job->samples > MIX_SAMPLES_MAX)
        return;
    sum_ramp(ramp, job->samples);
    for (size_t r = 0; r < job->n_rooms; r++) {
        struct mix_members all = {
            .job = job,
            .room = &job->rooms[job->room_of[r]],
            .begin = (size_t)job->offsets[r],
            .end = (size_t)job->offsets[r + 1],
        };
        mix_room(&all, ramp);
    }
}
