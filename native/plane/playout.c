/* Playout: what a row's phone says, 10 ms at a time, whatever became of its packets.
 *
 *   a frame is here          it is decoded; one of 20 or 30 ms is decoded once and played in two or three
 * ticks it was lost              the codec's own concealment: G.711's is Appendix I, and everything of a
 * G.711 row comes 30 samples (3.75 ms) late for it.  After 60 ms without anything the others fade too: their
 * standards do not say when to stop the sender paused        comfort noise: G.729's own, else by RFC 3389,
 * else silence
 *
 * Wherever one of these takes over from another, the step between the samples is bent away within 4 ms.
 */
#include "g711/g711.h"
#include "plane/plane.h"
#include "plane/voice.h"

enum {
    JOINT_SAMPLES = 32,
    FADE_FROM_UNITS = 6, /* lost in a row */
    FADE_UNITS = 6,
    ONE_Q15 = 32768,
};

static void start(struct ear *ear, uint8_t codec) {
    bool both_g711 = ear->codec <= CODEC_PCMA && codec <= CODEC_PCMA && ear->codec != CODEC_NONE;
    ear->codec = codec;
    if (both_g711) /* their concealment works on samples and goes on */
        return;
    memset(&ear->state, 0, sizeof ear->state);
    if (codec == CODEC_G729)
        g729_decoder_reset(&ear->state.g729);
    else if (codec == CODEC_ILBC_20 || codec == CODEC_ILBC_30)
        ilbc_decoder_start(&ear->state.ilbc, 10 * codec_units(codec));
}

/* Let `pcm` begin where `last` was: the difference fades out. */
static void join(int16_t pcm[UNIT_SAMPLES], int32_t last) {
    const int32_t step = last - pcm[0];
    for (int32_t i = 0; i < JOINT_SAMPLES; i++) {
        int32_t bent = pcm[i] + step * (JOINT_SAMPLES - i) / JOINT_SAMPLES;
        pcm[i] = (int16_t)(bent > INT16_MAX ? INT16_MAX : bent < INT16_MIN ? INT16_MIN : bent);
    }
}

/* How loud concealment still is after so many lost units. */
static int32_t gain_after(uint32_t lost) {
    if (lost <= FADE_FROM_UNITS)
        return ONE_Q15;
    return lost >= FADE_FROM_UNITS + FADE_UNITS
               ? 0
               : (int32_t)(FADE_FROM_UNITS + FADE_UNITS - lost) * ONE_Q15 / FADE_UNITS;
}

static void fade(int16_t *pcm, int32_t units, uint32_t lost) {
    for (int32_t u = 0; u < units; u++, lost++, pcm += UNIT_SAMPLES) {
        const int32_t from = gain_after(lost), to = gain_after(lost + 1);
        if (from == ONE_Q15 && to == ONE_Q15)
            continue;
        for (int32_t i = 0; i < UNIT_SAMPLES; i++)
            pcm[i] = (int16_t)(pcm[i] * (from + (to - from) * i / UNIT_SAMPLES) / ONE_Q15);
    }
}

/* Whether there is a frame, of the length that its codec's frames have. */
static bool is_frame(const struct frame *frame, uint8_t codec) {
    return frame->kind == FRAME_HERE && frame->codec == codec &&
           (frame->bytes == codec_facts[codec].frame_bytes || frame->bytes == codec_facts[codec].sid_bytes);
}

static void decode_g711(struct ear *ear, const struct frame *frame) {
    if (frame->codec == CODEC_PCMU)
        g711_ulaw_decode(ear->pcm, frame->data, UNIT_SAMPLES);
    else
        g711_alaw_decode(ear->pcm, frame->data, UNIT_SAMPLES);
}

/* The codec's own work: a frame, or what stands for it. */
static void decode(struct ear *ear, const struct frame *frame) {
    const bool here = is_frame(frame, ear->codec);
    switch (ear->codec) {
    case CODEC_PCMU:
    case CODEC_PCMA:
        if (here)
            decode_g711(ear, frame);
        else
            memset(ear->pcm, 0, sizeof ear->pcm);
        break;
    case CODEC_G729:
        g729_decode(&ear->state.g729, ear->pcm, frame->data,
                    here                          ? frame->bytes
                    : frame->kind == FRAME_SILENT ? G729_UNTRANSMITTED
                                                  : G729_LOST);
        break;
    case CODEC_ILBC_20:
    case CODEC_ILBC_30:
        ilbc_decode(&ear->state.ilbc, ear->pcm, here ? frame->data : NULL);
        break;
    default:
        memset(ear->pcm, 0, sizeof ear->pcm);
    }
}

static bool is_g711(const struct ear *ear) {
    return ear->codec == CODEC_PCMU || ear->codec == CODEC_PCMA;
}

/* Appendix I sees every unit of a G.711 row: it delays all alike. */
static void conceal_g711(struct ear *ear, bool lost) {
    if (lost)
        g711_plc_lost(&ear->state.g711, ear->pcm);
    else
        g711_plc_good(&ear->state.g711, ear->pcm);
}

/* What is played until the next frame is due; `clear` as in struct row. */
static void fill(struct ear *ear, const struct frame *frame, bool noise, bool clear) {
    const int32_t units = noise ? 1 : codec_units(ear->codec);
    if (noise && !clear)
        comfort_noise(&ear->comfort, ear->pcm);
    else if (frame->kind == FRAME_LOST && ear->lost_units >= FADE_FROM_UNITS + FADE_UNITS)
        memset(ear->pcm, 0, sizeof ear->pcm);
    else
        decode(ear, frame);
    if (noise && clear)
        memset(ear->pcm, 0, sizeof ear->pcm);
    if (frame->kind == FRAME_LOST) {
        if (!is_g711(ear))
            fade(ear->pcm, units, ear->lost_units);
        ear->lost_units += (uint32_t)units;
    } else {
        ear->lost_units = 0;
    }
}

static void begin_frame(struct row *row, struct ear *ear, const struct frame *frame) {
    const bool came = frame->kind == FRAME_HERE, described = came && frame->codec == CODEC_COMFORT_NOISE;
    const bool was_noisy = ear->noisy;
    bool joint = row->play_joint;
    if (ear->comfort.seed == 0) /* no two rows make the same noise */
        ear->comfort.seed = (uint32_t)row->leg_hash | 1;
    if (described) {
        comfort_set(&ear->comfort, frame->data, frame->bytes);
        ear->noise_known = 1;
    } else if (came) {
        ear->noise_known = 0;
        if (frame->codec != ear->codec || row->play_fresh) {
            start(ear, frame->codec);
            joint = true;
        }
        row->play_fresh = 0;
    }
    ear->noisy = described || (frame->kind == FRAME_SILENT && (ear->noise_known || ear->codec != CODEC_G729));
    if (ear->noisy && !was_noisy && !ear->noise_known) /* nobody said of what kind */
        comfort_set(&ear->comfort, NULL, 0);
    fill(ear, frame, ear->noisy, row->clear);
    ear->at = 0;
    row->play_joint = 0;
    if (row->clear)
        return;
    if (ear->last != 0 && (joint || ear->noisy != was_noisy))
        join(ear->pcm, ear->last);
    ear->last = ear->pcm[UNIT_SAMPLES - 1];
    if (is_g711(ear))
        conceal_g711(ear, frame->kind == FRAME_LOST);
}

static void play(struct plane *plane, int32_t index, int16_t out[UNIT_SAMPLES]) {
    struct row *row = &plane->rows[index];
    struct ear *ear = &plane->ears[index];
    const struct frame frame = slots_next(plane, index);
    if (frame.kind == FRAME_NONE) {
        memset(out, 0, UNIT_SAMPLES * sizeof *out);
        return;
    }
    if (frame.kind != FRAME_REST)
        begin_frame(row, ear, &frame);
    const int16_t *unit = ear->pcm + (ear->at < FRAME_UNITS_MAX ? ear->at++ : 0) * UNIT_SAMPLES;
    memcpy(out, unit, UNIT_SAMPLES * sizeof *out);
    if (frame.kind == FRAME_REST)
        ear->last = out[UNIT_SAMPLES - 1];
}

void playout_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  int16_t (*pcm)[UNIT_SAMPLES]) {
    for (size_t i = 0; i < n; i++)
        play(plane, rows[i], pcm[at[i]]);
}
