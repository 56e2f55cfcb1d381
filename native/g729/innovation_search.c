#include "g729/innovation.h"

#include "g729/clones.h"
#include "g729/fixed.h"
#include "g729/pitch_search.h"

#include <string.h>

enum { TRACKS = 5, PLACES = 8 };

/* What the search looks at, by track and place on it: sample 5 place + track. */
struct search {
    int16_t magnitude[TRACKS][PLACES];             /* |target filtered backwards| */
    int16_t sign[TRACKS][PLACES];                  /* 32767 or -32768 */
    int16_t energy[TRACKS][PLACES];                /* of h shifted there */
    int16_t cross[TRACKS][TRACKS][PLACES][PLACES]; /* correlations, signs folded in; [s][t] for s < t only */
};

struct pulse {
    int track, place;
};

/* A set of pulses and its worth: (sum of magnitudes)^2 / energy. */
struct pair {
    int16_t square, energy; /* square Q15 of the sum */
    int16_t sum;
    struct pulse a, b;
};

static int sample_of(struct pulse p) {
    return TRACKS * p.place + p.track;
}

/* Correlations of the impulse response by the later sample and how far apart the other is; each column is a
 * running sum. */
typedef int16_t diagonals[G729_SUBFRAME][G729_SUBFRAME];

G729_CLONES static void correlate_plain(diagonals out, const int16_t h[G729_SUBFRAME]) {
    int16_t padded[2 * G729_SUBFRAME] = {0};
    int32_t sum[G729_SUBFRAME] = {0};
    memcpy(padded, h, G729_SUBFRAME * sizeof *h);
    for (int i = 0; i < G729_SUBFRAME; i++)
        for (int apart = 0; apart < G729_SUBFRAME; apart++) {
            sum[apart] += h[i] * padded[i + apart];
            out[G729_SUBFRAME - 1 - i][apart] = (int16_t)(sum[apart] >> 15);
        }
}

static void correlate_saturating(diagonals out, const int16_t h[G729_SUBFRAME]) {
    for (int apart = 0; apart < G729_SUBFRAME; apart++) {
        int32_t sum = 0;
        for (int i = 0; i + apart < G729_SUBFRAME; i++) {
            sum = mac32(sum, h[i], h[i + apart]);
            out[G729_SUBFRAME - 1 - i][apart] = high16(sum);
        }
    }
}

/* 3.8.1: correlations, scaled so that they fit. */
static void correlate(diagonals out, const int16_t *h_q12) {
    enum { LOUD = 32000 };
    int16_t h[G729_SUBFRAME];
    bool saturated;
    const int32_t energy = g729_energy(h_q12, G729_SUBFRAME, 0, &saturated);
    const int shift = high16(energy) > LOUD ? -1 : norm32(energy) >> 1;
    for (int i = 0; i < G729_SUBFRAME; i++)
        h[i] = shl16(h_q12[i], shift);
    g729_energy(h, G729_SUBFRAME, 0, &saturated); /* if this does not, no correlation can */
    if (saturated)
        correlate_saturating(out, h);
    else
        correlate_plain(out, h);
}

/* Pick the correlations of two tracks from the diagonals. */
static void pick(int16_t out[PLACES][PLACES], diagonals in, int s, int t) {
    for (int k = 0; k < PLACES; k++) {
        const int a = TRACKS * k + s;
        for (int l = 0; l < k; l++)
            out[k][l] = in[a][a - TRACKS * l - t];
        for (int l = k; l < PLACES; l++)
            out[k][l] = in[TRACKS * l + t][TRACKS * l + t - a];
    }
}

/* A positive sign multiplies by 32767 / 32768, which cuts: it takes one from what is positive.  A negative
 * one negates.  -32768 becomes -32767 and 32767. */
static void fold_signs(int16_t inout[PLACES][PLACES], const int16_t sign_s[PLACES],
                       const int16_t sign_t[PLACES]) {
    for (int k = 0; k < PLACES; k++)
        for (int l = 0; l < PLACES; l++) {
            const int16_t x = inout[k][l] < -INT16_MAX ? -INT16_MAX : inout[k][l];
            const int16_t cut = (int16_t)(x - (x > 0)), negated = (int16_t)-x;
            inout[k][l] = sign_s[k] == sign_t[l] ? cut : negated;
        }
}

static void prepare(struct search *s, const int16_t *h_q12, const int16_t *target) {
    diagonals in;
    int16_t backwards[G729_SUBFRAME];
    correlate(in, h_q12);
    g729_filter_backwards(backwards, h_q12, target);
    for (int t = 0; t < TRACKS; t++)
        for (int l = 0; l < PLACES; l++) {
            const int16_t x = backwards[TRACKS * l + t];
            s->magnitude[t][l] = abs16(x);
            s->sign[t][l] = x >= 0 ? INT16_MAX : INT16_MIN;
            s->energy[t][l] = in[TRACKS * l + t][0];
        }
    for (int a = 0; a < TRACKS; a++)
        for (int b = a + 1; b < TRACKS; b++)
            if (a < 3) { /* tracks 3 and 4 share a pulse: they never meet */
                pick(s->cross[a][b], in, a, b);
                fold_signs(s->cross[a][b], s->sign[a], s->sign[b]);
            }
}

/* The correlations of one pulse with all places of another track. */
static void correlations_with(int16_t out[PLACES], const struct search *s, struct pulse p, int track) {
    for (int l = 0; l < PLACES; l++)
        out[l] =
            p.track < track ? s->cross[p.track][track][p.place][l] : s->cross[track][p.track][l][p.place];
}

static bool is_better(int16_t square, int16_t energy, int16_t than_square, int16_t than_energy) {
    return msu32(mul32(than_energy, square), than_square, energy) > 0;
}

static int largest_of(const int16_t magnitude[PLACES], int but) {
    int best = 0, largest = -1;
    for (int k = 0; k < PLACES; k++)
        if (magnitude[k] > largest && k != but) {
            largest = magnitude[k];
            best = k;
        }
    return best;
}

/* Energies below are sums with weights that add up to one: they cannot saturate. */
enum { HALF = 0x8000, QUARTER = HALF / 2, EIGHTH = HALF / 4, SIXTEENTH = HALF / 8 };

static int16_t rounded(int32_t x) {
    return (int16_t)((x + 0x8000) >> 16);
}

/* One pulse among n places (c) and another on the eight of a track (d), in the making.  The energy of both,
 * with all pulses before, is energy_c + cross_weight * cross + energy_d. */
struct choice {
    int16_t sum_c[PLACES];    /* of magnitudes, with those before */
    int32_t energy_c[PLACES]; /* with those before */
    int32_t energy_d[PLACES];
    int16_t cross[PLACES][PLACES];
    int32_t cross_weight;
    const int16_t *magnitude_d;
    int n;
};

static inline int32_t sum_at(const struct choice *s, int c, int d) {
    return clamp16(s->sum_c[c] + s->magnitude_d[d]);
}

static inline int32_t square_at(const struct choice *s, int c, int d) {
    return (sum_at(s, c, d) * sum_at(s, c, d)) >> 15;
}

static inline int32_t energy_at(const struct choice *s, int c, int d) {
    return rounded(s->energy_c[c] + s->cross_weight * s->cross[c][d] + s->energy_d[d]);
}

struct chosen {
    int16_t square, energy, sum;
    int c, d;
};

static struct chosen at(const struct choice *s, int c, int d) {
    return (struct chosen){(int16_t)square_at(s, c, d), (int16_t)energy_at(s, c, d), (int16_t)sum_at(s, c, d),
                           c, d};
}

/* All one after the other, as the standard compares them. */
static struct chosen choose_in_order(const struct choice *s) {
    struct chosen best = {.square = -1, .energy = 1};
    for (int c = 0; c < s->n; c++)
        for (int d = 0; d < PLACES; d++) {
            const struct chosen other = at(s, c, d);
            if (is_better(other.square, other.energy, best.square, best.energy))
                best = other;
        }
    return best;
}

/* The best of every d; returns the least energy of all. */
G729_CLONES static int32_t best_by_d(struct chosen out[PLACES], const struct choice *s) {
    int32_t square[PLACES], energy[PLACES], at_c[PLACES], lowest[PLACES], least = INT32_MAX;
    for (int d = 0; d < PLACES; d++) {
        square[d] = square_at(s, 0, d);
        lowest[d] = energy[d] = energy_at(s, 0, d);
        at_c[d] = 0;
    }
    for (int c = 1; c < s->n; c++)
        for (int d = 0; d < PLACES; d++) {
            const int32_t other_square = square_at(s, c, d), other_energy = energy_at(s, c, d);
            const bool better = energy[d] * other_square > square[d] * other_energy;
            square[d] = better ? other_square : square[d];
            energy[d] = better ? other_energy : energy[d];
            at_c[d] = better ? c : at_c[d];
            lowest[d] = other_energy < lowest[d] ? other_energy : lowest[d];
        }
    for (int d = 0; d < PLACES; d++) {
        out[d] = (struct chosen){(int16_t)square[d], (int16_t)energy[d], 0, at_c[d], d};
        least = lowest[d] < least ? lowest[d] : least;
    }
    return least;
}

/* Eight at a time.  With positive energies the comparison is one of fractions, so any order will do as long
 * as the first of equals wins: the lowest c, then the lowest d. */
static struct chosen choose(const struct choice *s) {
    struct chosen by_d[PLACES];
    int best = 0;
    if (best_by_d(by_d, s) <= 0)
        return choose_in_order(s);
    for (int d = 1; d < PLACES; d++) {
        const int32_t ahead = by_d[best].energy * by_d[d].square - by_d[best].square * by_d[d].energy;
        if (ahead > 0 || (ahead == 0 && by_d[d].c < by_d[best].c))
            best = d;
    }
    return at(s, by_d[best].c, best);
}

/* Phase A: one of the two largest magnitudes of track_a with each of track_b's eight places. */
static struct pair first_pair(const struct search *s, int track_a, int track_b) {
    struct choice choice = {.magnitude_d = s->magnitude[track_b], .cross_weight = HALF, .n = 2};
    int places[2], place = -1;
    for (int c = 0; c < 2; c++) {
        places[c] = place = largest_of(s->magnitude[track_a], place);
        choice.sum_c[c] = s->magnitude[track_a][place];
        choice.energy_c[c] = QUARTER * s->energy[track_a][place];
        correlations_with(choice.cross[c], s, (struct pulse){track_a, place}, track_b);
    }
    for (int d = 0; d < PLACES; d++)
        choice.energy_d[d] = QUARTER * s->energy[track_b][d];
    const struct chosen found = choose(&choice);
    return (struct pair){
        found.square, found.energy, found.sum, {track_a, places[found.c]}, {track_b, found.d}};
}

/* Phase B: two more pulses for a first pair, all 64. */
static struct pair second_pair(const struct search *s, const struct pair *first, int track_c, int track_d) {
    struct choice choice = {.magnitude_d = s->magnitude[track_d], .cross_weight = EIGHTH, .n = PLACES};
    int16_t a_c[PLACES], b_c[PLACES], a_d[PLACES], b_d[PLACES];
    correlations_with(a_c, s, first->a, track_c);
    correlations_with(b_c, s, first->b, track_c);
    correlations_with(a_d, s, first->a, track_d);
    correlations_with(b_d, s, first->b, track_d);
    memcpy(choice.cross, s->cross[track_c][track_d], sizeof choice.cross);
    for (int i = 0; i < PLACES; i++) {
        choice.sum_c[i] = add16(first->sum, s->magnitude[track_c][i]);
        choice.energy_c[i] =
            QUARTER * first->energy + SIXTEENTH * s->energy[track_c][i] + EIGHTH * (a_c[i] + b_c[i]);
        /* the standard rounds what pulse d adds alone and with the first pair */
        choice.energy_d[i] = HALF * rounded(EIGHTH * s->energy[track_d][i] + QUARTER * (a_d[i] + b_d[i]));
    }
    const struct chosen found = choose(&choice);
    return (struct pair){found.square, found.energy, found.sum, {track_c, found.c}, {track_d, found.d}};
}

static void search_pulses(struct pulse found[4], const struct search *s) {
    struct pair best = {.square = -1, .energy = 1};
    for (int t = 0; t < 4; t++)
        found[t] = (struct pulse){t, 0};
    for (int last_track = 3; last_track <= 4; last_track++) {
        struct pair first = first_pair(s, 2, last_track), second = second_pair(s, &first, 0, 1);
        if (is_better(second.square, second.energy, best.square, best.energy)) {
            best = second;
            found[0] = second.a, found[1] = second.b, found[2] = first.a, found[3] = first.b;
        }
        first = first_pair(s, last_track, 0);
        second = second_pair(s, &first, 1, 2);
        if (is_better(second.square, second.energy, best.square, best.energy)) {
            best = second;
            found[0] = first.b, found[1] = second.a, found[2] = second.b, found[3] = first.a;
        }
    }
}

/* y += or -= h, from a sample on. */
static void add_pulse(int16_t *y, const int16_t *h, int at, bool positive) {
    int16_t shifted[G729_SUBFRAME] = {0};
    memcpy(shifted + at, h, (size_t)(G729_SUBFRAME - at) * sizeof *h);
    for (int i = 0; i < G729_SUBFRAME; i++)
        y[i] = positive ? add16(y[i], shifted[i]) : sub16(y[i], shifted[i]);
}

void g729_search_innovation(struct g729_subframe_parameters *out, int16_t code_q13[G729_SUBFRAME],
                            int16_t filtered_q12[G729_SUBFRAME], int16_t h_q12[G729_SUBFRAME],
                            const int16_t target[G729_SUBFRAME], int lag, int16_t sharpness_q14) {
    struct search s;
    struct pulse found[4];
    g729_sharpen(h_q12, lag, sharpness_q14);
    prepare(&s, h_q12, target);
    search_pulses(found, &s);
    unsigned signs = 0;
    memset(filtered_q12, 0, G729_SUBFRAME * sizeof *filtered_q12);
    for (int i = 0; i < 4; i++) {
        const bool positive = s.sign[found[i].track][found[i].place] > 0;
        signs |= (unsigned)positive << i;
        add_pulse(filtered_q12, h_q12, sample_of(found[i]), positive);
    }
    const int last = 2 * found[3].place + found[3].track - 3;
    out->signs = (uint16_t)signs;
    out->positions = (uint16_t)(found[0].place | found[1].place << 3 | found[2].place << 6 | last << 9);
    g729_decode_innovation(code_q13, out->positions, out->signs, lag, sharpness_q14);
}
