#include "ilbc/blocks.h"

#include <stddef.h>
#include <string.h>

/* RFC 3951 3.8: a frame's bits by importance, so that a link that protects unequally can.  First the class 1
 * bits of every parameter, then all of class 2, then all of class 3, then the "empty frame" bit.  A parameter
 * that is split has its high bits in the earlier class.
 *
 * Class 1 is 48 or 64 bits, class 2 64 or 96, class 3 with the last bit 192 or 240. */
enum { CLASSES = 3 };

struct field {
    uint8_t at, count; /* where in struct ilbc_frame, how many alike in a row */
    uint8_t bits_20[CLASSES], bits_30[CLASSES];
};

#define AT(member) offsetof(struct ilbc_frame, member)
static const struct field fields[] = {
    {AT(lsf[0]), 1, {6, 0, 0}, {6, 0, 0}},       {AT(lsf[1]), 2, {7, 0, 0}, {7, 0, 0}},
    {AT(lsf[3]), 1, {0, 0, 0}, {6, 0, 0}},       {AT(lsf[4]), 2, {0, 0, 0}, {7, 0, 0}},
    {AT(start), 1, {2, 0, 0}, {3, 0, 0}},        {AT(state_first), 1, {1, 0, 0}, {1, 0, 0}},
    {AT(scale), 1, {6, 0, 0}, {6, 0, 0}},        {AT(state[0]), 57, {0, 1, 2}, {0, 1, 2}},
    {AT(state[57]), 1, {0, 0, 0}, {0, 1, 2}},    {AT(vector[0][0]), 1, {6, 0, 1}, {4, 2, 1}},
    {AT(vector[0][1]), 2, {0, 0, 7}, {0, 0, 7}}, {AT(gain[0][0]), 1, {2, 0, 3}, {1, 1, 3}},
    {AT(gain[0][1]), 1, {1, 1, 2}, {1, 1, 2}},   {AT(gain[0][2]), 1, {0, 0, 3}, {0, 0, 3}},
    {AT(vector[1][0]), 1, {7, 0, 1}, {6, 1, 1}}, {AT(vector[1][1]), 2, {0, 0, 7}, {0, 0, 7}},
    {AT(vector[2][0]), 1, {0, 0, 8}, {0, 7, 1}}, {AT(vector[2][1]), 2, {0, 0, 8}, {0, 0, 8}},
    {AT(vector[3][0]), 1, {0, 0, 0}, {0, 7, 1}}, {AT(vector[3][1]), 2, {0, 0, 0}, {0, 0, 8}},
    {AT(vector[4][0]), 1, {0, 0, 0}, {0, 7, 1}}, {AT(vector[4][1]), 2, {0, 0, 0}, {0, 0, 8}},
    {AT(gain[1][0]), 1, {1, 2, 2}, {1, 2, 2}},   {AT(gain[1][1]), 1, {1, 1, 2}, {1, 2, 1}},
    {AT(gain[1][2]), 1, {0, 0, 3}, {0, 0, 3}},   {AT(gain[2][0]), 1, {1, 1, 3}, {0, 2, 3}},
    {AT(gain[2][1]), 1, {0, 2, 2}, {0, 2, 2}},   {AT(gain[2][2]), 1, {0, 0, 3}, {0, 0, 3}},
    {AT(gain[3][0]), 1, {0, 0, 0}, {0, 1, 4}},   {AT(gain[3][1]), 1, {0, 0, 0}, {0, 1, 3}},
    {AT(gain[3][2]), 1, {0, 0, 0}, {0, 0, 3}},   {AT(gain[4][0]), 1, {0, 0, 0}, {0, 1, 4}},
    {AT(gain[4][1]), 1, {0, 0, 0}, {0, 1, 3}},   {AT(gain[4][2]), 1, {0, 0, 0}, {0, 0, 3}},
    {AT(empty), 1, {0, 0, 1}, {0, 0, 1}},
};
#undef AT
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* Bits go in and out most significant first. */
struct bits {
    uint64_t held;
    int n_held;
};

static inline uint8_t *put(struct bits *bits, uint8_t *bytes, unsigned value, int n) {
    bits->held = bits->held << n | value;
    bits->n_held += n;
    while (bits->n_held >= 8)
        *bytes++ = (uint8_t)(bits->held >> (bits->n_held -= 8));
    return bytes;
}

/* n bits from bit number at on, 1 <= n <= 8; reads two bytes. */
static inline uint8_t bits_at(const uint8_t *bytes, int at, int n) {
    const unsigned two = (unsigned)bytes[at / 8] << 8 | bytes[at / 8 + 1];
    return (uint8_t)(two >> (16 - at % 8 - n) & ((1u << n) - 1));
}

static const uint8_t *bits_of_field(const struct field *field, int mode_ms) {
    return mode_ms == 20 ? field->bits_20 : field->bits_30;
}

/* Vectors 2 and 3 of block 1 are numbered up to 255 but sent in 7 bits: their narrow search leaves two gaps.
 */
static uint8_t closed_gap(uint8_t vector) {
    return (uint8_t)(vector >= 236 ? vector - 128 : vector >= 108 && vector < 172 ? vector - 64 : vector);
}

static uint8_t opened_gap(uint8_t sent) {
    return (uint8_t)(sent >= 108 ? sent + 128 : sent >= 44 ? sent + 64 : sent);
}

void ilbc_pack(uint8_t *restrict bytes, const struct ilbc_frame *frame, int mode_ms) {
    struct ilbc_frame sent = *frame;
    const uint8_t *parameters = (const uint8_t *)&sent;
    struct bits bits = {0, 0};
    for (int stage = 1; stage < ILBC_STAGES; stage++)
        sent.vector[1][stage] = closed_gap(sent.vector[1][stage]);
    for (int class = 0; class < CLASSES; class++) {
        for (int i = 0; i < FIELDS; i++) {
            const uint8_t *widths = bits_of_field(&fields[i], mode_ms);
            const int n = widths[class];
            const int below = class == 0 ? widths[1] + widths[2] : class == 1 ? widths[2] : 0;
            for (int k = 0; n && k < fields[i].count; k++)
                bytes = put(&bits, bytes, (parameters[fields[i].at + k] >> below) & ((1u << n) - 1), n);
        }
    }
}

void ilbc_unpack(struct ilbc_frame *frame, const uint8_t *restrict bytes, int mode_ms) {
    uint8_t *parameters = (uint8_t *)frame, padded[ILBC_BYTES + 1] = {0};
    int at = 0;
    memset(frame, 0, sizeof *frame);
    memcpy(padded, bytes, (size_t)ilbc_mode_of(mode_ms).bytes);
    for (int class = 0; class < CLASSES; class++) {
        for (int i = 0; i < FIELDS; i++) {
            const int n = bits_of_field(&fields[i], mode_ms)[class];
            uint8_t *parameter = &parameters[fields[i].at];
            for (int k = 0; n && k < fields[i].count; k++, at += n)
                parameter[k] = (uint8_t)(parameter[k] << n | bits_at(padded, at, n));
        }
    }
    for (int stage = 1; stage < ILBC_STAGES; stage++)
        frame->vector[1][stage] = opened_gap(frame->vector[1][stage]);
}
