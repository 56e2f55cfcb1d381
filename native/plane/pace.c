/* The distribution of a row's transit times, in integers. */
#include "plane/pace.h"

enum {
    BIN_SAMPLES = 40, /* 5 ms */
    BINS = DELAY_BINS / 2,
    WINDOW_PACKETS = 100,
    ENOUGH_PACKETS = 10,
    LATE_IN = 100,      /* one packet in so many may be late */
    MARGIN_SAMPLES = 8, /* 1 ms: what a quiet network and a busy machine differ by from second to second */
    EVERY = 8,          /* packets: how often the wish is worked out */
};

static int32_t floor_bin(int32_t transit) {
    return transit >= 0 ? transit / BIN_SAMPLES : -1 - (-1 - transit) / BIN_SAMPLES;
}

void pace_reset(struct row *row) {
    memset(row->delay_bins, 0, sizeof row->delay_bins);
    row->delay_packets = 0;
    row->delay_known = 0;
    row->delay_wanted = 0;
}

int32_t pace_least(const struct row *row) {
    bool before = row->delay_known && row->delay_least[1] < row->delay_least[0];
    return row->delay_least[before ? 1 : 0];
}

static int32_t pace_most(const struct row *row) {
    bool before = row->delay_known && row->delay_most[1] > row->delay_most[0];
    return row->delay_most[before ? 1 : 0];
}

/* The counts of this window and of the one before. */
static uint32_t count_of(const struct row *row, int32_t bin) {
    uint32_t at = (uint32_t)bin & (BINS - 1);
    return (uint32_t)row->delay_bins[at] + row->delay_bins[BINS + at];
}

static int32_t lesser(int32_t a, int32_t b) {
    return a < b ? a : b;
}

/* Go down from the longest transit until one packet in a hundred lies above.  The end of a bin is waited for
 * only if somebody came so late: on a quiet network all of it would be waited in vain. */
static int32_t longest_but_few(const struct row *row) {
    const int32_t first = floor_bin(pace_least(row)), longest = pace_most(row) + MARGIN_SAMPLES;
    const uint32_t packets = row->delay_packets + (row->delay_known ? WINDOW_PACKETS : 0u);
    uint32_t above = 0;
    for (int32_t bin = first + BINS - 1; bin > first; bin--) {
        above += count_of(row, bin);
        if (above > packets / LATE_IN)
            return lesser((bin + 1) * BIN_SAMPLES, longest);
    }
    return lesser((first + 1) * BIN_SAMPLES, longest);
}

static void turn_window(struct row *row) {
    memcpy(row->delay_bins + BINS, row->delay_bins, BINS);
    memset(row->delay_bins, 0, BINS);
    row->delay_least[1] = row->delay_least[0];
    row->delay_most[1] = row->delay_most[0];
    row->delay_packets = 0;
    row->delay_known = 1;
}

void pace_measure(struct row *row, uint32_t timestamp, double now) {
    if (row->delay_packets == WINDOW_PACKETS)
        turn_window(row);
    if (row->delay_packets == 0 && !row->delay_known)
        row->delay_origin = pace_samples(now) - timestamp;
    int32_t transit = (int32_t)(pace_samples(now) - timestamp - row->delay_origin);
    if (row->delay_packets == 0 || transit < row->delay_least[0])
        row->delay_least[0] = transit;
    if (row->delay_packets == 0 || transit > row->delay_most[0])
        row->delay_most[0] = transit;
    const int32_t least = pace_least(row), most = least + (BINS - 1) * BIN_SAMPLES;
    row->delay_bins[(uint32_t)floor_bin(transit < most ? transit : most) & (BINS - 1)]++;
    row->delay_packets++;
    if (row->delay_packets % EVERY == 0 || !row->delay_wanted) {
        row->delay_want = longest_but_few(row);
        row->delay_wanted = row->delay_known || row->delay_packets >= ENOUGH_PACKETS;
    }
}

int32_t pace_of(const struct row *row, uint32_t due_samples) {
    uint32_t timestamp = row->slot_origin + (uint32_t)row->play_unit * UNIT_SAMPLES;
    return (int32_t)(due_samples - timestamp - row->delay_origin);
}

bool pace_want(const struct row *row, int32_t *want) {
    *want = row->play_fixed ? pace_least(row) + row->play_fixed * UNIT_SAMPLES : row->delay_want;
    return row->delay_wanted;
}
