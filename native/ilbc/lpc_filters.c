#include "ilbc/blocks.h"
#include "ilbc/tables.h"

#include <string.h>

static void between(ilbc_filter_q12 a_q12, const int16_t *older_q13, const int16_t *newer_q13,
                    int share_of_older_q14) {
    int16_t lsf_q13[ILBC_ORDER];
    for (int i = 0; i < ILBC_ORDER; i++)
        lsf_q13[i] = (int16_t)((share_of_older_q14 * older_q13[i] +
                                (16384 - share_of_older_q14) * newer_q13[i] + 8192) >>
                               14);
    ilbc_lsf_to_filter(a_q12, lsf_q13);
}

void ilbc_filters(ilbc_filter_q12 *a_q12, int16_t *lsf_old_q13, const int16_t *lsf_q13, int mode_ms) {
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    const int16_t *last_q13 = lsf_q13 + (mode.lpc_sets - 1) * ILBC_ORDER;
    if (mode_ms == 20) {
        for (int i = 0; i < mode.subblocks; i++)
            between(a_q12[i], lsf_old_q13, lsf_q13, ILBC_LSF_WEIGHT_20_Q14[i]);
    } else {
        between(a_q12[0], lsf_old_q13, lsf_q13, ILBC_LSF_WEIGHT_30_Q14[0]);
        for (int i = 1; i < mode.subblocks; i++)
            between(a_q12[i], lsf_q13, last_q13, ILBC_LSF_WEIGHT_30_Q14[i]);
    }
    memcpy(lsf_old_q13, last_q13, ILBC_ORDER * sizeof *lsf_old_q13);
}

/* Move the poles inwards by a chirp factor, whose powers these are. */
void ilbc_widen(ilbc_filter_q12 a_q12, const int16_t *chirp_q15) {
    for (int i = 1; i <= ILBC_ORDER; i++)
        a_q12[i] = (int16_t)((chirp_q15[i] * a_q12[i] + 16384) >> 15);
}
