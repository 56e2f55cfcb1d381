#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 4.6: every block of 80 residual samples is replaced by a mix of itself and its six neighbours one, two,
 * three pitch periods before and after it.  Positions and periods are in quarter samples (Q2).
 *
 *     history: |........................................|   this frame's residual   |
 *              0                    | new blocks of 80, which lag by the delay  |   640
 */
enum {
    BLOCK = ILBC_ENHANCER_BLOCK,
    SEGMENTS = 3, /* on each side */
    SLOP = 2,     /* samples that the period may be off */
    CORRELATIONS = 2 * SLOP + 1,
    UPSAMPLING = 4,
    UPSAMPLE_HALF = 3,
    OVERHANG_Q2 = 2 * UPSAMPLING,
    HALF_RATE_BLOCK = BLOCK / 2,
    LAGS = 50,
    LEAST_LAG = 10,
    LOOKBACK = 120,
    HALF_BAND_TAPS = 7,
};

/* Where the middles of the blocks of period_q2 are, Q2. */
static int middle_q2(int block) {
    return 160 + 320 * block;
}

/* ---- 4.6.1: the pitch period of each new block, at half the rate ---- */

/* The history's last n samples at 4 kHz: behind their end are zeros. */
ILBC_CLONES static void downsample(int16_t *restrict out /* [n / 2] */, const int16_t *restrict history,
                                   int n) {
    enum { DELAY = 3 };
    int16_t padded[DELAY + ILBC_SAMPLES + LOOKBACK + DELAY] = {0};
    memcpy(padded, history + ILBC_HISTORY - n - DELAY, (size_t)(n + DELAY) * sizeof *padded);
    for (int i = 0; i < n / 2; i++) {
        const int16_t *newest = padded + 2 * DELAY + 2 * i;
        int32_t sum = 2048;
        for (int j = 0; j < HALF_BAND_TAPS; j++)
            sum += ILBC_HALF_BAND_Q12[j] * newest[-j];
        out[i] = saturate16(sum >> 12);
    }
}

/* A lag's correlation squared over the energy there, as mantissas with one exponent. */
struct score {
    int lag, square, energy, exponent;
};

static struct score scored(int lag, int32_t correlation, const int16_t *there, int shift) {
    const int32_t energy = ilbc_dot(there, there, HALF_RATE_BLOCK, shift);
    const int up = 15 - bits_of(correlation), up_energy = 15 - bits_of(energy);
    const int16_t mantissa = (int16_t)shift_by(correlation, up);
    return (struct score){lag, (int16_t)((mantissa * mantissa) >> 16), (int16_t)shift_by(energy, up_energy),
                          up_energy - 2 * up};
}

static bool is_better(struct score a, struct score than) {
    const int32_t left = a.square * than.energy, right = than.square * a.energy;
    const int apart = than.exponent - a.exponent;
    return apart > 0 ? left >> min_int(31, apart) > right : left > right >> min_int(31, -apart);
}

/* The three highest correlations that are not neighbours, then the best of them. */
ILBC_CLONES static int half_rate_lag(const int16_t *target) {
    const int16_t *regressor = target - LEAST_LAG;
    const int peak = ilbc_peak(regressor - LAGS, HALF_RATE_BLOCK + LAGS - 1);
    const int shift = max_int(0, bits_of(peak * peak) - 25);
    int32_t correlation[LAGS];
    struct score best = {0};
    const int peak_target = ilbc_peak(target, HALF_RATE_BLOCK);
    const bool fits = ilbc_sum_fits(peak_target, max_int(peak, peak_target), HALF_RATE_BLOCK, shift);
    ilbc_correlate(correlation, target, regressor, HALF_RATE_BLOCK, LAGS, -1, shift, fits);
    for (int i = 0; i < 3; i++) {
        const int lag = ilbc_greatest(correlation, LAGS);
        const struct score candidate = scored(lag, correlation[lag], regressor - lag, shift);
        if (i == 0 || is_better(candidate, best))
            best = candidate;
        for (int k = max_int(2, lag) - 2; k <= min_int(LAGS - 3, lag) + 2; k++)
            correlation[k] = 0;
    }
    return best.lag + LEAST_LAG;
}

/* ---- 4.6.2 and 4.6.3: the surround of a block ---- */

static int nearest_period(const int *at_q2, int value_q2) {
    int best = 0, least = INT_MAX;
    for (int i = 0; i < ILBC_PERIODS; i++) {
        const int off = at_q2[i] < value_q2 ? value_q2 - at_q2[i] : at_q2[i] - value_q2;
        if (at_q2[i] >= 0 && off < least) { /* a place before the history is never the nearest */
            least = off;
            best = i;
        }
    }
    return best;
}

static void correlate_near(int32_t out[CORRELATIONS], const int16_t *block, const int16_t *there,
                           int n_lags) {
    const uint64_t greatest = (uint64_t)(ilbc_peak(there, n_lags + BLOCK - 1) + 1) *
                              (uint64_t)(ilbc_peak(block, BLOCK) + 1) * BLOCK;
    const int shift = max_int(0, 64 - 31 - __builtin_clzll(greatest));
    ilbc_correlate(out, block, there, BLOCK, n_lags, 1, shift, true);
}

/* The quarter sample, from the first lag on, at which the correlation is greatest. */
ILBC_CLONES static int finest(const int32_t correlation[CORRELATIONS], int n_lags) {
    int32_t fine[CORRELATIONS * UPSAMPLING];
    int16_t mantissa[2 + CORRELATIONS + 2] = {0};
    uint32_t peak = 0;
    for (int i = 0; i < n_lags; i++) {
        const uint32_t magnitude = (uint32_t)absolute(correlation[i]);
        peak = magnitude > peak ? magnitude : peak;
    }
    const int down = max_int(0, bits_of((int32_t)(peak > INT32_MAX ? INT32_MAX : peak)) - 15);
    for (int i = 0; i < n_lags; i++)
        mantissa[2 + i] = (int16_t)(correlation[i] >> down);
    for (int i = 0; i < CORRELATIONS; i++) {
        int32_t sum[UPSAMPLING] = {0};
        for (int k = 0; k < 5; k++)
            for (int phase = 0; phase < UPSAMPLING; phase++)
                sum[phase] += mantissa[i + k] * ILBC_UPSAMPLE_Q12[UPSAMPLE_HALF + 2 - k][phase];
        memcpy(&fine[UPSAMPLING * i], sum, sizeof sum);
    }
    return ilbc_greatest(fine, UPSAMPLING * n_lags);
}

/* surround += segment * weight */
ILBC_CLONES static void add_weighted(int16_t *restrict surround, const int16_t *restrict segment,
                                     int weight_q16) {
    for (int i = 0; i < BLOCK; i++)
        surround[i] = (int16_t)(surround[i] + (int16_t)((segment[i] * weight_q16 + 32768) >> 16));
}

/* Add the segment near position_q2 that is most like the block, weighted; return where it was, Q2. */
static int add_segment(int16_t *surround, const int16_t *history, int block_position, int position_q2,
                       int weight_q16) {
    const int rounded = (position_q2 - 2) >> 2;
    const int first = max_int(0, rounded - SLOP);
    const int last = min_int(rounded + SLOP, ILBC_HISTORY - BLOCK - 1);
    const int n_lags = last + 1 - first;
    int32_t correlation[CORRELATIONS];
    correlate_near(correlation, history + block_position, history + first, n_lags);
    const int offset_q2 = finest(correlation, n_lags);

    /* A sample later and as many quarters back; outside of the history are zeros. */
    const int whole = (offset_q2 + 3) >> 2, from = first + whole - UPSAMPLE_HALF;
    int16_t padded[BLOCK + 2 * UPSAMPLE_HALF] = {0};
    const int begin = max_int(0, from), end = min_int(ILBC_HISTORY, from + BLOCK + 2 * UPSAMPLE_HALF);
    memcpy(padded + begin - from, history + begin, (size_t)(end - begin) * sizeof *padded);
    const int phase = UPSAMPLING * whole - offset_q2;
    int16_t reversed_q12[2 * UPSAMPLE_HALF + 1], segment[BLOCK];
    for (int i = 0; i <= 2 * UPSAMPLE_HALF; i++)
        reversed_q12[i] = ILBC_UPSAMPLE_Q12[2 * UPSAMPLE_HALF - i][phase];
    if (phase == 0) /* its filter changes nothing */
        memcpy(segment, padded + UPSAMPLE_HALF, sizeof segment);
    else
        ilbc_fir(segment, padded + 2 * UPSAMPLE_HALF, reversed_q12, 2 * UPSAMPLE_HALF + 1, BLOCK);
    add_weighted(surround, segment, weight_q16);
    return first * UPSAMPLING + offset_q2 + UPSAMPLING;
}

static void gather_surround(int16_t surround[BLOCK], const struct ilbc_decoder *decoder, int block_position) {
    int middles_q2[ILBC_PERIODS], before_q2[ILBC_PERIODS];
    memset(surround, 0, BLOCK * sizeof *surround);
    for (int i = 0; i < ILBC_PERIODS; i++) {
        middles_q2[i] = middle_q2(i);
        before_q2[i] = middles_q2[i] - decoder->period_q2[i];
    }
    int position_q2 = UPSAMPLING * block_position;
    int period = nearest_period(middles_q2, 2 * (2 * block_position + BLOCK - 1));
    for (int q = SEGMENTS - 1; q >= 0; q--) {
        const int period_q2 = decoder->period_q2[period];
        if (position_q2 < period_q2 + OVERHANG_Q2)
            break; /* it would begin before the history, and so would those further back */
        position_q2 -= period_q2;
        period = nearest_period(middles_q2, max_int(0, position_q2 + 2 * BLOCK - period_q2));
        position_q2 =
            add_segment(surround, decoder->history, block_position, position_q2, ILBC_SEGMENT_WEIGHT_Q16[q]);
    }
    position_q2 = UPSAMPLING * block_position;
    for (int q = SEGMENTS - 1; q >= 0; q--) {
        position_q2 += decoder->period_q2[nearest_period(before_q2, position_q2 + 2 * BLOCK)];
        if (position_q2 + UPSAMPLING * BLOCK + OVERHANG_Q2 < UPSAMPLING * ILBC_HISTORY)
            position_q2 = add_segment(surround, decoder->history, block_position, position_q2,
                                      ILBC_SEGMENT_WEIGHT_Q16[q]);
    }
}

/* ---- 4.6.4 and on: after a loss ---- */

/* Hold the energy of what was predicted backwards to four times that of what was concealed, with a ramp of 16
 * samples up to the frame. */
static void limit_energy(int16_t *backwards, const int16_t *concealed, int n) {
    enum { RAMP = 16 };
    const int peak = max_int(ilbc_peak(concealed, n), ilbc_peak(backwards, n));
    const int shift = max_int(0, 22 - norm_of(peak));
    const int32_t allowed = ilbc_dot(concealed, concealed, n, shift);
    const int32_t energy = ilbc_dot(backwards, backwards, n, shift);
    if (energy <= 0 || energy >> 2 <= allowed)
        return;
    const int up = norm_of(energy);
    const int16_t ratio_q16 = (int16_t)divide(shift_by(allowed, up), (int16_t)shift_by(energy, up - 16));
    const int16_t root_q15 = (int16_t)square_root(shift_left(ratio_q16, 14));
    const int16_t step = (int16_t)(2048 - (root_q15 >> 3));
    int16_t ramp = 0;
    for (int i = 0; i < n - RAMP; i++)
        backwards[i] = (int16_t)((backwards[i] * root_q15) >> 14);
    for (int i = n - RAMP; i < n; i++) {
        backwards[i] = (int16_t)((backwards[i] * (root_q15 + (ramp >> 1))) >> 14);
        ramp = (int16_t)(ramp + step);
    }
}

/* Predict backwards from the frame into what was concealed just before it, and cross-fade the two.  Returns
 * the refined lag. */
static int join(int16_t *history_end /* of what was concealed */, const int16_t *residual, int lag, int n) {
    const int16_t *target = residual, *regressor = residual + lag - 1;
    const int shift = ilbc_peak(regressor, n + 2) > 5000 ? 2 : 0;
    int32_t correlation[3];
    int16_t backwards[ILBC_ENHANCER_BLOCK], *concealed = history_end - n;
    const bool fits = ilbc_sum_fits(ilbc_peak(target, n), ilbc_peak(regressor, n + 2), n, shift);
    ilbc_correlate(correlation, target, regressor, n, 3, 1, shift, fits);
    lag += ilbc_greatest(correlation, 3) - 1;
    if (lag > n) {
        memcpy(backwards, residual + lag - n, (size_t)n * sizeof *backwards);
    } else {
        memcpy(backwards + n - lag, residual, (size_t)lag * sizeof *backwards);
        memcpy(backwards, concealed + lag, (size_t)(n - lag) * sizeof *backwards);
    }
    limit_energy(backwards, concealed, n);
    const int step_q14 = n == 40 ? 400 : 202; /* 1 / (n + 1) */
    for (int i = n - 1, share_q14 = step_q14; i >= 0; i--, share_q14 += step_q14)
        concealed[i] = (int16_t)((int16_t)((concealed[i] * share_q14) >> 14) +
                                 (int16_t)(((16384 - share_q14) * backwards[i]) >> 14));
    return lag;
}

int ilbc_enhance(int16_t *restrict out, struct ilbc_decoder *decoder, const int16_t *restrict residual,
                 bool after_loss) {
    const int n = ilbc_mode_of(decoder->mode_ms).samples;
    const int n_blocks = n / BLOCK, delay = decoder->mode_ms == 20 ? 40 : 80;
    int16_t half_rate[(ILBC_SAMPLES + LOOKBACK) / 2] = {0};
    int lags[ILBC_SAMPLES / BLOCK];
    memmove(decoder->history, decoder->history + n, (size_t)(ILBC_HISTORY - n) * sizeof *decoder->history);
    memcpy(decoder->history + ILBC_HISTORY - n, residual, (size_t)n * sizeof *decoder->history);
    memmove(decoder->period_q2, decoder->period_q2 + n_blocks,
            (size_t)(ILBC_PERIODS - n_blocks) * sizeof *decoder->period_q2);
    downsample(half_rate, decoder->history, n + LOOKBACK);
    for (int i = 0; i < n_blocks; i++) {
        lags[i] = half_rate_lag(half_rate + LOOKBACK / 2 + i * HALF_RATE_BLOCK);
        decoder->period_q2[ILBC_PERIODS - n_blocks + i] = (int16_t)(lags[i] * 2 * UPSAMPLING);
    }
    int lag = 2 * lags[n_blocks - 1];
    if (after_loss)
        lag = join(decoder->history + ILBC_HISTORY - n, residual, 2 * lags[0], delay);
    for (int i = 0; i < n_blocks; i++) {
        int16_t surround[BLOCK];
        const int position = ILBC_HISTORY - n - delay + i * BLOCK;
        gather_surround(surround, decoder, position);
        ilbc_smooth(out + i * BLOCK, decoder->history + position, surround);
    }
    return lag;
}
