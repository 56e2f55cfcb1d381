#include "g729/pitch_lag.h"

#include "g729/filters.h"

enum { FINE_LAGS = 197, LAST_FINE = 85, WHOLE_OFFSET = 112 };

int g729_second_lag_start(int first_samples) {
    const int start = first_samples - 5;
    if (start < G729_LAG_MIN)
        return G729_LAG_MIN;
    return start + G729_SECOND_LAG_RANGE > G729_LAG_MAX ? G729_LAG_MAX - G729_SECOND_LAG_RANGE : start;
}

uint16_t g729_code_first_lag(struct g729_lag lag) {
    return (uint16_t)(lag.samples <= LAST_FINE ? 3 * lag.samples - 58 + lag.thirds
                                               : lag.samples + WHOLE_OFFSET);
}

uint16_t g729_code_second_lag(struct g729_lag lag, int start) {
    return (uint16_t)(3 * (lag.samples - start) + 2 + lag.thirds);
}

struct g729_lag g729_first_lag_of(uint16_t index) {
    if (index >= FINE_LAGS)
        return (struct g729_lag){index - WHOLE_OFFSET, 0};
    const int samples = (index + 2) / 3 + 19;
    return (struct g729_lag){samples, index - 3 * samples + 58};
}

struct g729_lag g729_second_lag_of(uint16_t index, int start) {
    const int samples = (index + 2) / 3 - 1;
    return (struct g729_lag){start + samples, index - 2 - 3 * samples};
}
