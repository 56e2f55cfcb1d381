/* The codec states of a row: an ear that decodes what its phone says, a mouth that encodes what it hears.
 *
 * One codec is in use at a time on each side, so its state lies in a union, at the end: the bytes up to where
 * it ends are all that there is to know (voice_ear_bytes, voice_mouth_bytes).  No pointers: bytes can be
 * moved. All zero is a row that has neither heard nor said anything.
 */
#ifndef TANDEM_PLANE_VOICE_H
#define TANDEM_PLANE_VOICE_H

#include "g711/plc.h"
#include "g729/g729.h"
#include "ilbc/ilbc.h"
#include "plane/comfort.h"

enum {
    PACKET_UNITS_MAX = 6, /* we put at most 60 ms into a packet */
    PENDING_BYTES = PACKET_UNITS_MAX * UNIT_SAMPLES,
};

struct ear {
    uint8_t codec;       /* whose state is in use */
    uint8_t at;          /* the next unit of `pcm` to be played */
    uint8_t noisy;       /* the last frame was comfort noise */
    uint8_t noise_known; /* ... and the sender has said of what kind */
    uint32_t lost_units; /* in a row */
    int32_t last;        /* the sample decoded last */
    struct comfort comfort;
    int16_t pcm[FRAME_UNITS_MAX * UNIT_SAMPLES]; /* the frame that is playing */
    union {
        struct g711_plc g711;
        struct g729_decoder g729;
        struct ilbc_decoder ilbc;
    } state;
};

struct mouth {
    uint8_t codec;    /* whose state is in use */
    uint8_t gathered; /* units of `pcm` that wait for their frame to be whole */
    uint16_t bytes;   /* of `pending` */
    uint32_t padding;
    double spoke_at; /* s, monotonic */
    int16_t pcm[FRAME_UNITS_MAX * UNIT_SAMPLES];
    uint8_t pending[PENDING_BYTES]; /* frames that wait for their packet to be full */
    union {
        struct g729_encoder g729;
        struct ilbc_encoder ilbc;
    } state;
};

/* How much of a row's ear and mouth is in use. */
size_t voice_ear_bytes(const struct ear *ear);
size_t voice_mouth_bytes(const struct mouth *mouth);
/* Whether bytes that came from elsewhere can be used: nothing in them leads out of bounds. */
bool voice_ear_is_valid(const struct ear *ear);
bool voice_mouth_is_valid(const struct mouth *mouth);

#endif
