#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/codebook.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 3.6.4: for each of three stages the vector with the greatest correlation^2 / energy is taken and, times its
 * quantised gain, taken off the target.  First all vectors of the plain half of the codebook are tried, then
 * those of the filtered half that lie around the winner.
 *
 * Within this file a half lists its augmented vectors first and then the plain ones, newest first. */
enum {
    ENTRIES = 128, /* of a half, at most */
    WINDOW = 34,   /* of the filtered half */
    NO_SCORE = -100,
};

/* How much of the memory is weighted, and how many plain vectors each stage tries, by block. */
static const struct {
    int16_t weighted, tried[ILBC_STAGES];
} ranges[ILBC_BLOCKS] = {
    {63, {58, 58, 58}},     {85, {108, 44, 44}},    {125, {108, 108, 108}},
    {147, {108, 108, 108}}, {147, {108, 108, 108}},
};

struct half {
    int16_t padded[ILBC_ORDER + ILBC_MEMORY + ILBC_AUGMENTED]; /* read beyond the end */
    const int16_t *end;                                        /* of the memory in it */
    int16_t augmented[ILBC_AUGMENTED + 1][ILBC_SUBBLOCK];
    int16_t inverse_q29[ENTRIES]; /* 1 / energy as mantissa ... */
    int16_t energy_up[ENTRIES];   /* ... and the shift that normalised it */
    int peak;                     /* of all its vectors, at most */
};

struct search {
    struct half halves[2]; /* plain, filtered */
    int16_t target[ILBC_ORDER + ILBC_SUBBLOCK];
    int n, n_augmented, size; /* samples, augmented vectors, vectors of a half */
    int shift;                /* of products */
};

/* ---- energies ---- */

/* norm_of without a bit scan, so that it vectorises: the exponent of a float.  The lower bits are cleared
 * first, or the conversion might round up to the next power of two. */
ILBC_INLINE int32_t norm_by_float(int32_t x) {
    const float rounded_down = (float)(x & ~(x >> 8));
    int32_t bits;
    memcpy(&bits, &rounded_down, sizeof bits);
    return (30 + 127 - (bits >> 23)) & -(x != 0);
}

/* 0x1fffffff / x for 16384 <= x <= 32767: the float quotient is one off at most. */
ILBC_INLINE int32_t inverse_by_float(int32_t x) {
    const int32_t quotient = (int32_t)(536870912.0F / (float)x), rest = 0x1fffffff - quotient * x;
    return quotient - (rest < 0) + (rest >= x);
}

ILBC_INLINE void invert(struct half *half, const int32_t *energy, int n) {
    for (int i = 0; i < n; i++) {
        const int32_t up = norm_by_float(energy[i]);
        const int32_t mantissa = (int32_t)((uint32_t)energy[i] << up) >> 16;
        half->energy_up[i] = (int16_t)up;
        half->inverse_q29[i] = (int16_t)inverse_by_float(max_int(mantissa, 16384));
    }
}

/* From one plain vector to the next a sample enters and one leaves.  The truncation of the difference is part
 * of the result, and so is that no energy is negative.  That is rare: first without looking.  An energy that
 * left 32 bits shows as a negative one, too. */
ILBC_INLINE void plain_energies(int32_t *restrict energy, const int16_t *first, const int16_t *end,
                                int32_t newest, int n_plain, int shift) {
    int32_t change[ENTRIES], least = 0;
    uint32_t unlimited = (uint32_t)newest;
    for (int i = 0; i < n_plain; i++) {
        const int enters = first[-1 - i], leaves = end[-1 - i];
        change[i] = (enters * enters - leaves * leaves) >> shift;
    }
    for (int i = 0; i < n_plain; i++) {
        energy[i] = (int32_t)unlimited;
        unlimited += (uint32_t)change[i];
    }
    for (int i = 0; i < n_plain; i++)
        least = energy[i] < least ? energy[i] : least;
    if (least >= 0)
        return;
    int32_t limited = newest;
    for (int i = 0; i < n_plain; i++) {
        energy[i] = limited;
        limited = max_int(0, saturate32((int64_t)limited + change[i]));
    }
}

/* All augmented vectors, and their energies: of two runs of the memory and of the blend between them. */
ILBC_INLINE void augment(struct half *half, int32_t *energy, int shift) {
    const int16_t *end = half->end;
    int64_t before[ILBC_SUBBLOCK + 1] = {0}; /* energy of the last 40 samples up to each */
    for (int i = 0; i < ILBC_SUBBLOCK; i++)
        before[i + 1] = before[i] + ((end[i - ILBC_SUBBLOCK] * end[i - ILBC_SUBBLOCK]) >> shift);
    for (int i = 0; i < ILBC_AUGMENTED; i++) {
        const int lag = ILBC_AUGMENTED + i, begin = ILBC_SUBBLOCK - lag;
        int16_t *vector = half->augmented[i];
        ilbc_codebook_augment(vector, end, lag);
        int64_t sum = before[ILBC_SUBBLOCK - 4] - before[begin] + before[2 * begin] - before[begin];
        for (int k = lag - 4; k < lag; k++)
            sum += (vector[k] * vector[k]) >> shift;
        energy[i] = saturate32(sum);
    }
    memset(half->augmented[ILBC_AUGMENTED], 0, sizeof *half->augmented); /* ilbc_correlate reads on */
}

ILBC_CLONES static void measure(struct half *half, const struct search *search, int n_plain) {
    const int16_t *first = half->end - search->n;
    int32_t energy[ILBC_AUGMENTED + ENTRIES];
    if (search->n_augmented > 0)
        augment(half, energy, search->shift);
    plain_energies(energy + search->n_augmented, first, half->end,
                   ilbc_dot(first, first, search->n, search->shift), n_plain, search->shift);
    invert(half, energy, search->n_augmented + n_plain);
}

/* ---- the weighted memory, target and filtered memory ---- */

static void prepare(struct search *search, const int16_t *target, const int16_t *end,
                    const ilbc_filter_q12 weighting_q12, int memory_length, int block_number) {
    struct half *plain = &search->halves[0], *filtered = &search->halves[1];
    const int n_weighted = ranges[block_number].weighted, n_silent = memory_length - n_weighted;
    memset(plain->padded, 0, sizeof plain->padded);
    memset(filtered->padded, 0, sizeof filtered->padded);
    int16_t *memory = plain->padded + ILBC_ORDER, *weighted = memory + n_silent;
    ilbc_synthesise(weighted, end - n_weighted, weighting_q12, n_weighted);
    memcpy(search->target, weighted + n_weighted - ILBC_ORDER, ILBC_ORDER * sizeof *memory);
    ilbc_synthesise(search->target + ILBC_ORDER, target, weighting_q12, search->n);
    ilbc_codebook_filter(filtered->padded + ILBC_ORDER + n_silent, weighted, n_weighted);
    plain->end = memory + memory_length;
    filtered->end = filtered->padded + ILBC_ORDER + memory_length;

    const int peak_memory = ilbc_peak(memory, memory_length);
    const int peak_target = ilbc_peak(search->target + ILBC_ORDER, search->n);
    const int peak = max_int(peak_memory, peak_target);
    const int bits = peak_memory > 0 && peak_target > 0 ? bits_of(peak * peak) : 30;
    search->shift = max_int(0, bits - 25);
    /* a blend is no louder than what is blended, but for rounding down twice */
    plain->peak = peak_memory + 2;
    filtered->peak = ilbc_peak(filtered->padded + ILBC_ORDER, memory_length) + 2;
    measure(plain, search, ranges[block_number].tried[0]);
    measure(filtered, search, ranges[block_number].tried[0]);
}

/* ---- one half of the codebook, one stage ---- */

/* The best so far; its score is a mantissa and an exponent. */
struct choice {
    int32_t criterion;
    int exponent, half, entry, gain_q14;
};

/* The codec takes the blended samples of a window's first augmented vector from the very first one (lag 20),
 * the next from the next, wherever the window begins: a slip that the bit stream does not show, but the
 * choice of vectors does. */
static void slip_seams(int16_t slipped[][ILBC_SUBBLOCK], const struct half *half, int first, int n) {
    enum { SEAM = 4 };
    memcpy(slipped, half->augmented[first], (size_t)n * sizeof *slipped);
    for (int i = 0; i < n; i++) {
        const int lag = ILBC_AUGMENTED + i;
        memcpy(slipped[i] + first + lag - SEAM, half->augmented[i] + lag - SEAM, SEAM * sizeof **slipped);
    }
}

static void correlate(int32_t *correlation, const struct search *search, const struct half *half, int first,
                      int last) {
    const int16_t *target = search->target + ILBC_ORDER, *newest = half->end - search->n;
    const int n_augmented = max_int(0, min_int(search->n_augmented, last + 1) - first);
    const bool fits = ilbc_sum_fits(ilbc_peak(target, search->n), half->peak, search->n, search->shift);
    int16_t slipped[ILBC_AUGMENTED + 1][ILBC_SUBBLOCK];
    const int16_t *augmented = half->augmented[0];
    if (n_augmented > 0 && first > 0) {
        slip_seams(slipped, half, first, n_augmented);
        memset(slipped[n_augmented], 0, sizeof *slipped); /* ilbc_correlate reads on */
        augmented = slipped[0];
    }
    ilbc_correlate(correlation, target, augmented, ILBC_SUBBLOCK, n_augmented, ILBC_SUBBLOCK, search->shift,
                   fits);
    ilbc_correlate(correlation + n_augmented, target, newest - (first + n_augmented - search->n_augmented),
                   search->n, last + 1 - first - n_augmented, -1, search->shift, fits);
}

/* correlation^2 / energy of each, as mantissas with one exponent; returns the exponent. */
ILBC_INLINE int score(int32_t *restrict criterion, const int32_t *restrict correlation,
                      const int16_t *restrict inverse_q29, const int16_t *restrict energy_up, int n) {
    int32_t greatest = 0, least = 0, greatest_up = INT16_MIN;
    for (int i = 0; i < n; i++) {
        greatest = correlation[i] > greatest ? correlation[i] : greatest;
        least = correlation[i] < least ? correlation[i] : least;
    }
    const int up = norm_of(max_int(greatest, least == INT32_MIN ? INT32_MAX : -least));
    for (int i = 0; i < n; i++) {
        const int16_t mantissa = (int16_t)((int32_t)((uint32_t)correlation[i] << up) >> 16);
        criterion[i] = (int16_t)((mantissa * mantissa) >> 16) * inverse_q29[i];
        const int32_t is_zero = -(criterion[i] == 0),
                      counted = (INT16_MIN & is_zero) | (energy_up[i] & ~is_zero);
        greatest_up = counted > greatest_up ? counted : greatest_up;
    }
    if (greatest_up == INT16_MIN)
        greatest_up = 0;
    for (int i = 0; i < n; i++) {
        const int down = min_int(16, max_int(0, greatest_up - energy_up[i])); /* a score of 0 may have more */
        criterion[i] >>= down;
    }
    return 32 - 2 * up + greatest_up;
}

/* correlation / energy, Q14, at most 1.3 */
static int gain_of(int32_t correlation, int16_t inverse_q29, int energy_up) {
    const int down = 16 - norm_of(correlation), rest = max_int(0, min_int(31, 31 - energy_up - down));
    const int32_t gain = ((int16_t)shift_by(correlation, -down) * inverse_q29) >> rest;
    return max_int(-21299, min_int(gain, 21299));
}

ILBC_CLONES static void try_entries(struct choice *best, const struct search *search, int which, int stage,
                                    int first, int last) {
    const struct half *half = &search->halves[which];
    const int n = last + 1 - first;
    int32_t correlation[ILBC_AUGMENTED + ENTRIES], criterion[ILBC_AUGMENTED + ENTRIES];
    correlate(correlation, search, half, first, last);
    if (stage == 0) /* the first gain is positive */
        for (int i = 0; i < n; i++)
            correlation[i] = max_int(correlation[i], 0);
    const int exponent = score(criterion, correlation, half->inverse_q29 + first, half->energy_up + first, n);
    const int i = ilbc_greatest(criterion, n), apart = exponent - best->exponent;
    const int down_best = apart > 0 ? min_int(31, apart) : 0, down = apart > 0 ? 0 : min_int(31, -apart);
    if (criterion[i] >> down > best->criterion >> down_best)
        *best = (struct choice){
            criterion[i], exponent, which, first + i,
            gain_of(correlation[i], half->inverse_q29[first + i], half->energy_up[first + i])};
}

/* The filtered half is tried around the plain winner; at the top the window moves down as a whole. */
static struct choice best_of_stage(const struct search *search, int stage, int n_plain) {
    struct choice best = {.exponent = NO_SCORE};
    const int n = search->n_augmented + n_plain;
    try_entries(&best, search, 0, stage, 0, n - 1);
    const int from = min_int(max_int(best.entry - WINDOW / 2, 0), n - 1 - WINDOW);
    try_entries(&best, search, 1, stage, from, from + WINDOW);
    return best;
}

/* ---- the stages ---- */

static const int16_t *vector_of(const struct search *search, const struct choice *choice) {
    const struct half *half = &search->halves[choice->half];
    return choice->entry < search->n_augmented
               ? half->augmented[choice->entry]
               : half->end - search->n - (choice->entry - search->n_augmented);
}

/* As it is sent: plain vectors first. */
static uint8_t number_of(const struct search *search, const struct choice *choice) {
    const int n_plain = search->size - search->n_augmented, entry = choice->entry;
    return (uint8_t)(choice->half * search->size +
                     (entry < search->n_augmented ? entry + n_plain : entry - search->n_augmented));
}

static void take_off(int16_t *target, const int16_t *vector, int gain_q14, int n) {
    for (int i = 0; i < n; i++)
        target[i] = (int16_t)(target[i] + (int16_t)((vector[i] * -gain_q14 + 8192) >> 14));
}

void ilbc_codebook_search(uint8_t *restrict vector, uint8_t *restrict gain, const int16_t *restrict target,
                          const int16_t *restrict end, const ilbc_filter_q12 weighting_q12, int memory_length,
                          int n, int block_number) {
    struct search search;
    int16_t coded[ILBC_SUBBLOCK], *left = search.target + ILBC_ORDER;
    int limit_q14 = 16384, first_gain_q14 = 0;
    search.n = n;
    search.n_augmented = n == ILBC_SUBBLOCK ? ILBC_AUGMENTED : 0;
    search.size = ilbc_codebook_size(memory_length, n) / 2;
    prepare(&search, target, end, weighting_q12, memory_length, block_number);
    memcpy(coded, left, (size_t)n * sizeof *coded);
    const int32_t target_energy = ilbc_dot(left, left, n, search.shift);
    for (int stage = 0; stage < ILBC_STAGES; stage++) {
        const struct choice best = best_of_stage(&search, stage, ranges[block_number].tried[stage]);
        gain[stage] = (uint8_t)ilbc_gain_index(best.gain_q14, limit_q14, stage);
        limit_q14 = ilbc_gain_q14(gain[stage], limit_q14, stage);
        vector[stage] = number_of(&search, &best);
        take_off(left, vector_of(&search, &best), limit_q14, n);
        if (stage == 0)
            first_gain_q14 = limit_q14;
    }
    for (int i = 0; i < n; i++)
        coded[i] = (int16_t)(coded[i] - left[i]);
    gain[0] = (uint8_t)ilbc_gain_raised(gain[0], first_gain_q14, ilbc_dot(coded, coded, n, search.shift),
                                        target_energy);
}
