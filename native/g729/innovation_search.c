#include "g729/innovation.h"

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

static void correlate_plain(diagonals out, const int16_t h[G729_SUBFRAME]) {
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

/* A positive sign multiplies by 32767 / 32768, which cuts: not the same as leaving alone. */
static void fold_signs(int16_t inout[PLACES][PLACES], const int16_t sign_s[PLACES],
                       const int16_t sign_t[PLACES]) {
    for (int k = 0; k < PLACES; k++)
        for (int l = 0; l < PLACES; l++)
            inout[k][l] = mul16(inout[k][l], sign_s[k] == sign_t[l] ? INT16_MAX : INT16_MIN);
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

/* Phase A: one of the two largest magnitudes of track_a with each of track_b's eight places. */
static struct pair first_pair(const struct search *s, int track_a, int track_b) {
    struct pair best = {.square = -1, .energy = 1, .a = {track_a, 0}, .b = {track_b, 0}};
    int place = -1;
    for (int round = 0; round < 2; round++) {
        int16_t with_a[PLACES];
        place = largest_of(s->magnitude[track_a], place);
        const struct pulse a = {track_a, place};
        correlations_with(with_a, s, a, track_b);
        for (int l = 0; l < PLACES; l++) {
            const int16_t sum = add16(s->magnitude[track_a][place], s->magnitude[track_b][l]);
            const int32_t energy =
                QUARTER * (s->energy[track_a][place] + s->energy[track_b][l]) + HALF * with_a[l];
            const int16_t square = mul16(sum, sum);
            if (is_better(square, rounded(energy), best.square, best.energy))
                best = (struct pair){square, rounded(energy), sum, a, {track_b, l}};
        }
    }
    return best;
}

/* Phase B in the making: a pulse on track_c with one on track_d. */
struct second {
    int16_t sum_c[PLACES];    /* with the magnitudes of the first pair */
    int32_t energy_c[PLACES]; /* with the energies of the first pair */
    int16_t energy_d[PLACES]; /* what pulse d adds alone and with the first pair */
    const int16_t *magnitude_d;
    const int16_t (*cross)[PLACES];
};

static struct second begin_second(const struct search *s, const struct pair *first, int track_c,
                                  int track_d) {
    struct second out = {.magnitude_d = s->magnitude[track_d], .cross = s->cross[track_c][track_d]};
    int16_t a_c[PLACES], b_c[PLACES], a_d[PLACES], b_d[PLACES];
    correlations_with(a_c, s, first->a, track_c);
    correlations_with(b_c, s, first->b, track_c);
    correlations_with(a_d, s, first->a, track_d);
    correlations_with(b_d, s, first->b, track_d);
    for (int i = 0; i < PLACES; i++) {
        out.sum_c[i] = add16(first->sum, s->magnitude[track_c][i]);
        out.energy_c[i] =
            QUARTER * first->energy + SIXTEENTH * s->energy[track_c][i] + EIGHTH * (a_c[i] + b_c[i]);
        out.energy_d[i] = rounded(EIGHTH * s->energy[track_d][i] + QUARTER * (a_d[i] + b_d[i]));
    }
    return out;
}

static int32_t square_at(const struct second *s, int c, int d) {
    const int32_t sum = clamp16(s->sum_c[c] + s->magnitude_d[d]);
    return (sum * sum) >> 15;
}

static int32_t energy_at(const struct second *s, int c, int d) {
    return rounded(s->energy_c[c] + EIGHTH * s->cross[c][d] + HALF * s->energy_d[d]);
}

/* All 64 one after the other, as the standard compares them. */
static struct pair search_in_order(const struct second *s, int track_c, int track_d) {
    struct pair best = {.square = -1, .energy = 1, .a = {track_c, 0}, .b = {track_d, 0}};
    for (int c = 0; c < PLACES; c++)
        for (int d = 0; d < PLACES; d++) {
            const int16_t square = (int16_t)square_at(s, c, d), energy = (int16_t)energy_at(s, c, d);
            if (is_better(square, energy, best.square, best.energy))
                best = (struct pair){square, energy, 0, {track_c, c}, {track_d, d}};
        }
    return best;
}

/* Eight at a time.  With positive energies the comparison is one of fractions, so any order will do as long
 * as the first of equals wins: the lowest c, then the lowest d. */
static bool search_side_by_side(int *best_c, int *best_d, const struct second *s) {
    int32_t square[PLACES], energy[PLACES], at_c[PLACES] = {0}, least = INT32_MAX;
    for (int d = 0; d < PLACES; d++) {
        square[d] = square_at(s, 0, d);
        energy[d] = energy_at(s, 0, d);
        least = energy[d] < least ? energy[d] : least;
    }
    for (int c = 1; c < PLACES; c++)
        for (int d = 0; d < PLACES; d++) {
            const int32_t other_square = square_at(s, c, d), other_energy = energy_at(s, c, d);
            const bool better = energy[d] * other_square > square[d] * other_energy;
            square[d] = better ? other_square : square[d];
            energy[d] = better ? other_energy : energy[d];
            at_c[d] = better ? c : at_c[d];
            least = other_energy < least ? other_energy : least;
        }
    *best_d = 0;
    for (int d = 1; d < PLACES; d++) {
        const int32_t ahead = energy[*best_d] * square[d] - square[*best_d] * energy[d];
        if (ahead > 0 || (ahead == 0 && at_c[d] < at_c[*best_d]))
            *best_d = d;
    }
    *best_c = at_c[*best_d];
    return least > 0;
}

/* Phase B: two more pulses for a first pair. */
static struct pair second_pair(const struct search *s, const struct pair *first, int track_c, int track_d) {
    const struct second second = begin_second(s, first, track_c, track_d);
    int c = 0, d = 0;
    if (!search_side_by_side(&c, &d, &second))
        return search_in_order(&second, track_c, track_d);
    const int16_t square = (int16_t)square_at(&second, c, d), energy = (int16_t)energy_at(&second, c, d);
    return (struct pair){square, energy, 0, {track_c, c}, {track_d, d}};
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
