/* iLBC's blocks for the tests: arrays and numbers in, arrays out, each from a fresh state.
 *
 * A frame is its fields in the order of struct ilbc_frame, one byte each; filters lie one after the other. */
#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

enum { MARGIN = ILBC_MARGIN, ROOM = ILBC_MEMORY + 2 * ILBC_MARGIN + ILBC_AUGMENTED };

/* ---- fields ---- */

static uint8_t *field_of(struct ilbc_frame *frame, int i) {
    const int n_state = ILBC_STATE_SHORT, n_blocks = ILBC_BLOCKS * ILBC_STAGES;
    if (i < 6)
        return &frame->lsf[i];
    if ((i -= 6) < 3)
        return i == 0 ? &frame->start : i == 1 ? &frame->state_first : &frame->scale;
    if ((i -= 3) < n_state)
        return &frame->state[i];
    if ((i -= n_state) < n_blocks)
        return &frame->vector[i / ILBC_STAGES][i % ILBC_STAGES];
    if ((i -= n_blocks) < n_blocks)
        return &frame->gain[i / ILBC_STAGES][i % ILBC_STAGES];
    return &frame->empty;
}

enum { FIELDS = 6 + 3 + ILBC_STATE_SHORT + 2 * ILBC_BLOCKS * ILBC_STAGES + 1 };

static struct ilbc_frame frame_of(const uint8_t *fields) {
    struct ilbc_frame frame;
    for (int i = 0; i < FIELDS; i++)
        *field_of(&frame, i) = fields[i];
    return frame;
}

static void put_frame(uint8_t *fields, struct ilbc_frame *frame) {
    for (int i = 0; i < FIELDS; i++)
        fields[i] = *field_of(frame, i);
}

int face_ilbc_fields(void) {
    return FIELDS;
}

void face_ilbc_pack(uint8_t *bytes, const uint8_t *fields, int mode_ms) {
    const struct ilbc_frame frame = frame_of(fields);
    ilbc_pack(bytes, &frame, mode_ms);
}

void face_ilbc_unpack(uint8_t *fields, const uint8_t *bytes, int mode_ms) {
    struct ilbc_frame frame;
    ilbc_unpack(&frame, bytes, mode_ms);
    put_frame(fields, &frame);
}

/* ---- high_pass ---- */

void face_ilbc_high_pass(int16_t *out, const int16_t *in, int n_frames, int n, int inwards) {
    struct ilbc_high_pass state = {0};
    for (int i = 0; i < n_frames; i++)
        (inwards ? ilbc_high_pass_in : ilbc_high_pass_out)(out + i * n, in + i * n, &state, n);
}

/* ---- vectors ---- */

void face_ilbc_fir(int16_t *out, const int16_t *in, const int16_t *taps_q12, int n_taps, int n) {
    ilbc_fir(out, in + n_taps - 1, taps_q12, n_taps, n);
}

void face_ilbc_synthesise(int16_t *out /* [10 + n], begins with the past */, const int16_t *in,
                          const int16_t *a_q12, int n) {
    ilbc_synthesise(out + ILBC_ORDER, in, a_q12, n);
}

int face_ilbc_dot(const int16_t *x, const int16_t *y, int n, int shift) {
    return ilbc_dot(x, y, n, shift);
}

/* ---- lpc, lsf, lsf_quantiser, lpc_filters ---- */

void face_ilbc_lsf_to_filter(int16_t *a_q12, const int16_t *lsf_q13) {
    ilbc_lsf_to_filter(a_q12, lsf_q13);
}

void face_ilbc_filter_to_lsf(int16_t *lsf_q13, const int16_t *a_q12) {
    ilbc_filter_to_lsf(lsf_q13, a_q12);
}

void face_ilbc_lsf_quantise(uint8_t *index, const int16_t *lsf_q13) {
    ilbc_lsf_quantise(index, lsf_q13);
}

void face_ilbc_lsf_dequantise(int16_t *lsf_q13, const uint8_t *index, int sets) {
    ilbc_lsf_dequantise(lsf_q13, index, sets);
}

void face_ilbc_filters(int16_t *a_q12 /* [4 or 6][11] */, int16_t *lsf_old_q13 /* in and out */,
                       const int16_t *lsf_q13, int mode_ms) {
    ilbc_filters((ilbc_filter_q12 *)a_q12, lsf_old_q13, lsf_q13, mode_ms);
}

void face_ilbc_widen(int16_t *a_q12, const int16_t *chirp_q15) {
    ilbc_widen(a_q12, chirp_q15);
}

void face_ilbc_analyse(int16_t *lsf_q13 /* [n_frames][sets * 10] */, const int16_t *samples, int n_frames,
                       int mode_ms) {
    struct ilbc_encoder encoder;
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    ilbc_encoder_start(&encoder, mode_ms);
    for (int i = 0; i < n_frames; i++)
        ilbc_analyse(lsf_q13 + i * mode.lpc_sets * ILBC_ORDER, &encoder, samples + i * mode.samples);
}

/* ---- start_search, start_state ---- */

void face_ilbc_locate_start(uint8_t *fields, const int16_t *residual, int mode_ms) {
    struct ilbc_frame frame = frame_of(fields);
    ilbc_locate_start(&frame, residual, mode_ms);
    put_frame(fields, &frame);
}

void face_ilbc_code_start(uint8_t *fields, const int16_t *residual, const int16_t *synthesis_q12,
                          const int16_t *weighting_q12, int mode_ms) {
    struct ilbc_frame frame = frame_of(fields);
    ilbc_code_start(&frame, residual, (const ilbc_filter_q12 *)synthesis_q12,
                    (const ilbc_filter_q12 *)weighting_q12, mode_ms);
    put_frame(fields, &frame);
}

void face_ilbc_all_pass(int16_t *out, const int16_t *in, const int16_t *zeros_q12, const int16_t *a_q12,
                        int n) {
    ilbc_all_pass(out, in, zeros_q12, a_q12, n);
}

void face_ilbc_start_state(int16_t *out, const uint8_t *fields, const int16_t *a_q12, int n) {
    const struct ilbc_frame frame = frame_of(fields);
    ilbc_start_state(out, &frame, a_q12, n);
}

/* ---- codebook, gain, codebook_search, residual ---- */

/* The memory with the zeros around it that the codebook's filter reads; returns its end. */
static const int16_t *surrounded(int16_t room[ROOM], const int16_t *memory, int memory_length) {
    memset(room, 0, ROOM * sizeof *room);
    memcpy(room + MARGIN + ILBC_MEMORY - memory_length, memory, (size_t)memory_length * sizeof *room);
    return room + MARGIN + ILBC_MEMORY;
}

int face_ilbc_codebook_size(int memory_length, int n) {
    return ilbc_codebook_size(memory_length, n);
}

void face_ilbc_codebook_sum(int16_t *out, const int16_t *memory, int memory_length, int n,
                            const uint8_t *vector, const uint8_t *gain) {
    int16_t room[ROOM];
    ilbc_codebook_sum(out, surrounded(room, memory, memory_length), memory_length, n, vector, gain);
}

void face_ilbc_codebook_search(uint8_t *vector, uint8_t *gain, const int16_t *target, const int16_t *memory,
                               const int16_t *weighting_q12, int memory_length, int n, int block_number) {
    int16_t room[ROOM];
    ilbc_codebook_search(vector, gain, target, surrounded(room, memory, memory_length), weighting_q12,
                         memory_length, n, block_number);
}

int face_ilbc_gain_q14(int index, int limit_q14, int stage) {
    return ilbc_gain_q14(index, limit_q14, stage);
}

int face_ilbc_gain_index(int gain_q14, int limit_q14, int stage) {
    return ilbc_gain_index(gain_q14, limit_q14, stage);
}

int face_ilbc_gain_raised(int index, int gain_q14, int coded_energy, int target_energy) {
    return ilbc_gain_raised(index, gain_q14, coded_energy, target_energy);
}

void face_ilbc_residual(int16_t *residual, const uint8_t *fields, int mode_ms) {
    struct ilbc_frame frame = frame_of(fields);
    ilbc_residual(residual, &frame, mode_ms, NULL, NULL);
}

/* ---- enhancer, smoother, concealment ---- */

void face_ilbc_enhance(int16_t *out, int16_t *lags, const int16_t *residual, const uint8_t *after_loss,
                       int n_frames, int mode_ms) {
    struct ilbc_decoder decoder;
    const int n = ilbc_mode_of(mode_ms).samples;
    ilbc_decoder_start(&decoder, mode_ms);
    for (int i = 0; i < n_frames; i++)
        lags[i] = (int16_t)ilbc_enhance(out + i * n, &decoder, residual + i * n, after_loss[i]);
}

void face_ilbc_smooth(int16_t *out, const int16_t *current, const int16_t *surround) {
    ilbc_smooth(out, current, surround);
}

void face_ilbc_conceal(int16_t *out, const int16_t *residual_old, int pitch_lag, int n_lost, int mode_ms) {
    struct ilbc_decoder decoder;
    const size_t n = (size_t)ilbc_mode_of(mode_ms).samples;
    ilbc_decoder_start(&decoder, mode_ms);
    memcpy(decoder.residual_old, residual_old, n * sizeof *residual_old);
    decoder.pitch_lag = (int16_t)pitch_lag;
    for (int i = 0; i < n_lost; i++) {
        decoder.lost_run = (int16_t)(i + 1);
        ilbc_conceal(out + i * (int)n, &decoder);
        memcpy(decoder.residual_old, out + i * (int)n, n * sizeof *out);
    }
}
