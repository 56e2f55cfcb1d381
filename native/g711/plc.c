#include "g711/plc.h"

#include <math.h>
#include <string.h>

enum {
    FRAME = G711_PLC_FRAME,
    DELAY = G711_PLC_DELAY,
    PAST = G711_PLC_PAST,
    MATCH = 160,                                          /* samples compared: 20 ms */
    WINDOW = MATCH + G711_PLC_PITCH_MAX,                  /* samples searched */
    LAST_SHIFT = G711_PLC_PITCH_MAX - G711_PLC_PITCH_MIN, /* shift 0 is the longest pitch */
    DECIMATION = 2,                                       /* of the coarse search, in samples and in lags */
    ENERGY_MIN = 250,                                     /* below it all lags are equally good */
    OVERLAP_GROWTH = 32,                                  /* of the fade back, for each further lost frame */
};

static const double FADE = .2; /* of full scale, for each lost frame but the first */

/* ---- overlapping ---- */

/* Fade from one signal to the other: out = left * (n-1 .. 0)/n * gain + right * (1 .. n)/n, cut towards zero.
 * The weights are summed up step by step as the standard does; computing them afresh rounds otherwise. */
static void overlap(int16_t *out, const int16_t *left, const int16_t *right, int n, double gain) {
    const double step = 1. / n, left_step = step * gain;
    double left_weight = (1. - step) * gain, right_weight = step;
    for (int i = 0; i < n; i++) {
        double sum = left_weight * left[i] + right_weight * right[i];
        if (sum > 32767.)
            sum = 32767.;
        else if (sum < -32768.)
            sum = -32768.;
        out[i] = (int16_t)sum;
        left_weight -= left_step;
        right_weight += step;
    }
}

/* How loud repetition still is after so many lost frames: the second one begins at 1. */
static double gain_after(int n_lost) {
    const double gain = 1. - (n_lost - 1) * FADE;
    return gain < 0. ? 0. : gain;
}

static void fade(int16_t out[FRAME], int n_lost) {
    double gain = gain_after(n_lost);
    for (int i = 0; i < FRAME; i++) {
        out[i] = (int16_t)(out[i] * gain);
        gain -= FADE / FRAME;
    }
}

/* ---- the pitch ---- */

static inline int64_t dot(const int16_t *a, const int16_t *b, int n) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

struct search {
    const int16_t *signal; /* what is searched */
    const int16_t *target; /* what is looked for */
    int n;                 /* samples of the target */
    int first, last;       /* shifts to try */
    bool later_wins;       /* among equally good ones */
};

/* Return the shift at which the signal is most like the target: correlation by the root of the energy. */
static int most_alike(const struct search *search) {
    const int n = search->n;
    const int16_t *signal = search->signal + search->first;
    int64_t energy = dot(signal, signal, n);
    int best_shift = search->first;
    double best = -INFINITY;
    for (int shift = search->first; shift <= search->last; shift++, signal++) {
        const double power = (double)(energy < ENERGY_MIN ? ENERGY_MIN : energy);
        const double likeness = (double)dot(signal, search->target, n) / sqrt(power);
        if (likeness > best || (likeness == best && search->later_wins)) {
            best = likeness;
            best_shift = shift;
        }
        energy += signal[n] * signal[n] - signal[0] * signal[0];
    }
    return best_shift;
}

/* First with every second sample and lag, then around what that found. */
static int find_pitch(const int16_t past[PAST]) {
    const int16_t *window = past + PAST - WINDOW;
    int16_t coarse[WINDOW / DECIMATION];
    for (int i = 0; i < WINDOW / DECIMATION; i++)
        coarse[i] = window[i * DECIMATION];
    const struct search roughly = {
        .signal = coarse,
        .target = coarse + G711_PLC_PITCH_MAX / DECIMATION,
        .n = MATCH / DECIMATION,
        .first = 0,
        .last = LAST_SHIFT / DECIMATION,
        .later_wins = true,
    };
    const int about = DECIMATION * most_alike(&roughly);
    const struct search exactly = {
        .signal = window,
        .target = window + G711_PLC_PITCH_MAX,
        .n = MATCH,
        .first = about > 0 ? about - (DECIMATION - 1) : 0,
        .last = about < LAST_SHIFT ? about + (DECIMATION - 1) : LAST_SHIFT,
        .later_wins = false,
    };
    return G711_PLC_PITCH_MAX - most_alike(&exactly);
}

/* ---- repeating the past ---- */

static int quarter_of(const struct g711_plc *state) {
    return state->pitch / 4;
}

/* Repeat `n_repeated` samples at the end of the past; bend their end so that it leads to their beginning. */
static void repeat(struct g711_plc *state, int n_repeated) {
    const int quarter = quarter_of(state);
    int16_t *end = state->past + PAST;
    state->n_repeated = (int16_t)n_repeated;
    overlap(end - quarter, state->quarter, end - n_repeated - quarter, quarter, 1.);
}

static void take(struct g711_plc *state, int16_t *out, int n) {
    const int16_t *repeated = state->past + PAST - state->n_repeated;
    while (n > 0) {
        const int left = state->n_repeated - state->at, count = left < n ? left : n;
        memcpy(out, repeated + state->at, (size_t)count * sizeof *out);
        state->at = (int16_t)(count == left ? 0 : state->at + count);
        out += count;
        n -= count;
    }
}

static void begin(struct g711_plc *state) {
    int16_t *newest = state->history[state->newest];
    for (int i = 0; i < G711_PLC_HISTORY_FRAMES; i++) { /* unroll the ring: its oldest 10 samples fall off */
        const int from_end = (G711_PLC_HISTORY_FRAMES - i) * FRAME,
                  skip = from_end > PAST ? from_end - PAST : 0;
        const int frame = (state->newest + 1 + i) % G711_PLC_HISTORY_FRAMES;
        memcpy(state->past + PAST + skip - from_end, state->history[frame] + skip,
               (size_t)(FRAME - skip) * sizeof(int16_t));
    }
    state->pitch = (int16_t)find_pitch(state->past);
    state->at = 0;
    const int quarter = quarter_of(state);
    const size_t bytes = (size_t)quarter * sizeof(int16_t);
    memcpy(state->quarter, state->past + PAST - quarter, bytes);
    repeat(state, state->pitch);
    memcpy(newest + FRAME - quarter, state->past + PAST - quarter, bytes); /* not yet played: bent, too */
}

/* Go on with one period more, from the same place in a period, faded over from what would have come. */
static void widen(struct g711_plc *state, int16_t out[FRAME]) {
    const int quarter = quarter_of(state);
    int16_t continued[DELAY];
    int16_t at = state->at;
    take(state, continued, quarter);
    while (at > state->pitch)
        at = (int16_t)(at - state->pitch);
    state->at = at;
    repeat(state, state->n_repeated + state->pitch);
    take(state, out, FRAME);
    overlap(out, continued, out, quarter, 1.);
}

/* ---- frames ---- */

/* Keep the frame, and put what is due now in its place: all of it DELAY samples later. */
static void keep(struct g711_plc *state, int16_t pcm[FRAME]) {
    const int16_t *before = state->history[state->newest];
    state->newest = (int16_t)((state->newest + 1) % G711_PLC_HISTORY_FRAMES);
    memcpy(state->history[state->newest], pcm, FRAME * sizeof *pcm);
    memcpy(pcm, before + FRAME - DELAY, DELAY * sizeof *pcm);
    memcpy(pcm + DELAY, state->history[state->newest], (FRAME - DELAY) * sizeof *pcm);
}

void g711_plc_good(struct g711_plc *state, int16_t pcm[G711_PLC_FRAME]) {
    if (state->lost > 0) {
        const int grown = quarter_of(state) + (state->lost - 1) * OVERLAP_GROWTH;
        const int n = grown < FRAME ? grown : FRAME;
        int16_t continued[FRAME];
        take(state, continued, n);
        overlap(pcm, continued, pcm, n, gain_after(state->lost));
        state->lost = 0;
    }
    keep(state, pcm);
}

/* What repetition gives as the next lost frame; n_before were lost before it. */
static void repetition(struct g711_plc *state, int16_t out[FRAME], int n_before) {
    if (n_before == 0)
        begin(state);
    if (n_before == 0 || n_before >= G711_PLC_PERIODS_MAX)
        take(state, out, FRAME);
    else
        widen(state, out);
    if (n_before > 0)
        fade(out, n_before);
}

void g711_plc_lost(struct g711_plc *state, int16_t out[G711_PLC_FRAME]) {
    if (state->lost < G711_PLC_SILENT_AFTER) {
        repetition(state, out, state->lost);
        state->lost = (int16_t)(state->lost + 1);
    } else {
        memset(out, 0, FRAME * sizeof *out);
    }
    keep(state, out);
}

void g711_plc_process(struct g711_plc *states, const ptrdiff_t *rows, int16_t *pcm, const uint8_t *lost,
                      size_t n) {
    for (size_t i = 0; i < n; i++, pcm += FRAME)
        if (lost[i])
            g711_plc_lost(&states[rows[i]], pcm);
        else
            g711_plc_good(&states[rows[i]], pcm);
}

bool g711_plc_is_valid(const struct g711_plc *state) {
    const int pitch = state->pitch, n_repeated = state->n_repeated, n_lost = state->lost;
    if (state->newest < 0 || state->newest >= G711_PLC_HISTORY_FRAMES)
        return false;
    if (n_lost <= 0 || n_lost > G711_PLC_SILENT_AFTER)
        return n_lost == 0; /* the rest will be written before it is read */
    const int n_periods = n_lost < G711_PLC_PERIODS_MAX ? n_lost : G711_PLC_PERIODS_MAX;
    return pitch >= G711_PLC_PITCH_MIN && pitch <= G711_PLC_PITCH_MAX && n_repeated == n_periods * pitch &&
           state->at >= 0 && state->at < n_repeated;
}
