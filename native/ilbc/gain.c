#include "ilbc/arithmetic.h"
#include "ilbc/blocks.h"
#include "ilbc/tables.h"

static const int16_t *const levels_q14[ILBC_STAGES] = {ILBC_GAIN_FIRST_Q14, ILBC_GAIN_SECOND_Q14,
                                                       ILBC_GAIN_THIRD_Q14};

/* A stage's gain is a fraction of the stage before's, or of 0.1 if that was less. */
static int scale_of(int limit_q14) {
    return max_int(1638, limit_q14 < 0 ? -limit_q14 : limit_q14);
}

int16_t ilbc_gain_q14(int index, int limit_q14, int stage) {
    return (int16_t)((scale_of(limit_q14) * levels_q14[stage][index] + 8192) >> 14);
}

/* Halving intervals, then the nearer of two neighbours; at equal distance the lower. */
int ilbc_gain_index(int gain_q14, int limit_q14, int stage) {
    const int16_t *levels = levels_q14[stage];
    const int scale = scale_of(limit_q14), n = 32 >> stage;
    const int32_t wanted_q28 = gain_q14 * 16384;
    int index = n / 2;
    for (int step = n / 4; step > 0; step /= 2)
        index += scale * levels[index] < wanted_q28 ? step : -step;
    const int32_t off = wanted_q28 - scale * levels[index];
    if (off > 0)
        index += scale * levels[index + 1] - wanted_q28 < off;
    else
        index -= wanted_q28 - scale * levels[index - 1] <= -off;
    return min_int(index, n - 1);
}

int ilbc_gain_raised(int index, int gain_q14, int32_t coded_energy, int32_t target_energy) {
    const int down = 16 - min_int(norm_of(coded_energy), norm_of(target_energy));
    const int16_t square_q14 = (int16_t)((gain_q14 * gain_q14) >> 14);
    const int32_t allowed = (int16_t)shift_by(target_energy, -down) * square_q14;
    const int16_t coded = (int16_t)shift_by(coded_energy, -down);
    int raised = index;
    for (int i = index; i < 32; i++)
        if (coded * ILBC_GAIN_FIRST_SQUARED_Q14[i] < allowed &&
            ILBC_GAIN_FIRST_Q14[raised] < 2 * (gain_q14 - 1))
            raised = i;
    return raised;
}
