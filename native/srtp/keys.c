/* Session keys from a master key (RFC 3711 section 4.3), derived once: the key derivation rate is 0. */
#include "srtp/srtp.h"

#include <string.h>

const struct srtp_suite_facts srtp_suites[SRTP_SUITES] = {
    [SRTP_NONE] = {.name = ""},
    [AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
    [AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false},
    [AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false},
    [AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false},
    [AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, GCM_TAG_BYTES, GCM_TAG_BYTES, true},
    [AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, GCM_TAG_BYTES, GCM_TAG_BYTES, true},
};

enum { LABEL_RTP = 0, LABEL_RTCP = 3, LABEL_AT = 7 };
enum { LABEL_CIPHER, LABEL_HMAC, LABEL_SALT };

/* A salt of GCM's 12 bytes counts as if two zeros followed (RFC 7714 section 11). */
static void derive(const struct srtp_engine *engine, const struct srtp_suite_facts *facts,
                   const uint8_t *master, uint8_t label, uint8_t *out, size_t bytes) {
    uint8_t iv[AES_BLOCK_BYTES] = {0};
    memcpy(iv, master + facts->key_bytes, facts->salt_bytes);
    iv[LABEL_AT] ^= label;
    memset(out, 0, bytes);
    aes_ctr(engine, facts->key_bytes == 16 ? CIPHER_CTR_128 : CIPHER_CTR_256, master, iv, out, bytes, out);
}

static void derive_key(const struct srtp_engine *engine, const struct srtp_suite_facts *facts,
                       const uint8_t *master, uint8_t label, struct srtp_key *key) {
    uint8_t secret[SHA1_BYTES];
    derive(engine, facts, master, (uint8_t)(label + LABEL_CIPHER), key->cipher, facts->key_bytes);
    derive(engine, facts, master, (uint8_t)(label + LABEL_SALT), key->salt, facts->salt_bytes);
    derive(engine, facts, master, (uint8_t)(label + LABEL_HMAC), secret, sizeof secret);
    hmac_key_set(engine, &key->hmac, secret, sizeof secret);
}

void srtp_keys_derive(const struct srtp_engine *engine, struct srtp_keys *keys, enum srtp_suite suite,
                      const uint8_t *master) {
    memset(keys, 0, sizeof *keys);
    keys->suite = suite;
    derive_key(engine, &srtp_suites[suite], master, LABEL_RTP, &keys->rtp);
    derive_key(engine, &srtp_suites[suite], master, LABEL_RTCP, &keys->rtcp);
}
