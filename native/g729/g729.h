/* G.729 with Annex A (the simpler search) and Annex B (silence), bit-exact with ITU-T's fixed-point code.
 *
 * What does it do?
 *   Codes 10 ms (80 samples at 8 kHz) as 10 bytes, 8 kbit/s; with annexb noise becomes 2 bytes now and then,
 *   and nothing in between.  Decodes all of them, and conceals what was lost.  Full G.729 has the same
 * frames.
 *
 * How does it work?
 *   Encoder: high pass (highpass.h), spectrum (lpc.h, lsp.h, lsf_quantizer.h), pitch (pitch_open_loop.h,
 *   pitch_search.h, pitch_lag.h, taming.h), pulses (innovation.h), gains (gains.h), frame (bits.h);
 *   silence: vad.h, dtx.h, sid.h, noise.h.
 *   Decoder: the same backwards, postfilter.h, high pass; silence: comfort.h, noise.h.
 *   Every sum saturates where the standard's does (fixed.h).  Rows of a batch go through the filters and the
 *   search for pulses in step (lanes.h, in_step.h); what depends on one row's data goes row by row.  A state
 * is one struct without pointers; nothing is allocated and nothing is shared.
 *
 * How do I use it?
 *       static struct g729_encoder encoder;
 *       g729_encoder_reset(&encoder);
 *       size_t n_bytes = g729_encode(&encoder, frame, pcm, annexb);
 *   A bank is an array of states; the _rows functions code one frame for each row named.  A row that occurs
 *   twice gets two consecutive frames.
 */
#ifndef TANDEM_G729_G729_H
#define TANDEM_G729_G729_H

#include "g729/bits.h"
#include "g729/comfort.h"
#include "g729/dtx.h"
#include "g729/gains.h"
#include "g729/highpass.h"
#include "g729/lpc.h"
#include "g729/postfilter.h"
#include "g729/taming.h"
#include "g729/vad.h"

enum {
    G729_UNTRANSMITTED = 0, /* as the length of a frame: the sender paused */
    G729_LOST = -1,         /* as the length of a frame: it did not arrive */
};

enum {
    G729_WINDOW = 240, /* samples of an analysis, 40 ahead and 120 behind */
    G729_LOOK_AHEAD = 40,
    G729_SPEECH_PAST = G729_WINDOW - G729_FRAME - G729_LOOK_AHEAD,
};

struct g729_encoder {
    struct g729_highpass highpass;
    int16_t speech[G729_WINDOW];                           /* the oldest first; the last 80 are new */
    int16_t weighted[G729_LAG_MAX + G729_FRAME];           /* the past, then this frame */
    int16_t excitation[G729_EXCITATION_PAST + G729_FRAME]; /* the past, then this frame */
    int16_t weighting_past[G729_ORDER];                    /* outputs of the weighting filter */
    int16_t target_past[G729_ORDER];                       /* weighted error of the last samples */
    int16_t lsp_q15[G729_ORDER], quantized_lsp_q15[G729_ORDER];
    int16_t sharpness_q14;
    struct g729_lpc_memory lpc;
    struct g729_lsf_memory lsf;
    struct g729_gain_memory gain;
    struct g729_taming taming;
    struct g729_vad vad;
    struct g729_dtx dtx;
};

struct g729_decoder {
    int16_t excitation[G729_EXCITATION_PAST + G729_FRAME]; /* the past, then this frame */
    int16_t speech_past[G729_ORDER];                       /* before the post-filter */
    int16_t lsp_q15[G729_ORDER];
    int16_t lag; /* whole samples; what a lost or damaged one is replaced by */
    int16_t sharpness_q14;
    int16_t lost_seed;
    bool was_speech;
    struct g729_gains gains;
    struct g729_gain_memory gain;
    struct g729_lsf_decoder lsf;
    struct g729_comfort comfort;
    struct g729_postfilter postfilter;
    struct g729_highpass highpass;
};

void g729_encoder_reset(struct g729_encoder *encoder);
void g729_decoder_reset(struct g729_decoder *decoder);

/* Whether a state that came from elsewhere can be used: nothing in it leads out of bounds. */
bool g729_encoder_is_valid(const struct g729_encoder *encoder);
bool g729_decoder_is_valid(const struct g729_decoder *decoder);

/* Returns the bytes of the frame: 10, with annexb also 2 (a SID frame) or 0 (nothing to transmit). */
size_t g729_encode(struct g729_encoder *encoder, uint8_t out[G729_SPEECH_BYTES], const int16_t in[G729_FRAME],
                   bool annexb);

/* n_bytes is 10, 2, G729_UNTRANSMITTED or G729_LOST; no other (g729_is_length). */
void g729_decode(struct g729_decoder *decoder, int16_t out[G729_FRAME], const uint8_t *in, int32_t n_bytes);
bool g729_is_length(int32_t n_bytes);

/* in [n][80], out [n][10], lengths [n]; rows [n] are within the bank. */
void g729_encode_rows(struct g729_encoder *bank, const intptr_t *rows, size_t n, uint8_t *restrict out,
                      int32_t *restrict lengths, const int16_t *restrict in, bool annexb);

/* in [n][10], lengths [n], out [n][80].  Returns n, or the first frame whose length is none; then nothing has
 * been decoded. */
size_t g729_decode_rows(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                        const uint8_t *restrict in, const int32_t *restrict lengths);

#endif
