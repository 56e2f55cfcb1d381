/* The mixer's loops: portable C that the compiler turns into vectors, on the best instruction set there is.
 *
 * Nearly all ticks are of 80 samples, and a loop whose length the compiler knows needs no remainder: each
 * loop is compiled for that length and for any.
 */
#include "mixer/mixer.h"

#include "g711/clones.h"

static inline int16_t limit(int32_t x) {
    x = x > INT16_MAX ? INT16_MAX : x;
    return (int16_t)(x < INT16_MIN ? INT16_MIN : x);
}

void sum_ramp(int32_t *ramp, size_t n) {
    for (size_t i = 0; i < n; i++)
        ramp[i] = (int32_t)((i + 1) * 32768 / n);
}

static inline void add(int32_t *restrict total, const int16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++)
        total[i] += in[i];
}

G711_CLONES void sum_add(int32_t *restrict total, const int16_t *restrict in, size_t n) {
    n == UNIT_SAMPLES ? add(total, in, UNIT_SAMPLES) : add(total, in, n);
}

G711_CLONES void sum_limit(int16_t *restrict out, const int32_t *restrict total, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = limit(total[i]);
}

static inline void minus(int16_t *restrict out, const int32_t *restrict total, const int16_t *restrict own,
                         size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = limit(total[i] - own[i]);
}

G711_CLONES void sum_minus(int16_t *restrict out, const int32_t *restrict total, const int16_t *restrict own,
                           size_t n) {
    n == UNIT_SAMPLES ? minus(out, total, own, UNIT_SAMPLES) : minus(out, total, own, n);
}

/* out = in * weight, the weight going from `from` to `to` (Q12); in place is fine.
 * 32,767 * 65,535 + 2,048 < 2^31. */
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

static inline struct sum_level level_of(const int16_t *in, size_t n) {
    uint64_t squares = 0;
    int16_t low = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        squares += (uint32_t)(in[i] * in[i]);
        low = in[i] < low ? in[i] : low;
        high = in[i] > high ? in[i] : high;
    }
    return (struct sum_level){(uint32_t)(squares / n), (uint32_t)(-low > high ? -low : high)};
}

G711_CLONES struct sum_level sum_level(const int16_t *in, size_t n) {
    return n == UNIT_SAMPLES ? level_of(in, UNIT_SAMPLES) : level_of(in, n);
}
