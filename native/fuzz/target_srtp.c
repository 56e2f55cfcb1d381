/* SRTP: a stranger's bytes, and our own packets with anything done to them, in every suite.
 *
 * What an input says: a byte, the suite; then records of a byte
 *     bit 0      RTCP
 *     bits 1-2   0 and 1 a stranger's bytes, 2 a packet of ours, 3 a packet of ours with one byte changed
 *     bits 3-7   with two bits of the next byte: its length in words, to begin with
 * and what it needs: the packet; for 3 two bytes, where and how.
 */
#include "fuzz/fuzz.h"
#include "plane/plane.h"

#include <string.h>

enum { OURS = 2, CHANGED = 3, BYTES_MAX = 4 * 127 };

struct ends {
    const struct srtp_engine *engine;
    struct srtp_keys keys;
    struct srtp_sender sender;
    struct srtp_stream streams[SRTP_STREAMS];
};

static const struct srtp_engine *engine_of_all(void) {
    static struct srtp_engine engine;
    const char *reason = engine.library ? NULL : srtp_engine_open(&engine, "libcrypto.so.3");
    if (reason) {
        fprintf(stderr, "libcrypto.so.3: %s\n", reason);
        exit(2);
    }
    return &engine;
}

/* Open exactly data[bytes]; true: it was authentic, and is in *plain. */
static bool opens(struct ends *ends, bool rtcp, const uint8_t *data, size_t bytes, uint8_t *plain,
                  size_t *plain_bytes) {
    uint8_t *exact = malloc(bytes + !bytes), *out = malloc(bytes + !bytes);
    memcpy(exact, data, bytes);
    const enum srtp_result result =
        srtp_open(ends->engine, &ends->keys, ends->streams, rtcp, exact, bytes, out, plain_bytes);
    if (result == SRTP_OPENED) {
        FUZZ_CHECK(*plain_bytes < bytes);
        memcpy(plain, out, *plain_bytes);
    }
    free(exact);
    free(out);
    return result == SRTP_OPENED;
}

static void pass_ours(struct ends *ends, bool rtcp, const uint8_t *data, size_t bytes, bool change,
                      struct script *script) {
    uint8_t sealed[BYTES_MAX + SRTP_OVERHEAD_BYTES], plain[sizeof sealed];
    size_t sealed_bytes = bytes, plain_bytes;
    memcpy(sealed, data, bytes);
    const struct srtp_stream before[SRTP_STREAMS] = {ends->streams[0], ends->streams[1]};
    if (!srtp_protect(ends->engine, &ends->keys, &ends->sender, rtcp, sealed, &sealed_bytes, sizeof sealed))
        return;
    FUZZ_CHECK(sealed_bytes > bytes && sealed_bytes <= bytes + SRTP_OVERHEAD_BYTES);
    const size_t at = script_byte(script) % sealed_bytes;
    const uint8_t with = change ? script_byte(script) : 0;
    sealed[at] ^= with;
    const bool opened = opens(ends, rtcp, sealed, sealed_bytes, plain, &plain_bytes);
    if (with)
        FUZZ_CHECK(!opened && memcmp(before, ends->streams, sizeof before) == 0);
    else if (opened)
        FUZZ_CHECK(plain_bytes == bytes && memcmp(plain, data, bytes) == 0);
}

uint64_t fuzz_srtp(uint64_t digest, const uint8_t *input, size_t bytes) {
    struct script script = {input, input + bytes};
    struct ends ends = {.engine = engine_of_all()};
    uint8_t master[SRTP_MASTER_BYTES_MAX], data[BYTES_MAX], plain[BYTES_MAX];
    memset(master, 0x5a, sizeof master);
    srtp_keys_derive(ends.engine, &ends.keys, (enum srtp_suite)(1 + script_byte(&script) % (SRTP_SUITES - 1)),
                     master);
    while (!script_is_over(&script)) {
        const uint8_t how = script_byte(&script);
        const size_t n = 4 * (size_t)(how >> 3 | (script_byte(&script) & 3) << 5);
        size_t plain_bytes;
        script_take(&script, data, n);
        if ((how >> 1 & 3) >= OURS)
            pass_ours(&ends, how & 1, data, n, (how >> 1 & 3) == CHANGED, &script);
        else
            FUZZ_CHECK(!opens(&ends, how & 1, data, n, plain, &plain_bytes));
        digest = fuzz_digest(digest, ends.streams, sizeof ends.streams);
    }
    return digest;
}
