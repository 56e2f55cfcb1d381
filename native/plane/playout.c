/* Playout: what a row's phone says, 10 ms at a time, whatever became of its packets.
 *
 *   a frame is here          it is decoded; one of 20 or 30 ms is decoded once and played in two or three
 * ticks it was lost              the codec's own concealment: G.711's is Appendix I, and everything of a
 * G.711 row comes 30 samples (3.75 ms) late for it.  After 60 ms without anything the others fade too: their
 * standards do not say when to stop the sender paused        comfort noise: G.729's own, else by RFC 3389,
 * else silence
 *
 * Wherever one of these takes over from another, the step between the samples is bent away within 4 ms.
 * A delay that has become longer than it should be is shortened in a pause, or after two seconds without one:
 * one frame fades over into the next within 10 ms.
 */
#include "g711/g711.h"
#include "plane/plane.h"

enum {
    JOINT_SAMPLES = 32,
    FADE_FROM_UNITS = 6, /* lost in a row */
    FADE_UNITS = 6,
    ONE_Q15 = 32768,
    PAUSE_PEAK = 400, /* -38 dBFS */
    PATIENCE_TICKS = 200,
};

/* Appendix I plays what came 30 samples ago: at first that is where the codec before it ended. */
static void start_concealer(struct g711_plc *concealer, int32_t last) {
    int16_t before[UNIT_SAMPLES];
    memset(concealer, 0, sizeof *concealer);
    for (int i = 0; i < UNIT_SAMPLES; i++)
        before[i] = (int16_t)last;
    if (last != 0)
        g711_plc_good(concealer, before);
}

/* The first frame of a codec, or of a sender that began anew. */
static void start(struct voices *voices, int32_t index, uint8_t codec) {
    struct ear *ear = &voices->ears[index];
    bool both_g711 = codec_is_g711(ear->codec) && codec_is_g711(codec);
    ear->codec = codec;
    if (codec == CODEC_G729)
        g729_decoder_reset(&voices->g729_decoders[index]);
    else if (codec_is_ilbc(codec))
        ilbc_decoder_start(&voices->ilbc_decoders[index], 10 * codec_units(codec));
    else if (!both_g711) /* their concealment works on samples and goes on */
        start_concealer(&voices->concealers[index], ear->last);
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

/* What a row plays next, and what must be done for it. */
struct turn {
    struct frame frame;
    bool joint;   /* it does not follow what was played */
    bool decoded; /* by the codec */
};

/* G.729 rows of a tick, decoded in step. */
struct batch {
    size_t n;
    intptr_t rows[VOICE_ROWS];
    int32_t lengths[VOICE_ROWS];
    uint8_t payloads[VOICE_ROWS][G729_SPEECH_BYTES];
    int16_t pcm[VOICE_ROWS][UNIT_SAMPLES];
};

/* Whether there is a frame, of the length that its codec's frames have. */
static bool is_frame(const struct frame *frame, uint8_t codec) {
    return frame->kind == FRAME_HERE && frame->codec == codec &&
           (frame->bytes == codec_facts[codec].frame_bytes || frame->bytes == codec_facts[codec].sid_bytes);
}

static void decode_g711(struct ear *ear, const struct frame *frame) {
    if (!is_frame(frame, ear->codec))
        memset(ear->pcm, 0, UNIT_SAMPLES * sizeof *ear->pcm);
    else if (frame->codec == CODEC_PCMU)
        g711_ulaw_decode(ear->pcm, frame->data, UNIT_SAMPLES);
    else
        g711_alaw_decode(ear->pcm, frame->data, UNIT_SAMPLES);
}

static void put_g729(struct batch *batch, int32_t index, const struct frame *frame) {
    const bool here = is_frame(frame, CODEC_G729);
    const size_t i = batch->n++;
    batch->rows[i] = index;
    batch->lengths[i] = here ? frame->bytes : frame->kind == FRAME_SILENT ? G729_UNTRANSMITTED : G729_LOST;
    if (here)
        memcpy(batch->payloads[i], frame->data, (size_t)frame->bytes);
}

/* The codec's own work: a frame, or what stands for it. */
static void decode(struct voices *voices, int32_t index, const struct frame *frame, struct batch *batch) {
    struct ear *ear = &voices->ears[index];
    if (codec_is_g711(ear->codec))
        decode_g711(ear, frame);
    else if (ear->codec == CODEC_G729)
        put_g729(batch, index, frame);
    else if (codec_is_ilbc(ear->codec))
        ilbc_decode(&voices->ilbc_decoders[index], ear->pcm,
                    is_frame(frame, ear->codec) ? frame->data : NULL);
    else
        memset(ear->pcm, 0, sizeof ear->pcm);
}

/* A frame decides whose turn it is: a codec's or the comfort noise's. */
static void choose(struct row *row, struct voices *voices, int32_t index, struct turn *turn) {
    struct ear *ear = &voices->ears[index];
    const struct frame *frame = &turn->frame;
    const bool came = frame->kind == FRAME_HERE, described = came && frame->codec == CODEC_COMFORT_NOISE;
    const bool was_noisy = ear->noisy;
    turn->joint = row->play_joint;
    if (described) {
        comfort_set(&ear->comfort, frame->data, frame->bytes);
        ear->noise_known = 1;
    } else if (came) {
        ear->noise_known = 0;
        if (frame->codec != ear->codec || row->play_fresh) {
            start(voices, index, frame->codec);
            turn->joint = true;
        }
        row->play_fresh = 0;
    }
    ear->noisy = described || (frame->kind == FRAME_SILENT && (ear->noise_known || ear->codec != CODEC_G729));
    if (ear->noisy && !was_noisy && !ear->noise_known) /* nobody said of what kind */
        comfort_set(&ear->comfort, NULL, 0);
    turn->joint |= ear->noisy != was_noisy;
    row->play_joint = 0;
}

static void begin_frame(struct row *row, struct voices *voices, int32_t index, struct turn *turn,
                        struct batch *batch) {
    struct ear *ear = &voices->ears[index];
    if (ear->comfort.seed == 0) /* no two rows make the same noise */
        ear->comfort.seed = (uint32_t)row->leg_hash | 1;
    choose(row, voices, index, turn);
    const bool given_up = turn->frame.kind == FRAME_LOST && ear->lost_units >= FADE_FROM_UNITS + FADE_UNITS;
    turn->decoded = !ear->noisy && !given_up;
    if (turn->decoded)
        decode(voices, index, &turn->frame, batch);
    else if (ear->noisy && !row->clear)
        comfort_noise(&ear->comfort, ear->pcm);
    else
        memset(ear->pcm, 0, sizeof ear->pcm);
    ear->at = 0;
}

/* What the codec gave is bent where it does not follow, fades if it was invented, and is concealed if nothing
 * was given: by Appendix I, which sees every unit of a G.711 row and delays all alike. */
static void end_frame(const struct row *row, struct voices *voices, int32_t index, const struct turn *turn) {
    struct ear *ear = &voices->ears[index];
    const bool lost = turn->frame.kind == FRAME_LOST, g711 = codec_is_g711(ear->codec);
    const int32_t units = ear->noisy ? 1 : codec_units(ear->codec);
    if (lost && !g711)
        fade(ear->pcm, units, ear->lost_units);
    ear->lost_units = lost ? ear->lost_units + (uint32_t)units : 0;
    if (row->clear)
        return;
    if (turn->joint && ear->last != 0)
        join(ear->pcm, ear->last);
    ear->last = ear->pcm[UNIT_SAMPLES - 1];
    if (g711 && lost)
        g711_plc_lost(&voices->concealers[index], ear->pcm);
    else if (g711)
        g711_plc_good(&voices->concealers[index], ear->pcm);
}

static void decode_batch(struct voices *voices, struct batch *batch) {
    if (batch->n == 0)
        return;
    g729_decode_rows(voices->g729_decoders, batch->rows, batch->n, batch->pcm[0], batch->payloads[0],
                     batch->lengths);
    for (size_t i = 0; i < batch->n; i++)
        memcpy(voices->ears[batch->rows[i]].pcm, batch->pcm[i], sizeof batch->pcm[i]);
}

static bool is_quiet(const int16_t pcm[UNIT_SAMPLES]) {
    int32_t peak = 0;
    for (int i = 0; i < UNIT_SAMPLES; i++) {
        const int32_t size = pcm[i] < 0 ? -pcm[i] : pcm[i];
        peak = size > peak ? size : peak;
    }
    return peak < PAUSE_PEAK;
}

/* Is the delay too long, and is this the moment to shorten it? */
static bool may_skip(const struct plane *plane, int32_t index, const struct turn *turn) {
    const uint32_t spare = turn->frame.kind == FRAME_HERE ? slots_spare(plane, index) : 0;
    return spare > 0 && (spare >= PATIENCE_TICKS || is_quiet(plane->voices.ears[index].pcm));
}

/* Let the frame that was decoded fade over into the one after it. */
static void skip_frame(struct plane *plane, int32_t index, struct turn *turn) {
    struct voices *voices = &plane->voices;
    struct ear *ear = &voices->ears[index];
    struct batch alone;
    int16_t before[UNIT_SAMPLES];
    memcpy(before, ear->pcm, sizeof before);
    alone.n = 0;
    const bool joint = turn->joint;
    turn->frame = slots_skip(plane, index);
    begin_frame(&plane->rows[index], voices, index, turn, &alone);
    decode_batch(voices, &alone);
    turn->joint = joint;
    if (plane->rows[index].clear)
        return;
    for (int32_t i = 0; i < UNIT_SAMPLES; i++)
        ear->pcm[i] = (int16_t)((before[i] * (UNIT_SAMPLES - i) + ear->pcm[i] * i) / UNIT_SAMPLES);
}

static void play(struct ear *ear, int16_t out[UNIT_SAMPLES]) {
    const int16_t *unit = ear->pcm + (ear->at < FRAME_UNITS_MAX ? ear->at++ : 0) * UNIT_SAMPLES;
    memcpy(out, unit, UNIT_SAMPLES * sizeof *out);
}

static void play_some(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                      int16_t (*pcm)[UNIT_SAMPLES], double now) {
    struct voices *voices = &plane->voices;
    struct turn turns[VOICE_ROWS];
    struct batch batch;
    batch.n = 0;
    for (size_t i = 0; i < n; i++) {
        turns[i].frame = slots_next(plane, rows[i], now);
        if (turns[i].frame.kind > FRAME_REST)
            begin_frame(&plane->rows[rows[i]], voices, rows[i], &turns[i], &batch);
    }
    decode_batch(voices, &batch);
    for (size_t i = 0; i < n; i++) {
        struct ear *ear = &voices->ears[rows[i]];
        int16_t *out = pcm[at[i]];
        if (turns[i].frame.kind == FRAME_NONE) {
            memset(out, 0, UNIT_SAMPLES * sizeof *out);
            continue;
        }
        if (may_skip(plane, rows[i], &turns[i]))
            skip_frame(plane, rows[i], &turns[i]);
        if (turns[i].frame.kind != FRAME_REST)
            end_frame(&plane->rows[rows[i]], voices, rows[i], &turns[i]);
        play(ear, out);
        if (turns[i].frame.kind == FRAME_REST)
            ear->last = out[UNIT_SAMPLES - 1];
    }
}

void playout_rows(struct plane *plane, const int32_t *rows, const int32_t *at, size_t n,
                  int16_t (*pcm)[UNIT_SAMPLES], double now) {
    for (size_t i = 0; i < n; i += VOICE_ROWS)
        play_some(plane, rows + i, at + i, n - i < VOICE_ROWS ? n - i : VOICE_ROWS, pcm, now);
}
