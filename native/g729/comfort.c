#include "g729/comfort.h"

#include "g729/fixed.h"
#include "g729/noise.h"
#include "g729/tables.h"

#include <string.h>

void g729_comfort_reset(struct g729_comfort *comfort) {
    memset(comfort, 0, sizeof *comfort);
    memcpy(comfort->lsp_q15, g729_sid_lsp_start_q15, sizeof comfort->lsp_q15);
    comfort->sid_gain = g729_sid_gain[0];
    comfort->speech = (struct g729_energy){0, -1};
    g729_comfort_restart(comfort);
}

void g729_comfort_restart(struct g729_comfort *comfort) {
    comfort->seed = G729_NOISE_SEED;
}

void g729_comfort_remember(struct g729_comfort *comfort, const int16_t excitation[G729_FRAME]) {
    bool saturated;
    const int32_t energy = g729_energy(excitation, G729_FRAME, 0, &saturated);
    const int shift = norm32(energy);
    comfort->speech = (struct g729_energy){round16(shl32(energy, shift)), (int16_t)(shift - 16)};
}

void g729_comfort_frame(struct g729_comfort *comfort, struct g729_lsf_memory *memory, int16_t *excitation,
                        const struct g729_sid_parameters *sid, bool first) {
    enum { KEPT_Q15 = 28672 /* 7/8 */, NEW_Q15 = 4096 };
    if (sid) {
        comfort->sid_gain = g729_sid_gain[sid->gain];
        g729_sid_decode_lsp(memory, comfort->lsp_q15, &sid->lsf);
    } else if (first) {
        comfort->sid_gain = g729_sid_gain[g729_sid_gain_of_speech(comfort->speech)];
    }
    if (first)
        comfort->gain = comfort->sid_gain;
    else
        comfort->gain =
            add16(mul16_rounded(comfort->gain, KEPT_Q15), mul16_rounded(comfort->sid_gain, NEW_Q15));
    g729_noise_excitation(excitation, comfort->gain, &comfort->seed, NULL);
}
