/* The ciphers' numbers used once, and one seal over both families of suites. */
#ifndef TANDEM_SRTP_CIPHER_H
#define TANDEM_SRTP_CIPHER_H

#include "srtp/srtp.h"

/* A packet cut where the suites cut it. */
struct srtp_parts {
    bool rtcp;
    uint32_t ssrc;
    uint64_t index;      /* 48 bits of RTP, 31 of RTCP */
    size_t header_bytes; /* in the clear, authenticated */
    size_t bytes;        /* header and text, without what SRTP appends */
};

/* Encrypt data[parts->bytes] behind its header in place and write what is appended.  Returns the bytes of
 * all, 0 if the cipher failed. */
size_t srtp_seal(const struct srtp_engine *engine, const struct srtp_keys *keys,
                 const struct srtp_parts *parts, uint8_t *data);
/* Is data[] authentic, tag and all?  Then its header and text are in out[parts->bytes]. */
bool srtp_unseal(const struct srtp_engine *engine, const struct srtp_keys *keys,
                 const struct srtp_parts *parts, const uint8_t *data, uint8_t *out);

#endif
