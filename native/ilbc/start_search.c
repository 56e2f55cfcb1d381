#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

/* ---- 3.4: where the start state is ---- */

/* The pair of sub-blocks with most energy, the middle of the frame favoured.  The RFC ramps the outer
 * samples; the fixed-point codec leaves two out at each end. */
static int strongest_pair(const int16_t *residual, const struct ilbc_mode *mode) {
    enum { LEFT_OUT = 2, COUNTED = ILBC_STATE - 2 * LEFT_OUT };
    int32_t energy[ILBC_SUBBLOCKS - 1];
    const int n_pairs = mode->subblocks - 1;
    const int16_t *window = ILBC_START_WINDOW + (mode->subblocks == 4 ? 1 : 0);
    const int peak = ilbc_peak(residual, mode->samples), shift = max_int(0, bits_of(peak * peak) - 24);
    for (int i = 0; i < n_pairs; i++) {
        const int16_t *counted = residual + i * ILBC_SUBBLOCK + LEFT_OUT;
        energy[i] = ilbc_dot(counted, counted, COUNTED, shift);
    }
    const int down = max_int(0, bits_of(energy[ilbc_greatest(energy, n_pairs)]) - 20);
    for (int i = 0; i < n_pairs; i++)
        energy[i] = (energy[i] >> down) * window[i];
    return ilbc_greatest(energy, n_pairs);
}

void ilbc_locate_start(struct ilbc_frame *frame, const int16_t *residual, int mode_ms) {
    const struct ilbc_mode mode = ilbc_mode_of(mode_ms);
    const int pair = strongest_pair(residual, &mode);
    const int16_t *first = residual + pair * ILBC_SUBBLOCK, *last = first + ILBC_STATE - mode.state_short;
    const int peak = ilbc_peak(first, ILBC_STATE), shift = max_int(0, bits_of(peak * peak) - 25);
    frame->start = (uint8_t)(pair + 1);
    frame->state_first =
        ilbc_dot(first, first, mode.state_short, shift) > ilbc_dot(last, last, mode.state_short, shift);
}

/* ---- 3.5: its samples ---- */

/* Spread the samples, so that one scale serves them.  Returns by how much the result is shifted right. */
static int spread(int16_t *out /* [n] */, const int16_t *residual, const ilbc_filter_q12 a_q12, int n) {
    int16_t zeros_q12[ILBC_ORDER + 1];
    const int down = max_int(0, bits_of(ilbc_peak(residual, n)) - 12);
    for (int i = 0; i <= ILBC_ORDER; i++)
        zeros_q12[i] = (int16_t)(a_q12[ILBC_ORDER - i] >> down);
    ilbc_all_pass(out, residual, zeros_q12, a_q12, n);
    return down;
}

static int scale_index(int peak, int down) {
    const int32_t square = (peak << down) < 23170 ? shift_left(peak * peak, 2 + 2 * down) : INT32_MAX;
    int index = 0;
    while (index < 63 && square >= ILBC_STATE_PEAK_BOUNDS[index])
        index++;
    return index;
}

static int nearest_level(int x_q13) {
    int index = 0;
    for (int i = 1; i < 8; i++)
        index += x_q13 > (ILBC_STATE_LEVELS_Q13[i - 1] + ILBC_STATE_LEVELS_Q13[i] + 1) >> 1;
    return index;
}

/* Quantise sample by sample, each with the noise of those before it predicted: serial by nature. */
static void quantise(uint8_t *level, const int16_t *weighted, const ilbc_filter_q12 *weighting_q12,
                     int n_first, int n) {
    int32_t padded[ILBC_ORDER + ILBC_STATE_SHORT] = {0};
    for (int i = 0; i < n; i++) {
        const int16_t *a_q12 = weighting_q12[i >= n_first];
        int32_t *decoded = padded + ILBC_ORDER + i;
        int64_t predicted_q12 = 0;
        for (int j = ILBC_ORDER; j > 0; j--)
            predicted_q12 -= a_q12[j] * decoded[-j];
        const int16_t predicted = saturate16(saturate32(predicted_q12 + 2048) >> 12);
        level[i] = (uint8_t)nearest_level((weighted[i] - predicted) * 4);
        decoded[0] = (int16_t)(predicted + ((ILBC_STATE_LEVELS_Q13[level[i]] + 2) >> 2));
    }
}

void ilbc_code_start(struct ilbc_frame *frame, const int16_t *residual, const ilbc_filter_q12 *synthesis_q12,
                     const ilbc_filter_q12 *weighting_q12, int mode_ms) {
    const int n = ilbc_mode_of(mode_ms).state_short;
    const int n_first =
        frame->state_first ? ILBC_SUBBLOCK : n - ILBC_SUBBLOCK; /* up to the sub-blocks' border */
    const ilbc_filter_q12 *weighting = weighting_q12 + frame->start - 1;
    int16_t spread_out[ILBC_STATE_SHORT], padded[ILBC_ORDER + ILBC_STATE_SHORT] = {0};
    int16_t *weighted = padded + ILBC_ORDER;
    const int down =
        spread(spread_out, residual + ilbc_state_position(frame, n), synthesis_q12[frame->start - 1], n);
    frame->scale = (uint8_t)scale_index(ilbc_peak(spread_out, n), down);
    const int shift = (frame->scale < 27 ? 4 : 9) - down;
    for (int i = 0; i < n; i++)
        spread_out[i] = saturate16((spread_out[i] * ILBC_STATE_SCALE[frame->scale]) >> shift);
    ilbc_synthesise(weighted, spread_out, weighting[0], n_first);
    ilbc_synthesise(weighted + n_first, spread_out + n_first, weighting[1], n - n_first);
    quantise(frame->state, weighted, weighting, n_first, n);
}
