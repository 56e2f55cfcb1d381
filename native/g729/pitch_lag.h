/* 3.7.2, 4.1.3: pitch lags on the line.
 *
 * What does it do?  Codes a lag in thirds of a sample: 8 bits for the first subframe (thirds from 19 1/3 to
 * 84 2/3, whole samples to 143), 5 bits for the second, relative to the first.
 * How do I use it?  The second subframe's range starts at g729_second_lag_start of the first one's lag.
 */
#ifndef TANDEM_G729_PITCH_LAG_H
#define TANDEM_G729_PITCH_LAG_H

#include <stdint.h>

struct g729_lag {
    int samples;
    int thirds; /* -1, 0 or 1 more */
};

enum { G729_SECOND_LAG_RANGE = 9 };

int g729_second_lag_start(int first_samples);
uint16_t g729_code_first_lag(struct g729_lag lag);
uint16_t g729_code_second_lag(struct g729_lag lag, int start);
struct g729_lag g729_first_lag_of(uint16_t index);
struct g729_lag g729_second_lag_of(uint16_t index, int start);

#endif
