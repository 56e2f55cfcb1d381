/* Rows with SRTP in a plane: what comes is opened first, what goes is protected last. */
#include "check.h"
#include "plane/secure.h"

static struct fixture f;
static struct security security;
static struct secrets secrets[ROWS];

enum { CALLER = 0, CALLEE = 1 };

static const uint8_t *master(uint8_t seed) {
    static uint8_t keys[8][SRTP_MASTER_BYTES_MAX];
    memset(keys[seed], 0x10 + seed, sizeof keys[seed]);
    return keys[seed];
}

static void begin(enum mode mode) {
    fixture_begin(&f, mode);
    memset(secrets, 0, sizeof secrets);
    security.rows = secrets;
    f.plane.security = &security;
    secure_row(&f.plane, CALLER, AES_CM_128_HMAC_SHA1_80, master(1), master(2), 1.0);
}

/* A packet of the caller's phone, under a key that may be the right one. */
static enum verdict say(uint8_t seed, uint16_t sequence) {
    struct srtp_keys keys;
    struct srtp_sender sender = {0};
    uint8_t packet[PACKET_BYTES];
    size_t bytes = RTP_HEADER_BYTES + FRAME;
    const struct address source = address_of(10, 4000);
    srtp_keys_derive(&security.engine, &keys, AES_CM_128_HMAC_SHA1_80, master(seed));
    memset(packet, 0x55, bytes);
    rtp_write(packet, false, PCMU, sequence, FRAME * (uint32_t)sequence, SSRC);
    CHECK(srtp_protect(&security.engine, &keys, &sender, false, packet, &bytes, sizeof packet));
    return plane_arrive(&f.plane, CALLER, &source, packet, bytes, false, 1.0 + sequence * 0.02, f.sends,
                        &f.n_sends);
}

static void what_is_authentic_is_relayed_in_the_clear_to_a_plain_row(void) {
    begin(MODE_RELAY);
    CHECK(say(2, 1) == VERDICT_FORWARD);
    CHECK(f.n_sends == 1 && f.sends[0].bytes == RTP_HEADER_BYTES + FRAME);
    CHECK(f.sends[0].data[RTP_HEADER_BYTES] == 0x55);
}

static void what_is_not_authentic_changes_nothing(void) {
    begin(MODE_RELAY);
    const struct row before = f.rows[CALLER];
    CHECK(say(3, 1) == DROP_UNAUTHENTIC && f.n_sends == 0);
    CHECK(f.rows[CALLER].verdicts[DROP_UNAUTHENTIC] == 1);
    f.rows[CALLER].verdicts[DROP_UNAUTHENTIC] = 0;
    CHECK(memcmp(&before, &f.rows[CALLER], sizeof before) == 0);
}

static void a_relay_goes_from_key_to_key(void) {
    begin(MODE_RELAY);
    secure_row(&f.plane, CALLEE, AEAD_AES_256_GCM, master(4), master(5), 1.0);
    CHECK(say(2, 1) == VERDICT_FORWARD);
    CHECK(f.sends[0].bytes == RTP_HEADER_BYTES + FRAME + GCM_TAG_BYTES);
    CHECK(f.sends[0].data[RTP_HEADER_BYTES] != 0x55 || f.sends[0].data[RTP_HEADER_BYTES + 1] != 0x55);
}

static void a_row_whose_keys_are_not_known_neither_hears_nor_says(void) {
    begin(MODE_RELAY);
    f.plane.security = NULL;
    CHECK(say(2, 1) == DROP_UNAUTHENTIC);
    struct send send = {.row = CALLER, .bytes = RTP_HEADER_BYTES + FRAME};
    CHECK(secure_sends(&f.plane, &send, 1, false) == 0);
}

static void what_cannot_be_sent_leaves_no_gap_among_what_can(void) {
    begin(MODE_RELAY);
    struct send sends[3] = {{.row = CALLER, .bytes = 4}, {.row = CALLEE, .bytes = 7}, {.row = 2, .bytes = 8}};
    CHECK(secure_sends(&f.plane, sends, 3, false) == 2);
    CHECK(sends[0].bytes == 7 && sends[1].bytes == 8);
}

static void a_key_that_is_said_again_keeps_what_was_heard(void) {
    begin(MODE_RELAY);
    CHECK(say(2, 1) == VERDICT_FORWARD);
    secure_row(&f.plane, CALLER, AES_CM_128_HMAC_SHA1_80, master(1), master(2), 2.0);
    CHECK(say(2, 1) == DROP_DUPLICATE);
}

static void a_key_of_before_is_heard_for_two_seconds(void) {
    begin(MODE_RELAY);
    secure_row(&f.plane, CALLER, AES_CM_128_HMAC_SHA1_80, master(1), master(6), 1.0);
    CHECK(say(2, 1) == VERDICT_FORWARD);
    CHECK(say(2, 101) == DROP_UNAUTHENTIC);
    CHECK(say(6, 102) == VERDICT_FORWARD);
}

int main(void) {
    const char *reason = srtp_engine_open(&security.engine, "libcrypto.so.3");
    if (reason) {
        fprintf(stderr, "libcrypto.so.3: %s\n", reason);
        return 1;
    }
    what_is_authentic_is_relayed_in_the_clear_to_a_plain_row();
    what_is_not_authentic_changes_nothing();
    a_relay_goes_from_key_to_key();
    a_row_whose_keys_are_not_known_neither_hears_nor_says();
    what_cannot_be_sent_leaves_no_gap_among_what_can();
    a_key_that_is_said_again_keeps_what_was_heard();
    a_key_of_before_is_heard_for_two_seconds();
    srtp_engine_close(&security.engine);
    return 0;
}
