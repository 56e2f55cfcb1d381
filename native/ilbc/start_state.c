#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 3.5 and 4.2: the start state is coded after an all-pass filter that spreads a pulse over all its samples,
 * and decoded through the same filter in reversed time.  Both are circular: the response that passes the end
 * is added to the beginning. */
void ilbc_all_pass(int16_t *restrict out, const int16_t *restrict in, const int16_t *zeros_q12,
                   const ilbc_filter_q12 a_q12, int n) {
    int16_t padded[ILBC_ORDER + 2 * ILBC_STATE_SHORT] = {0}, shaped[2 * ILBC_STATE_SHORT] = {0};
    int16_t *samples = padded + ILBC_ORDER;
    memcpy(samples, in, (size_t)n * sizeof *samples);
    ilbc_fir(shaped, samples, zeros_q12, ILBC_ORDER + 1, n + ILBC_ORDER);
    ilbc_synthesise(samples, shaped, a_q12, 2 * n);
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)(samples[i] + samples[i + n]);
}

void ilbc_start_state(int16_t *restrict out, const struct ilbc_frame *frame, const ilbc_filter_q12 a_q12,
                      int n) {
    int16_t levels[ILBC_STATE_SHORT] = {0}, zeros_q12[ILBC_ORDER + 1], reversed[ILBC_STATE_SHORT];
    const int scale = ILBC_STATE_SCALE_INVERSE[frame->scale];
    const int shift = frame->scale < 37 ? 22 : frame->scale < 59 ? 19 : 17;
    for (int i = 0; i <= ILBC_ORDER; i++)
        zeros_q12[i] = a_q12[ILBC_ORDER - i];
    for (int i = 0; i < n; i++) {
        const int level_q13 = ILBC_STATE_LEVELS_Q13[frame->state[n - 1 - i]];
        levels[i] = (int16_t)((scale * level_q13 + (1 << (shift - 1))) >> shift);
    }
    ilbc_all_pass(reversed, levels, zeros_q12, a_q12, n);
    for (int i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
}
