#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"

#include <string.h>

/* 3.6: what is coded grows outwards from the start state:
 *
 *     |  sub-block 0  |  sub-block 1  |  sub-block 2  |  sub-block 3  |      20 ms, start = 2
 *                     [0<=[ start state ]                                  0 first, backwards; then
 *                                                     [1 =============>    forwards to the end
 *     <=============2 ]                                                    and backwards to the beginning
 *
 * A block's memory is what has been coded already, nearest sample last, and zeros before it: for backward
 * blocks that is in reversed time. */

int ilbc_state_position(const struct ilbc_frame *frame, int state_short) {
    return (frame->start - 1) * ILBC_SUBBLOCK + (frame->state_first ? 0 : ILBC_STATE - state_short);
}

struct memory {
    int16_t samples[ILBC_MARGIN + ILBC_MEMORY + ILBC_AUGMENTED]; /* zeros around, for the codebook's filter */
};

/* Fill the memory with the n_known samples before position, in coding direction. */
static void remember(struct memory *memory, const int16_t *residual, int position, int direction,
                     int n_known) {
    int16_t *end = memory->samples + ILBC_MARGIN + ILBC_MEMORY;
    const int n = min_int(n_known, ILBC_MEMORY);
    memset(memory, 0, sizeof *memory);
    if (direction > 0)
        memcpy(end - n, residual + position - n, (size_t)n * sizeof *end);
    else
        for (int i = 1; i <= n; i++)
            end[-i] = residual[position + i];
}

static void code(int16_t *residual, struct ilbc_frame *frame, struct ilbc_block block, int n_known,
                 ilbc_choose *choose, void *context) {
    struct memory memory;
    int16_t decoded[ILBC_SUBBLOCK];
    remember(&memory, residual, block.position, block.direction, n_known);
    block.end = memory.samples + ILBC_MARGIN + ILBC_MEMORY;
    if (choose)
        choose(context, frame, &block);
    ilbc_codebook_sum(decoded, block.end, block.memory_length, block.n, frame->vector[block.number],
                      frame->gain[block.number]);
    for (int i = 0; i < block.n; i++)
        residual[block.position + i * block.direction] = decoded[i];
}

void ilbc_residual(int16_t *restrict residual, struct ilbc_frame *frame, int mode_ms, ilbc_choose *choose,
                   void *context) {
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    const int n_ahead = mode.subblocks - 1 - frame->start, n_behind = frame->start - 1;
    const int position = ilbc_state_position(frame, mode.state_short);
    struct ilbc_block block = {.n = ILBC_STATE - mode.state_short, .memory_length = ILBC_MEMORY_FIRST};
    block.direction = frame->state_first ? 1 : -1;
    block.position = frame->state_first ? position + mode.state_short : position - 1;
    code(residual, frame, block, mode.state_short, choose, context);

    block.n = ILBC_SUBBLOCK;
    block.memory_length = ILBC_MEMORY;
    block.direction = 1;
    for (int i = 0; i < n_ahead; i++) {
        block.number++;
        block.position = (frame->start + 1 + i) * ILBC_SUBBLOCK;
        code(residual, frame, block, ILBC_STATE + i * ILBC_SUBBLOCK, choose, context);
    }
    block.direction = -1;
    for (int i = 0; i < n_behind; i++) {
        block.number++;
        block.position = (n_behind - i) * ILBC_SUBBLOCK - 1;
        code(residual, frame, block, ILBC_STATE + (n_ahead + i) * ILBC_SUBBLOCK, choose, context);
    }
}
