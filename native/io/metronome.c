#include "io/metronome.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

static const int64_t NS = 1000000000;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

void metronome(double period_s, size_t n, double *late) {
    const int64_t period = (int64_t)(period_s * 1e9), start = now_ns();
    for (size_t i = 0; i < n; i++) {
        int64_t due = start + (int64_t)(i + 1) * period;
        struct timespec until = {.tv_sec = due / NS, .tv_nsec = due % NS};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
        late[i] = (double)(now_ns() - due) * 1e-9;
    }
}
