/* iLBC (RFC 3951): 20 or 30 ms of speech in 38 or 50 bytes, each frame decodable without the one before.
 *
 * What does it do?
 *   Encodes, decodes, enhances and conceals, bit-exact with the fixed-point codec that the test vectors
 * F00-F06 come from (WebRTC's, with the smoother's scaling of before 2016-06-08).  RFC 3951's own
 * floating-point code makes the same bit stream but not the same bits from one compiler to the next.
 *
 * How does it work?
 *   A frame is 4 or 6 sub-blocks of 40 samples.  Linear prediction takes the spectrum off; of what is left,
 * the 57 or 58 samples with most energy (the start state) are coded sample by sample, and the others as sums
 * of three vectors from a codebook made of what this very frame has decoded so far: forward in time to its
 *   end, then backward to its start.  So a lost frame costs that frame and no more.
 *
 *     samples -> high_pass -> lpc -> lsf_quantiser -> lpc_filters -> start_state -> codebook_search ->
 * packing samples <- high_pass <- synthesis <- enhancer <- residual (start_state, codebook) <- packing
 *                                            ^-- concealment, when there is no frame
 *
 *   The enhancer delays by 40 samples (20 ms) or 80 (30 ms).  One file a block, declared in blocks.h.
 *
 * How do I use it?
 *   A bank is an array of states, one a row, all zero to begin with.  A batch names the rows that have a
 * frame due, in any order; a row may occur more than once. struct ilbc_encoder encoders[2] = {0};
 *       ilbc_encode_rows(encoders, 20, rows, 2, frames, pcm);
 *   The length of a frame says its mode: a decoder that gets the other mode's frame starts anew in that mode.
 */
#ifndef TANDEM_ILBC_H
#define TANDEM_ILBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ILBC_ORDER = 10,        /* of the prediction */
    ILBC_SUBBLOCK = 40,     /* samples */
    ILBC_SUBBLOCKS = 6,     /* of a frame, at most */
    ILBC_SAMPLES = 240,     /* of a frame, at most */
    ILBC_BYTES = 50,        /* of a frame, at most */
    ILBC_LOOKBACK = 60,     /* samples of the frames before that the LPC analysis sees */
    ILBC_HISTORY = 640,     /* residual samples that the enhancer keeps */
    ILBC_PERIODS = 8,       /* pitch estimates over them, one for 80 samples */
    ILBC_UNTRANSMITTED = 0, /* as the length of a frame: the sender paused; concealed as if lost */
    ILBC_LOST = -1,         /* as the length of a frame: it did not arrive */
};

/* a[0] = 1 and the rest of a prediction filter */
typedef int16_t ilbc_filter_q12[ILBC_ORDER + 1];

struct ilbc_high_pass {
    int32_t out_q14[2]; /* the last two outputs, newest first */
    int16_t in[2];      /* the last two inputs */
};

struct ilbc_encoder {
    int16_t mode_ms;
    struct ilbc_high_pass high_pass;
    int16_t analysis_memory[ILBC_ORDER];
    int16_t lsf_old_q13[ILBC_ORDER], lsf_quantised_old_q13[ILBC_ORDER];
    int16_t lookback[ILBC_LOOKBACK + ILBC_SAMPLES - 160]; /* of 20 ms; 30 ms keeps 60 */
};

struct ilbc_decoder {
    int16_t mode_ms;
    int16_t lost_run;  /* frames concealed in a row, up to this one */
    int16_t pitch_lag; /* where the last frame ended, from the enhancer */
    /* the concealment's */
    int16_t seed;
    int16_t conceal_lag, conceal_periodicity, conceal_shift;
    ilbc_filter_q12 filter_old_q12;
    int16_t residual_old[ILBC_SAMPLES];
    /* the enhancer's */
    int16_t period_q2[ILBC_PERIODS];
    int16_t history[ILBC_HISTORY];
    /* the synthesis's */
    struct ilbc_high_pass high_pass;
    int16_t synthesis_memory[ILBC_ORDER];
    int16_t lsf_old_q13[ILBC_ORDER];
    ilbc_filter_q12
        delayed_q12[2]; /* the last frame's filters that the enhancer's delay leaves for this one */
};

/* mode_ms is 20 or 30. */
void ilbc_encoder_start(struct ilbc_encoder *encoder, int mode_ms);
void ilbc_decoder_start(struct ilbc_decoder *decoder, int mode_ms);

/* One frame.  decode takes NULL for a lost one; a frame with its "empty" bit set, an impossible start state
 * or codebook index is concealed as well.  Any bytes are safe. */
void ilbc_encode(struct ilbc_encoder *encoder, uint8_t *restrict frame /* [38 or 50] */,
                 const int16_t *restrict pcm /* [160 or 240] */);
void ilbc_decode(struct ilbc_decoder *decoder, int16_t *restrict pcm /* [160 or 240] */,
                 const uint8_t *restrict frame /* [38 or 50] */);

/* One frame for each of n_rows rows, 38 or 50 bytes each; rows are all in mode_ms: one that was not starts
 * anew. */
void ilbc_encode_rows(struct ilbc_encoder *encoders, int mode_ms, const ptrdiff_t *restrict rows /* [n] */,
                      size_t n_rows, uint8_t *restrict frames /* [n * 38 or 50] */,
                      const int16_t *restrict pcm /* [n * 160 or 240] */);

/* One frame for each of n_rows rows.  mode_ms is how far apart frames and samples are; lengths[i] is 38, or
 * 50 if there is room, ILBC_UNTRANSMITTED or ILBC_LOST.  Where there is room for 30 ms a row in 20 ms fills
 * the first 160 samples, and the others are zero. Returns n_rows, or the index of the first frame with any
 * other length; then nothing is changed. */
size_t ilbc_decode_rows(struct ilbc_decoder *decoders, int mode_ms, const ptrdiff_t *restrict rows /* [n] */,
                        size_t n_rows, int16_t *restrict pcm /* [n * 160 or 240] */,
                        const uint8_t *restrict frames /* [n * 38 or 50] */,
                        const int32_t *restrict lengths /* [n] */);

/* Whether a state is one that these functions can have left, so far as they rely on it: for states that come
 * from elsewhere. */
bool ilbc_encoder_is_valid(const struct ilbc_encoder *encoder);
bool ilbc_decoder_is_valid(const struct ilbc_decoder *decoder);

#endif
