/* G.729's blocks for the tests: what is heard after decoding, and silence. */
#include "faces_g729.h"

/* ---- postfilter ---- */

void face_g729_postfilter(int16_t *out /* [n_rows][n][40] */, const int16_t *in /* [n_rows][n][50] */,
                          const int16_t *a_q12 /* [n_rows][n][11] */, const int16_t *lags /* [n_rows][n] */,
                          const uint8_t *speech, int n_rows, int n) {
    enum { WINDOW = ORDER + SUBFRAME, FILTER = ORDER + 1 };
    struct g729_postfilter states[LANES], *state[LANES];
    if (n_rows > LANES) {
        face_g729_postfilter(out + LANES * n * SUBFRAME, in + LANES * n * WINDOW, a_q12 + LANES * n * FILTER,
                             lags + LANES * n, speech + LANES * n, n_rows - LANES, n);
        n_rows = LANES;
    }
    for (int lane = 0; lane < LANES; lane++) {
        g729_postfilter_reset(&states[lane]);
        state[lane] = &states[row_of(lane, n_rows)];
    }
    for (int i = 0; i < n; i++) {
        lanes a[FILTER], x[WINDOW], y[SUBFRAME];
        int lag[LANES];
        bool is_speech[LANES];
        gather_apart(a, a_q12 + i * FILTER, n_rows, FILTER, n * FILTER);
        gather_apart(x, in + i * WINDOW, n_rows, WINDOW, n * WINDOW);
        for (int lane = 0; lane < LANES; lane++) {
            lag[lane] = lags[row_of(lane, n_rows) * n + i];
            is_speech[lane] = speech[row_of(lane, n_rows) * n + i];
        }
        g729_postfilter_subframe(state, (size_t)n_rows, y, x, a, lag, is_speech);
        for (int row = 0; row < n_rows; row++)
            for (int k = 0; k < SUBFRAME; k++)
                out[(row * n + i) * SUBFRAME + k] = (int16_t)y[k][row];
    }
}

/* ---- vad, dtx ---- */

/* Slide over the samples, 80 at a time, as the encoder does; the first 160 are the past. */
void face_g729_vad(uint8_t *speech, const int16_t *samples /* [160 + n * 80] */, int n) {
    struct g729_vad vad;
    struct g729_lpc_memory memory;
    struct g729_prediction prediction = {.error = 0};
    int16_t lsp_q15[ORDER] = {0};
    g729_vad_reset(&vad);
    g729_lpc_memory_reset(&memory);
    for (int i = 0; i < n; i++) {
        struct g729_autocorrelation it;
        struct g729_vad_input in = {.autocorrelation = &it, .window = samples + i * FRAME};
        g729_autocorrelate(&it, in.window);
        g729_apply_lag_window(&it);
        g729_predict(&memory, &prediction, it.r);
        g729_lsp_of_filter(lsp_q15, prediction.a_q12, lsp_q15);
        g729_normal_lsf_of_lsp(in.lsf_q15, lsp_q15);
        in.reflection_q15 = prediction.reflection_q15[1];
        speech[i] = g729_vad_is_speech(&vad, &in);
    }
}

/* Frames of noise, or of speech where the test says so: sent, its fields, and the excitation. */
void face_g729_dtx(int16_t *out /* [n][5]: sent, L0, L1, L2, gain */, int16_t *noise /* [n][80] */,
                   const int16_t *samples /* [160 + n * 80] */, const uint8_t *speech, int n) {
    struct g729_dtx dtx;
    struct g729_lpc_memory lpc;
    struct g729_lsf_memory lsf;
    struct g729_taming taming;
    int16_t lsp_q15[ORDER] = {0}, excitation[PAST + FRAME] = {0};
    bool was_speech = true;
    g729_dtx_reset(&dtx);
    g729_lpc_memory_reset(&lpc);
    g729_lsf_memory_reset(&lsf);
    g729_taming_reset(&taming);
    memset(out, 0, (size_t)n * 5 * sizeof *out);
    for (int i = 0; i < n; i++, out += 5) {
        struct g729_autocorrelation it;
        g729_autocorrelate(&it, samples + i * FRAME);
        g729_dtx_observe(&dtx, &it, speech[i]);
        if (speech[i]) {
            g729_dtx_restart(&dtx);
            memset(excitation + PAST, 0, FRAME * sizeof *excitation);
        } else {
            const struct g729_dtx_context context = {&lpc, &lsf, &taming, lsp_q15, excitation + PAST};
            const struct g729_dtx_result result = g729_dtx_frame(&dtx, &context, was_speech);
            copy16(lsp_q15, dtx.lsp_q15, ORDER);
            out[0] = result.send;
            if (result.send) {
                out[1] = (int16_t)result.sid.lsf.mode;
                out[2] = (int16_t)result.sid.lsf.first;
                out[3] = (int16_t)result.sid.lsf.second;
                out[4] = (int16_t)result.sid.gain;
            }
        }
        was_speech = speech[i];
        copy16(noise + i * FRAME, excitation + PAST, FRAME);
        memmove(excitation, excitation + FRAME, PAST * sizeof *excitation);
    }
}

/* ---- noise, comfort ---- */

void face_g729_noise(int16_t *noise /* [n][80] */, const int16_t *past /* [154] */, const int16_t *gains,
                     int n) {
    int16_t excitation[PAST + FRAME], seed = G729_NOISE_SEED;
    copy16(excitation, past, PAST);
    for (int i = 0; i < n; i++) {
        g729_noise_excitation(excitation + PAST, gains[i], &seed, NULL);
        copy16(noise + i * FRAME, excitation + PAST, FRAME);
        memmove(excitation, excitation + FRAME, PAST * sizeof *excitation);
    }
}

/* Frames that are not speech: SID where kinds[i] is 1 (fields as g729_unpack_sid gives them), else nothing.
 */
void face_g729_comfort(int16_t *noise /* [n][80] */, int16_t *lsp_q15 /* [n][10] */,
                       const int16_t *speech /* [80] */, const uint8_t *kinds,
                       const int16_t *fields /* [n][4] */, int n) {
    struct g729_comfort comfort;
    struct g729_lsf_memory memory;
    int16_t excitation[PAST + FRAME] = {0};
    g729_comfort_reset(&comfort);
    g729_lsf_memory_reset(&memory);
    g729_comfort_remember(&comfort, speech);
    for (int i = 0; i < n; i++) {
        const int16_t *f = fields + 4 * i;
        const struct g729_sid_parameters sid = {lsf_of((const int16_t[]){f[0], f[1], f[2], 0}),
                                                (uint16_t)f[3]};
        g729_comfort_frame(&comfort, &memory, excitation + PAST, kinds[i] ? &sid : NULL, i == 0);
        copy16(noise + i * FRAME, excitation + PAST, FRAME);
        copy16(lsp_q15 + i * ORDER, comfort.lsp_q15, ORDER);
        memmove(excitation, excitation + FRAME, PAST * sizeof *excitation);
    }
}
