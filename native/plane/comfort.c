/* Comfort noise by RFC 3389: level, spectrum, and a generator of integers. */
#include "plane/comfort.h"

enum {
    DRAWS = 4,
    DRAWN_RMS = 9459, /* of the mean of four draws from +-32768: 32768 / sqrt(3 * 4) */
    K_STEP = 258,     /* RFC 3389 section 3.2: k in Q15 = 258 * (byte - 127) */
    K_NONE = 127,
    FOLLOW_SHIFT = 2, /* a quarter of the way to a new level in each unit */
    ONE_Q15 = 32768,
    LATTICE_MAX = 1 << 17,
};

/* RMS of noise n dB below overload, which is a square wave of full scale (RFC 3389 section 3.1). */
static const uint16_t LEVEL_RMS[128] = {
    32768, 29205, 26029, 23198, 20675, 18427, 16423, 14637, 13045, 11627, 10362, 9235, 8231, 7336, 6538, 5827,
    5193,  4629,  4125,  3677,  3277,  2920,  2603,  2320,  2068,  1843,  1642,  1464, 1305, 1163, 1036, 924,
    823,   734,   654,   583,   519,   463,   413,   368,   328,   292,   260,   232,  207,  184,  164,  146,
    130,   116,   104,   92,    82,    73,    65,    58,    52,    46,    41,    37,   33,   29,   26,   23,
    21,    18,    16,    15,    13,    12,    10,    9,     8,     7,     7,     6,    5,    5,    4,    4,
    3,     3,     3,     2,     2,     2,     2,     1,     1,     1,     1,     1,    1,    1,    1,    1,
    1,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,    0,    0,    0,    0,
    0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,    0,    0,    0,    0,
};

static int32_t root(int64_t square) {
    int64_t low = 0, high = 1 << 16;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (middle * middle <= square)
            low = middle;
        else
            high = middle;
    }
    return (int32_t)low;
}

void comfort_set(struct comfort *comfort, const uint8_t *payload, int32_t bytes) {
    int64_t power_q15 = ONE_Q15; /* what the lattice leaves to the excitation: the product of 1 - k^2 */
    comfort->order = 0;
    for (int32_t i = 0; i + 1 < bytes && i < COMFORT_ORDER; i++) {
        int32_t k = K_STEP * ((payload[i + 1] > 254 ? 254 : payload[i + 1]) - K_NONE);
        comfort->k_q15[i] = k;
        power_q15 = power_q15 * (ONE_Q15 - ((int64_t)k * k >> 15)) >> 15;
        comfort->order = i + 1;
    }
    int64_t rms = LEVEL_RMS[bytes > 0 ? payload[0] & 127 : 127];
    comfort->target_q15 = (int32_t)(rms * root(power_q15 << 15) / DRAWN_RMS);
}

static int32_t draw(struct comfort *comfort) {
    int32_t sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        comfort->seed = comfort->seed * 1664525u + 1013904223u;
        sum += (int32_t)(comfort->seed >> 16) - 32768;
    }
    return sum / DRAWS;
}

static int32_t limit(int64_t x, int32_t most) {
    return (int32_t)(x > most ? most : x < -most ? -most : x);
}

/* One sample through 1 / A(z). */
static int32_t shape(struct comfort *comfort, int32_t excitation) {
    int64_t forward = excitation;
    for (int32_t i = comfort->order - 1; i >= 0; i--) {
        forward -= comfort->k_q15[i] * (int64_t)comfort->lattice[i] / ONE_Q15;
        comfort->lattice[i + 1] =
            limit(comfort->lattice[i] + comfort->k_q15[i] * forward / ONE_Q15, LATTICE_MAX);
    }
    comfort->lattice[0] = limit(forward, LATTICE_MAX);
    return comfort->lattice[0];
}

void comfort_noise(struct comfort *comfort, int16_t out[UNIT_SAMPLES]) {
    comfort->gain_q15 += (comfort->target_q15 - comfort->gain_q15) >> FOLLOW_SHIFT;
    for (int i = 0; i < UNIT_SAMPLES; i++) {
        int32_t excitation = (int32_t)((int64_t)draw(comfort) * comfort->gain_q15 / ONE_Q15);
        out[i] = (int16_t)limit(shape(comfort, excitation), INT16_MAX);
    }
}
