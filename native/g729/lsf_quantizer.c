#include "g729/lsf_quantizer.h"

#include "g729/fixed.h"
#include "g729/lanes.h"
#include "g729/lsp.h"
#include "g729/tables.h"

#include <string.h>

enum { HALF = G729_ORDER / 2, FIRST_ENTRIES = 128, SECOND_ENTRIES = 32, MODES = 2 };
enum { GAP1_Q13 = 10, GAP2_Q13 = 5 }; /* 3.2.4: 0.0012 and 0.0006 */

static struct g729_lsf_predictor predictor_of(int mode) {
    return (struct g729_lsf_predictor){g729_lsp_predictor_q15[mode], g729_lsp_predictor_rest_q15[mode],
                                       g729_lsp_predictor_rest_inverse_q12[mode]};
}

void g729_lsf_memory_reset(struct g729_lsf_memory *memory) {
    for (int k = 0; k < G729_LSF_HISTORY; k++)
        memcpy(memory->vector_q13[k], g729_lsf_start_q13, sizeof memory->vector_q13[k]);
}

void g729_lsf_decoder_reset(struct g729_lsf_decoder *decoder) {
    g729_lsf_memory_reset(&decoder->memory);
    memcpy(decoder->last_q13, g729_lsf_start_q13, sizeof decoder->last_q13);
    decoder->last_mode = 0;
}

void g729_lsf_unpredict(int16_t vector_q13[G729_ORDER], const int16_t lsf_q13[G729_ORDER],
                        const struct g729_lsf_predictor *predictor, const struct g729_lsf_memory *memory) {
    for (int j = 0; j < G729_ORDER; j++) {
        int32_t rest = from_high16(lsf_q13[j]);
        for (int k = 0; k < G729_LSF_HISTORY; k++)
            rest = msu32(rest, memory->vector_q13[k][j], predictor->past_q15[k][j]);
        vector_q13[j] = high16(shl32(mul32(high16(rest), predictor->rest_inverse_q12[j]), 3));
    }
}

static void push(struct g729_lsf_memory *memory, const int16_t vector_q13[G729_ORDER]) {
    memmove(memory->vector_q13[1], memory->vector_q13[0],
            sizeof memory->vector_q13[0] * (G729_LSF_HISTORY - 1));
    memcpy(memory->vector_q13[0], vector_q13, sizeof memory->vector_q13[0]);
}

void g729_lsf_compose(int16_t lsf_q13[G729_ORDER], const int16_t vector_q13[G729_ORDER],
                      const struct g729_lsf_predictor *predictor, struct g729_lsf_memory *memory) {
    for (int j = 0; j < G729_ORDER; j++) {
        int32_t sum = mul32(vector_q13[j], predictor->rest_q15[j]);
        for (int k = 0; k < G729_LSF_HISTORY; k++)
            sum = mac32(sum, memory->vector_q13[k][j], predictor->past_q15[k][j]);
        lsf_q13[j] = high16(sum);
    }
    push(memory, vector_q13);
}

void g729_lsf_stabilize(int16_t lsf_q13[G729_ORDER]) {
    for (int j = 0; j < G729_ORDER - 1; j++)
        if (lsf_q13[j + 1] < lsf_q13[j]) {
            const int16_t larger = lsf_q13[j];
            lsf_q13[j] = lsf_q13[j + 1];
            lsf_q13[j + 1] = larger;
        }
    if (lsf_q13[0] < G729_LSF_LOWEST_Q13)
        lsf_q13[0] = G729_LSF_LOWEST_Q13;
    for (int j = 0; j < G729_ORDER - 1; j++)
        if (lsf_q13[j + 1] - lsf_q13[j] < G729_LSF_GAP_Q13)
            lsf_q13[j + 1] = add16(lsf_q13[j], G729_LSF_GAP_Q13);
    if (lsf_q13[G729_ORDER - 1] > G729_LSF_HIGHEST_Q13)
        lsf_q13[G729_ORDER - 1] = G729_LSF_HIGHEST_Q13;
}

void g729_lsf_weights(int16_t weight[G729_ORDER], const int16_t lsf_q13[G729_ORDER]) {
    enum {
        PI04_Q13 = 1029,
        PI92_Q13 = 23677,
        ONE_Q13 = 8192,
        ONE_Q11 = 2048,
        TEN_Q11 = 20480,
        SIX_FIFTHS = 19661
    };
    int16_t room[G729_ORDER], largest = 0;
    room[0] = sub16(lsf_q13[1], PI04_Q13 + ONE_Q13);
    for (int i = 1; i < G729_ORDER - 1; i++)
        room[i] = sub16(sub16(lsf_q13[i + 1], lsf_q13[i - 1]), ONE_Q13);
    room[G729_ORDER - 1] = sub16(PI92_Q13 - ONE_Q13, lsf_q13[G729_ORDER - 2]);
    for (int i = 0; i < G729_ORDER; i++) {
        const int16_t square = high16(shl32(mul32(room[i], room[i]), 2));
        weight[i] = ONE_Q11;
        if (room[i] <= 0) /* less than 1.0 between its neighbours */
            weight[i] = add16(high16(shl32(mul32(square, TEN_Q11), 2)), ONE_Q11);
    }
    for (int i = HALF - 1; i <= HALF; i++)
        weight[i] = high16(shl32(mul32(weight[i], SIX_FIFTHS), 1));
    for (int i = 0; i < G729_ORDER; i++)
        largest = weight[i] > largest ? weight[i] : largest;
    const int shift = norm16(largest);
    for (int i = 0; i < G729_ORDER; i++)
        weight[i] = shl16(weight[i], shift);
}

/* Push neighbours from first to last apart until they keep a gap: each gives way by half. */
static void spread(int16_t *vector_q13, int first, int last, int16_t gap_q13) {
    for (int j = first; j <= last; j++) {
        const int16_t excess = shr16(add16(sub16(vector_q13[j - 1], vector_q13[j]), gap_q13), 1);
        if (excess > 0) {
            vector_q13[j - 1] = sub16(vector_q13[j - 1], excess);
            vector_q13[j] = add16(vector_q13[j], excess);
        }
    }
}

/* The largest square distance of a target from anything within a codebook's range. */
static int64_t farthest(const int16_t *target_q13, const int16_t (*range_q13)[G729_ORDER], int first, int n) {
    int64_t sum = 0;
    for (int j = first; j < first + n; j++) {
        const int64_t below = target_q13[j] - range_q13[0][j], above = target_q13[j] - range_q13[1][j];
        sum += below * below > above * above ? below * below : above * above;
    }
    return sum;
}

/* The nearest entries of a codebook so far: here the lanes are entries side by side. */
struct nearest {
    lanes distance, entry;
};

/* Look at the distances of the next entries. */
LANES_INLINE void keep_nearer(struct nearest *best, lanes distance, int entry) {
    const lanes nearer = lanes_above(best->distance, distance);
    best->distance = lanes_select(nearer, distance, best->distance);
    best->entry = lanes_select(nearer, lanes_of(entry), best->entry);
}

/* The first of the nearest. */
static int entry_of(const struct nearest *best) {
    int32_t least = INT32_MAX;
    int entry = 0;
    for (int l = 0; l < LANES; l++) {
        const int other = best->entry[l] + l;
        if (best->distance[l] < least || (best->distance[l] == least && other < entry)) {
            least = best->distance[l];
            entry = other;
        }
    }
    return entry;
}

static int nearest_saturating(const int16_t target_q13[G729_ORDER]) {
    int32_t least = INT32_MAX;
    int best = 0;
    for (int i = 0; i < FIRST_ENTRIES; i++) {
        int32_t distance = 0;
        for (int j = 0; j < G729_ORDER; j++) {
            const int16_t d = sub16(target_q13[j], g729_lsp_codebook1_q13[i][j]);
            distance = mac32(distance, d, d);
        }
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

static int nearest_first_stage(const int16_t target_q13[G729_ORDER]) {
    struct nearest best = {lanes_of(INT32_MAX), lanes_of(0)};
    if (farthest(target_q13, g729_lsp_codebook1_range_q13, 0, G729_ORDER) >= 1 << 30)
        return nearest_saturating(target_q13);
    for (int i = 0; i < FIRST_ENTRIES; i += LANES) {
        lanes distance = lanes_of(0);
        for (int j = 0; j < G729_ORDER; j++) {
            const lanes d = target_q13[j] - lanes_load(&g729_lsp_codebook1_by_element_q13[j][i]);
            distance += lanes_mul16(d, d);
        }
        keep_nearer(&best, distance, i);
    }
    return entry_of(&best);
}

static int best_half_saturating(const int16_t rest_q13[G729_ORDER], const int16_t *weight, int first) {
    int32_t least = INT32_MAX;
    int best = 0;
    for (int i = 0; i < SECOND_ENTRIES; i++) {
        int32_t distance = 0;
        for (int j = first; j < first + HALF; j++) {
            const int16_t d = sub16(rest_q13[j], g729_lsp_codebook2_q13[i][j]);
            distance = mac32(distance, mul16(weight[j], d), d);
        }
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* The second-stage entry whose half (from first on) is nearest to target - the first stage's.  A weight is
 * below 1, so that a weighted distance is no larger than a plain one. */
static int best_half(const int16_t *target_q13, const int16_t *first_stage_q13, const int16_t *weight,
                     int first) {
    int16_t rest_q13[G729_ORDER];
    struct nearest best = {lanes_of(INT32_MAX), lanes_of(0)};
    for (int j = first; j < first + HALF; j++)
        rest_q13[j] = sub16(target_q13[j], first_stage_q13[j]);
    if (farthest(rest_q13, g729_lsp_codebook2_range_q13, first, HALF) >= 1 << 29)
        return best_half_saturating(rest_q13, weight, first);
    for (int i = 0; i < SECOND_ENTRIES; i += LANES) {
        lanes distance = lanes_of(0);
        for (int j = first; j < first + HALF; j++) {
            const lanes d = rest_q13[j] - lanes_load(&g729_lsp_codebook2_by_element_q13[j][i]);
            distance += lanes_mul16(lanes_mul16(d, lanes_of(weight[j])) >> 15, d);
        }
        keep_nearer(&best, distance, i);
    }
    return entry_of(&best);
}

static void add_half(int16_t *vector_q13, const int16_t *first_stage_q13, int second_stage, int first) {
    for (int j = first; j < first + HALF; j++)
        vector_q13[j] = add16(first_stage_q13[j], g729_lsp_codebook2_q13[second_stage][j]);
}

static int32_t total_distance(const int16_t *vector_q13, const int16_t *target_q13, const int16_t *rest_q15,
                              const int16_t *weight) {
    int32_t distance = 0;
    for (int j = 0; j < G729_ORDER; j++) {
        const int16_t d = mul16(sub16(vector_q13[j], target_q13[j]), rest_q15[j]);
        distance = mac32(distance, high16(shl32(mul32(weight[j], d), 4)), d);
    }
    return distance;
}

/* The best indices with one predictor; returns their distance. */
static int32_t search_mode(struct g729_lsf_parameters *indices, int mode, const int16_t *lsf_q13,
                           const int16_t *weight, const struct g729_lsf_memory *memory) {
    const struct g729_lsf_predictor predictor = predictor_of(mode);
    int16_t target_q13[G729_ORDER], vector_q13[G729_ORDER];
    g729_lsf_unpredict(target_q13, lsf_q13, &predictor, memory);
    const int first = nearest_first_stage(target_q13);
    const int16_t *first_stage_q13 = g729_lsp_codebook1_q13[first];
    const int second = best_half(target_q13, first_stage_q13, weight, 0);
    add_half(vector_q13, first_stage_q13, second, 0);
    spread(vector_q13, 1, HALF - 1, GAP1_Q13);
    const int third = best_half(target_q13, first_stage_q13, weight, HALF);
    add_half(vector_q13, first_stage_q13, third, HALF);
    spread(vector_q13, HALF, G729_ORDER - 1, GAP1_Q13);
    spread(vector_q13, 1, G729_ORDER - 1, GAP2_Q13);
    *indices =
        (struct g729_lsf_parameters){(uint16_t)mode, (uint16_t)first, (uint16_t)second, (uint16_t)third};
    return total_distance(vector_q13, target_q13, predictor.rest_q15, weight);
}

/* From indices to LSFs, the same in encoder and decoder. */
static void rebuild(int16_t lsf_q13[G729_ORDER], const struct g729_lsf_parameters *indices,
                    struct g729_lsf_memory *memory) {
    const struct g729_lsf_predictor predictor = predictor_of(indices->mode);
    const int16_t *first_stage_q13 = g729_lsp_codebook1_q13[indices->first];
    int16_t vector_q13[G729_ORDER];
    add_half(vector_q13, first_stage_q13, indices->second, 0);
    add_half(vector_q13, first_stage_q13, indices->third, HALF);
    spread(vector_q13, 1, G729_ORDER - 1, GAP1_Q13);
    spread(vector_q13, 1, G729_ORDER - 1, GAP2_Q13);
    g729_lsf_compose(lsf_q13, vector_q13, &predictor, memory);
    g729_lsf_stabilize(lsf_q13);
}

void g729_quantize_lsp(struct g729_lsf_memory *memory, struct g729_lsf_parameters *indices,
                       int16_t quantized_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]) {
    int16_t lsf_q13[G729_ORDER], weight[G729_ORDER];
    struct g729_lsf_parameters found[MODES];
    g729_lsf_of_lsp(lsf_q13, lsp_q15);
    g729_lsf_weights(weight, lsf_q13);
    const int32_t distance0 = search_mode(&found[0], 0, lsf_q13, weight, memory);
    const int32_t distance1 = search_mode(&found[1], 1, lsf_q13, weight, memory);
    *indices = found[distance1 < distance0];
    rebuild(lsf_q13, indices, memory);
    g729_lsp_of_lsf(quantized_q15, lsf_q13);
}

void g729_dequantize_lsp(struct g729_lsf_decoder *decoder, int16_t lsp_q15[G729_ORDER],
                         const struct g729_lsf_parameters *indices) {
    if (indices) {
        rebuild(decoder->last_q13, indices, &decoder->memory);
        decoder->last_mode = indices->mode;
    } else { /* 4.4.1: repeat, and remember what would have given it */
        const struct g729_lsf_predictor predictor = predictor_of(decoder->last_mode);
        int16_t vector_q13[G729_ORDER];
        g729_lsf_unpredict(vector_q13, decoder->last_q13, &predictor, &decoder->memory);
        push(&decoder->memory, vector_q13);
    }
    g729_lsp_of_lsf(lsp_q15, decoder->last_q13);
}
