#include "fuzz/fuzz.h"

/* The kernels are compiled to call this wherever control may have come from elsewhere.  A branch is a pair of
 * places, one after the other; different ones may share a slot, which only costs an input that might have
 * been kept. */
enum { SLOTS = 1 << 16 };

uint32_t fuzz_branches;
static uint8_t was_taken[SLOTS];
static uintptr_t before;

void __sanitizer_cov_trace_pc(void);

void fuzz_coverage_begin(void) {
    before = 0;
}

void __sanitizer_cov_trace_pc(void) {
    /* relative to this function: the program lies elsewhere at every start */
    const uintptr_t here = (uintptr_t)__builtin_return_address(0) - (uintptr_t)&__sanitizer_cov_trace_pc;
    const uint32_t slot = (uint32_t)(here ^ (before >> 1)) * 2654435761u >> 16;
    before = here;
    if (!was_taken[slot]) {
        was_taken[slot] = 1;
        fuzz_branches++;
    }
}
