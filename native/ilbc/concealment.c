#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

/* 4.5: the residual of a lost frame is the last one's pitch, repeated, and its samples in random order, mixed
 * by how periodic it was.  What the fixed-point codec does where the RFC differs, or where it looks like a
 * slip, is kept: it is the definition. */

/* ---- how periodic the last frame was, and with which lag ---- */

struct match {
    int lag;
    int32_t product, energy; /* of the end of the frame with itself one lag before; energy there */
    int square, shift;       /* product^2 in 15 bits, and the shift that took */
};

static struct match matched(const int16_t *end, int lag, int n, int shift) {
    const int16_t *now = end - n, *before = now - lag;
    struct match match = {.lag = lag, .product = ilbc_dot(now, before, n, shift)};
    match.energy = ilbc_dot(before, before, n, shift);
    if (match.energy == 0) {
        match.product = 0;
        match.energy = 1;
    }
    match.shift = bits_of(absolute(match.product)) - 15;
    const int16_t mantissa = (int16_t)shift_by(match.product, -match.shift);
    match.square = (int16_t)((mantissa * mantissa) >> 15);
    return match;
}

/* product^2 / energy, compared crosswise */
static bool is_better(const struct match *a, const struct match *than) {
    const int shift_than = bits_of(than->energy) - 15, shift_a = bits_of(a->energy) - 15;
    const int32_t left = (int16_t)shift_by(than->energy, -shift_than) * a->square;
    const int32_t right = (int16_t)shift_by(a->energy, -shift_a) * than->square;
    const int apart = 2 * than->shift + shift_a - 2 * a->shift - shift_than;
    return apart > 0 ? left >> min_int(31, apart) > right : left > right >> min_int(31, -apart);
}

/* product^2 / (energy now * energy before), Q15 */
static int periodicity_of(const struct match *match, int32_t energy_now) {
    const int up_now = norm_of(energy_now) - 16, up_before = norm_of(match->energy) - 16;
    const int16_t now = (int16_t)shift_by(energy_now, up_now);
    const int16_t before = (int16_t)shift_by(match->energy, up_before);
    const int up = up_now + up_before - 1;
    const int16_t half = (int16_t)shift_by(match->product, up >> 1);
    const int16_t other_half = (int16_t)shift_by(match->product, up - (up >> 1));
    return (int16_t)divide(half * other_half, (int16_t)((now * before) >> 16));
}

/* Look for the pitch 3 samples around the last frame's. */
static void find_pitch(struct ilbc_decoder *decoder, int n_samples) {
    enum { LONGEST = 60, AROUND = 3 };
    const int16_t *end = decoder->residual_old + n_samples;
    const int shift = max_int(0, 2 * bits_of(ilbc_peak(decoder->residual_old, n_samples)) - 25);
    const int n = min_int(LONGEST, n_samples - (decoder->pitch_lag + AROUND));
    struct match best = matched(end, decoder->pitch_lag - AROUND, n, shift), last = best;
    for (int lag = best.lag + 1; lag <= decoder->pitch_lag + AROUND; lag++) {
        last = matched(end, lag, n, shift);
        if (is_better(&last, &best))
            best = last;
    }
    const int32_t energy_now = ilbc_dot(end - n, end - n, n, shift);
    decoder->conceal_shift = (int16_t)shift;
    decoder->conceal_lag = (int16_t)best.lag;
    /* the codec's guard tests the last candidate, not the best */
    decoder->conceal_periodicity =
        (int16_t)(energy_now > 0 && last.energy > 0 ? periodicity_of(&best, energy_now) : 0);
}

/* ---- the mix ---- */

/* None of the pitch below a periodicity of 0.4, only pitch above 0.7 (to the fourth power, Q15). */
static int pitch_share_q15(int periodicity) {
    int i = 5;
    if (periodicity > 7868)
        return 32767;
    if (periodicity <= 839)
        return 0;
    while (periodicity < ILBC_CONCEAL_PERIODICITY[i] && i > 0)
        i--;
    const int above = (ILBC_CONCEAL_SLOPE_Q11[i] * (periodicity - ILBC_CONCEAL_PERIODICITY[i])) >> 11;
    return min_int(ILBC_CONCEAL_PITCH_Q15[i] + above, 32767);
}

/* Less from 10 ms to 10 ms; a little less again after 40 ms of loss.  A long loss does not fade: that is left
 * to whoever hands over to comfort noise. */
static int level_q15(int sample, bool long_lost) {
    const int level = long_lost ? 29491 : 32767;
    return sample < 80 ? level : sample < 160 ? (31130 * level) >> 15 : (29491 * level) >> 15;
}

void ilbc_conceal(int16_t *restrict residual, struct ilbc_decoder *decoder) {
    const int n = ilbc_mode_of(decoder->mode_ms).samples;
    const int16_t *old = decoder->residual_old;
    int16_t noise[ILBC_SAMPLES];
    int64_t energy = 0;
    if (decoder->lost_run == 1)
        find_pitch(decoder, n);
    const int pitch_q15 = pitch_share_q15(decoder->conceal_periodicity);
    const bool long_lost = decoder->lost_run * n > 320;
    /* two periods of a short one: the same cycle over and over would buzz */
    const int lag = decoder->conceal_lag < 80 ? 2 * decoder->conceal_lag : decoder->conceal_lag;
    for (int i = 0; i < n; i++) {
        decoder->seed = (int16_t)(decoder->seed * 31821 + 13849);
        const int noise_lag = 53 + (decoder->seed & 63);
        noise[i] = old[noise_lag > i ? n + i - noise_lag : i - noise_lag];
        const int pitch = lag > i ? old[n + i - lag] : residual[i - lag];
        const int mixed = (pitch_q15 * pitch + (32767 - pitch_q15) * noise[i] + 16384) >> 15;
        residual[i] = (int16_t)((level_q15(i, long_lost) * mixed) >> 15);
        energy += (residual[i] * residual[i]) >> (decoder->conceal_shift + 1);
    }
    if (energy < (n * 900) >> (decoder->conceal_shift + 1)) /* below 30 dB */
        memcpy(residual, noise, (size_t)n * sizeof *residual);
}
