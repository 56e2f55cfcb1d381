/* G.711: u-law and A-law, samples to codes, codes to samples, and one law to the other.
 *
 * What does it do?
 *   Turns 16-bit samples into 8-bit logarithmic codes and back, bit-exact with ITU-T G.711 as the G.191
 *   software tool library writes it, for every one of the 65,536 samples and 256 codes.  Codes are as they
 *   travel in RTP (RFC 3551 4.5.14): u-law inverted, A-law with every second bit inverted.
 *
 * How does it work?
 *   A code is a sign, a 3-bit segment and a 4-bit step within it: a small floating-point number.  So an IEEE
 *   single does the work: converting the magnitude to float leaves segment and step side by side in the top
 *   bits, and putting them back there decodes.  The bits that count are exact whatever the machine: a float
 *   holds 24, and what is below them is cut off.  There is no branch, no look-up and no shift by a variable
 *   count: the compiler vectorises these loops even for plain SSE2.
 *   Negative samples are one's complemented (~x), not negated: negating moves every negative decision point
 *   by one and gives other codes.
 *
 * How do I use it?
 *   One call for as many samples as there are: rows of frames that lie one after the other are one call.
 *       g711_ulaw_encode(codes, pcm, n);
 *       g711_alaw_decode(pcm, codes, n);
 *   out and in must not overlap; any alignment and any n, 0 too, will do.  From law to law, without going
 *   through samples:  out[i] = g711_ulaw_to_alaw[in[i]].
 */
#ifndef TANDEM_G711_H
#define TANDEM_G711_H

#include <stddef.h>
#include <stdint.h>

enum {
    G711_FRAME_SAMPLES = 80, /* 10 ms at 8 kHz; also the bytes of a frame */
    G711_UNTRANSMITTED = 0,  /* as the length of a frame: the sender paused */
    G711_LOST = -1,          /* as the length of a frame: it did not arrive */
};

void g711_ulaw_encode(uint8_t *restrict out /* [n] */, const int16_t *restrict in /* [n] */, size_t n);
void g711_alaw_encode(uint8_t *restrict out /* [n] */, const int16_t *restrict in /* [n] */, size_t n);
void g711_ulaw_decode(int16_t *restrict out /* [n] */, const uint8_t *restrict in /* [n] */, size_t n);
void g711_alaw_decode(int16_t *restrict out /* [n] */, const uint8_t *restrict in /* [n] */, size_t n);

typedef void g711_decoder(int16_t *restrict out /* [n] */, const uint8_t *restrict in /* [n] */, size_t n);

/* Decode n_frames frames of G711_FRAME_SAMPLES with one law.  lengths[i] is G711_FRAME_SAMPLES, or
 * G711_UNTRANSMITTED or G711_LOST: then the frame's bytes are not looked at and its samples are silence.
 * Returns n_frames, or the index of the first frame with any other length; then nothing is written. */
size_t g711_decode_frames(g711_decoder *decode, int16_t *restrict out /* [n_frames * 80] */,
                          const uint8_t *restrict in /* [n_frames * 80] */,
                          const int32_t *restrict lengths /* [n_frames] */, size_t n_frames);

/* Decode with the one law, encode with the other. */
extern const uint8_t g711_ulaw_to_alaw[256];
extern const uint8_t g711_alaw_to_ulaw[256];

#endif
