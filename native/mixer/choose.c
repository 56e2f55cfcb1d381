/* Who is heard in a large room, and who is its active speaker.
 *
 * Both are the greatest by (score, key), a strict order: it does not matter in which order the members stand.
 * Who was in before has a bonus, so that two who are equally loud do not take turns.
 */
#include "mixer/mixer.h"

enum {
    ACTIVE_BONUS = 2,    /* 3 dB */
    TAKEOVER_TICKS = 60, /* a challenger leads for so long ... */
    FIRST_TICKS = 5,     /* ... or so long when nobody speaks */
    FORGET_TICKS = 200,  /* after so long a silence there is no active speaker */
};

struct candidate {
    uint64_t score, key;
    struct mix_row *row;
};

static bool beats(const struct candidate *a, const struct candidate *b) {
    return a->score != b->score ? a->score > b->score : a->key < b->key;
}

/* May this member be heard by the room at all now? */
static bool speaks(const struct mix_row *row) {
    return row->person && row->open && !row->muted && row->heard_by == MIX_HEARD_BY_ROOM;
}

/* Put a candidate into its place among the `n` best so far; returns how many there are now. */
static size_t insert(struct candidate best[MIX_LOUDEST_MAX], size_t n, size_t most, struct candidate one) {
    size_t at = n;
    while (at > 0 && beats(&one, &best[at - 1]))
        at--;
    if (at == most)
        return n;
    size_t grown = n < most ? n + 1 : n;
    for (size_t i = grown - 1; i > at; i--)
        best[i] = best[i - 1];
    best[at] = one;
    return grown;
}

void choose_loudest(const struct mix_members *all) {
    const struct mix_room *room = all->room;
    bool limited = room->loudest > 0 && room->loudest_from > 0 && all->people >= room->loudest_from;
    struct candidate best[MIX_LOUDEST_MAX];
    size_t n = 0;
    for (size_t i = all->begin; limited && i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        uint64_t score = (uint64_t)row->slow * (row->chosen ? room->margin_q8 : 256);
        if (speaks(row))
            n = insert(best, n, (size_t)room->loudest, (struct candidate){score, row->key, row});
    }
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        row->chosen = !limited || !row->person;
    }
    for (size_t i = 0; i < n; i++)
        best[i].row->chosen = 1;
}

static void become_active(const struct mix_members *all, const struct mix_row *leader) {
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        row->active = row == leader;
        row->leading = 0;
    }
}

void choose_active(const struct mix_members *all) {
    struct candidate loudest = {0};
    struct mix_row *active = NULL;
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        struct candidate one = {(uint64_t)row->slow * (row->active ? ACTIVE_BONUS : 1), row->key, row};
        if (row->active)
            active = row;
        if (speaks(row) && (!loudest.row || beats(&one, &loudest)))
            loudest = one;
    }
    for (size_t i = all->begin; i < all->end; i++) {
        struct mix_row *row = mix_member(all, i);
        row->leading = row == loudest.row && !row->active ? (uint16_t)(row->leading + 1) : 0;
    }
    if (loudest.row && loudest.row->leading >= (active && active->open ? TAKEOVER_TICKS : FIRST_TICKS))
        become_active(all, loudest.row);
    else if (active && active->silent > FORGET_TICKS)
        become_active(all, NULL);
}
