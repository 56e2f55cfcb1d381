/* The mixer's loops: portable C that the compiler turns into vectors, on the best instruction set there is.
 */
#include "mixer/mixer.h"

#include "g711/clones.h"

static inline int16_t limit(int32_t x) {
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

void sum_ramp(int32_t *ramp, size_t n) {
    for (size_t i = 0; i < n; i++)
        ramp[i] = (int32_t)((i + 1) * 32768 / n);
}

G711_CLONES void sum_add(int32_t *restrict total, const int16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        total[i] += in[i];
}

G711_CLONES void sum_limit(int16_t *restrict out, const int32_t *restrict total, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = limit(total[i]);
}

G711_CLONES void sum_minus(int16_t *restrict out, const int32_t *restrict total, const int16_t *restrict own,
                           size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = limit(total[i] - own[i]);
}

/* out = in * weight, the weight going from `from` to `to` (Q12); in place is fine.  32,767 * 65,535 + 2,048 <
 * 2^31. */
G711_CLONES void sum_weigh(int16_t *out, const int16_t *in, const int32_t *restrict ramp, int32_t from,
                           int32_t to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int32_t weight = from + ((to - from) * ramp[i] >> 15);
        out[i] = limit((in[i] * weight + MIX_UNITY / 2) >> 12);
    }
}

/* A signal that jumps by `step` at its first sample comes to itself over the tick instead. */
G711_CLONES void sum_bridge(int16_t *out, const int32_t *restrict ramp, int32_t step, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = limit(out[i] + (step * ((32768 - ramp[i]) >> 1) >> 14));
}

G711_CLONES uint64_t sum_squares(const int16_t *in, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(in[i] * in[i]);
    return sum;
}

G711_CLONES uint32_t sum_peak(const int16_t *in, size_t n) {
    int32_t peak = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t size = in[i] < 0 ? -in[i] : in[i];
        peak = size > peak ? size : peak;
    }
    return (uint32_t)peak;
}
