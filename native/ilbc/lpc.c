#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"
#include "ilbc/vectors.h"

#include <string.h>

enum { WINDOW = ILBC_SAMPLES };

/* 32 bits as two words that 16-bit multipliers take: x = (high << 16) + (low << 1). */
struct words {
    int16_t high, low;
};

static inline struct words split(int32_t x) {
    return (struct words){(int16_t)(x >> 16), (int16_t)((x & 0xffff) >> 1)};
}

static inline int32_t joined(struct words x) {
    return add_wrapping(shift_left(x.high, 16), x.low * 2);
}

static inline int32_t product_q31(struct words a, struct words b) {
    return shift_left(
        add_wrapping(add_wrapping(a.high * b.high, (a.high * b.low) >> 15), (a.low * b.high) >> 15), 1);
}

/* ---- 3.2.1: autocorrelation ---- */

/* With this shift the sums fit. */
ILBC_CLONES static void autocorrelate(int32_t r[ILBC_ORDER + 1], const int16_t *samples,
                                      const int16_t *window_q15) {
    int16_t windowed[WINDOW];
    for (int i = 0; i < WINDOW; i++)
        windowed[i] = (int16_t)((samples[i] * window_q15[i]) >> 15);
    const int peak = ilbc_peak(windowed, WINDOW);
    const int shift = peak == 0 ? 0 : max_int(0, bits_of(WINDOW) - norm_of(peak * peak));
    for (int lag = 0; lag <= ILBC_ORDER; lag++)
        r[lag] = ilbc_dot_fitting(windowed, windowed + lag, WINDOW - lag, shift);
}

/* Widen the spectrum's peaks by 60 Hz, on normalised words. */
static void window_lags(int32_t r[ILBC_ORDER + 1]) {
    const int up = norm_of(r[0]);
    for (int lag = 0; lag <= ILBC_ORDER; lag++) {
        const struct words a = split(shift_left(r[lag], up)), b = split(ILBC_LAG_WINDOW_Q31[lag]);
        const int32_t product = add_wrapping(shift_left(a.high * b.high, 1), (a.high * b.low) >> 14);
        r[lag] = add_wrapping(product, (a.low * b.high) >> 14) >> up;
    }
}

/* ---- 3.2.2: Levinson-Durbin ---- */

/* One Newton step on a 16-bit reciprocal.  0 <= numerator <= denominator, which is normalised; Q31. */
static int32_t quotient_q31(int32_t numerator, struct words denominator) {
    const int16_t guess_q14 = (int16_t)divide(0x1fffffff, denominator.high);
    const int32_t error = add_wrapping(shift_left(denominator.high * guess_q14, 1),
                                       shift_left((denominator.low * guess_q14) >> 15, 1));
    const struct words rest = split(subtract_wrapping(INT32_MAX, error)); /* 2 - denominator * guess, Q30 */
    const struct words inverse_q29 =
        split(shift_left(add_wrapping(rest.high * guess_q14, (rest.low * guess_q14) >> 15), 1));
    return shift_left(product_q31(split(numerator), inverse_q29), 2);
}

/* 1 - k^2, Q31 */
static struct words complement_of_square(struct words k) {
    const int32_t square = shift_left(add_wrapping((k.high * k.low) >> 14, k.high * k.high), 1);
    return split(subtract_wrapping(INT32_MAX, absolute(square)));
}

/* The recursion's state: a (Q27) so far, and the prediction error, normalised by error_up. */
struct recursion {
    struct words r[ILBC_ORDER + 1], a[ILBC_ORDER + 1], error;
    int error_up;
};

static void shrink_error(struct recursion *it, struct words k) {
    const int32_t error = product_q31(it->error, complement_of_square(k));
    const int up = norm_of(error);
    it->error = split(shift_left(error, up));
    it->error_up += up;
}

/* -(r[i] + sum of r[j] a[i - j]) / error, Q31, saturated. */
static int32_t reflection(const struct recursion *it, int i) {
    int32_t sum = 0;
    for (int j = 1; j < i; j++)
        sum = add_wrapping(sum, product_q31(it->r[j], it->a[i - j]));
    sum = add_wrapping(shift_left(sum, 4), joined(it->r[i]));
    int32_t k = quotient_q31(absolute(sum), it->error);
    if (sum > 0)
        k = subtract_wrapping(0, k);
    if (k == 0 || it->error_up <= norm_of(k))
        return it->error_up < 32 ? shift_left(k, it->error_up) : 0;
    return k > 0 ? INT32_MAX : INT32_MIN;
}

/* Extend the predictor from order i - 1 to i. */
static void extend(struct recursion *it, int i, int32_t k_q31) {
    const struct words k = split(k_q31);
    struct words next[ILBC_ORDER + 1];
    for (int j = 1; j < i; j++)
        next[j] = split(add_wrapping(joined(it->a[j]), product_q31(k, it->a[i - j])));
    next[i] = split(k_q31 >> 4);
    memcpy(it->a + 1, next + 1, (size_t)i * sizeof *next);
    shrink_error(it, k);
}

/* Returns false where the filter would not be stable. */
static bool predict(ilbc_filter_q12 a_q12, const int32_t r[ILBC_ORDER + 1]) {
    struct recursion it = {.error_up = 0};
    const int up = norm_of(r[0]);
    for (int i = 0; i <= ILBC_ORDER; i++)
        it.r[i] = split(shift_left(r[i], up));
    it.error = it.r[0];
    extend(&it, 1, reflection(&it, 1));
    for (int i = 2; i <= ILBC_ORDER; i++) {
        const int32_t k_q31 = reflection(&it, i);
        if (absolute(k_q31 >> 16) > 32750)
            return false;
        extend(&it, i, k_q31);
    }
    a_q12[0] = 4096;
    for (int i = 1; i <= ILBC_ORDER; i++)
        a_q12[i] = (int16_t)(add_wrapping(shift_left(joined(it.a[i]), 1), 32768) >> 16);
    return true;
}

static void analyse_window(int16_t *lsf_q13, const int16_t *samples, const int16_t *window_q15) {
    int32_t r[ILBC_ORDER + 1];
    ilbc_filter_q12 a_q12;
    autocorrelate(r, samples, window_q15);
    window_lags(r);
    if (!predict(a_q12, r)) {
        memset(a_q12, 0, sizeof a_q12);
        a_q12[0] = 4096;
    }
    ilbc_widen(a_q12, ILBC_CHIRP_SYNTHESIS_Q15);
    ilbc_filter_to_lsf(lsf_q13, a_q12);
}

/* The windows lie over the last 300 samples: one at their beginning (30 ms only), one at their end. */
void ilbc_analyse(int16_t *lsf_q13, struct ilbc_encoder *encoder, const int16_t *samples) {
    int16_t seen[ILBC_LOOKBACK + WINDOW];
    const struct ilbc_mode mode = ilbc_mode_of(encoder->mode_ms);
    const size_t n_new = (size_t)mode.samples, n_old = ILBC_LOOKBACK + WINDOW - n_new;
    memcpy(seen, encoder->lookback, n_old * sizeof *seen);
    memcpy(seen + n_old, samples, n_new * sizeof *seen);
    if (mode.lpc_sets == 2)
        analyse_window(lsf_q13, seen, ILBC_WINDOW_Q15);
    analyse_window(lsf_q13 + (mode.lpc_sets - 1) * ILBC_ORDER, seen + ILBC_LOOKBACK,
                   ILBC_ASYMMETRIC_WINDOW_Q15);
    memcpy(encoder->lookback, seen + n_new, n_old * sizeof *seen);
}
