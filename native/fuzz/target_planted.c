/* A decoder with a mistake that this directory's own test must find: it believes a length. */
#include "fuzz/fuzz.h"

#include <string.h>

uint64_t fuzz_planted(uint64_t digest, const uint8_t *input, size_t bytes) {
    struct script script = {input, input + bytes};
    uint8_t frame[8] = {0};
    while (!script_is_over(&script)) {
        if (script_byte(&script) != 0x7f)
            continue;
        const size_t n = script_byte(&script);
        if ((size_t)(script.end - script.at) >= n && n <= 9) /* should be 8 */
            memcpy(frame, script.at, n);
        digest = fuzz_digest(digest, frame, sizeof frame);
    }
    return digest;
}
