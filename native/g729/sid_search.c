#include "g729/sid.h"

#include "g729/fixed.h"
#include "g729/lsp.h"
#include "g729/tables.h"

enum { MODES = 2, FIRST_ENTRIES = 32, SECOND_ENTRIES = 16, KEPT = 4, HALF = G729_ORDER / 2 };

/* What a first-stage entry leaves of the target of its mode. */
struct candidate {
    int mode, first;
    int16_t rest_q13[G729_ORDER];
};

/* Keep LSFs about 100 Hz apart. */
static void space_out(int16_t lsf_q13[G729_ORDER]) {
    const int last = G729_ORDER - 1;
    if (lsf_q13[0] < G729_LSF_LOWEST_Q13)
        lsf_q13[0] = G729_LSF_LOWEST_Q13;
    for (int i = 0; i < last; i++)
        if (sub16(lsf_q13[i + 1], lsf_q13[i]) < 2 * G729_LSF_GAP_Q13)
            lsf_q13[i + 1] = add16(lsf_q13[i], 2 * G729_LSF_GAP_Q13);
    if (lsf_q13[last] > G729_LSF_HIGHEST_Q13)
        lsf_q13[last] = G729_LSF_HIGHEST_Q13;
    if (lsf_q13[last] < lsf_q13[last - 1])
        lsf_q13[last - 1] = sub16(lsf_q13[last], G729_LSF_GAP_Q13);
}

/* The KEPT best entries of the first stage over both modes, unweighted. */
static void search_first(struct candidate kept[KEPT], int16_t target_q13[MODES][G729_ORDER]) {
    int16_t distance[MODES][FIRST_ENTRIES];
    for (int mode = 0; mode < MODES; mode++)
        for (int i = 0; i < FIRST_ENTRIES; i++) {
            const int16_t *entry = g729_lsp_codebook1_q13[g729_sid_subset1[i]];
            int32_t sum = 0;
            for (int j = 0; j < G729_ORDER; j++) {
                const int16_t d = sub16(target_q13[mode][j], entry[j]);
                sum = mac32(sum, d, d);
            }
            distance[mode][i] = mul16(high16(sum), g729_sid_mode_weight_q15[mode]);
        }
    for (int k = 0; k < KEPT; k++) {
        int16_t least = INT16_MAX;
        kept[k].mode = kept[k].first = 0;
        for (int mode = 0; mode < MODES; mode++)
            for (int i = 0; i < FIRST_ENTRIES; i++)
                if (distance[mode][i] < least) {
                    least = distance[mode][i];
                    kept[k].mode = mode;
                    kept[k].first = i;
                }
        distance[kept[k].mode][kept[k].first] = INT16_MAX;
        for (int j = 0; j < G729_ORDER; j++)
            kept[k].rest_q13[j] = sub16(target_q13[kept[k].mode][j],
                                        g729_lsp_codebook1_q13[g729_sid_subset1[kept[k].first]][j]);
    }
}

static int16_t second_distance(const struct candidate *c, int second, const int16_t weight[G729_ORDER]) {
    const int16_t *rest_q15 = g729_sid_predictor_rest_q15[c->mode];
    int32_t sum = 0;
    for (int j = 0; j < G729_ORDER; j++) {
        const int16_t entry = g729_sid_subset2[j >= HALF][second];
        const int16_t d = sub16(c->rest_q13[j], g729_lsp_codebook2_q13[entry][j]);
        const int16_t share = mul16(high16(shl32(mul32(rest_q15[j], rest_q15[j]), 2)), weight[j]);
        sum = mac32(sum, high16(shl32(mul32(share, d), 3)), d);
    }
    return high16(sum);
}

static struct g729_lsf_parameters search_second(const struct candidate kept[KEPT], const int16_t *weight) {
    struct g729_lsf_parameters best = {(uint16_t)kept[0].mode, (uint16_t)kept[0].first, 0, 0};
    int16_t least = INT16_MAX;
    for (int k = 0; k < KEPT; k++)
        for (int second = 0; second < SECOND_ENTRIES; second++) {
            const int16_t distance = second_distance(&kept[k], second, weight);
            if (distance < least) {
                least = distance;
                best = (struct g729_lsf_parameters){(uint16_t)kept[k].mode, (uint16_t)kept[k].first,
                                                    (uint16_t)second, 0};
            }
        }
    return best;
}

void g729_sid_quantize_lsp(struct g729_lsf_memory *memory, struct g729_lsf_parameters *indices,
                           int16_t quantized_q15[G729_ORDER], const int16_t lsp_q15[G729_ORDER]) {
    int16_t lsf_q13[G729_ORDER], weight[G729_ORDER], target_q13[MODES][G729_ORDER];
    struct candidate kept[KEPT];
    g729_lsf_of_lsp(lsf_q13, lsp_q15);
    space_out(lsf_q13);
    g729_lsf_weights(weight, lsf_q13);
    for (int mode = 0; mode < MODES; mode++) {
        const struct g729_lsf_predictor predictor = g729_sid_predictor_of(mode);
        g729_lsf_unpredict(target_q13[mode], lsf_q13, &predictor, memory);
    }
    search_first(kept, target_q13);
    *indices = search_second(kept, weight);
    g729_sid_decode_lsp(memory, quantized_q15, indices);
}
