#include "g729/innovation.h"

#include "g729/fixed.h"

#include <string.h>

void g729_sharpen(int16_t x[G729_SUBFRAME], int lag, int16_t sharpness_q14) {
    const int16_t sharpness_q15 = shl16(sharpness_q14, 1);
    for (int i = lag; i < G729_SUBFRAME; i++)
        x[i] = add16(x[i], mul16(x[i - lag], sharpness_q15));
}

void g729_decode_innovation(int16_t code_q13[G729_SUBFRAME], uint16_t positions, uint16_t signs, int lag,
                            int16_t sharpness_q14) {
    enum { PULSES = 4, PLUS = 8191, MINUS = -8192 };
    const int last = positions >> 9 & 15; /* its lowest bit names the track */
    const int place[PULSES] = {5 * (positions & 7), 5 * (positions >> 3 & 7) + 1,
                               5 * (positions >> 6 & 7) + 2, 5 * (last >> 1) + 3 + (last & 1)};
    memset(code_q13, 0, G729_SUBFRAME * sizeof *code_q13);
    for (int i = 0; i < PULSES; i++)
        code_q13[place[i]] = signs >> i & 1 ? PLUS : MINUS;
    g729_sharpen(code_q13, lag, sharpness_q14);
}
