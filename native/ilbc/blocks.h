/* The blocks of the codec, as they call each other.  How the whole works: ilbc.h.
 *
 * Section numbers are RFC 3951's.  Sub-blocks are counted from 0; `start` is the start state's first
 * sub-block counted from 1, as it is sent. */
#ifndef TANDEM_ILBC_BLOCKS_H
#define TANDEM_ILBC_BLOCKS_H

#include "ilbc/ilbc.h"

enum {
    ILBC_STAGES = 3,        /* of the codebook */
    ILBC_BLOCKS = 5,        /* coded by codebook: the rest of the start state, then up to 4 sub-blocks */
    ILBC_STATE = 80,        /* the two sub-blocks that hold the start state */
    ILBC_STATE_SHORT = 58,  /* samples of it coded one by one, at most */
    ILBC_MEMORY = 147,      /* samples that the codebook is made of */
    ILBC_MEMORY_FIRST = 85, /* for the rest of the start state */
    ILBC_MARGIN = 4,        /* zeros on either side of the memory, for the codebook's filter */
    ILBC_CODEBOOK_TAPS = 8,
    ILBC_AUGMENTED = 20, /* vectors with lags 20 to 39 */
    ILBC_ENHANCER_BLOCK = 80,
};

struct ilbc_mode {
    int samples, bytes, subblocks, lpc_sets, state_short;
};

static inline struct ilbc_mode ilbc_mode_of(int mode_ms) {
    return mode_ms == 20 ? (struct ilbc_mode){160, 38, 4, 1, 57} : (struct ilbc_mode){240, 50, 6, 2, 58};
}

/* What a frame says. */
struct ilbc_frame {
    uint8_t lsf[6];      /* 3 for each LPC set */
    uint8_t start;       /* sub-block of the start state, 1 to 3 or 5 */
    uint8_t state_first; /* 1 = the coded samples are the first of its 80, 0 = the last */
    uint8_t scale;       /* of the start state */
    uint8_t state[ILBC_STATE_SHORT];
    uint8_t vector[ILBC_BLOCKS][ILBC_STAGES];
    uint8_t gain[ILBC_BLOCKS][ILBC_STAGES];
    uint8_t empty; /* 1 = nothing of this may be used */
};

/* packing.c, 3.8 */
void ilbc_pack(uint8_t *restrict bytes /* [38 or 50] */, const struct ilbc_frame *frame, int mode_ms);
void ilbc_unpack(struct ilbc_frame *frame, const uint8_t *restrict bytes /* [38 or 50] */, int mode_ms);

/* high_pass.c, 3.1 and 4.8 */
void ilbc_high_pass_in(int16_t *restrict out /* [n] */, const int16_t *restrict in /* [n] */,
                       struct ilbc_high_pass *state, int n);
void ilbc_high_pass_out(int16_t *restrict out /* [n] */, const int16_t *restrict in /* [n] */,
                        struct ilbc_high_pass *state, int n);

/* lsf.c, 3.2.3 and 3.2.7: filters and line spectral frequencies */
void ilbc_lsf_to_filter(ilbc_filter_q12 a_q12, const int16_t *lsf_q13 /* [10] */);
void ilbc_filter_to_lsf(int16_t *lsf_q13 /* [10] */, const ilbc_filter_q12 a_q12);

/* lsf_quantiser.c, 3.2.4 to 3.2.6 */
void ilbc_lsf_quantise(uint8_t *index /* [3] */, const int16_t *lsf_q13 /* [10] */);
void ilbc_lsf_dequantise(int16_t *lsf_q13 /* [sets * 10] */, const uint8_t *index /* [sets * 3] */, int sets);

/* lpc_filters.c, 3.2.7: one filter for each sub-block, between the last frame's frequencies and this one's */
void ilbc_filters(ilbc_filter_q12 *a_q12 /* [4 or 6] */, int16_t *lsf_old_q13 /* [10], in and out */,
                  const int16_t *lsf_q13 /* [sets * 10] */, int mode_ms);
void ilbc_widen(ilbc_filter_q12 a_q12, const int16_t *chirp_q15 /* [11] */);

/* lpc.c, 3.2.1 to 3.2.3 */
void ilbc_analyse(int16_t *lsf_q13 /* [sets * 10] */, struct ilbc_encoder *encoder,
                  const int16_t *samples /* [160 or 240] */);

/* start_search.c, 3.4 and 3.5: chooses frame->start, state_first, scale and state */
void ilbc_locate_start(struct ilbc_frame *frame, const int16_t *residual /* [160 or 240] */, int mode_ms);
void ilbc_code_start(struct ilbc_frame *frame, const int16_t *residual /* [160 or 240] */,
                     const ilbc_filter_q12 *synthesis_q12 /* of each sub-block */,
                     const ilbc_filter_q12 *weighting_q12, int mode_ms);

/* start_state.c, 3.5 and 4.2 */
void ilbc_all_pass(int16_t *restrict out /* [n] */, const int16_t *restrict in /* [n], n <= 58 */,
                   const int16_t *zeros_q12 /* [11] */, const ilbc_filter_q12 a_q12, int n);
void ilbc_start_state(int16_t *restrict out /* [57 or 58] */, const struct ilbc_frame *frame,
                      const ilbc_filter_q12 a_q12, int n);

/* codebook.c, 3.6.3 and 4.3 */
int ilbc_codebook_size(int memory_length, int n);
void ilbc_codebook_filter(int16_t *restrict out /* [n] */, const int16_t *restrict memory /* [-3 .. n + 4] */,
                          int n);
void ilbc_codebook_sum(int16_t *restrict out /* [n] */, const int16_t *restrict end /* of the memory */,
                       int memory_length, int n, const uint8_t *vector /* [3] */,
                       const uint8_t *gain /* [3] */);
/* gain.c, 3.6.4.2 */
int16_t ilbc_gain_q14(int index, int limit_q14, int stage);
int ilbc_gain_index(int gain_q14, int limit_q14, int stage);
/* The first gain, raised as far as the coded energy stays below the target's. */
int ilbc_gain_raised(int index, int gain_q14, int32_t coded_energy, int32_t target_energy);

/* codebook_search.c, 3.6.4: three stages for a target of n samples; memory and target are weighted. */
void ilbc_codebook_search(uint8_t *restrict vector /* [3] */, uint8_t *restrict gain /* [3] */,
                          const int16_t *restrict target /* [n] */, const int16_t *restrict end,
                          const ilbc_filter_q12 weighting_q12, int memory_length, int n, int block_number);

/* residual.c, 3.6 and 4.4: the blocks in the order in which they are coded.  Sample i of a block is at
 * position + i * direction of the residual; its codebook is the memory_length samples before `end`. */
struct ilbc_block {
    int number; /* 0 = the rest of the start state */
    int n;      /* samples: 23, 22 or 40 */
    int position, direction;
    int memory_length;
    const int16_t *end;
};
/* Chooses frame->vector[block->number] and frame->gain[...]. */
typedef void ilbc_choose(void *context, struct ilbc_frame *frame, const struct ilbc_block *block);
/* Completes a residual of which only the start state's coded samples are there.  choose is NULL when
 * decoding. */
void ilbc_residual(int16_t *restrict residual /* [160 or 240] */, struct ilbc_frame *frame, int mode_ms,
                   ilbc_choose *choose, void *context);
int ilbc_state_position(const struct ilbc_frame *frame, int state_short);

/* enhancer.c, 4.6; returns the pitch lag where the frame ends.  after_loss: the frame before was concealed.
 */
int ilbc_enhance(int16_t *restrict out /* [160 or 240] */, struct ilbc_decoder *decoder,
                 const int16_t *restrict residual /* [160 or 240] */, bool after_loss);
/* smoother.c, 4.6.5 */
void ilbc_smooth(int16_t *restrict out /* [80] */, const int16_t *restrict current /* [80] */,
                 const int16_t *restrict surround /* [80] */);

/* concealment.c, 4.5 */
void ilbc_conceal(int16_t *restrict residual /* [160 or 240] */, struct ilbc_decoder *decoder);

#endif
