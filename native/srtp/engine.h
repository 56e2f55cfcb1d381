/* AES and SHA-1 of an OpenSSL that is there already, reached by dlopen.
 *
 * What does it do?
 *   The three primitives of RFC 3711 and RFC 7714: AES in counter mode, HMAC-SHA1, AES-GCM.
 * How does it work?
 *   srtp_engine_open() looks up a dozen functions of libcrypto in a shared library (or in what that library
 *   links to), makes one cipher context a kind, and checks known answers before anything relies on them.
 *   libcrypto has the memory of the contexts; nothing is allocated for a packet.  HMAC goes on from the
 * states after its two pads, so that a key costs no hashing of its own. How do I use it? One engine for one
 * thread at a time; srtp_engine_close() in the end.
 */
#ifndef TANDEM_SRTP_ENGINE_H
#define TANDEM_SRTP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AES_BLOCK_BYTES = 16,
    AES_KEY_BYTES_MAX = 32,
    SHA1_WORDS = 5,
    SHA1_BYTES = 20,
    GCM_TAG_BYTES = 16,
    GCM_IV_BYTES = 12
};

enum cipher { CIPHER_CTR_128, CIPHER_CTR_256, CIPHER_GCM_128, CIPHER_GCM_256, CIPHERS };

/* libcrypto's SHA_CTX as <openssl/sha.h> has had it since 1998. */
struct sha1 {
    uint32_t state[SHA1_WORDS], bits_low, bits_high, data[16];
    unsigned used;
};

/* An HMAC key: SHA-1 after the inner pad and after the outer. */
struct hmac_key {
    uint32_t inner[SHA1_WORDS], outer[SHA1_WORDS];
};

struct srtp_engine {
    void *library;
    void *contexts[CIPHERS];
    void *(*new_context)(void);
    void (*free_context)(void *context);
    int (*begin)(void *context, const void *cipher, void *engine, const uint8_t *key, const uint8_t *iv,
                 int seal);
    int (*update)(void *context, uint8_t *out, int *out_bytes, const uint8_t *in, int bytes);
    int (*finish)(void *context, uint8_t *out, int *out_bytes);
    int (*control)(void *context, int what, int n, void *argument);
    int (*sha1_begin)(struct sha1 *sha1);
    int (*sha1_update)(struct sha1 *sha1, const void *in, size_t bytes);
    int (*sha1_finish)(uint8_t digest[SHA1_BYTES], struct sha1 *sha1);
};

/* Open with the libcrypto that the shared library at `path` is, has or links to.  NULL, or why not. */
const char *srtp_engine_open(struct srtp_engine *engine, const char *path);
/* Close an engine that was opened, or that is all zero. */
void srtp_engine_close(struct srtp_engine *engine);

/* AES in counter mode over in[bytes]; `out` may be `in`. */
bool aes_ctr(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
             const uint8_t iv[AES_BLOCK_BYTES], const uint8_t *in, size_t bytes, uint8_t *out);

/* A text in two parts, of which the first is only authenticated. */
struct gcm_text {
    const uint8_t *aad, *in;
    size_t aad_bytes, bytes;
};
/* Encrypt into `out`, which may be `in`. */
bool aes_gcm_seal(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
                  const uint8_t iv[GCM_IV_BYTES], const struct gcm_text *text, uint8_t *out,
                  uint8_t tag[GCM_TAG_BYTES]);
/* Decrypt into `out`; false: the tag is wrong, and what is in `out` must not be used. */
bool aes_gcm_open(const struct srtp_engine *engine, enum cipher cipher, const uint8_t *key,
                  const uint8_t iv[GCM_IV_BYTES], const struct gcm_text *text,
                  const uint8_t tag[GCM_TAG_BYTES], uint8_t *out);

void hmac_key_set(const struct srtp_engine *engine, struct hmac_key *key, const uint8_t *secret,
                  size_t bytes);
/* HMAC-SHA1 of in[bytes] and then tail[tail_bytes]. */
void hmac_sha1(const struct srtp_engine *engine, const struct hmac_key *key, const uint8_t *in, size_t bytes,
               const uint8_t *tail, size_t tail_bytes, uint8_t digest[SHA1_BYTES]);
void sha1_digest(const struct srtp_engine *engine, const uint8_t *in, size_t bytes,
                 uint8_t digest[SHA1_BYTES]);

#endif
