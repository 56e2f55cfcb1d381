/* SRTP and SRTCP (RFC 3711; AES-256: RFC 6188; AES-GCM: RFC 7714).
 *
 * What does it do?
 *   Protects a packet before it is sent, and opens one that came: authentic, not heard before, decrypted.
 * How does it work?
 *   What a direction knows lies in two flat structs.  `srtp_keys` comes from the master key alone and can be
 *   made anew at any time.  `srtp_sender` and `srtp_stream` are what only the packets know (roll-over
 * counter, highest number, replay window): they are in the row, and so outlive the process. A sequence number
 * has 16 bits and the index that a packet is encrypted under has 48: the upper 32, the roll-over counter, are
 * guessed from the highest number so far (RFC 3711 section 3.3.1). How do I use it? srtp_keys_derive() once a
 * master key; then srtp_protect() and srtp_open() a packet.
 */
#ifndef TANDEM_SRTP_SRTP_H
#define TANDEM_SRTP_SRTP_H

#include "srtp/engine.h"

enum srtp_suite {
    SRTP_NONE,
    AES_CM_128_HMAC_SHA1_80,
    AES_CM_128_HMAC_SHA1_32,
    AES_256_CM_HMAC_SHA1_80,
    AES_256_CM_HMAC_SHA1_32,
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    SRTP_SUITES
};

enum {
    SRTP_SALT_BYTES_MAX = 14,
    SRTP_MASTER_BYTES_MAX = AES_KEY_BYTES_MAX + SRTP_SALT_BYTES_MAX,
    SRTP_OVERHEAD_BYTES = 20, /* the most that a packet grows: SRTCP's index and a tag of GCM */
    SRTP_STREAMS = 2,         /* SSRCs of one sender at a time: audio and events may have two */
};

struct srtp_suite_facts {
    const char *name; /* as RFC 4568 writes it */
    uint8_t key_bytes, salt_bytes, rtp_tag_bytes, rtcp_tag_bytes;
    bool aead;
};
extern const struct srtp_suite_facts srtp_suites[SRTP_SUITES];

/* Session keys of RTP or of RTCP (RFC 3711 section 4.3). */
struct srtp_key {
    uint8_t cipher[AES_KEY_BYTES_MAX];
    uint8_t salt[SRTP_SALT_BYTES_MAX];
    struct hmac_key hmac;
};
struct srtp_keys {
    enum srtp_suite suite;
    struct srtp_key rtp, rtcp;
};

/* What we have sent: one SSRC for the life of the leg. */
struct srtp_sender {
    uint32_t roll_over, rtcp_index;
    uint16_t highest;
    uint8_t started, padding;
};

/* What we have heard of one SSRC; a window's bit 0 is the highest number. */
struct srtp_stream {
    uint64_t window, rtcp_window;
    uint32_t ssrc, roll_over, rtcp_highest;
    uint16_t highest;
    uint8_t started, rtcp_started;
};

/* master: the suite's key and salt, one behind the other. */
void srtp_keys_derive(const struct srtp_engine *engine, struct srtp_keys *keys, enum srtp_suite suite,
                      const uint8_t *master);

/* Protect data[*bytes] in place; it grows by SRTP_OVERHEAD_BYTES at most, which must fit into `room`.  False:
 * it is no packet, or does not fit, and must not be sent. */
bool srtp_protect(const struct srtp_engine *engine, const struct srtp_keys *keys, struct srtp_sender *sender,
                  bool rtcp, uint8_t *data, size_t *bytes, size_t room);

enum srtp_result {
    SRTP_OPENED,
    SRTP_MALFORMED,
    SRTP_UNAUTHENTIC,
    SRTP_REPLAYED, /* heard before */
    SRTP_OLD,      /* too long ago to tell */
};
/* Open data[bytes] into out[*out_bytes], which is never longer.  Nothing changes unless it is SRTP_OPENED. */
enum srtp_result srtp_open(const struct srtp_engine *engine, const struct srtp_keys *keys,
                           struct srtp_stream streams[SRTP_STREAMS], bool rtcp, const uint8_t *data,
                           size_t bytes, uint8_t *out, size_t *out_bytes);
/* The same for RTP of a sender that began again at roll-over 0 with the same key, as some do after a
 * re-INVITE: what was heard of its SSRC is forgotten if the packet is authentic so. */
enum srtp_result srtp_open_afresh(const struct srtp_engine *engine, const struct srtp_keys *keys,
                                  struct srtp_stream streams[SRTP_STREAMS], const uint8_t *data, size_t bytes,
                                  uint8_t *out, size_t *out_bytes);

#endif
