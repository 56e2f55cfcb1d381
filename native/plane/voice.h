/* The codec states of the rows: an ear that decodes what a phone says, a mouth that encodes what it hears.
 *
 * Each codec has its states in an array of its own over rows, as its batch functions want them; a row uses
 * one of them on each side.  Memory is touched by who uses it only: a plane of 4,096 rows that speak G.711
 * needs nothing for G.729.  No pointers within: bytes can be moved, and all zero is a row that has neither
 * heard nor said anything.
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
    VOICE_ROWS = 64, /* coded in one batch */
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
};

struct mouth {
    uint8_t codec;    /* whose state is in use */
    uint8_t gathered; /* units of `pcm` that wait for their frame to be whole */
    uint16_t bytes;   /* of `pending` */
    int32_t follows;  /* the row that encodes for this one, plus 1; or MOUTH_LEADS (mixer/chorus.h) */
    double spoke_at;  /* s, monotonic */
    uint16_t frame_at, frame_bytes; /* where in `pending` the last frame was put */
    uint32_t settled_ticks;         /* for so long it has heard what others hear (mixer/chorus.h) */
    int16_t pcm[FRAME_UNITS_MAX * UNIT_SAMPLES];
    uint8_t pending[PENDING_BYTES]; /* frames that wait for their packet to be full */
};

enum { MOUTH_LEADS = 0 };
static const double MOUTH_FORGETS_S = 0.05; /* a mouth that was idle for so long begins anew */

/* Arrays over rows. */
struct voices {
    struct ear *ears;
    struct mouth *mouths;
    struct g711_plc *concealers;
    struct g729_decoder *g729_decoders;
    struct g729_encoder *g729_encoders;
    struct ilbc_decoder *ilbc_decoders;
    struct ilbc_encoder *ilbc_encoders;
};

/* Bytes that a row needs, over all arrays; and of a copy of what one row has in use, at most. */
enum {
    VOICE_BYTES = sizeof(struct ear) + sizeof(struct mouth) + sizeof(struct g711_plc) +
        sizeof(struct g729_decoder) + sizeof(struct g729_encoder) + sizeof(struct ilbc_decoder) +
        sizeof(struct ilbc_encoder),
    VOICE_COPY_BYTES = VOICE_BYTES,
};

/* Lay the arrays into capacity * VOICE_BYTES bytes of memory, aligned as a double is. */
void voices_lay(struct voices *voices, uint8_t *memory, size_t capacity);
/* A row as if nobody had had it. */
void voice_forget(struct voices *voices, int32_t row);
/* Copy what of a row is in use into out[VOICE_COPY_BYTES].  Returns the bytes. */
size_t voice_save(const struct voices *voices, int32_t row, uint8_t *out);
/* Whether these bytes are such a copy: right in size, and nothing in them leads out of bounds. */
bool voice_is_valid(const uint8_t *copy, size_t bytes);
/* Put a valid copy into a row. */
void voice_load(struct voices *voices, int32_t row, const uint8_t *copy);

#endif
