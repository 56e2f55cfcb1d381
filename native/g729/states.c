#include "g729/g729.h"
#include "g729/tables.h"

#include <string.h>

enum { BLUNTEST_Q14 = 3277 /* 0.2 */, LOST_SEED = 21845 };

void g729_encoder_reset(struct g729_encoder *encoder) {
    memset(encoder, 0, sizeof *encoder);
    memcpy(encoder->lsp_q15, g729_lsp_start_q15, sizeof encoder->lsp_q15);
    memcpy(encoder->quantized_lsp_q15, g729_lsp_start_q15, sizeof encoder->quantized_lsp_q15);
    encoder->sharpness_q14 = BLUNTEST_Q14;
    g729_lpc_memory_reset(&encoder->lpc);
    g729_lsf_memory_reset(&encoder->lsf);
    g729_gain_memory_reset(&encoder->gain);
    g729_taming_reset(&encoder->taming);
    g729_vad_reset(&encoder->vad);
    g729_dtx_reset(&encoder->dtx);
}

void g729_decoder_reset(struct g729_decoder *decoder) {
    memset(decoder, 0, sizeof *decoder);
    memcpy(decoder->lsp_q15, g729_lsp_start_q15, sizeof decoder->lsp_q15);
    decoder->lag = 60;
    decoder->sharpness_q14 = BLUNTEST_Q14;
    decoder->lost_seed = LOST_SEED;
    decoder->was_speech = true;
    g729_gain_memory_reset(&decoder->gain);
    g729_lsf_decoder_reset(&decoder->lsf);
    g729_comfort_reset(&decoder->comfort);
    g729_postfilter_reset(&decoder->postfilter);
}

/* A struct that came as bytes may hold anything where a bool should be: look at the byte. */
static bool is_bool(const bool *value) {
    return *(const unsigned char *)value <= 1;
}

static bool is_within(int value, int least, int most) {
    return value >= least && value <= most;
}

bool g729_encoder_is_valid(const struct g729_encoder *e) {
    const struct g729_vad *vad = &e->vad;
    const struct g729_dtx *dtx = &e->dtx;
    return is_bool(&vad->may_extend) && is_bool(&vad->was_speech) && is_bool(&vad->was_speech_before) &&
           is_bool(&dtx->changed) && vad->frame >= 0 && is_within(vad->n_quiet, 0, vad->frame) &&
           is_within(vad->n_quiet, 0, 32) && is_within(vad->n_extended, 0, 4) &&
           is_within(dtx->n_in_pair, 0, G729_DTX_FRAMES - 1) && is_within(dtx->n_frames_since_sid, 0, 3) &&
           is_within(dtx->n_energies, 0, G729_DTX_FRAMES);
}

bool g729_decoder_is_valid(const struct g729_decoder *d) {
    for (int i = 0; i < G729_ORDER; i++)
        if (d->lsf.last_q13[i] < 0)
            return false;
    return is_bool(&d->was_speech) && d->lsf.last_mode <= 1 &&
           is_within(d->lag, G729_LAG_MIN - 1, G729_LAG_MAX + 1);
}
