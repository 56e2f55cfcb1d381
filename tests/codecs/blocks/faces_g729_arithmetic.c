/* G.729's blocks for the tests: its arithmetic and its bits. */
#include "faces_g729.h"

/* ---- fixed: the operators, by their place in the test's list ---- */

int face_g729_operator(int which, int a, int b) {
    const int16_t a16 = (int16_t)a, b16 = (int16_t)b;
    switch (which) {
    case 0:
        return add16(a16, b16);
    case 1:
        return sub16(a16, b16);
    case 2:
        return mul16(a16, b16);
    case 3:
        return mul16_rounded(a16, b16);
    case 4:
        return mul32(a16, b16);
    case 5:
        return add32(a, b);
    case 6:
        return sub32(a, b);
    case 7:
        return shl16(a16, b % 64);
    case 8:
        return shr16_rounded(a16, b % 64);
    case 9:
        return shl32(a, b % 64);
    case 10:
        return shr32_rounded(a, b % 64);
    case 11:
        return round16(a);
    case 12:
        return norm32(a);
    case 13:
        return norm16(a16);
    case 14:
        return abs32(a);
    case 15:
        return neg32(a);
    case 16:
        return mac32(a, (int16_t)(b >> 16), b16);
    case 17:
        return msu32(a, (int16_t)(b >> 16), b16);
    case 18:
        return dpf_mul(dpf_of(a), dpf_of(b));
    case 19:
        return dpf_mul16(dpf_of(a), b16);
    default:
        return dpf_value(dpf_of(a));
    }
}

int face_g729_divide(int a, int b) {
    return div16((int16_t)a, (int16_t)b);
}

int face_g729_divide_dpf(int a, int b) {
    return dpf_div(a, dpf_of(b));
}

/* ---- mathematics ---- */

void face_g729_log2(int16_t *out /* [2] */, int x) {
    const struct logarithm log = g729_log2(x);
    out[0] = log.exponent;
    out[1] = log.fraction_q15;
}

int face_g729_power2(int exponent, int fraction_q15) {
    return g729_power2(exponent, (int16_t)fraction_q15);
}

int face_g729_inverse_sqrt(int x) {
    return g729_inverse_sqrt(x);
}

int face_g729_sqrt(int x) {
    return g729_sqrt(x);
}

/* ---- bits ---- */

static uint16_t *speech_field(struct g729_speech_parameters *it, int i) {
    struct g729_subframe_parameters *sub = &it->subframe[i < 10 ? 0 : 1];
    uint16_t *lsf[] = {&it->lsf.mode, &it->lsf.first, &it->lsf.second, &it->lsf.third};
    uint16_t *of_subframe[] = {&sub->lag,   &sub->parity, &sub->positions,
                               &sub->signs, &sub->gain1,  &sub->gain2};
    return i < 4 ? lsf[i] : of_subframe[(i - 4) % 6];
}

enum { SPEECH_FIELDS = 16, SID_FIELDS = 4 };

void face_g729_pack_speech(uint8_t *bytes, const int16_t *fields) {
    struct g729_speech_parameters it;
    for (int i = 0; i < SPEECH_FIELDS; i++)
        *speech_field(&it, i) = (uint16_t)fields[i];
    g729_pack_speech(bytes, &it);
}

void face_g729_unpack_speech(int16_t *fields, const uint8_t *bytes) {
    struct g729_speech_parameters it = {0};
    g729_unpack_speech(&it, bytes);
    for (int i = 0; i < SPEECH_FIELDS; i++)
        fields[i] = (int16_t)*speech_field(&it, i);
}

void face_g729_pack_sid(uint8_t *bytes, const int16_t *fields) {
    const struct g729_sid_parameters it = {lsf_of((const int16_t[]){fields[0], fields[1], fields[2], 0}),
                                           (uint16_t)fields[3]};
    g729_pack_sid(bytes, &it);
}

void face_g729_unpack_sid(int16_t *fields, const uint8_t *bytes) {
    struct g729_sid_parameters it;
    g729_unpack_sid(&it, bytes);
    fields[0] = (int16_t)it.lsf.mode;
    fields[1] = (int16_t)it.lsf.first;
    fields[2] = (int16_t)it.lsf.second;
    fields[3] = (int16_t)it.gain;
}

int face_g729_parity(int lag) {
    return g729_parity((uint16_t)lag);
}
