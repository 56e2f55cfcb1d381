/* What the tests of iLBC share: CHECK, and numbers by chance that are the same everywhere. */
#ifndef TANDEM_TESTS_ILBC_CHECK_H
#define TANDEM_TESTS_ILBC_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static inline uint32_t next_random(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* -level to level - 1, every second time one of the two ends. */
static inline void fill(int16_t *samples, int n, int level) {
    for (int i = 0; i < n; i++) {
        const int any = (int)(next_random() % (uint32_t)(2 * level)) - level;
        const int end = next_random() & 1 ? level - 1 : -level;
        samples[i] = (int16_t)(next_random() & 1 ? any : end);
    }
}

static inline bool machine_can(void) {
#ifdef ILBC_ARCH
    if (!__builtin_cpu_supports(ILBC_ARCH)) {
        puts("skipped: this machine has no " ILBC_ARCH);
        return false;
    }
#endif
    return true;
}

#endif
