#include "srtp/engine.h"

#include <dlfcn.h>
#include <string.h>

enum { SHA1_BLOCK_BYTES = 64, CONTROL_GET_TAG = 0x10, CONTROL_SET_TAG = 0x11 };

static const char *const CIPHER_NAMES[CIPHERS] = {"EVP_aes_128_ctr", "EVP_aes_256_ctr", "EVP_aes_128_gcm",
                                                  "EVP_aes_256_gcm"};

/* A function's address comes as a void *; ISO C has no cast for that. */
static bool look_up(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static bool look_up_all(struct srtp_engine *engine) {
    void *library = engine->library;
    return look_up(library, "EVP_CIPHER_CTX_new", &engine->new_context) &&
           look_up(library, "EVP_CIPHER_CTX_free", &engine->free_context) &&
           look_up(library, "EVP_CipherInit_ex", &engine->begin) &&
           look_up(library, "EVP_CipherUpdate", &engine->update) &&
           look_up(library, "EVP_CipherFinal_ex", &engine->finish) &&
           look_up(library, "EVP_CIPHER_CTX_ctrl", &engine->control) &&
           look_up(library, "SHA1_Init", &engine->sha1_begin) &&
           look_up(library, "SHA1_Update", &engine->sha1_update) &&
           look_up(library, "SHA1_Final", &engine->sha1_finish);
}

static bool make_contexts(struct srtp_engine *engine) {
    for (int i = 0; i < CIPHERS; i++) {
        const void *(*cipher)(void);
        if (!look_up(engine->library, CIPHER_NAMES[i], &cipher))
            return false;
        engine->contexts[i] = engine->new_context();
        if (!engine->contexts[i] || engine->begin(engine->contexts[i], cipher(), NULL, NULL, NULL, 1) != 1)
            return false;
    }
    return true;
}

bool aes_ctr(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
             const uint8_t iv[AES_BLOCK_BYTES], const uint8_t *in, size_t bytes, uint8_t *out) {
    void *context = engine->contexts[cipher];
    int n;
    return engine->begin(context, NULL, NULL, key, iv, 1) == 1 &&
           engine->update(context, out, &n, in, (int)bytes) == 1;
}

static bool gcm_run(const struct srtp_engine *engine, void *context, const struct gcm_text *text,
                    uint8_t *out) {
    int n;
    return engine->update(context, NULL, &n, text->aad, (int)text->aad_bytes) == 1 &&
           (text->bytes == 0 || engine->update(context, out, &n, text->in, (int)text->bytes) == 1);
}

bool aes_gcm_seal(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
                  const uint8_t iv[GCM_IV_BYTES], const struct gcm_text *text, uint8_t *out,
                  uint8_t tag[GCM_TAG_BYTES]) {
    void *context = engine->contexts[cipher];
    uint8_t rest[AES_BLOCK_BYTES];
    int n;
    return engine->begin(context, NULL, NULL, key, iv, 1) == 1 && gcm_run(engine, context, text, out) &&
           engine->finish(context, rest, &n) == 1 &&
           engine->control(context, CONTROL_GET_TAG, GCM_TAG_BYTES, tag) == 1;
}

bool aes_gcm_open(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
                  const uint8_t iv[GCM_IV_BYTES], const struct gcm_text *text,
                  const uint8_t tag[GCM_TAG_BYTES], uint8_t *out) {
    void *context = engine->contexts[cipher];
    uint8_t rest[AES_BLOCK_BYTES], expected[GCM_TAG_BYTES];
    int n;
    memcpy(expected, tag, sizeof expected); /* libcrypto's argument is not const */
    return engine->begin(context, NULL, NULL, key, iv, 0) == 1 && gcm_run(engine, context, text, out) &&
           engine->control(context, CONTROL_SET_TAG, GCM_TAG_BYTES, expected) == 1 &&
           engine->finish(context, rest, &n) == 1;
}

static void after_pad(const struct srtp_engine *engine, const uint8_t *secret, size_t bytes, uint8_t pad,
                      uint32_t state[SHA1_WORDS]) {
    uint8_t block[SHA1_BLOCK_BYTES];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < bytes; i++)
        block[i] ^= secret[i];
    struct sha1 sha1;
    engine->sha1_begin(&sha1);
    engine->sha1_update(&sha1, block, sizeof block);
    memcpy(state, sha1.state, sizeof sha1.state);
}

void hmac_key_set(const struct srtp_engine *engine, struct hmac_key *key, const uint8_t *secret,
                  size_t bytes) {
    after_pad(engine, secret, bytes, 0x36, key->inner);
    after_pad(engine, secret, bytes, 0x5c, key->outer);
}

static struct sha1 resume(const uint32_t state[SHA1_WORDS]) {
    struct sha1 sha1 = {.bits_low = 8 * SHA1_BLOCK_BYTES};
    memcpy(sha1.state, state, sizeof sha1.state);
    return sha1;
}

void hmac_sha1(const struct srtp_engine *engine, const struct hmac_key *key, const uint8_t *in, size_t bytes,
               const uint8_t *tail, size_t tail_bytes, uint8_t digest[SHA1_BYTES]) {
    struct sha1 sha1 = resume(key->inner);
    engine->sha1_update(&sha1, in, bytes);
    engine->sha1_update(&sha1, tail, tail_bytes);
    engine->sha1_finish(digest, &sha1);
    sha1 = resume(key->outer);
    engine->sha1_update(&sha1, digest, SHA1_BYTES);
    engine->sha1_finish(digest, &sha1);
}

void sha1_digest(const struct srtp_engine *engine, const uint8_t *in, size_t bytes,
                 uint8_t digest[SHA1_BYTES]) {
    struct sha1 sha1;
    engine->sha1_begin(&sha1);
    engine->sha1_update(&sha1, in, bytes);
    engine->sha1_finish(digest, &sha1);
}

/* RFC 3711 appendix B.2: the first block of AES counter mode's keystream. */
static bool knows_counter_mode(const struct srtp_engine *engine) {
    static const uint8_t KEY[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                  0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const uint8_t IV[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0x00, 0x00};
    static const uint8_t STREAM[] = {0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80,
                                     0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4};
    uint8_t block[AES_BLOCK_BYTES] = {0};
    return aes_ctr(engine, CIPHER_CTR_128, KEY, IV, block, sizeof block, block) &&
           memcmp(block, STREAM, sizeof block) == 0;
}

/* RFC 2202 section 3, test case 2. */
static bool knows_hmac(const struct srtp_engine *engine) {
    static const uint8_t DIGEST[] = {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                     0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79};
    static const char TEXT[] = "what do ya want for nothing?";
    struct hmac_key key;
    uint8_t digest[SHA1_BYTES];
    hmac_key_set(engine, &key, (const uint8_t *)"Jefe", 4);
    hmac_sha1(engine, &key, (const uint8_t *)TEXT, 20, (const uint8_t *)TEXT + 20, sizeof TEXT - 21, digest);
    return memcmp(digest, DIGEST, sizeof digest) == 0;
}

/* The GCM specification's test case 1: key, text and additional data of nothing. */
static bool knows_gcm(const struct srtp_engine *engine) {
    static const uint8_t TAG[] = {0x58, 0xe2, 0xfc, 0xce, 0xfa, 0x7e, 0x30, 0x61,
                                  0x36, 0x7f, 0x1d, 0x57, 0xa4, 0xe7, 0x45, 0x5a};
    static const uint8_t ZERO[AES_BLOCK_BYTES] = {0};
    const struct gcm_text nothing = {.aad = ZERO, .in = ZERO};
    uint8_t tag[GCM_TAG_BYTES], out[AES_BLOCK_BYTES];
    return aes_gcm_seal(engine, CIPHER_GCM_128, ZERO, ZERO, &nothing, out, tag) &&
           memcmp(tag, TAG, sizeof tag) == 0 &&
           aes_gcm_open(engine, CIPHER_GCM_128, ZERO, ZERO, &nothing, tag, out);
}

static const char *fill(struct srtp_engine *engine) {
    if (!look_up_all(engine))
        return "it has not all of libcrypto's functions";
    if (!make_contexts(engine))
        return "its libcrypto does not do AES in counter mode and GCM";
    if (!knows_counter_mode(engine) || !knows_hmac(engine) || !knows_gcm(engine))
        return "its libcrypto gives wrong answers";
    return NULL;
}

const char *srtp_engine_open(struct srtp_engine *engine, const char *path) {
    memset(engine, 0, sizeof *engine);
    engine->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!engine->library)
        return "it cannot be loaded";
    const char *reason = fill(engine);
    if (reason)
        srtp_engine_close(engine);
    return reason;
}

void srtp_engine_close(struct srtp_engine *engine) {
    for (int i = 0; i < CIPHERS; i++) {
        if (engine->contexts[i])
            engine->free_context(engine->contexts[i]);
    }
    if (engine->library)
        dlclose(engine->library);
    memset(engine, 0, sizeof *engine);
}
