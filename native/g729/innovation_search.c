#include "g729/fixed.h"
#include "g729/innovation.h"
#include "g729/lanes.h"
#include "g729/pitch_search.h"

#include <string.h>

enum { TRACKS = 5, PLACES = 8 };

/* What the search looks at, by track and place on it: sample 5 place + track. */
struct search {
    lanes magnitude[TRACKS][PLACES];             /* |target filtered backwards| */
    lanes negative[TRACKS][PLACES];              /* its sign: -1 or 0 */
    lanes energy[TRACKS][PLACES];                /* of h shifted there */
    lanes cross[TRACKS][TRACKS][PLACES][PLACES]; /* correlations, signs folded in; [s][t] for s < t only */
};

/* 3.8.1: the impulse response, scaled so that its correlations fit.  Returns the rows where they do not. */
static rows_set scale(lanes out[G729_SUBFRAME], const lanes h_q12[G729_SUBFRAME]) {
    enum { LOUD = 32000 };
    const lanes energy = lanes_energy(h_q12, G729_SUBFRAME);
    lanes left, right;
    for (int row = 0; row < LANES; row++) {
        right[row] = high16(energy[row]) > LOUD;
        left[row] = right[row] ? 0 : norm32(energy[row]) >> 1;
    }
    for (int i = 0; i < G729_SUBFRAME; i++)
        out[i] = (lanes)((wrapping_lanes)h_q12[i] << (wrapping_lanes)left) >> right;
    return lanes_set_of(lanes_above(lanes_energy(out, G729_SUBFRAME), lanes_of(INT32_MAX - 1)));
}

/* A positive sign multiplies by 32767 / 32768, which cuts: it takes one from what is positive.  A negative
 * one negates.  -32768 becomes -32767 and 32767. */
LANES_INLINE lanes fold_sign(lanes correlation, lanes negative) {
    const lanes x = lanes_max(correlation, lanes_of(-INT16_MAX));
    const lanes cut = lanes_above(x, lanes_of(0)) & ~negative;
    return ((x ^ negative) - negative) + cut;
}

/* Put a correlation where it belongs.  Of tracks 3 and 4, which share a pulse, and of a track with itself
 * none is asked for. */
LANES_INLINE void note(struct search *s, int track_a, int k, int track_b, int l, lanes correlation) {
    const lanes folded = fold_sign(correlation, s->negative[track_a][k] ^ s->negative[track_b][l]);
    if (track_a == track_b && k == l)
        s->energy[track_a][k] = correlation;
    else if (track_a < track_b && track_a < 3)
        s->cross[track_a][track_b][k][l] = folded;
    else if (track_b < track_a && track_b < 3)
        s->cross[track_b][track_a][l][k] = folded;
}

/* Correlations of samples that are so many and a multiple of five apart.  Each such diagonal of the matrix is
 * a running sum, from its far end on. */
LANES_INLINE void correlate_apart(struct search *s, const lanes h[G729_SUBFRAME], int apart) {
    for (int places = 0; places < PLACES; places++) {
        wrapping_lanes sum = {0};
        for (int l = PLACES - 1; l >= places; l--)
#pragma GCC unroll 5
            for (int track_b = TRACKS - 1; track_b >= 0; track_b--) {
                const int borrow = track_b < apart, track_a = track_b - apart + borrow * TRACKS;
                const int k = l - places - borrow;
                if (k >= 0) {
                    sum += (wrapping_lanes)(h[G729_SUBFRAME - 1 - TRACKS * k - track_a] *
                                            h[G729_SUBFRAME - 1 - TRACKS * l - track_b]);
                    note(s, track_a, k, track_b, l, (lanes)sum >> 15);
                }
            }
    }
}

static void correlate(struct search *s, const lanes h[G729_SUBFRAME]) {
    correlate_apart(s, h, 0);
    correlate_apart(s, h, 1);
    correlate_apart(s, h, 2);
    correlate_apart(s, h, 3);
    correlate_apart(s, h, 4);
}

/* A row's turn to saturate: a search of its own, of which it takes its lane. */
static void correlate_saturating(struct search *s, const lanes h[G729_SUBFRAME], int row) {
    struct search own = *s;
    for (int apart = 0; apart < G729_SUBFRAME; apart++) {
        int32_t sum = 0;
        for (int i = 0; i + apart < G729_SUBFRAME; i++) {
            const int b = G729_SUBFRAME - 1 - i, a = b - apart;
            sum = mac32(sum, (int16_t)h[i][row], (int16_t)h[i + apart][row]);
            note(&own, a % TRACKS, a / TRACKS, b % TRACKS, b / TRACKS, lanes_of(high16(sum)));
        }
    }
    for (int t = 0; t < TRACKS; t++)
        for (int k = 0; k < PLACES; k++) {
            s->energy[t][k][row] = own.energy[t][k][row];
            for (int u = t + 1; u < TRACKS && t < 3; u++)
                for (int l = 0; l < PLACES; l++)
                    s->cross[t][u][k][l][row] = own.cross[t][u][k][l][row];
        }
}

static void prepare(struct search *s, const lanes h_q12[G729_SUBFRAME], const lanes target[G729_SUBFRAME]) {
    lanes backwards[G729_SUBFRAME], h[G729_SUBFRAME];
    g729_filter_backwards(backwards, h_q12, target);
    for (int i = 0; i < G729_SUBFRAME; i++) {
        s->negative[i % TRACKS][i / TRACKS] = backwards[i] >> 31;
        s->magnitude[i % TRACKS][i / TRACKS] = lanes_min(lanes_abs(backwards[i]), lanes_of(INT16_MAX));
    }
    const rows_set loud = scale(h, h_q12);
    correlate(s, h);
    for (int row = 0; row < LANES; row++)
        if (loud >> row & 1)
            correlate_saturating(s, h, row);
}

/* A place on a track that differs by row, as masks: -1 for the place that it is. */
struct place {
    lanes is[PLACES];
};

LANES_INLINE struct place place_of(lanes index) {
    struct place out;
    for (int k = 0; k < PLACES; k++)
        out.is[k] = index == k;
    return out;
}

LANES_INLINE lanes pick(const lanes from[PLACES], const struct place *place) {
    lanes out = lanes_of(0);
    for (int k = 0; k < PLACES; k++)
        out |= from[k] & place->is[k];
    return out;
}

/* The correlations of a pulse with all places of another track. */
LANES_INLINE void correlations_with(lanes out[PLACES], const struct search *s, int track_p,
                                    const struct place *p, int track) {
    const bool before = track_p < track;
    const lanes *cross = &s->cross[before ? track_p : track][before ? track : track_p][0][0];
    const int next_place_of_p = before ? PLACES : 1, next_place = before ? 1 : PLACES;
    for (int l = 0; l < PLACES; l++) {
        lanes sum = lanes_of(0);
        for (int k = 0; k < PLACES; k++)
            sum |= cross[k * next_place_of_p + l * next_place] & p->is[k];
        out[l] = sum;
    }
}

/* The first place of the largest magnitude; not the one that is excluded, if any. */
LANES_INLINE lanes largest_of(const lanes magnitude[PLACES], const struct place *excluded) {
    lanes largest = lanes_of(-1), best = lanes_of(0);
    for (int k = 0; k < PLACES; k++) {
        lanes larger = lanes_above(magnitude[k], largest);
        if (excluded)
            larger &= ~excluded->is[k];
        largest = lanes_select(larger, magnitude[k], largest);
        best = lanes_select(larger, lanes_of(k), best);
    }
    return best;
}

/* Energies below are sums with weights that add up to one: they cannot saturate. */
enum { HALF = 0x8000, QUARTER = HALF / 2, EIGHTH = HALF / 4, SIXTEENTH = HALF / 8 };

LANES_INLINE lanes rounded(lanes x) {
    return (x + 0x8000) >> 16;
}

/* A set of pulses and its worth: (sum of magnitudes)^2 / energy. */
struct chosen {
    lanes square, energy, sum; /* square Q15 of the sum */
    lanes index;               /* c * PLACES + d */
};

/* One pulse among some places (c) and another on the eight of a track (d), in the making.  The energy of
 * both, with all pulses before, is energy_c + cross * its weight + energy_d. */
struct choice {
    lanes sum_c[PLACES];    /* of magnitudes, with those before */
    lanes energy_c[PLACES]; /* with those before */
    lanes energy_d[PLACES];
    const lanes *magnitude_d, (*cross)[PLACES];
    struct chosen best;
};

/* -1 where the fraction is larger.  The standard takes a saturated difference; its sign is the same. */
LANES_INLINE lanes is_better(lanes square, lanes energy, lanes than_square, lanes than_energy) {
    return lanes_above(lanes_mul16(square, than_energy), lanes_mul16(energy, than_square));
}

LANES_INLINE void compare(struct choice *s, int c, int d, int cross_weight) {
    const lanes sum = lanes_min(s->sum_c[c] + s->magnitude_d[d], lanes_of(INT16_MAX));
    const lanes square = lanes_mul16(sum, sum) >> 15;
    const lanes energy = rounded(s->energy_c[c] + s->cross[c][d] * cross_weight + s->energy_d[d]);
    const lanes better = is_better(square, energy, s->best.square, s->best.energy);
    s->best.square = lanes_select(better, square, s->best.square);
    s->best.energy = lanes_select(better, energy, s->best.energy);
    s->best.sum = lanes_select(better, sum, s->best.sum);
    s->best.index = lanes_select(better, lanes_of(c * PLACES + d), s->best.index);
}

/* All one after the other, as the standard compares them: the first of equals wins.  Two choices that know
 * nothing of each other, so that one's comparison need not wait for the other's. */
LANES_INLINE void choose(struct choice both[2], int cross_weight, int n) {
    struct choice s = both[0], t = both[1];
    s.best = t.best = (struct chosen){.square = lanes_of(-1), .energy = lanes_of(1)};
    for (int c = 0; c < n; c++)
        for (int d = 0; d < PLACES; d++) {
            compare(&s, c, d, cross_weight);
            compare(&t, c, d, cross_weight);
        }
    both[0].best = s.best;
    both[1].best = t.best;
}

/* Two pulses, a on one track and b on the next. */
struct pair {
    int track_a, track_b;
    lanes a, b; /* places */
    struct chosen worth;
};

/* Phase A: one of the two largest magnitudes of track_a with each of track_b's eight places. */
static void first_pairs(struct pair both[2], const struct search *s) {
    enum { TRIED = 2 };
    struct choice choice[2];
    lanes places[2][TRIED], cross[2][TRIED][PLACES];
    for (int i = 0; i < 2; i++) {
        const int track_a = both[i].track_a, track_b = both[i].track_b;
        struct place last;
        for (int c = 0; c < TRIED; c++) {
            places[i][c] = largest_of(s->magnitude[track_a], c ? &last : NULL);
            last = place_of(places[i][c]);
            choice[i].sum_c[c] = pick(s->magnitude[track_a], &last);
            choice[i].energy_c[c] = pick(s->energy[track_a], &last) * QUARTER;
            correlations_with(cross[i][c], s, track_a, &last, track_b);
        }
        for (int d = 0; d < PLACES; d++)
            choice[i].energy_d[d] = s->energy[track_b][d] * QUARTER;
        choice[i].magnitude_d = s->magnitude[track_b];
        choice[i].cross = cross[i];
    }
    choose(choice, HALF, TRIED);
    for (int i = 0; i < 2; i++) {
        const lanes index = choice[i].best.index;
        both[i].worth = choice[i].best;
        both[i].a = lanes_select(lanes_above(index, lanes_of(PLACES - 1)), places[i][1], places[i][0]);
        both[i].b = index & (PLACES - 1);
    }
}

/* Phase B: two more pulses for each first pair, all 64. */
LANES_INLINE void add_pulses(struct choice *out, const struct search *s, const struct pair *first,
                             int track_c, int track_d) {
    const struct place a = place_of(first->a), b = place_of(first->b);
    lanes a_c[PLACES], b_c[PLACES], a_d[PLACES], b_d[PLACES];
    correlations_with(a_c, s, first->track_a, &a, track_c);
    correlations_with(b_c, s, first->track_b, &b, track_c);
    correlations_with(a_d, s, first->track_a, &a, track_d);
    correlations_with(b_d, s, first->track_b, &b, track_d);
    for (int i = 0; i < PLACES; i++) {
        out->sum_c[i] = lanes_min(first->worth.sum + s->magnitude[track_c][i], lanes_of(INT16_MAX));
        out->energy_c[i] =
            first->worth.energy * QUARTER + s->energy[track_c][i] * SIXTEENTH + (a_c[i] + b_c[i]) * EIGHTH;
        /* the standard rounds what pulse d adds alone and with the first pair */
        out->energy_d[i] = rounded(s->energy[track_d][i] * EIGHTH + (a_d[i] + b_d[i]) * QUARTER) * HALF;
    }
    out->magnitude_d = s->magnitude[track_d];
    out->cross = s->cross[track_c][track_d];
}

static void second_pairs(struct pair out[2], const struct search *s, const struct pair first[2]) {
    struct choice choice[2];
    for (int i = 0; i < 2; i++)
        add_pulses(&choice[i], s, &first[i], out[i].track_a, out[i].track_b);
    choose(choice, EIGHTH, PLACES);
    for (int i = 0; i < 2; i++) {
        out[i].worth = choice[i].best;
        out[i].a = choice[i].best.index >> 3;
        out[i].b = choice[i].best.index & (PLACES - 1);
    }
}

/* Four pulses: their places, the first three on tracks 0 to 2, and the track of the last. */
struct pulses {
    lanes square, energy, place[4], last_track;
};

static void keep_better(struct pulses *best, const struct chosen *worth, const lanes *const place[4],
                        int last_track) {
    const lanes better = is_better(worth->square, worth->energy, best->square, best->energy);
    best->square = lanes_select(better, worth->square, best->square);
    best->energy = lanes_select(better, worth->energy, best->energy);
    best->last_track = lanes_select(better, lanes_of(last_track), best->last_track);
    for (int i = 0; i < 4; i++)
        best->place[i] = lanes_select(better, *place[i], best->place[i]);
}

/* A.3.8.2: the last pulse on track 3, then on track 4; the first pair on tracks 2 and its, then its and 0. */
static void search_pulses(struct pulses *best, const struct search *s) {
    *best = (struct pulses){.square = lanes_of(-1), .energy = lanes_of(1), .last_track = lanes_of(3)};
    for (int last = 3; last <= 4; last++) {
        struct pair first[2] = {{.track_a = 2, .track_b = last}, {.track_a = last, .track_b = 0}};
        struct pair second[2] = {{.track_a = 0, .track_b = 1}, {.track_a = 1, .track_b = 2}};
        first_pairs(first, s);
        second_pairs(second, s, first);
        keep_better(best, &second[0].worth,
                    (const lanes *const[]){&second[0].a, &second[0].b, &first[0].a, &first[0].b}, last);
        keep_better(best, &second[1].worth,
                    (const lanes *const[]){&first[1].b, &second[1].a, &second[1].b, &first[1].a}, last);
    }
}

/* y += or -= h, from a sample on. */
static void add_pulse(int16_t *y, const int16_t *h, int at, bool positive) {
    for (int i = at; i < G729_SUBFRAME; i++)
        y[i] = positive ? add16(y[i], h[i - at]) : sub16(y[i], h[i - at]);
}

/* A row's pulses as code words, code vector and filtered code vector. */
static void realize(struct g729_innovation *out, int16_t filtered_q12[G729_SUBFRAME], const int16_t *h_q12,
                    const struct search *s, const struct pulses *pulses, int row) {
    unsigned signs = 0, place[4];
    memset(filtered_q12, 0, G729_SUBFRAME * sizeof *filtered_q12);
    for (int i = 0; i < 4; i++) {
        const int track = i < 3 ? i : pulses->last_track[row], k = pulses->place[i][row];
        const bool positive = s->negative[track][k][row] == 0;
        place[i] = (unsigned)k;
        signs |= (unsigned)positive << i;
        add_pulse(filtered_q12, h_q12, TRACKS * k + track, positive);
    }
    const unsigned last = 2 * place[3] + (unsigned)pulses->last_track[row] - 3;
    out->signs = (uint16_t)signs;
    out->positions = (uint16_t)(place[0] | place[1] << 3 | place[2] << 6 | last << 9);
}

/* 3.8: the response with the pitch that the code vector will have. */
static void sharpen(lanes inout_q12[G729_SUBFRAME], int16_t rows_q12[LANES][G729_SUBFRAME],
                    const int lag[LANES], const int16_t sharpness_q14[LANES], size_t n) {
    int16_t *out[LANES];
    const int16_t *in[LANES];
    for (size_t row = 0; row < LANES; row++)
        in[row] = out[row] = rows_q12[row < n ? row : 0];
    lanes_scatter(out, inout_q12, G729_SUBFRAME);
    for (size_t row = 0; row < n; row++)
        g729_sharpen(rows_q12[row], lag[row], sharpness_q14[row]);
    lanes_gather(inout_q12, in, G729_SUBFRAME);
}

void g729_search_innovation(struct g729_innovation out[LANES], lanes filtered_q12[G729_SUBFRAME],
                            lanes h_q12[G729_SUBFRAME], const lanes target[G729_SUBFRAME],
                            const int lag[LANES], const int16_t sharpness_q14[LANES], size_t n) {
    struct search s;
    struct pulses pulses;
    int16_t h_rows_q12[LANES][G729_SUBFRAME], filtered_rows_q12[LANES][G729_SUBFRAME];
    const int16_t *filtered_rows[LANES];
    sharpen(h_q12, h_rows_q12, lag, sharpness_q14, n);
    prepare(&s, h_q12, target);
    search_pulses(&pulses, &s);
    for (size_t row = 0; row < n; row++) {
        realize(&out[row], filtered_rows_q12[row], h_rows_q12[row], &s, &pulses, (int)row);
        g729_decode_innovation(out[row].code_q13, out[row].positions, out[row].signs, lag[row],
                               sharpness_q14[row]);
    }
    for (size_t row = 0; row < LANES; row++)
        filtered_rows[row] = filtered_rows_q12[row < n ? row : 0];
    lanes_gather(filtered_q12, filtered_rows, G729_SUBFRAME);
}
