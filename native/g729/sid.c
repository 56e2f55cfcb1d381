#include "g729/sid.h"

#include "g729/fixed.h"
#include "g729/lsp.h"
#include "g729/mathematics.h"
#include "g729/tables.h"

struct g729_lsf_predictor g729_sid_predictor_of(int mode) {
    return (struct g729_lsf_predictor){g729_sid_predictor_q15[mode], g729_sid_predictor_rest_q15[mode],
                                       g729_sid_predictor_rest_inverse_q12[mode]};
}

/* Neighbours keep a gap of 10 (0.0012); each gives way by half. */
static void spread(int16_t vector_q13[G729_ORDER]) {
    for (int j = 1; j < G729_ORDER; j++) {
        const int32_t excess = (vector_q13[j - 1] - vector_q13[j] + 10) >> 1;
        if (excess > 0) {
            vector_q13[j - 1] = sub16(vector_q13[j - 1], clamp16(excess));
            vector_q13[j] = add16(vector_q13[j], clamp16(excess));
        }
    }
}

void g729_sid_decode_lsp(struct g729_lsf_memory *memory, int16_t lsp_q15[G729_ORDER],
                         const struct g729_lsf_parameters *indices) {
    const struct g729_lsf_predictor predictor = g729_sid_predictor_of(indices->mode);
    const int16_t *first = g729_lsp_codebook1_q13[g729_sid_subset1[indices->first]];
    int16_t vector_q13[G729_ORDER], lsf_q13[G729_ORDER];
    for (int j = 0; j < G729_ORDER; j++) {
        const int16_t entry = g729_sid_subset2[j >= G729_ORDER / 2][indices->second];
        vector_q13[j] = add16(first[j], g729_lsp_codebook2_q13[entry][j]);
    }
    spread(vector_q13);
    g729_lsf_compose(lsf_q13, vector_q13, &predictor, memory);
    g729_lsf_stabilize(lsf_q13);
    g729_lsp_of_lsf(lsp_q15, lsf_q13);
}

/* Levels in 1024 * log2 of the energy, 3.01 dB each: 340 are 1 dB. */
static int quantize_level(int32_t energy, int exponent, int *level_db) {
    enum { LOWEST = -2721 /* -8 dB */, COARSE_END = 4762 /* 14 dB */, HIGHEST = 22111 /* 65 dB */ };
    const struct logarithm octaves = g729_log2(energy);
    int16_t level = shl16(clamp16(octaves.exponent - exponent), 10);
    level = add16(level, mul16_rounded(octaves.fraction_q15, 1024));
    if (level <= LOWEST) {
        *level_db = -12;
        return 0;
    }
    if (level > HIGHEST) {
        *level_db = 66;
        return 31;
    }
    if (level <= COARSE_END) {
        const int index = mul16(add16(level, 3401), 24);
        *level_db = 4 * (index < 1 ? 1 : index) - 8;
        return index < 1 ? 1 : index;
    }
    const int index = (mul16(sub16(level, 340), 193) >> 2) - 1;
    *level_db = 2 * (index < 6 ? 6 : index) + 4;
    return index < 6 ? 6 : index;
}

int g729_sid_quantize_gain(const struct g729_energy *energies, int n, int *level_db) {
    int common = energies[0].exponent;
    for (int i = 1; i < n; i++)
        common = energies[i].exponent < common ? energies[i].exponent : common;
    common += 16 - g729_sid_energy_margin[n];
    int32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum = add32(sum, shl32(energies[i].mantissa, common - energies[i].exponent));
    return quantize_level(dpf_mul16(dpf_of(sum), g729_sid_energy_share_q15[n]), common, level_db);
}

int g729_sid_gain_of_speech(struct g729_energy energy) {
    const int32_t sum = shr32(energy.mantissa, energy.exponent);
    int level_db;
    return quantize_level(dpf_mul16(dpf_of(sum), g729_sid_energy_share_q15[0]), 0, &level_db);
}
