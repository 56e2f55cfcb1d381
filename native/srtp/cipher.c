/* Sealing and unsealing.
 *
 *     AES-CM      header | text encrypted          | [E, index] | tag      tag over all before it, and RTP's
 * roll-over AES-GCM     header | text encrypted | tag    | [E, index]            tag over header, [E, index]
 * and text
 *
 * E and the index are SRTCP's; E says that the text is encrypted, and here it always is.
 */
#include "srtp/cipher.h"

#include "plane/rtp.h"

#include <string.h>

enum { WORD_BYTES = 4, GCM_AAD_BYTES_MAX = 1504 };
static const uint32_t E_BIT = UINT32_C(1) << 31;

static const struct srtp_key *key_of(const struct srtp_keys *keys, bool rtcp) {
    return rtcp ? &keys->rtcp : &keys->rtp;
}

static enum cipher cipher_of(const struct srtp_suite_facts *facts) {
    if (facts->aead)
        return facts->key_bytes == 16 ? CIPHER_GCM_128 : CIPHER_GCM_256;
    return facts->key_bytes == 16 ? CIPHER_CTR_128 : CIPHER_CTR_256;
}

/* RFC 3711 section 4.1.1: salt * 2^16 ^ SSRC * 2^64 ^ index * 2^16. */
static void counter_iv(const struct srtp_key *key, const struct srtp_parts *parts,
                       uint8_t iv[AES_BLOCK_BYTES]) {
    uint8_t number[AES_BLOCK_BYTES] = {0};
    write_u32(number + 4, parts->ssrc);
    write_u32(number + 8, (uint32_t)(parts->index >> 16));
    write_u16(number + 12, (uint16_t)parts->index);
    memcpy(iv, key->salt, SRTP_SALT_BYTES_MAX);
    iv[14] = iv[15] = 0;
    for (int i = 0; i < AES_BLOCK_BYTES; i++)
        iv[i] ^= number[i];
}

/* RFC 7714 sections 8.1 (RTP: SSRC, roll-over, sequence) and 9.1 (RTCP: SSRC, two zeros, index). */
static void gcm_iv(const struct srtp_key *key, const struct srtp_parts *parts, uint8_t iv[GCM_IV_BYTES]) {
    uint8_t number[GCM_IV_BYTES] = {0};
    write_u32(number + 2, parts->ssrc);
    write_u16(number + 6, (uint16_t)(parts->index >> 32));
    write_u32(number + 8, (uint32_t)parts->index);
    for (int i = 0; i < GCM_IV_BYTES; i++)
        iv[i] = key->salt[i] ^ number[i];
}

static uint32_t index_word(const struct srtp_parts *parts) {
    return E_BIT | (uint32_t)parts->index;
}

/* The tag's HMAC: over data[parts->bytes] and a word, the roll-over or SRTCP's index. */
static void authenticate(const struct srtp_engine *engine, const struct srtp_key *key,
                         const struct srtp_parts *parts, const uint8_t *data, uint8_t digest[SHA1_BYTES]) {
    uint8_t word[WORD_BYTES];
    write_u32(word, parts->rtcp ? index_word(parts) : (uint32_t)(parts->index >> 16));
    hmac_sha1(engine, &key->hmac, data, parts->bytes, word, sizeof word, digest);
}

static size_t seal_counter(const struct srtp_engine *engine, const struct srtp_keys *keys,
                           const struct srtp_parts *parts, uint8_t *data) {
    const struct srtp_suite_facts *facts = &srtp_suites[keys->suite];
    const struct srtp_key *key = key_of(keys, parts->rtcp);
    uint8_t iv[AES_BLOCK_BYTES], digest[SHA1_BYTES], *text = data + parts->header_bytes;
    counter_iv(key, parts, iv);
    if (!aes_ctr(engine, cipher_of(facts), key->cipher, iv, text, parts->bytes - parts->header_bytes, text))
        return 0;
    authenticate(engine, key, parts, data, digest);
    uint8_t *end = data + parts->bytes;
    if (parts->rtcp) {
        write_u32(end, index_word(parts));
        end += WORD_BYTES;
    }
    const size_t tag_bytes = parts->rtcp ? facts->rtcp_tag_bytes : facts->rtp_tag_bytes;
    memcpy(end, digest, tag_bytes);
    return (size_t)(end - data) + tag_bytes;
}

/* As long whatever differs where. */
static bool same(const uint8_t *a, const uint8_t *b, size_t bytes) {
    uint8_t differs = 0;
    for (size_t i = 0; i < bytes; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

static bool unseal_counter(const struct srtp_engine *engine, const struct srtp_keys *keys,
                           const struct srtp_parts *parts, const uint8_t *data, uint8_t *out) {
    const struct srtp_suite_facts *facts = &srtp_suites[keys->suite];
    const struct srtp_key *key = key_of(keys, parts->rtcp);
    uint8_t iv[AES_BLOCK_BYTES], digest[SHA1_BYTES];
    const uint8_t *tag = data + parts->bytes + (parts->rtcp ? WORD_BYTES : 0);
    authenticate(engine, key, parts, data, digest);
    if (!same(digest, tag, parts->rtcp ? facts->rtcp_tag_bytes : facts->rtp_tag_bytes))
        return false;
    counter_iv(key, parts, iv);
    memcpy(out, data, parts->header_bytes);
    return aes_ctr(engine, cipher_of(facts), key->cipher, iv, data + parts->header_bytes,
                   parts->bytes - parts->header_bytes, out + parts->header_bytes);
}

/* The header, and SRTCP's word behind it. */
static size_t gcm_aad(const struct srtp_parts *parts, const uint8_t *data, uint8_t aad[GCM_AAD_BYTES_MAX]) {
    memcpy(aad, data, parts->header_bytes);
    if (!parts->rtcp)
        return parts->header_bytes;
    write_u32(aad + parts->header_bytes, index_word(parts));
    return parts->header_bytes + WORD_BYTES;
}

static size_t seal_gcm(const struct srtp_engine *engine, const struct srtp_keys *keys,
                       const struct srtp_parts *parts, uint8_t *data) {
    const struct srtp_key *key = key_of(keys, parts->rtcp);
    uint8_t iv[GCM_IV_BYTES], aad[GCM_AAD_BYTES_MAX], *text = data + parts->header_bytes,
                                                      *end = data + parts->bytes;
    const struct gcm_text seal = {.aad = aad,
                                  .aad_bytes = gcm_aad(parts, data, aad),
                                  .in = text,
                                  .bytes = parts->bytes - parts->header_bytes};
    gcm_iv(key, parts, iv);
    if (!aes_gcm_seal(engine, cipher_of(&srtp_suites[keys->suite]), key->cipher, iv, &seal, text, end))
        return 0;
    end += GCM_TAG_BYTES;
    if (parts->rtcp) {
        write_u32(end, index_word(parts));
        end += WORD_BYTES;
    }
    return (size_t)(end - data);
}

static bool unseal_gcm(const struct srtp_engine *engine, const struct srtp_keys *keys,
                       const struct srtp_parts *parts, const uint8_t *data, uint8_t *out) {
    const struct srtp_key *key = key_of(keys, parts->rtcp);
    uint8_t iv[GCM_IV_BYTES], aad[GCM_AAD_BYTES_MAX];
    const struct gcm_text sealed = {.aad = aad,
                                    .aad_bytes = gcm_aad(parts, data, aad),
                                    .in = data + parts->header_bytes,
                                    .bytes = parts->bytes - parts->header_bytes};
    gcm_iv(key, parts, iv);
    memcpy(out, data, parts->header_bytes);
    return aes_gcm_open(engine, cipher_of(&srtp_suites[keys->suite]), key->cipher, iv, &sealed,
                        data + parts->bytes, out + parts->header_bytes);
}

size_t srtp_seal(const struct srtp_engine *engine, const struct srtp_keys *keys,
                 const struct srtp_parts *parts, uint8_t *data) {
    return srtp_suites[keys->suite].aead ? seal_gcm(engine, keys, parts, data)
                                         : seal_counter(engine, keys, parts, data);
}

bool srtp_unseal(const struct srtp_engine *engine, const struct srtp_keys *keys,
                 const struct srtp_parts *parts, const uint8_t *data, uint8_t *out) {
    return srtp_suites[keys->suite].aead ? unseal_gcm(engine, keys, parts, data, out)
                                         : unseal_counter(engine, keys, parts, data, out);
}
