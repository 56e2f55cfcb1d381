#include "g729/fixed.h"
#include "g729/in_step.h"
#include "g729/innovation.h"
#include "g729/lsp.h"
#include "g729/noise.h"
#include "g729/pitch_lag.h"
#include "g729/tables.h"

#include <string.h>

enum {
    SUBFRAMES = G729_FRAME / G729_SUBFRAME,
    SHARPEST_Q14 = 13017 /* 0.7945 */,
    BLUNTEST_Q14 = 3277 /* 0.2 */
};
/* A frame on its way through the decoder; in is NULL if it was lost. */
struct frame {
    struct g729_speech_parameters parameters, *in;
    int16_t old_lsp_q15[G729_ORDER];
    int lag[SUBFRAMES];
    bool speech;
};

/* Rows in step; the lanes from n on repeat the first row. */
struct group {
    struct g729_decoder *decoder[LANES];
    struct frame *frame[LANES], frames[LANES];
    size_t n;
};

/* 4.1.3, 4.4.3: the lag of a subframe; a lost or damaged one is the last whole lag, which then grows by one.
 */
static struct g729_lag next_lag(struct g729_decoder *decoder, const struct g729_subframe_parameters *in,
                                int s, int first_lag) {
    const bool damaged = in && s == 0 && g729_parity(in->lag) != in->parity;
    if (!in || damaged) {
        const struct g729_lag last = {decoder->lag, 0};
        decoder->lag =
            decoder->lag < G729_LAG_MAX ? (int16_t)(decoder->lag + 1) : G729_LAG_MAX; /* it may be 144 */
        return last;
    }
    const struct g729_lag lag =
        s == 0 ? g729_first_lag_of(in->lag) : g729_second_lag_of(in->lag, g729_second_lag_start(first_lag));
    decoder->lag = (int16_t)lag.samples;
    return lag;
}

/* 4.1.4 and 4.1.5: pulses and gains of a subframe; invented if it was lost. */
static void next_code(struct g729_decoder *decoder, int16_t code_q13[G729_SUBFRAME],
                      const struct g729_subframe_parameters *in, int lag) {
    if (in) {
        g729_decode_innovation(code_q13, in->positions, in->signs, lag, decoder->sharpness_q14);
        g729_dequantize_gains(&decoder->gain, &decoder->gains, in->gain1, in->gain2, code_q13);
        return;
    }
    const uint16_t positions = (uint16_t)(g729_random(&decoder->lost_seed) & 0x1FFF);
    const uint16_t signs = (uint16_t)(g729_random(&decoder->lost_seed) & 15);
    g729_decode_innovation(code_q13, positions, signs, lag, decoder->sharpness_q14);
    g729_fade_gains(&decoder->gain, &decoder->gains);
}

/* 4.1.3 to 4.1.5: the excitation of a row's subframe. */
static void excite(struct g729_decoder *decoder, struct frame *frame, int s) {
    int16_t code_q13[G729_SUBFRAME];
    const struct g729_subframe_parameters *in = frame->in ? &frame->in->subframe[s] : NULL;
    const struct g729_lag lag = next_lag(decoder, in, s, frame->lag[0]);
    int16_t *excitation = decoder->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME;
    frame->lag[s] = lag.samples;
    g729_predict_long_term(excitation, lag.samples, lag.thirds);
    next_code(decoder, code_q13, in, lag.samples);
    g729_mix_excitation(excitation, code_q13, decoder->gains);
    const int16_t gain_q14 = decoder->gains.pitch_q14;
    decoder->sharpness_q14 = gain_q14 > SHARPEST_Q14   ? SHARPEST_Q14
                             : gain_q14 < BLUNTEST_Q14 ? BLUNTEST_Q14
                                                       : gain_q14;
}

/* The line spectrum of a row's speech. */
static void read_speech(struct g729_decoder *decoder, struct frame *frame, const uint8_t *bytes) {
    frame->in = bytes ? &frame->parameters : NULL;
    if (bytes)
        g729_unpack_speech(&frame->parameters, bytes);
    g729_comfort_restart(&decoder->comfort);
    g729_dequantize_lsp(&decoder->lsf, decoder->lsp_q15, bytes ? &frame->parameters.lsf : NULL);
}

/* All of a row's noise; bytes NULL = nothing was transmitted, or what was transmitted was lost. */
static void read_noise(struct g729_decoder *decoder, struct frame *frame, const uint8_t *bytes) {
    struct g729_sid_parameters sid;
    if (bytes)
        g729_unpack_sid(&sid, bytes);
    g729_comfort_frame(&decoder->comfort, &decoder->lsf.memory, decoder->excitation + G729_EXCITATION_PAST,
                       bytes ? &sid : NULL, decoder->was_speech);
    memcpy(decoder->lsp_q15, decoder->comfort.lsp_q15, sizeof decoder->lsp_q15);
    for (int s = 0; s < SUBFRAMES; s++)
        frame->lag[s] = decoder->lag;
    decoder->sharpness_q14 = BLUNTEST_Q14;
}

static void read(struct g729_decoder *decoder, struct frame *frame, const uint8_t *in, int32_t n_bytes) {
    memcpy(frame->old_lsp_q15, decoder->lsp_q15, sizeof frame->old_lsp_q15);
    frame->speech = n_bytes == G729_SPEECH_BYTES || (n_bytes == G729_LOST && decoder->was_speech);
    if (frame->speech)
        read_speech(decoder, frame, n_bytes == G729_LOST ? NULL : in);
    else
        read_noise(decoder, frame, n_bytes == G729_SID_BYTES ? in : NULL);
}

/* Both subframes' filters, of all rows. */
static void find_filters(const struct group *group, lanes a_q12[SUBFRAMES][G729_ORDER + 1]) {
    const int16_t *before[LANES], *after[LANES];
    for (int row = 0; row < LANES; row++) {
        before[row] = group->frame[row]->old_lsp_q15;
        after[row] = group->decoder[row]->lsp_q15;
    }
    g729_interpolate_filters(a_q12, before, after);
}

static void gather_excitation(lanes out[G729_SUBFRAME], const struct group *group, int s) {
    const int16_t *in[LANES];
    for (int row = 0; row < LANES; row++)
        in[row] = group->decoder[row]->excitation + G729_EXCITATION_PAST + s * G729_SUBFRAME;
    lanes_gather(out, in, G729_SUBFRAME);
}

/* 4.1.6: excitation through 1/A(z).  In rows where that saturates, all of the excitation is divided by four
 * and filtered again. */
static void synthesize(const struct group *group, lanes *y, const lanes a_q12[G729_ORDER + 1], int s) {
    lanes in[G729_SUBFRAME];
    gather_excitation(in, group, s);
    const rows_set saturated = g729_synthesis(y, a_q12, in, G729_SUBFRAME);
    if (!saturated)
        return;
    for (size_t row = 0; row < group->n; row++)
        for (int i = 0; saturated >> row & 1 && i < G729_EXCITATION_PAST + G729_FRAME; i++)
            group->decoder[row]->excitation[i] = (int16_t)(group->decoder[row]->excitation[i] >> 2);
    gather_excitation(in, group, s);
    g729_synthesis(y, a_q12, in, G729_SUBFRAME);
}

static void gather_past(lanes y[G729_ORDER], const struct group *group) {
    const int16_t *past[LANES];
    for (int row = 0; row < LANES; row++)
        past[row] = group->decoder[row]->speech_past;
    lanes_gather(y, past, G729_ORDER);
}

static void keep_past(const struct group *group, const lanes y[G729_ORDER]) {
    int16_t *past[LANES];
    for (int row = 0; row < LANES; row++)
        past[row] = group->decoder[row]->speech_past;
    lanes_scatter(past, y, G729_ORDER);
}

/* 4.2: what is heard. */
static void filter(const struct group *group, lanes out[G729_FRAME], const lanes *speech,
                   lanes a_q12[SUBFRAMES][G729_ORDER + 1]) {
    struct g729_postfilter *state[LANES];
    bool is_speech[LANES];
    int lag[LANES];
    for (int row = 0; row < LANES; row++) {
        state[row] = &group->decoder[row]->postfilter;
        is_speech[row] = group->frame[row]->speech;
    }
    for (int s = 0; s < SUBFRAMES; s++) {
        for (int row = 0; row < LANES; row++)
            lag[row] = group->frame[row]->lag[s];
        g729_postfilter_subframe(state, group->n, out + s * G729_SUBFRAME, speech + s * G729_SUBFRAME,
                                 a_q12[s], lag, is_speech);
    }
}

static void write(const struct group *group, int16_t *out, const lanes in[G729_FRAME]) {
    struct g729_highpass *state[LANES];
    int16_t *samples[LANES];
    for (size_t row = 0; row < LANES; row++) {
        state[row] = &group->decoder[row]->highpass;
        samples[row] = out + (row < group->n ? row : 0) * G729_FRAME;
    }
    g729_postprocess(state, samples, in);
}

static void decode_group(struct group *group, int16_t *out) {
    lanes a_q12[SUBFRAMES][G729_ORDER + 1], speech[G729_ORDER + G729_FRAME], filtered[G729_FRAME];
    find_filters(group, a_q12);
    gather_past(speech, group);
    for (int s = 0; s < SUBFRAMES; s++) {
        for (size_t row = 0; row < group->n; row++)
            if (group->frames[row].speech)
                excite(group->decoder[row], &group->frames[row], s);
        synthesize(group, speech + s * G729_SUBFRAME, a_q12[s], s);
    }
    keep_past(group, speech + G729_FRAME);
    filter(group, filtered, speech, a_q12);
    write(group, out, filtered);
}

void g729_decode_in_step(struct g729_decoder *bank, const intptr_t *rows, size_t n, int16_t *restrict out,
                         const uint8_t *restrict in, const int32_t *restrict lengths) {
    struct group group = {.n = n};
    for (size_t row = 0; row < LANES; row++) {
        group.decoder[row] = &bank[rows[row < n ? row : 0]];
        group.frame[row] = &group.frames[row < n ? row : 0];
    }
    for (size_t row = 0; row < n; row++)
        read(group.decoder[row], &group.frames[row], in + row * G729_SPEECH_BYTES, lengths[row]);
    decode_group(&group, out);
    for (size_t row = 0; row < n; row++) {
        struct g729_decoder *d = group.decoder[row];
        if (lengths[row] != G729_LOST)
            g729_comfort_remember(&d->comfort, d->excitation + G729_EXCITATION_PAST);
        d->was_speech = group.frames[row].speech;
        memmove(d->excitation, d->excitation + G729_FRAME, G729_EXCITATION_PAST * sizeof *d->excitation);
    }
}
