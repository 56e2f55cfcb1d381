#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 4.2: the start state was coded after an all-pass filter that spreads its pulses over all its samples; here
 * the filter runs backwards in time, circularly: the response that passes the end is added to the beginning.
 */
void ilbc_start_state(int16_t *restrict out, const struct ilbc_frame *frame, const ilbc_filter_q12 a_q12,
                      int n) {
    int16_t padded[ILBC_ORDER + 2 * ILBC_STATE_SHORT] = {0}, shaped[2 * ILBC_STATE_SHORT];
    int16_t *samples = padded + ILBC_ORDER;
    int16_t reversed_q12[ILBC_ORDER + 1];
    const int shift = frame->scale < 37 ? 22 : frame->scale < 59 ? 19 : 17;
    for (int i = 0; i <= ILBC_ORDER; i++)
        reversed_q12[i] = a_q12[ILBC_ORDER - i];
    for (int i = 0; i < n; i++) {
        const int level_q13 = ILBC_STATE_LEVELS_Q13[frame->state[n - 1 - i]];
        samples[i] =
            (int16_t)((ILBC_STATE_SCALE_INVERSE[frame->scale] * level_q13 + (1 << (shift - 1))) >> shift);
    }
    ilbc_fir(shaped, samples, reversed_q12, ILBC_ORDER + 1, n + ILBC_ORDER);
    memset(shaped + n + ILBC_ORDER, 0, (size_t)(n - ILBC_ORDER) * sizeof *shaped);
    ilbc_synthesise(samples, shaped, a_q12, 2 * n);
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)(samples[n - 1 - i] + samples[2 * n - 1 - i]);
}
