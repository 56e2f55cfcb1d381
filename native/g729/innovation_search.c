#include "g729/innovation.h"

#include "g729/fixed.h"
#include "g729/pitch_search.h"

#include <string.h>

enum { TRACKS = 5, PLACES = 8 };

/* What the search looks at, by place among the 40 samples. */
struct search {
    int16_t magnitude[G729_SUBFRAME]; /* |target filtered backwards| */
    int16_t sign[G729_SUBFRAME];      /* 32767 or -32768 */
    int16_t correlation[G729_SUBFRAME]
                       [G729_SUBFRAME]; /* of two shifted h; signs folded in off the diagonal */
};

/* A set of pulses and its worth: (sum of magnitudes)^2 / energy. */
struct best {
    int16_t square, energy; /* square Q15 of the sum */
    int16_t sum;
    int a, b;
};

struct pulses {
    int16_t square, energy;
    int place[4];
};

/* 3.8.1: correlations of the impulse response, scaled so that they fit; each diagonal is one running sum. */
static void correlate(struct search *s, const int16_t *h_q12) {
    enum { LOUD = 32000 };
    int16_t h[G729_SUBFRAME];
    bool saturated;
    const int32_t energy = g729_energy(h_q12, G729_SUBFRAME, 0, &saturated);
    const int shift = high16(energy) > LOUD ? -1 : norm32(energy) >> 1;
    for (int i = 0; i < G729_SUBFRAME; i++)
        h[i] = shl16(h_q12[i], shift);
    for (int apart = 0; apart < G729_SUBFRAME; apart++) {
        int32_t sum = 0;
        for (int i = 0; i + apart < G729_SUBFRAME; i++) {
            const int later = G729_SUBFRAME - 1 - i;
            sum = mac32(sum, h[i], h[i + apart]);
            s->correlation[later - apart][later] = s->correlation[later][later - apart] = high16(sum);
        }
    }
}

/* A positive sign multiplies by 32767 / 32768, which cuts: not the same as leaving alone. */
static void fold_signs(struct search *s) {
    for (int i = 0; i < G729_SUBFRAME; i++) {
        s->sign[i] = s->magnitude[i] >= 0 ? INT16_MAX : INT16_MIN;
        s->magnitude[i] = s->magnitude[i] >= 0 ? s->magnitude[i] : neg16(s->magnitude[i]);
    }
    for (int i = 0; i < G729_SUBFRAME; i++)
        for (int j = 0; j < G729_SUBFRAME; j++)
            if (i != j)
                s->correlation[i][j] =
                    mul16(s->correlation[i][j], s->sign[i] == s->sign[j] ? INT16_MAX : INT16_MIN);
}

static bool is_better(int16_t square, int16_t energy, int16_t than_square, int16_t than_energy) {
    return msu32(mul32(than_energy, square), than_square, energy) > 0;
}

/* Phase A: one of the two largest magnitudes of track_a with each of track_b's eight places. */
static struct best first_pair(const struct search *s, int track_a, int track_b) {
    struct best best = {.square = -1, .energy = 1, .a = track_a, .b = track_b};
    int tried = -1;
    for (int round = 0; round < 2; round++) {
        int16_t largest = -1;
        int a = track_a;
        for (int i = track_a; i < G729_SUBFRAME; i += TRACKS)
            if (s->magnitude[i] > largest && i != tried) {
                largest = s->magnitude[i];
                a = i;
            }
        tried = a;
        const int32_t energy_a = mul32(s->correlation[a][a], 8192);
        for (int b = track_b; b < G729_SUBFRAME; b += TRACKS) {
            const int16_t sum = add16(s->magnitude[a], s->magnitude[b]);
            int32_t energy = mac32(energy_a, s->correlation[b][b], 8192);
            energy = mac32(energy, s->correlation[a][b], 16384);
            const int16_t square = mul16(sum, sum), rounded = round16(energy);
            if (is_better(square, rounded, best.square, best.energy))
                best = (struct best){square, rounded, sum, a, b};
        }
    }
    return best;
}

/* Phase B: two more pulses for a first pair, all 64 of two tracks. */
static struct best second_pair(const struct search *s, const struct best *first, int track_c, int track_d) {
    struct best best = {.square = -1, .energy = 1, .a = track_c, .b = track_d};
    int16_t energy_d[PLACES]; /* what pulse d adds alone and with the first pair */
    for (int i = 0, d = track_d; d < G729_SUBFRAME; i++, d += TRACKS) {
        int32_t energy = mul32(s->correlation[d][d], 4096);
        energy = mac32(energy, s->correlation[first->a][d], 8192);
        energy_d[i] = round16(mac32(energy, s->correlation[first->b][d], 8192));
    }
    const int32_t energy_ab = mul32(first->energy, 8192);
    for (int c = track_c; c < G729_SUBFRAME; c += TRACKS) {
        const int16_t sum_c = add16(first->sum, s->magnitude[c]);
        int32_t energy_c = mac32(energy_ab, s->correlation[c][c], 2048);
        energy_c = mac32(energy_c, s->correlation[first->a][c], 4096);
        energy_c = mac32(energy_c, s->correlation[first->b][c], 4096);
        for (int i = 0, d = track_d; d < G729_SUBFRAME; i++, d += TRACKS) {
            const int16_t sum = add16(sum_c, s->magnitude[d]);
            int32_t energy = mac32(energy_c, s->correlation[c][d], 4096);
            energy = mac32(energy, energy_d[i], 16384);
            const int16_t square = mul16(sum, sum), rounded = round16(energy);
            if (is_better(square, rounded, best.square, best.energy))
                best = (struct best){square, rounded, sum, c, d};
        }
    }
    return best;
}

static struct pulses search_pulses(const struct search *s) {
    struct pulses found = {.square = -1, .energy = 1, .place = {0, 1, 2, 3}};
    for (int last_track = 3; last_track <= 4; last_track++) {
        const struct best first = first_pair(s, 2, last_track);
        const struct best second = second_pair(s, &first, 0, 1);
        if (is_better(second.square, second.energy, found.square, found.energy))
            found = (struct pulses){second.square, second.energy, {second.a, second.b, first.a, first.b}};
        const struct best other_first = first_pair(s, last_track, 0);
        const struct best other = second_pair(s, &other_first, 1, 2);
        if (is_better(other.square, other.energy, found.square, found.energy))
            found =
                (struct pulses){other.square, other.energy, {other_first.b, other.a, other.b, other_first.a}};
    }
    return found;
}

/* y += or -= h, from place on; the first pulse is written, not added. */
static void add_pulse(int16_t *y, const int16_t *h, int place, bool positive) {
    for (int i = place; i < G729_SUBFRAME; i++)
        y[i] = positive ? add16(y[i], h[i - place]) : sub16(y[i], h[i - place]);
}

void g729_search_innovation(struct g729_subframe_parameters *out, int16_t code_q13[G729_SUBFRAME],
                            int16_t filtered_q12[G729_SUBFRAME], int16_t h_q12[G729_SUBFRAME],
                            const int16_t target[G729_SUBFRAME], int lag, int16_t sharpness_q14) {
    struct search s;
    g729_sharpen(h_q12, lag, sharpness_q14);
    correlate(&s, h_q12);
    g729_filter_backwards(s.magnitude, h_q12, target);
    fold_signs(&s);
    const struct pulses found = search_pulses(&s);
    unsigned signs = 0;
    memset(filtered_q12, 0, G729_SUBFRAME * sizeof *filtered_q12);
    for (int i = 0; i < 4; i++) {
        const bool positive = s.sign[found.place[i]] > 0;
        signs |= (unsigned)positive << i;
        add_pulse(filtered_q12, h_q12, found.place[i], positive);
    }
    const int last = found.place[3] / TRACKS;
    out->signs = (uint16_t)signs;
    out->positions = (uint16_t)(found.place[0] / TRACKS | found.place[1] / TRACKS << 3 |
                                found.place[2] / TRACKS << 6 | (2 * last + found.place[3] % TRACKS - 3) << 9);
    g729_decode_innovation(code_q13, out->positions, out->signs, lag, sharpness_q14);
}
