/* iLBC as a whole, under the sanitizers: any samples, any bytes, any loss; and what the rows promise. */
#include "ilbc/ilbc.h"

#include "ilbc_check.h"

static int samples_of(int mode_ms) {
    return 8 * mode_ms;
}

static int bytes_of(int mode_ms) {
    return mode_ms == 20 ? 38 : 50;
}

static void any_samples_are_encoded(int mode_ms) {
    struct ilbc_encoder encoder;
    int16_t pcm[ILBC_SAMPLES];
    uint8_t frame[ILBC_BYTES];
    ilbc_encoder_start(&encoder, mode_ms);
    for (int round = 0; round < 300; round++) {
        fill(pcm, samples_of(mode_ms), 1 << (round / 4) % 16);
        ilbc_encode(&encoder, frame, pcm);
        CHECK((frame[bytes_of(mode_ms) - 1] & 1) == 0);
        CHECK(ilbc_encoder_is_valid(&encoder));
    }
}

static void any_bytes_are_decoded_and_any_loss_concealed(int mode_ms) {
    struct ilbc_decoder decoder;
    int16_t pcm[ILBC_SAMPLES];
    uint8_t frame[ILBC_BYTES];
    ilbc_decoder_start(&decoder, mode_ms);
    for (int round = 0; round < 4000; round++) {
        for (int i = 0; i < ILBC_BYTES; i++)
            frame[i] = (uint8_t)next_random();
        frame[bytes_of(mode_ms) - 1] &= 0xFE;
        ilbc_decode(&decoder, pcm, next_random() % 5 ? frame : NULL);
        CHECK(ilbc_decoder_is_valid(&decoder));
    }
}

static void loss_without_end_stays_valid(int mode_ms) {
    struct ilbc_decoder decoder;
    int16_t pcm[ILBC_SAMPLES];
    ilbc_decoder_start(&decoder, mode_ms);
    for (int round = 0; round < 1100; round++)
        ilbc_decode(&decoder, pcm, NULL);
    CHECK(ilbc_decoder_is_valid(&decoder));
    CHECK(decoder.lost_run == 1000);
}

static void rows_are_coded_as_if_alone(void) {
    enum { ROWS = 3, FRAMES = 12 };
    static const ptrdiff_t rows[FRAMES] = {0, 2, 1, 1, 0, 2, 2, 2, 0, 1, 0, 1};
    static struct ilbc_encoder bank[ROWS], alone[ROWS];
    static int16_t pcm[FRAMES][160];
    static uint8_t together[FRAMES][38], one[38];
    fill(pcm[0], FRAMES * 160, 9000);
    ilbc_encode_rows(bank, 20, rows, FRAMES, together[0], pcm[0]);
    for (int i = 0; i < FRAMES; i++) {
        ilbc_encode_rows(alone, 20, &rows[i], 1, one, pcm[i]);
        CHECK(memcmp(one, together[i], sizeof one) == 0);
    }
}

static void bad_length_is_found_before_anything_changes(void) {
    static struct ilbc_decoder bank[1];
    static const ptrdiff_t rows[3] = {0, 0, 0};
    static const int32_t bad_lengths[] = {1, 37, 39, 51, -2, 76, INT32_MAX, INT32_MIN};
    static uint8_t frames[3][50];
    static int16_t pcm[3][240];
    for (size_t i = 0; i < sizeof bad_lengths / sizeof *bad_lengths; i++) {
        const int32_t lengths[3] = {50, ILBC_LOST, bad_lengths[i]};
        CHECK(ilbc_decode_rows(bank, 30, rows, 3, pcm[0], frames[0], lengths) == 2);
        CHECK(bank[0].mode_ms == 0);
    }
    const int32_t too_long[1] = {50};
    CHECK(ilbc_decode_rows(bank, 20, rows, 1, pcm[0], frames[0], too_long) == 0);
}

static void row_of_20_ms_fills_its_part_of_30(void) {
    static struct ilbc_decoder bank[1];
    static const ptrdiff_t rows[3] = {0, 0, 0};
    static const int32_t lengths[3] = {38, ILBC_LOST, ILBC_UNTRANSMITTED};
    static uint8_t frames[3][50];
    static int16_t pcm[3][240];
    memset(pcm, 0x11, sizeof pcm);
    CHECK(ilbc_decode_rows(bank, 30, rows, 3, pcm[0], frames[0], lengths) == 3);
    CHECK(bank[0].mode_ms == 20);
    for (int i = 0; i < 3; i++)
        for (int k = 160; k < 240; k++)
            CHECK(pcm[i][k] == 0);
}

static void states_out_of_bounds_are_not_valid(void) {
    struct ilbc_decoder decoder;
    ilbc_decoder_start(&decoder, 30);
    CHECK(ilbc_decoder_is_valid(&decoder));
    decoder.period_q2[3] = 4000;
    CHECK(!ilbc_decoder_is_valid(&decoder));
    ilbc_decoder_start(&decoder, 30);
    decoder.pitch_lag = 200;
    CHECK(!ilbc_decoder_is_valid(&decoder));
    ilbc_decoder_start(&decoder, 30);
    decoder.lost_run = 2; /* and no lag to go on with */
    CHECK(!ilbc_decoder_is_valid(&decoder));
}

int main(void) {
    for (int mode_ms = 20; mode_ms <= 30; mode_ms += 10) {
        any_samples_are_encoded(mode_ms);
        any_bytes_are_decoded_and_any_loss_concealed(mode_ms);
        loss_without_end_stays_valid(mode_ms);
    }
    rows_are_coded_as_if_alone();
    bad_length_is_found_before_anything_changes();
    row_of_20_ms_fills_its_part_of_30();
    states_out_of_bounds_are_not_valid();
    return 0;
}
