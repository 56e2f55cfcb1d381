/* The fuzzer: millions of inputs that nobody thought of, the same ones for the same seed.
 *
 * What does it do?
 *   Feeds a target (a decoder, the media plane) with random bytes and with mutations of valid streams, built
 * with the sanitizers, which end the process at the first read, write or operation that C does not define.
 *
 * How does it work?
 *   Inputs come from one generator and a corpus: what it is given, and every input that took a branch which
 * none before had taken (coverage.c).  An input is a whole story, told to a target that starts anew, so any
 * one can be run again by itself.  It lies in a shared file before it is run: however the process dies, the
 * file has it.
 *
 * How do I use it?
 *   By `python -m gateway.testing.fuzz`, which builds and drives it:
 *       tandem_fuzz TARGET run SEED SECONDS INPUTS CORPUS CURRENT    a line of JSON on and off, and at the
 * end tandem_fuzz TARGET once FILE                                 run one input
 */
#ifndef TANDEM_FUZZ_FUZZ_H
#define TANDEM_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_BYTES = 4096 /* of an input, at most */ };

/* An invariant that a sanitizer cannot know. */
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* FNV-1a, 64 bits */
#define FUZZ_DIGEST 0xcbf29ce484222325u
static inline uint64_t fuzz_digest(uint64_t digest, const void *data, size_t bytes) {
    const uint8_t *byte = data;
    for (size_t i = 0; i < bytes; i++)
        digest = (digest ^ byte[i]) * 0x100000001b3u;
    return digest;
}

/* Runs one input from a fresh state and returns the digest, with what came out added to it. */
typedef uint64_t fuzz_run(uint64_t digest, const uint8_t *input, size_t bytes);
fuzz_run fuzz_pcmu, fuzz_pcma, fuzz_g729, fuzz_ilbc, fuzz_plane, fuzz_srtp, fuzz_planted;

/* An input as it is read: beyond its end there are zeros. */
struct script {
    const uint8_t *at, *end;
};

static inline bool script_is_over(const struct script *script) {
    return script->at == script->end;
}

static inline uint8_t script_byte(struct script *script) {
    return script_is_over(script) ? 0 : *script->at++;
}

/* out[0..n) := the next bytes, as far as there are any. */
void script_take(struct script *script, uint8_t *out, size_t n);

/* coverage.c: how many branches were ever taken; begin before an input. */
extern uint32_t fuzz_branches;
void fuzz_coverage_begin(void);

/* mutate.c */
struct corpus {
    struct corpus_entry {
        uint8_t *data;
        size_t bytes;
    } entries[4096];
    size_t n;
};
/* A copy of the input joins; when there is no room, in the place of another. */
void corpus_keep(struct corpus *corpus, const uint8_t *input, size_t bytes, uint64_t *random);
/* The next input; returns its bytes. */
size_t fuzz_next(const struct corpus *corpus, uint64_t *random, uint8_t out[FUZZ_BYTES]);

#endif
