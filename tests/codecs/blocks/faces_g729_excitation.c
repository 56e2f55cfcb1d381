/* G.729's blocks for the tests: its excitation: pitch, innovation and gains. */
#include "faces_g729.h"

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
