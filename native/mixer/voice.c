/* Is there a voice?  Level, noise floor, gate, and a slow gain towards one level for all.
 *
 * The floor is the least short-time power of the last one to two seconds: speech has a pause within that
 * time, noise has none.  A gate opens in the tick whose power is 6 dB above the floor and closes 300 ms after
 * the power has come within 3 dB of it.  A floor is never believed above -35 dBov, so a steady loud sound is
 * heard.
 */
#include "mixer/mixer.h"

enum {
    ABSENT = 16,         /* -78 dBov: digital silence, which says nothing about the noise */
    QUIET = 1074,        /* -60 dBov: nothing below it is a voice */
    FLOOR_LEAST = 68,    /* -72 dBov */
    FLOOR_MOST = 339546, /* -35 dBov */
    OPEN_RATIO = 4,      /* 6 dB */
    KEEP_RATIO = 2,      /* 3 dB */
    SPEECH_RATIO = 8,    /* 9 dB: sure enough to measure by */
    WINDOW_TICKS = 100,
    HANGOVER_TICKS = 30,
    TARGET = 2697135,  /* -26 dBov, the nominal active speech level of ITU-T P.56 */
    NOISE_MOST = 2697, /* -56 dBov: automatic gain never raises a floor above it */
    AUTO_LEAST = MIX_AUTO_UNITY / 4,
    AUTO_MOST = MIX_AUTO_UNITY * 4,
};

static uint32_t least(uint32_t a, uint32_t b) { /* 0 is "not known yet" */
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint32_t clamped(uint32_t x, uint32_t low, uint32_t high) {
    return x < low ? low : x > high ? high : x;
}

/* An exponential mean: by 1/2^shift of the way to `x`. */
static uint32_t towards(uint32_t mean, uint32_t x, int shift) {
    return mean - (mean >> shift) + (x >> shift);
}

static void track_floor(struct mix_row *row) {
    row->window_min = least(row->window_min, row->smooth);
    uint32_t lowest = least(row->window_min, row->earlier_min);
    row->floor = clamped(lowest + lowest / 4, FLOOR_LEAST, FLOOR_MOST); /* a minimum lies below the mean */
    if (++row->window_ticks < WINDOW_TICKS)
        return;
    row->earlier_min = row->window_min;
    row->window_min = 0;
    row->window_ticks = 0;
}

static void track_gate(struct mix_row *row) {
    bool voice = row->power > QUIET && row->power > OPEN_RATIO * row->floor;
    bool lasting = row->open && row->smooth > QUIET / 2 && row->smooth > KEEP_RATIO * row->floor;
    if (voice || lasting) {
        row->open = 1;
        row->hangover = HANGOVER_TICKS;
    } else if (row->hangover > 0) {
        row->hangover--;
    } else {
        row->open = 0;
    }
    row->silent = row->open ? 0 : row->silent < UINT16_MAX ? (uint16_t)(row->silent + 1) : row->silent;
}

void voice_measure(struct mix_row *row, const int16_t *pcm, size_t samples) {
    const struct sum_level level = sum_level(pcm, samples);
    row->power = level.power;
    row->peak = level.peak;
    row->slow = towards(row->slow, row->power, 5);
    if (row->power < ABSENT) {
        row->smooth = 0;
    } else {
        row->smooth = row->smooth == 0 ? row->power : towards(row->smooth, row->power, 2);
        track_floor(row);
    }
    track_gate(row);
}

/* A power after a gain of auto_gain. */
static uint64_t gained(const struct mix_row *row, uint32_t power) {
    uint64_t gain_q12 = row->auto_gain >> 4;
    return (power * gain_q12 >> 12) * gain_q12 >> 12;
}

/* Learns from speech alone: 1.7 dB a second up, 3.4 dB down; at rest within a decibel of the target. */
void voice_adjust(struct mix_row *row) {
    if (!row->open || row->power <= SPEECH_RATIO * row->floor)
        return;
    row->speech = row->speech == 0 ? row->power : towards(row->speech, row->power, 7);
    uint64_t level = gained(row, row->speech);
    uint32_t gain = row->auto_gain;
    if (level > TARGET + TARGET / 4)
        gain -= gain >> 8;
    else if (level < TARGET - TARGET / 5 && gained(row, row->floor) < NOISE_MOST)
        gain += gain >> 9;
    row->auto_gain = clamped(gain, AUTO_LEAST, AUTO_MOST);
}
