/* The frame on the wire (table 8 of G.729, B.4.3; RTP: RFC 3551 section 4.5.6).
 *
 * What does it do?  Packs parameters into 10 bytes of speech or 2 of comfort noise, and unpacks them.
 * How does it work?  Most significant bit first, fields in the order of transmission:
 *     L0 1  L1 7  L2 5  L3 5 | P1 8  P0 1  C1 13  S1 4  GA1 3  GB1 4 | P2 5  C2 13  S2 4  GA2 3  GB2 4
 *     L0 1  L1 5  L2 4  gain 5, and one bit of nothing
 * How do I use it?  Every 80 bits are a legal speech frame, every 15 a legal SID frame.
 */
#ifndef TANDEM_G729_BITS_H
#define TANDEM_G729_BITS_H

#include <stdint.h>

enum { G729_SPEECH_BYTES = 10, G729_SID_BYTES = 2 };

struct g729_subframe_parameters {
    uint16_t lag;       /* P: 8 bits in the first subframe, 5 in the second */
    uint16_t parity;    /* P0: of the first subframe's lag */
    uint16_t positions; /* C */
    uint16_t signs;     /* S */
    uint16_t gain1;     /* GA */
    uint16_t gain2;     /* GB */
};

struct g729_lsf_parameters {
    uint16_t mode;   /* L0: which predictor */
    uint16_t first;  /* L1 */
    uint16_t second; /* L2: low half; a SID frame's L2 names both halves */
    uint16_t third;  /* L3: high half */
};

struct g729_speech_parameters {
    struct g729_lsf_parameters lsf;
    struct g729_subframe_parameters subframe[2];
};

struct g729_sid_parameters {
    struct g729_lsf_parameters lsf;
    uint16_t gain;
};

void g729_pack_speech(uint8_t out[G729_SPEECH_BYTES], const struct g729_speech_parameters *in);
void g729_unpack_speech(struct g729_speech_parameters *out, const uint8_t in[G729_SPEECH_BYTES]);
void g729_pack_sid(uint8_t out[G729_SID_BYTES], const struct g729_sid_parameters *in);
void g729_unpack_sid(struct g729_sid_parameters *out, const uint8_t in[G729_SID_BYTES]);

/* P0: odd parity of the upper six bits of P1. */
uint16_t g729_parity(uint16_t lag);

#endif
