#include "ilbc/blocks.h"
#include "ilbc/clones.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

/* A set of ten frequencies is three vectors, each with a codebook of its own. */
enum { SPLITS = 3 };
struct split {
    int first, n;      /* of the ten */
    int at, n_entries; /* in ILBC_LSF_CODEBOOK_Q13 */
};
static const struct split splits[SPLITS] = {
    {0, 3, 0, 64},
    {3, 3, 64 * 3, 128},
    {6, 4, (64 + 128) * 3, 128},
};

ILBC_CLONES static int nearest(const struct split *split, const int16_t *lsf_q13) {
    int32_t distance[128];
    int32_t least = INT32_MAX;
    for (int i = 0; i < split->n; i++) {
        const int16_t *column_q13 = &ILBC_LSF_CODEBOOK_Q13[split->at + i * split->n_entries];
        for (int entry = 0; entry < split->n_entries; entry++) {
            const int16_t off = (int16_t)(lsf_q13[split->first + i] - column_q13[entry]);
            distance[entry] = (i == 0 ? 0 : distance[entry]) + off * off;
        }
    }
    for (int entry = 0; entry < split->n_entries; entry++)
        least = distance[entry] < least ? distance[entry] : least;
    return ilbc_first_of(distance, least, split->n_entries);
}

void ilbc_lsf_quantise(uint8_t *index, const int16_t *lsf_q13) {
    for (int i = 0; i < SPLITS; i++)
        index[i] = (uint8_t)nearest(&splits[i], lsf_q13);
}

/* 3.2.6: neighbours closer than 50 Hz are pushed apart, so that the filter is stable. */
enum { GAP_Q13 = 319, PUSH_Q13 = 160, LEAST_Q13 = 82, GREATEST_Q13 = 25723 };

static void push_apart(int16_t *lsf_q13) {
    for (int i = 0; i < ILBC_ORDER - 1; i++) {
        int16_t *low = &lsf_q13[i], *high = &lsf_q13[i + 1];
        if (*high < *low) {
            *high = (int16_t)(*low + PUSH_Q13);
        } else if (*high - *low < GAP_Q13) {
            *low = (int16_t)(*low - PUSH_Q13);
            *high = (int16_t)(*high + PUSH_Q13);
        }
        *low = *low < LEAST_Q13 ? LEAST_Q13 : *low > GREATEST_Q13 ? GREATEST_Q13 : *low;
    }
}

void ilbc_lsf_dequantise(int16_t *lsf_q13, const uint8_t *index, int sets) {
    for (int set = 0; set < sets; set++, lsf_q13 += ILBC_ORDER, index += SPLITS) {
        for (int i = 0; i < SPLITS; i++)
            for (int k = 0; k < splits[i].n; k++)
                lsf_q13[splits[i].first + k] =
                    ILBC_LSF_CODEBOOK_Q13[splits[i].at + k * splits[i].n_entries + index[i]];
        push_apart(lsf_q13);
        push_apart(lsf_q13);
    }
}
