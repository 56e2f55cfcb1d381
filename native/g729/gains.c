#include "g729/gains.h"

#include "g729/filters.h"
#include "g729/fixed.h"
#include "g729/mathematics.h"
#include "g729/tables.h"

enum { DB_PER_OCTAVE_Q12 = 24660 /* 20 log10(2) */, FLOOR_Q10 = -14336 /* -14 dB */ };

void g729_gain_memory_reset(struct g729_gain_memory *memory) {
    for (int i = 0; i < G729_GAIN_HISTORY; i++)
        memory->error_q10[i] = FLOOR_Q10;
}

static void push(struct g729_gain_memory *memory, int16_t error_q10) {
    for (int i = G729_GAIN_HISTORY - 1; i > 0; i--)
        memory->error_q10[i] = memory->error_q10[i - 1];
    memory->error_q10[0] = error_q10;
}

/* 3.9.1: mean energy 30 dB - energy of the code + what the past says, in dB; then 10^(dB / 20). */
struct g729_product g729_predict_gain(const struct g729_gain_memory *memory, const int16_t *code_q13) {
    bool saturated;
    const struct logarithm energy = g729_log2(g729_energy(code_q13, G729_SUBFRAME, 0, &saturated));
    int32_t level = dpf_mul16((struct dpf){energy.exponent, energy.fraction_q15}, -DB_PER_OCTAVE_Q12);
    level = mac32(level, 32588, 32); /* 127.298 dB in Q14: the mean, and the Q formats of the code */
    level = shl32(level, 10);
    for (int i = 0; i < G729_GAIN_HISTORY; i++)
        level = mac32(level, g729_gain_predictor_q13[i], memory->error_q10[i]);
    /* log2 = dB * 0.166, in Q15 of 5439 */
    const struct dpf octaves = dpf_of(shr32(mul32(high16(level), 5439), 8));
    return (struct g729_product){low16(g729_power2(14, octaves.low)), sub16(14, octaves.high)};
}

/* 3.9.1: the error of the prediction is the correction, 20 log10 of it. */
static void remember(struct g729_gain_memory *memory, int32_t correction_q13) {
    const struct logarithm octaves = g729_log2(correction_q13);
    const int32_t split = dpf_value((struct dpf){sub16(octaves.exponent, 13), octaves.fraction_q15});
    push(memory, mul16(high16(shl32(split, 13)), DB_PER_OCTAVE_Q12));
}

struct g729_gains g729_gains_of_entries(struct g729_gain_memory *memory, int entry1, int entry2,
                                        struct g729_product predicted) {
    const int16_t *first = g729_gain_codebook1[entry1], *second = g729_gain_codebook2[entry2];
    const int32_t correction_q13 = first[1] + second[1];
    const int32_t code = mul32(low16(correction_q13 >> 1), predicted.mantissa);
    remember(memory, correction_q13);
    return (struct g729_gains){add16(first[0], second[0]), high16(shl32(code, 4 - predicted.exponent))};
}

void g729_dequantize_gains(struct g729_gain_memory *memory, struct g729_gains *gains, uint16_t index1,
                           uint16_t index2, const int16_t *code_q13) {
    const struct g729_product predicted = g729_predict_gain(memory, code_q13);
    *gains =
        g729_gains_of_entries(memory, g729_gain_entry1_of[index1], g729_gain_entry2_of[index2], predicted);
}

void g729_fade_gains(struct g729_gain_memory *memory, struct g729_gains *gains) {
    int32_t sum = 0;
    gains->pitch_q14 = mul16(gains->pitch_q14, 29491); /* 0.9 */
    if (gains->pitch_q14 > 29491) /* the standard's cap is 0.9 in Q15, so 1.8 here: it never bites */
        gains->pitch_q14 = 29491;
    gains->code_q1 = mul16(gains->code_q1, 32111); /* 0.98 */
    for (int i = 0; i < G729_GAIN_HISTORY; i++)
        sum += memory->error_q10[i];
    const int16_t lower_q10 = sub16(low16(sum >> 2), 4096); /* the mean less 4 dB */
    push(memory, lower_q10 < FLOOR_Q10 ? FLOOR_Q10 : lower_q10);
}

/* Gains are not negative, so products do not saturate and their sum fits: one clamp is as good as four. */
void g729_mix_excitation(int16_t excitation[G729_SUBFRAME], const int16_t code_q13[G729_SUBFRAME],
                         struct g729_gains gains) {
    for (int i = 0; i < G729_SUBFRAME; i++) {
        const int32_t sum = excitation[i] * gains.pitch_q14 + code_q13[i] * gains.code_q1;
        excitation[i] = clamp16((sum + 0x2000) >> 14);
    }
}
