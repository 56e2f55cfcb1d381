/* iLBC's loops against the plain sums they stand for, where they fit in 32 bits and where they do not. */
#include "ilbc/vectors.h"

#include "ilbc_check.h"

enum { N = 160 };

static int16_t x[N], y[N];

static int64_t plain_sum(const int16_t *a, const int16_t *b, int n, int shift) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += (a[i] * b[i]) >> shift;
    return sum;
}

static int64_t clip(int64_t value, int64_t least, int64_t greatest) {
    return value < least ? least : value > greatest ? greatest : value;
}

static int16_t plain_rounded(int64_t value_q12) {
    return (int16_t)((clip(value_q12, -134217728, 134215679) + 2048) >> 12);
}

static void peak_is_the_largest_magnitude(void) {
    const int16_t samples[] = {3, -7, 5, INT16_MIN};
    CHECK(ilbc_peak(samples, 3) == 7);
    CHECK(ilbc_peak(samples, 4) == INT16_MAX);
    CHECK(ilbc_peak(samples, 0) == 0);
}

static void sums_are_exact_or_saturate(int level) {
    for (int shift = 0; shift <= 6; shift++)
        for (int n = 0; n <= 80; n++) {
            fill(x, N, level);
            fill(y, N, level);
            CHECK(ilbc_dot(x, y, n, shift) == clip(plain_sum(x, y, n, shift), INT32_MIN, INT32_MAX));
            CHECK(ilbc_dot(x, x, n, shift) == clip(plain_sum(x, x, n, shift), INT32_MIN, INT32_MAX));
        }
}

static void correlations_are_exact_or_saturate(int level) {
    static const int lengths[] = {22, 23, 40, 80};
    static const int steps[] = {1, -1, 40};
    int32_t out[20];
    int16_t memory[1024];
    for (int shift = 0; shift <= 6; shift++)
        for (int i = 0; i < 4; i++)
            for (int s = 0; s < 3; s++) {
                const int n = lengths[i], step = steps[s];
                fill(x, N, level);
                fill(memory, 1024, level);
                const bool fits = ilbc_sum_fits(ilbc_peak(x, n), ilbc_peak(memory, 1024), n, shift);
                ilbc_correlate(out, x, memory + 40, n, 20, step, shift, fits);
                for (int k = 0; k < 20; k++)
                    CHECK(out[k] ==
                          clip(plain_sum(x, memory + 40 + k * step, n, shift), INT32_MIN, INT32_MAX));
            }
}

static void fir_rounds_and_saturates(int level, int tap_level) {
    static const int lengths[] = {7, 8, 11};
    int16_t taps[11], out[N];
    for (int i = 0; i < 3; i++)
        for (int n = 0; n <= 147; n += 7) {
            fill(taps, 11, tap_level);
            fill(x, N, level);
            ilbc_fir(out, x + 10, taps, lengths[i], n);
            for (int k = 0; k < n; k++) {
                int64_t sum = 0;
                for (int j = 0; j < lengths[i]; j++)
                    sum += taps[j] * x[10 + k - j];
                CHECK(out[k] == plain_rounded(sum));
            }
        }
}

static void synthesis_rounds_and_saturates(int level, int tap_level) {
    int16_t out[10 + N], slow[10 + N];
    ilbc_filter_q12 a;
    for (int n = 0; n <= 147; n++) {
        fill(a, 11, tap_level);
        fill(out, 10, level);
        fill(x, N, level);
        a[0] = 4096;
        memcpy(slow, out, sizeof out);
        ilbc_synthesise(out + 10, x, a, n);
        for (int i = 0; i < n; i++) {
            int64_t sum = a[0] * x[i];
            for (int j = 1; j <= 10; j++)
                sum -= a[j] * slow[10 + i - j];
            slow[10 + i] = plain_rounded(sum);
            CHECK(out[10 + i] == slow[10 + i]);
        }
    }
}

static void greatest_is_the_first_of_equals(void) {
    const int32_t numbers[] = {-5, 7, 7, INT32_MIN, 6};
    CHECK(ilbc_greatest(numbers, 5) == 1);
    CHECK(ilbc_greatest(numbers + 3, 1) == 0);
    CHECK(ilbc_first_of(numbers, 6, 5) == 4);
    CHECK(ilbc_first_of(numbers, 8, 5) == 5);
}

int main(void) {
    if (!machine_can())
        return 0;
    peak_is_the_largest_magnitude();
    greatest_is_the_first_of_equals();
    static const int levels[] = {1, 900, 5800, 32768};
    for (int i = 0; i < 4; i++) {
        sums_are_exact_or_saturate(levels[i]);
        correlations_are_exact_or_saturate(levels[i]);
        fir_rounds_and_saturates(levels[i], 2000);
        fir_rounds_and_saturates(levels[i], 32768);
        synthesis_rounds_and_saturates(levels[i], 900);
        synthesis_rounds_and_saturates(levels[i], 32768);
    }
    return 0;
}
