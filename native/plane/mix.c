/* Mix-minus: every member hears the sum of the others.
 *
 * The total is summed once in 32 bits, each member's own signal is taken from it, and the result is limited
 * once: the order of the members does not matter, and a room of n costs n additions, not n * n.
 */
#include "plane/plane.h"

enum { SAMPLES_MAX = 960 };

static inline int16_t limit(int32_t x) {
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

static void mix_room(int16_t *restrict out, const int16_t *restrict pcm, const int32_t *members, size_t n,
                     size_t samples) {
    int32_t total[SAMPLES_MAX] = {0};
    for (size_t m = 0; m < n; m++) {
        const int16_t *own = pcm + (size_t)members[m] * samples;
        for (size_t i = 0; i < samples; i++)
            total[i] += own[i];
    }
    for (size_t m = 0; m < n; m++) {
        const int16_t *own = pcm + (size_t)members[m] * samples;
        int16_t *hears = out + (size_t)members[m] * samples;
        for (size_t i = 0; i < samples; i++)
            hears[i] = limit(total[i] - own[i]);
    }
}

void mix_rooms(int16_t *restrict out, const int16_t *restrict pcm, const int32_t *members,
               const int32_t *offsets, size_t n_rooms, size_t samples) {
    if (samples > SAMPLES_MAX)
        return;
    for (size_t r = 0; r < n_rooms; r++)
        mix_room(out, pcm, members + offsets[r], (size_t)(offsets[r + 1] - offsets[r]), samples);
}
