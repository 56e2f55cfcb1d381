/* G.729's blocks for the tests: its filters, and the spectrum in all its forms. */
#include "faces_g729.h"

/* ---- highpass, filters ---- */

void face_g729_highpass(int16_t *out /* [n_rows][n_frames * 80] */, const int16_t *in, int n_rows,
                        int n_frames, int before) {
    if (n_rows > LANES) {
        face_g729_highpass(out + LANES * n_frames * FRAME, in + LANES * n_frames * FRAME, n_rows - LANES,
                           n_frames, before);
        n_rows = LANES;
    }
    struct g729_highpass states[LANES] = {0}, *state[LANES];
    for (int i = 0; i < n_frames; i++) {
        int16_t *to[LANES], samples[LANES][FRAME];
        const int16_t *from[LANES];
        lanes decoded[FRAME];
        for (int lane = 0; lane < LANES; lane++) {
            const int row = row_of(lane, n_rows);
            state[lane] = &states[row];
            from[lane] = in + (row * n_frames + i) * FRAME;
            to[lane] = out + (row * n_frames + i) * FRAME;
            copy16(samples[row], from[lane], FRAME);
        }
        gather(decoded, samples[0], n_rows, FRAME);
        if (before)
            g729_preprocess(state, to, from);
        else
            g729_postprocess(state, to, decoded);
    }
}

void face_g729_filter_residual(int16_t *out /* [n_rows][40] */, const int16_t *a_q12 /* [n_rows][11] */,
                               const int16_t *in /* [n_rows][50] */, int n_rows) {
    if (n_rows > LANES) {
        face_g729_filter_residual(out + LANES * SUBFRAME, a_q12 + LANES * (ORDER + 1),
                                  in + LANES * (ORDER + SUBFRAME), n_rows - LANES);
        n_rows = LANES;
    }
    lanes a[ORDER + 1], x[ORDER + SUBFRAME], y[SUBFRAME];
    gather(a, a_q12, n_rows, ORDER + 1);
    gather(x, in, n_rows, ORDER + SUBFRAME);
    g729_residual(y, a, x, SUBFRAME);
    scatter(out, y, n_rows, SUBFRAME);
}

void face_g729_synthesis(int16_t *out /* [n_rows][40] */, int16_t *saturated /* [n_rows] */,
                         const int16_t *a_q12, const int16_t *in /* [n_rows][40] */,
                         const int16_t *past /* [n_rows][10] */, int n_rows) {
    if (n_rows > LANES) {
        face_g729_synthesis(out + LANES * SUBFRAME, saturated + LANES, a_q12 + LANES * (ORDER + 1),
                            in + LANES * SUBFRAME, past + LANES * ORDER, n_rows - LANES);
        n_rows = LANES;
    }
    lanes a[ORDER + 1], x[SUBFRAME], y[ORDER + SUBFRAME];
    gather(a, a_q12, n_rows, ORDER + 1);
    gather(x, in, n_rows, SUBFRAME);
    gather(y, past, n_rows, ORDER);
    const rows_set rows = g729_synthesis(y, a, x, SUBFRAME);
    scatter(out, y + ORDER, n_rows, SUBFRAME);
    for (int row = 0; row < n_rows; row++)
        saturated[row] = rows >> row & 1;
}

void face_g729_expand(int16_t *out_q12 /* [n_rows][11] */, const int16_t *a_q12, int gamma_q15, int n_rows) {
    if (n_rows > LANES) {
        face_g729_expand(out_q12 + LANES * (ORDER + 1), a_q12 + LANES * (ORDER + 1), gamma_q15,
                         n_rows - LANES);
        n_rows = LANES;
    }
    lanes a[ORDER + 1], expanded[ORDER + 1];
    gather(a, a_q12, n_rows, ORDER + 1);
    g729_expand(expanded, a, gamma_q15);
    scatter(out_q12, expanded, n_rows, ORDER + 1);
}

void face_g729_predict_long_term(int16_t *excitation /* [154 + 40], in and out */, int lag, int thirds) {
    g729_predict_long_term(excitation + PAST, lag, thirds);
}

/* ---- lpc, lsp ---- */

static void put_correlation(int16_t *out /* [27] */, const struct g729_autocorrelation *it) {
    for (int i = 0; i <= G729_LAGS; i++) {
        out[2 * i] = it->r[i].high;
        out[2 * i + 1] = it->r[i].low;
    }
    out[2 * (G729_LAGS + 1)] = it->exponent;
}

void face_g729_autocorrelate(int16_t *out /* [27] */, int16_t *windowed /* [27] */, const int16_t *in) {
    struct g729_autocorrelation it;
    g729_autocorrelate(&it, in);
    put_correlation(out, &it);
    g729_apply_lag_window(&it);
    put_correlation(windowed, &it);
}

/* Of each of n_frames windows of 240 samples: filter, reflections, error (as it was if unstable). */
void face_g729_predict(int16_t *out /* [n_frames][14] */, const int16_t *in, int n_frames) {
    struct g729_lpc_memory memory;
    struct g729_prediction prediction = {.error = -1};
    g729_lpc_memory_reset(&memory);
    for (int i = 0; i < n_frames; i++, out += ORDER + 4) {
        struct g729_autocorrelation it;
        g729_autocorrelate(&it, in + i * G729_ANALYSIS);
        g729_apply_lag_window(&it);
        prediction.error = -1;
        g729_predict(&memory, &prediction, it.r);
        copy16(out, prediction.a_q12, ORDER + 1);
        copy16(out + ORDER + 1, prediction.reflection_q15, 2);
        out[ORDER + 3] = prediction.error;
    }
}

void face_g729_lsp_of_filter(int16_t *lsp_q15, const int16_t *a_q12, const int16_t *previous_q15) {
    g729_lsp_of_filter(lsp_q15, a_q12, previous_q15);
}

void face_g729_interpolate_filters(int16_t *first_q12 /* [n_rows][11] */, int16_t *second_q12,
                                   const int16_t *old_q15 /* [n_rows][10] */, const int16_t *new_q15,
                                   int n_rows) {
    if (n_rows > LANES) {
        face_g729_interpolate_filters(first_q12 + LANES * (ORDER + 1), second_q12 + LANES * (ORDER + 1),
                                      old_q15 + LANES * ORDER, new_q15 + LANES * ORDER, n_rows - LANES);
        n_rows = LANES;
    }
    const int16_t *old_rows[LANES], *new_rows[LANES];
    lanes a_q12[2][ORDER + 1];
    for (int lane = 0; lane < LANES; lane++) {
        old_rows[lane] = old_q15 + row_of(lane, n_rows) * ORDER;
        new_rows[lane] = new_q15 + row_of(lane, n_rows) * ORDER;
    }
    g729_interpolate_filters(a_q12, old_rows, new_rows);
    scatter(first_q12, a_q12[0], n_rows, ORDER + 1);
    scatter(second_q12, a_q12[1], n_rows, ORDER + 1);
}

void face_g729_lsf_of_lsp(int16_t *lsf_q13, const int16_t *lsp_q15) {
    g729_lsf_of_lsp(lsf_q13, lsp_q15);
}

void face_g729_lsp_of_lsf(int16_t *lsp_q15, const int16_t *lsf_q13) {
    g729_lsp_of_lsf(lsp_q15, lsf_q13);
}

void face_g729_normal_lsf_of_lsp(int16_t *lsf_q15, const int16_t *lsp_q15) {
    g729_normal_lsf_of_lsp(lsf_q15, lsp_q15);
}

/* ---- lsf_quantizer, sid_search ---- */

/* Frames of speech, or of noise where is_sid says so; both share the memory. */
void face_g729_quantize_lsp(int16_t *fields /* [n][4] */, int16_t *quantized_q15 /* [n][10] */,
                            const int16_t *lsp_q15 /* [n][10] */, const uint8_t *is_sid, int n) {
    struct g729_lsf_memory memory;
    g729_lsf_memory_reset(&memory);
    for (int i = 0; i < n; i++, fields += 4) {
        struct g729_lsf_parameters it = {0};
        (is_sid[i] ? g729_sid_quantize_lsp : g729_quantize_lsp)(&memory, &it, quantized_q15 + i * ORDER,
                                                                lsp_q15 + i * ORDER);
        fields[0] = (int16_t)it.mode;
        fields[1] = (int16_t)it.first;
        fields[2] = (int16_t)it.second;
        fields[3] = is_sid[i] ? 0 : (int16_t)it.third;
    }
}

void face_g729_dequantize_lsp(int16_t *lsp_q15 /* [n][10] */, const int16_t *fields /* [n][4] */,
                              const uint8_t *lost, int n) {
    struct g729_lsf_decoder decoder;
    g729_lsf_decoder_reset(&decoder);
    for (int i = 0; i < n; i++) {
        const struct g729_lsf_parameters it = lsf_of(fields + 4 * i);
        g729_dequantize_lsp(&decoder, lsp_q15 + i * ORDER, lost[i] ? NULL : &it);
    }
}

void face_g729_sid_decode_lsp(int16_t *lsp_q15 /* [n][10] */, const int16_t *fields /* [n][4] */, int n) {
    struct g729_lsf_memory memory;
    g729_lsf_memory_reset(&memory);
    for (int i = 0; i < n; i++) {
        const struct g729_lsf_parameters it = lsf_of(fields + 4 * i);
        g729_sid_decode_lsp(&memory, lsp_q15 + i * ORDER, &it);
    }
}

void face_g729_sid_quantize_gain(int16_t *out /* index, dB */, const int16_t *energies /* [n][2] */, int n) {
    struct g729_energy it[2];
    int level_db;
    for (int i = 0; i < n; i++)
        it[i] = (struct g729_energy){energies[2 * i], energies[2 * i + 1]};
    out[0] = (int16_t)g729_sid_quantize_gain(it, n, &level_db);
    out[1] = (int16_t)level_db;
}

int face_g729_sid_gain_of_speech(int mantissa, int exponent) {
    return g729_sid_gain_of_speech((struct g729_energy){(int16_t)mantissa, (int16_t)exponent});
}
