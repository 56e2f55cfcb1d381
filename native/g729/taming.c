#include "g729/taming.h"

#include "g729/filters.h"
#include "g729/fixed.h"
#include "g729/tables.h"

enum { ONE_Q14 = 0x4000, LIMIT_Q14 = 983040000 /* 60000 */, INTERPOLATION_SIDE = 10 };

void g729_taming_reset(struct g729_taming *taming) {
    for (int i = 0; i < G729_TAMING_ZONES; i++)
        taming->error_q14[i] = ONE_Q14;
}

bool g729_must_tame(const struct g729_taming *taming, struct g729_lag lag) {
    const int whole = lag.thirds > 0 ? lag.samples + 1 : lag.samples;
    const int nearest = whole - G729_SUBFRAME - INTERPOLATION_SIDE;
    const int first = g729_taming_zone_of[nearest < 0 ? 0 : nearest];
    const int last = g729_taming_zone_of[whole + INTERPOLATION_SIDE - 2];
    for (int zone = first; zone <= last; zone++)
        if (taming->error_q14[zone] > LIMIT_Q14)
            return true;
    return false;
}

static int32_t grown(int32_t error_q14, int16_t pitch_gain_q14) {
    return add32(ONE_Q14, shl32(dpf_mul16(dpf_of(error_q14), pitch_gain_q14), 1));
}

static int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

void g729_taming_update(struct g729_taming *taming, int16_t pitch_gain_q14, int lag) {
    int32_t worst = -1;
    if (lag < G729_SUBFRAME) { /* the lag feeds on itself: twice */
        const int32_t once = grown(taming->error_q14[0], pitch_gain_q14);
        worst = larger(larger(worst, once), grown(once, pitch_gain_q14));
    } else {
        const int last = g729_taming_zone_of[lag - 1];
        for (int zone = g729_taming_zone_of[lag - G729_SUBFRAME]; zone <= last; zone++)
            worst = larger(worst, grown(taming->error_q14[zone], pitch_gain_q14));
    }
    for (int zone = G729_TAMING_ZONES - 1; zone > 0; zone--)
        taming->error_q14[zone] = taming->error_q14[zone - 1];
    taming->error_q14[0] = worst;
}
