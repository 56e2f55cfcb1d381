/* G.729's blocks for the tests: arrays and numbers in, arrays out, each from a fresh state.
 *
 * Where a block remembers, its face tells it several frames, one after the other.  Where it works on rows in
 * step, its face takes any number of rows: as many as there are lanes at a time, and lanes that are left
 * repeat the first, as they must. */
#include "g729/g729.h"
#include "g729/innovation.h"
#include "g729/lanes.h"
#include "g729/lsf_quantizer.h"
#include "g729/lsp.h"
#include "g729/mathematics.h"
#include "g729/noise.h"
#include "g729/pitch_open_loop.h"
#include "g729/pitch_search.h"
#include "g729/sid.h"

#include <string.h>

enum { ORDER = G729_ORDER, SUBFRAME = G729_SUBFRAME, FRAME = G729_FRAME, PAST = G729_EXCITATION_PAST };

static void copy16(int16_t *out, const int16_t *in, size_t n) {
    memcpy(out, in, n * sizeof *out);
}

static int row_of(int lane, int n_rows) {
    return lane < n_rows ? lane : 0;
}

/* out[i] := in[i], of rows that are `apart` samples apart. */
static void gather_apart(lanes *out, const int16_t *in, int n_rows, int n, int apart) {
    for (int i = 0; i < n; i++)
        for (int lane = 0; lane < LANES; lane++)
            out[i][lane] = in[row_of(lane, n_rows) * apart + i];
}

/* in [n_rows][n] */
static void gather(lanes *out, const int16_t *in, int n_rows, int n) {
    gather_apart(out, in, n_rows, n, n);
}

/* out [n_rows][n] */
static void scatter(int16_t *out, const lanes *in, int n_rows, int n) {
    for (int row = 0; row < n_rows; row++)
        for (int i = 0; i < n; i++)
            out[row * n + i] = (int16_t)in[i][row];
}

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

static struct g729_lsf_parameters lsf_of(const int16_t *fields) {
    return (struct g729_lsf_parameters){(uint16_t)fields[0], (uint16_t)fields[1], (uint16_t)fields[2],
                                        (uint16_t)fields[3]};
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

/* ---- pitch_open_loop, pitch_search, pitch_lag ---- */

int face_g729_open_loop_lag(const int16_t *weighted /* [143 + 80] */) {
    return g729_open_loop_lag(weighted + G729_LAG_MAX);
}

void face_g729_filter_backwards(int16_t *out /* [n_rows][40] */, const int16_t *h_q12, const int16_t *target,
                                int n_rows) {
    if (n_rows > LANES) {
        face_g729_filter_backwards(out + LANES * SUBFRAME, h_q12 + LANES * SUBFRAME,
                                   target + LANES * SUBFRAME, n_rows - LANES);
        n_rows = LANES;
    }
    lanes h[SUBFRAME], x[SUBFRAME], y[SUBFRAME];
    gather(h, h_q12, n_rows, SUBFRAME);
    gather(x, target, n_rows, SUBFRAME);
    g729_filter_backwards(y, h, x);
    scatter(out, y, n_rows, SUBFRAME);
}

void face_g729_search_lag(int16_t *excitation /* [154 + 40], in and out */,
                          int16_t *lag /* samples, thirds */, const int16_t *target, const int16_t *h_q12,
                          int first, int last, int last_fine) {
    int16_t backwards[SUBFRAME];
    face_g729_filter_backwards(backwards, h_q12, target, 1);
    const struct g729_lag it =
        g729_search_lag(excitation + PAST, backwards, (struct g729_lag_range){first, last, last_fine});
    lag[0] = (int16_t)it.samples;
    lag[1] = (int16_t)it.thirds;
}

void face_g729_pitch_gains(int16_t *out /* [n_rows][5]: gain, yy, -2xy with exponents */,
                           const int16_t *target /* [n_rows][40] */, const int16_t *y, int n_rows) {
    if (n_rows > LANES) {
        face_g729_pitch_gains(out + LANES * 5, target + LANES * SUBFRAME, y + LANES * SUBFRAME,
                              n_rows - LANES);
        n_rows = LANES;
    }
    lanes x[SUBFRAME], filtered[SUBFRAME];
    int16_t gain_q14[LANES];
    struct g729_gain_products products[LANES] = {0};
    gather(x, target, n_rows, SUBFRAME);
    gather(filtered, y, n_rows, SUBFRAME);
    g729_pitch_gains(gain_q14, products, x, filtered, (size_t)n_rows);
    for (int row = 0; row < n_rows; row++, out += 5) {
        out[0] = gain_q14[row];
        out[1] = products[row].yy.mantissa;
        out[2] = products[row].yy.exponent;
        out[3] = products[row].minus_2xy.mantissa;
        out[4] = products[row].minus_2xy.exponent;
    }
}

void face_g729_first_lag(int16_t *out /* samples, thirds, index again, start of the second */, int index) {
    const struct g729_lag lag = g729_first_lag_of((uint16_t)index);
    out[0] = (int16_t)lag.samples;
    out[1] = (int16_t)lag.thirds;
    out[2] = (int16_t)g729_code_first_lag(lag);
    out[3] = (int16_t)g729_second_lag_start(lag.samples);
}

void face_g729_second_lag(int16_t *out /* samples, thirds, index again */, int index, int start) {
    const struct g729_lag lag = g729_second_lag_of((uint16_t)index, start);
    out[0] = (int16_t)lag.samples;
    out[1] = (int16_t)lag.thirds;
    out[2] = (int16_t)g729_code_second_lag(lag, start);
}

/* ---- innovation, innovation_search ---- */

void face_g729_decode_innovation(int16_t *code_q13, int positions, int signs, int lag, int sharpness_q14) {
    g729_decode_innovation(code_q13, (uint16_t)positions, (uint16_t)signs, lag, (int16_t)sharpness_q14);
}

void face_g729_search_innovation(int16_t *found /* [n_rows][2]: positions, signs */,
                                 int16_t *code_q13 /* [n_rows][40] */, int16_t *filtered_q12,
                                 const int16_t *h_q12, const int16_t *target, const int16_t *lags,
                                 const int16_t *sharpness_q14, int n_rows) {
    if (n_rows > LANES) {
        face_g729_search_innovation(found + LANES * 2, code_q13 + LANES * SUBFRAME,
                                    filtered_q12 + LANES * SUBFRAME, h_q12 + LANES * SUBFRAME,
                                    target + LANES * SUBFRAME, lags + LANES, sharpness_q14 + LANES,
                                    n_rows - LANES);
        n_rows = LANES;
    }
    lanes h[SUBFRAME], x[SUBFRAME], filtered[SUBFRAME];
    struct g729_innovation out[LANES];
    int lag[LANES];
    int16_t sharpness[LANES];
    gather(h, h_q12, n_rows, SUBFRAME);
    gather(x, target, n_rows, SUBFRAME);
    for (int lane = 0; lane < LANES; lane++) {
        lag[lane] = lags[row_of(lane, n_rows)];
        sharpness[lane] = sharpness_q14[row_of(lane, n_rows)];
    }
    g729_search_innovation(out, filtered, h, x, lag, sharpness, (size_t)n_rows);
    scatter(filtered_q12, filtered, n_rows, SUBFRAME);
    for (int row = 0; row < n_rows; row++) {
        found[2 * row] = (int16_t)out[row].positions;
        found[2 * row + 1] = (int16_t)out[row].signs;
        copy16(code_q13 + row * SUBFRAME, out[row].code_q13, SUBFRAME);
    }
}

/* ---- gains, gain_search ---- */

/* For each subframe of codes [n][40]: the gains of its indices [n][2], or faded ones where it was lost. */
void face_g729_dequantize_gains(int16_t *gains /* [n][2] */, const int16_t *indices, const int16_t *codes_q13,
                                const uint8_t *lost, int n) {
    struct g729_gain_memory memory;
    struct g729_gains it = {0};
    g729_gain_memory_reset(&memory);
    for (int i = 0; i < n; i++) {
        if (lost[i])
            g729_fade_gains(&memory, &it);
        else
            g729_dequantize_gains(&memory, &it, (uint16_t)indices[2 * i], (uint16_t)indices[2 * i + 1],
                                  codes_q13 + i * SUBFRAME);
        gains[2 * i] = it.pitch_q14;
        gains[2 * i + 1] = it.code_q1;
    }
}

/* Two subframes alike: the second is predicted from the first. */
void face_g729_quantize_gains(int16_t *out /* [2][3]: GA << 4 | GB, gains */,
                              const int16_t *products /* [5][2] */, const int16_t *code_q13, int tame) {
    struct g729_gain_memory memory;
    struct g729_product p[5];
    for (int i = 0; i < 5; i++)
        p[i] = (struct g729_product){products[2 * i], products[2 * i + 1]};
    const struct g729_gain_products it = {p[0], p[1], p[2], p[3], p[4]};
    g729_gain_memory_reset(&memory);
    for (int i = 0; i < 2; i++, out += 3) {
        struct g729_gains gains;
        out[0] = (int16_t)g729_quantize_gains(&memory, &gains, &it, code_q13, tame);
        out[1] = gains.pitch_q14;
        out[2] = gains.code_q1;
    }
}

/* ---- taming ---- */

/* Before every subframe: must it be tamed? */
void face_g729_taming(uint8_t *must, const int16_t *gains_q14, const int16_t *lags, const int16_t *thirds,
                      int n) {
    struct g729_taming taming;
    g729_taming_reset(&taming);
    for (int i = 0; i < n; i++) {
        must[i] = g729_must_tame(&taming, (struct g729_lag){lags[i], thirds[i]});
        g729_taming_update(&taming, gains_q14[i], lags[i]);
    }
}

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
