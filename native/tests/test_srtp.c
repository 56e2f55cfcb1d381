/* SRTP: published packets and keys, roll-over, replay, and every flipped bit. */
#include "check.h"
#include "srtp/cipher.h"

#include <string.h>

static struct srtp_engine engine;

static const uint8_t MASTER[] = {/* RFC 3711 appendix B.3: key and salt */
                                 0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f,
                                 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39, 0x0e, 0xc6, 0x75, 0xad,
                                 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};

enum { PACKET = 28, ROOM = 64 };

static void the_keys_are_those_of_rfc_3711(void) {
    static const uint8_t CIPHER[] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f, 0x39, 0xee,
                                     0x10, 0x73, 0x4a, 0xfe, 0x3f, 0xf7, 0xa0, 0x87};
    static const uint8_t SALT[] = {0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c,
                                   0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1};
    struct srtp_keys keys;
    srtp_keys_derive(&engine, &keys, AES_CM_128_HMAC_SHA1_80, MASTER);
    CHECK(memcmp(keys.rtp.cipher, CIPHER, sizeof CIPHER) == 0);
    CHECK(memcmp(keys.rtp.salt, SALT, sizeof SALT) == 0);
}

/* The packets by which libsrtp's own test programs check it. */
static void packets_are_those_of_libsrtp(void) {
    static const uint8_t RTP[] = {0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe,
                                  0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c, 0xe7, 0x99, 0x78, 0xd8,
                                  0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d,
                                  0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb};
    static const uint8_t RTCP[] = {0x81, 0xc8, 0x00, 0x0b, 0xca, 0xfe, 0xba, 0xbe, 0x71, 0x28,
                                   0x03, 0x5b, 0xe4, 0x87, 0xb9, 0xbd, 0xbe, 0xf8, 0x90, 0x41,
                                   0xf9, 0x77, 0xa5, 0xa8, 0x80, 0x00, 0x00, 0x01, 0x99, 0x3e,
                                   0x08, 0xcd, 0x54, 0xd6, 0xc1, 0x23, 0x07, 0x98};
    struct srtp_keys keys;
    srtp_keys_derive(&engine, &keys, AES_CM_128_HMAC_SHA1_80, MASTER);
    uint8_t data[ROOM];
    struct srtp_sender sender = {.rtcp_index = 1};
    size_t bytes = PACKET;
    memset(data, 0xab, sizeof data);
    memcpy(data, RTP, 12);
    CHECK(srtp_protect(&engine, &keys, &sender, false, data, &bytes, sizeof data));
    CHECK(bytes == sizeof RTP && memcmp(data, RTP, sizeof RTP) == 0);
    bytes = 24;
    memset(data, 0xab, sizeof data);
    memcpy(data, RTCP, 8);
    CHECK(srtp_protect(&engine, &keys, &sender, true, data, &bytes, sizeof data));
    CHECK(bytes == sizeof RTCP && memcmp(data, RTCP, sizeof RTCP) == 0);
}

/* RFC 7714 section 16.1.1: its key is a session key. */
static void gcm_packets_are_those_of_rfc_7714(void) {
    static const char TEXT[] = "Gallia est omnis divisa in partes tres";
    static const uint8_t HEADER[] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
    static const uint8_t SEALED[] = {0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86,
                                     0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29,
                                     0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36,
                                     0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1,
                                     0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
    struct srtp_keys keys = {.suite = AEAD_AES_128_GCM};
    for (uint8_t i = 0; i < 16; i++)
        keys.rtp.cipher[i] = i;
    memcpy(keys.rtp.salt, "Quid pro quo", 12);
    uint8_t data[80];
    memcpy(data, HEADER, sizeof HEADER);
    memcpy(data + sizeof HEADER, TEXT, sizeof TEXT - 1);
    struct srtp_sender sender = {0};
    size_t bytes = sizeof HEADER + sizeof TEXT - 1;
    CHECK(srtp_protect(&engine, &keys, &sender, false, data, &bytes, sizeof data));
    CHECK(bytes == sizeof HEADER + sizeof SEALED && memcmp(data + sizeof HEADER, SEALED, sizeof SEALED) == 0);
}

/* Two ends of one direction. */
struct ends {
    struct srtp_keys keys;
    struct srtp_sender sender;
    struct srtp_stream streams[SRTP_STREAMS];
};

static struct ends begin(enum srtp_suite suite) {
    uint8_t master[SRTP_MASTER_BYTES_MAX];
    for (size_t i = 0; i < sizeof master; i++)
        master[i] = (uint8_t)(7 * i + 1);
    struct ends ends = {0};
    srtp_keys_derive(&engine, &ends.keys, suite, master);
    return ends;
}

static size_t make(struct ends *ends, bool rtcp, uint16_t sequence, uint32_t ssrc, uint8_t data[ROOM]) {
    size_t bytes = PACKET;
    memset(data, 0x55, ROOM);
    if (rtcp) {
        data[0] = 0x80, data[1] = 201;
        write_u32(data + 4, ssrc);
    } else {
        rtp_write(data, false, PCMU, sequence, 160, ssrc);
    }
    CHECK(srtp_protect(&engine, &ends->keys, &ends->sender, rtcp, data, &bytes, ROOM));
    return bytes;
}

static enum srtp_result take(struct ends *ends, bool rtcp, const uint8_t *data, size_t bytes) {
    uint8_t *exact = malloc(bytes + !bytes), *out = malloc(bytes + !bytes);
    memcpy(exact, data, bytes);
    size_t out_bytes = 0;
    const enum srtp_result result =
        srtp_open(&engine, &ends->keys, ends->streams, rtcp, exact, bytes, out, &out_bytes);
    if (result == SRTP_OPENED)
        CHECK(out_bytes == PACKET && out[PACKET - 1] == 0x55);
    free(exact);
    free(out);
    return result;
}

static enum srtp_result pass(struct ends *ends, uint16_t sequence) {
    uint8_t data[ROOM];
    const size_t bytes = make(ends, false, sequence, SSRC, data);
    return take(ends, false, data, bytes);
}

static void any_flipped_bit_is_refused(void) {
    for (int i = 1; i < SRTP_SUITES; i++) {
        for (int rtcp = 0; rtcp < 2; rtcp++) {
            struct ends ends = begin((enum srtp_suite)i);
            uint8_t data[ROOM];
            const size_t bytes = make(&ends, rtcp, 9, SSRC, data);
            for (size_t bit = 0; bit < 8 * bytes; bit++) {
                data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                CHECK(take(&ends, rtcp, data, bytes) != SRTP_OPENED);
                data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            CHECK(take(&ends, rtcp, data, bytes) == SRTP_OPENED);
            CHECK(take(&ends, rtcp, data, bytes) == SRTP_REPLAYED);
        }
    }
}

static void packets_cut_short_are_refused(void) {
    for (int i = 1; i < SRTP_SUITES; i++) {
        for (int rtcp = 0; rtcp < 2; rtcp++) {
            struct ends ends = begin((enum srtp_suite)i);
            uint8_t data[ROOM];
            const size_t bytes = make(&ends, rtcp, 9, SSRC, data);
            for (size_t n = 0; n < bytes; n++)
                CHECK(take(&ends, rtcp, data, n) != SRTP_OPENED);
        }
    }
}

/* With every third packet lost, and with the packet of the wrap itself lost. */
static void numbers_roll_over(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80);
    uint8_t data[ROOM];
    for (uint32_t n = 65000; n < 3 * 65536; n++) {
        const size_t bytes = make(&ends, false, (uint16_t)n, SSRC, data);
        if (n % 3 && (uint16_t)n > 1)
            CHECK(take(&ends, false, data, bytes) == SRTP_OPENED);
    }
    CHECK(ends.streams[0].roll_over == 2 && ends.sender.roll_over == 2);
}

static void packets_out_of_order_open_across_the_wrap(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80);
    uint8_t before[ROOM], after[ROOM];
    CHECK(pass(&ends, 65534) == SRTP_OPENED);
    const size_t bytes = make(&ends, false, 65535, SSRC, before);
    make(&ends, false, 0, SSRC, after);
    CHECK(take(&ends, false, after, bytes) == SRTP_OPENED);
    CHECK(take(&ends, false, before, bytes) == SRTP_OPENED);
    CHECK(take(&ends, false, before, bytes) == SRTP_REPLAYED);
    CHECK(take(&ends, false, after, bytes) == SRTP_REPLAYED);
}

static void what_was_heard_long_ago_is_refused(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80);
    uint8_t data[ROOM];
    const size_t bytes = make(&ends, false, 100, SSRC, data);
    CHECK(take(&ends, false, data, bytes) == SRTP_OPENED);
    CHECK(pass(&ends, 163) == SRTP_OPENED);
    CHECK(take(&ends, false, data, bytes) == SRTP_REPLAYED);
    CHECK(pass(&ends, 164) == SRTP_OPENED);
    CHECK(take(&ends, false, data, bytes) == SRTP_OLD);
}

static void a_second_source_does_not_make_the_first_forgotten(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80), other = ends;
    uint8_t first[ROOM], second[ROOM];
    const size_t bytes = make(&ends, false, 5, SSRC, first);
    make(&other, false, 900, SSRC + 1, second);
    CHECK(take(&ends, false, first, bytes) == SRTP_OPENED);
    CHECK(take(&ends, false, second, bytes) == SRTP_OPENED);
    CHECK(take(&ends, false, first, bytes) == SRTP_REPLAYED);
    CHECK(take(&ends, false, second, bytes) == SRTP_REPLAYED);
}

static void a_sender_that_began_again_is_heard_when_asked_for(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80);
    for (uint32_t n = 65500; n < 65600; n++)
        CHECK(pass(&ends, (uint16_t)n) == SRTP_OPENED);
    ends.sender = (struct srtp_sender){0};
    uint8_t data[ROOM], out[ROOM];
    size_t out_bytes;
    const size_t bytes = make(&ends, false, 200, SSRC, data);
    CHECK(take(&ends, false, data, bytes) == SRTP_UNAUTHENTIC);
    CHECK(srtp_open_afresh(&engine, &ends.keys, ends.streams, data, bytes, out, &out_bytes) == SRTP_OPENED);
    CHECK(pass(&ends, 201) == SRTP_OPENED);
}

static void what_does_not_fit_is_not_sent(void) {
    struct ends ends = begin(AES_CM_128_HMAC_SHA1_80);
    uint8_t data[ROOM];
    size_t bytes = PACKET;
    rtp_write(data, false, PCMU, 1, 160, SSRC);
    CHECK(!srtp_protect(&engine, &ends.keys, &ends.sender, false, data, &bytes, PACKET + 9));
    CHECK(srtp_protect(&engine, &ends.keys, &ends.sender, false, data, &bytes, PACKET + 10));
}

static void a_library_without_ciphers_is_refused_in_words(void) {
    struct srtp_engine none;
    CHECK(srtp_engine_open(&none, "/nowhere/libcrypto.so") != NULL);
    CHECK(srtp_engine_open(&none, "libm.so.6") != NULL);
    srtp_engine_close(&none);
}

int main(void) {
    const char *reason = srtp_engine_open(&engine, "libcrypto.so.3");
    if (reason) {
        fprintf(stderr, "libcrypto.so.3: %s\n", reason);
        return 1;
    }
    the_keys_are_those_of_rfc_3711();
    packets_are_those_of_libsrtp();
    gcm_packets_are_those_of_rfc_7714();
    any_flipped_bit_is_refused();
    packets_cut_short_are_refused();
    numbers_roll_over();
    packets_out_of_order_open_across_the_wrap();
    what_was_heard_long_ago_is_refused();
    a_second_source_does_not_make_the_first_forgotten();
    a_sender_that_began_again_is_heard_when_asked_for();
    what_does_not_fit_is_not_sent();
    a_library_without_ciphers_is_refused_in_words();
    srtp_engine_close(&engine);
    return 0;
}
