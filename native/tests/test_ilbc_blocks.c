/* iLBC block by block, where a block has a law of its own. */
#include "ilbc/blocks.h"
#include "ilbc/tables.h"

#include "ilbc_check.h"

static void gain_is_the_nearest_level(void) {
    for (int stage = 0; stage < ILBC_STAGES; stage++)
        for (int limit_q14 = -24000; limit_q14 <= 24000; limit_q14 += 1500)
            for (int index = 0; index < 32 >> stage; index++) {
                const int16_t gain_q14 = ilbc_gain_q14(index, limit_q14, stage);
                CHECK(ilbc_gain_index(gain_q14, limit_q14, stage) == index);
            }
}

static void gain_is_raised_and_never_lowered(void) {
    for (int index = 0; index < 32; index++)
        for (int32_t coded = 1; coded < 1 << 28; coded *= 3)
            for (int32_t target = 1; target < 1 << 28; target *= 5) {
                const int raised = ilbc_gain_raised(index, ilbc_gain_q14(index, 16384, 0), coded, target);
                CHECK(raised >= index && raised < 32);
            }
}

static int64_t distance_of_entry(const int16_t *part_q13, int first_column, int n_entries, int n, int entry) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        const int off = part_q13[i] - ILBC_LSF_CODEBOOK_Q13[first_column + i * n_entries + entry];
        sum += (int64_t)off * off;
    }
    return sum;
}

static void nearest_entry_of_each_codebook_is_chosen(void) {
    static const int splits[3][4] = {{0, 3, 0, 64}, {3, 3, 192, 128}, {6, 4, 576, 128}};
    for (int round = 0; round < 500; round++) {
        int16_t lsf_q13[ILBC_ORDER];
        uint8_t index[3];
        for (int i = 0; i < ILBC_ORDER; i++)
            lsf_q13[i] = (int16_t)(next_random() % 25736);
        ilbc_lsf_quantise(index, lsf_q13);
        for (int k = 0; k < 3; k++) {
            const int16_t *part = lsf_q13 + splits[k][0];
            const int n = splits[k][1], at = splits[k][2], n_entries = splits[k][3];
            const int64_t chosen = distance_of_entry(part, at, n_entries, n, index[k]);
            for (int entry = 0; entry < n_entries; entry++) {
                const int64_t other = distance_of_entry(part, at, n_entries, n, entry);
                CHECK(chosen < other || (chosen == other && index[k] <= entry));
            }
        }
    }
}

static void frequencies_are_within_half_the_rate(void) {
    for (int round = 0; round < 2000; round++) {
        const uint8_t index[3] = {next_random() % 64, next_random() % 128, next_random() % 128};
        int16_t lsf_q13[ILBC_ORDER];
        ilbc_lsf_dequantise(lsf_q13, index, 1);
        for (int i = 0; i < ILBC_ORDER - 1; i++)
            CHECK(lsf_q13[i] >= 82 && lsf_q13[i] <= 25723);
    }
}

static void filter_of_frequencies_has_these_frequencies(void) {
    ilbc_filter_q12 a_q12;
    int16_t lsf_q13[ILBC_ORDER];
    ilbc_lsf_to_filter(a_q12, ILBC_LSF_MEAN_Q13);
    CHECK(a_q12[0] == 4096);
    ilbc_filter_to_lsf(lsf_q13, a_q12);
    for (int i = 0; i < ILBC_ORDER; i++)
        CHECK(abs(lsf_q13[i] - ILBC_LSF_MEAN_Q13[i]) < 80); /* 10 Hz in Q13 radians are 64 */
}

static void filter_without_roots_gives_the_mean(void) {
    const ilbc_filter_q12 wild_q12 = {4096,   32767, -32768, 32767, -32768, 32767,
                                      -32768, 32767, -32768, 32767, 0};
    int16_t lsf_q13[ILBC_ORDER];
    ilbc_filter_to_lsf(lsf_q13, wild_q12);
    for (int i = 0; i < ILBC_ORDER; i++)
        CHECK(abs(lsf_q13[i] - ILBC_LSF_MEAN_Q13[i]) < 80);
}

static void high_pass_takes_a_constant_away(void) {
    struct ilbc_high_pass state = {0};
    int16_t in[160], out[160];
    for (int i = 0; i < 160; i++)
        in[i] = 8000;
    for (int frame = 0; frame < 20; frame++)
        ilbc_high_pass_in(out, in, &state, 160);
    CHECK(abs(out[159]) <= 2);
}

static void smoother_leaves_a_periodic_block_as_it_is(void) {
    int16_t current[80], out[80];
    fill(current, 80, 4000);
    ilbc_smooth(out, current, current);
    for (int i = 0; i < 80; i++)
        CHECK(abs(out[i] - current[i]) <= 4);
}

static void smoother_takes_anything(void) {
    int16_t current[80], surround[80], out[80];
    for (int round = 0; round < 3000; round++) {
        fill(current, 80, 1 << next_random() % 16);
        fill(surround, 80, 1 << next_random() % 16);
        ilbc_smooth(out, current, surround);
        memset(surround, 0, sizeof surround);
        ilbc_smooth(out, current, surround);
        ilbc_smooth(out, surround, current);
    }
}

int main(void) {
    gain_is_the_nearest_level();
    gain_is_raised_and_never_lowered();
    nearest_entry_of_each_codebook_is_chosen();
    frequencies_are_within_half_the_rate();
    filter_of_frequencies_has_these_frequencies();
    filter_without_roots_gives_the_mean();
    high_pass_takes_a_constant_away();
    smoother_leaves_a_periodic_block_as_it_is();
    smoother_takes_anything();
    return 0;
}
