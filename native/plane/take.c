/* What of a row's playout slots is played next, 10 ms at a time. */
#include "plane/pace.h"

enum { SPARE_SAMPLES = 16 }; /* a delay is shortened when it is this much longer than it will be then */

static bool is_there(const struct plane *plane, int32_t index, int32_t unit) {
    return unit >= plane->rows[index].played_head && plane->slot_unit[slot_of(index, unit)] == unit;
}

static struct frame take(struct plane *plane, int32_t index) {
    struct row *row = &plane->rows[index];
    size_t slot = slot_of(index, row->play_unit);
    struct frame frame = {
        .kind = plane->slot_fill[slot] ? FRAME_HERE : FRAME_SILENT,
        .codec = plane->slot_codec[slot],
        .bytes = plane->slot_fill[slot],
        .data = plane->slots + slot * SLOT_BYTES,
    };
    bool noise = frame.codec == CODEC_COMFORT_NOISE;
    bool speech = frame.bytes > 0 && !noise && frame.bytes != codec_sid_bytes(frame.codec);
    int32_t units = speech ? codec_units(frame.codec) : 1;
    plane->slot_unit[slot] = -1;
    if (!noise)
        row->play_codec = frame.codec;
    row->play_unit += units;
    row->played_head = row->play_unit;
    row->play_rest = (uint8_t)(units - 1);
    row->play_silent = !speech;
    row->play_lost = 0;
    row->absent_units = 0;
    row->silent_units += frame.bytes == 0;
    return frame;
}

/* Nothing is there: for as long as a frame of its kind lasts, or until the next that is. */
static struct frame miss(struct plane *plane, int32_t index) {
    struct row *row = &plane->rows[index];
    if (row->play_codec == CODEC_NONE) { /* nor was anything yet */
        row->play_unit++;
        return (struct frame){.kind = FRAME_NONE};
    }
    int32_t most = row->play_silent ? 1 : codec_units(row->play_codec), units = 1;
    while (units < most && !is_there(plane, index, row->play_unit + units))
        units++;
    row->play_unit += units;
    row->play_rest = (uint8_t)(units - 1);
    row->play_lost = !row->play_silent;
    if (row->play_silent) {
        row->silent_units += (uint32_t)units;
        return (struct frame){.kind = FRAME_SILENT, .codec = row->play_codec};
    }
    row->concealed_units += (uint32_t)units;
    row->absent_units += (uint32_t)units;
    return (struct frame){.kind = FRAME_LOST, .codec = row->play_codec};
}

/* How long does what is played now wait, and is that longer than it should be? */
static void watch_delay(struct row *row, double now) {
    const int32_t units = codec_units(row->play_codec);
    int32_t want;
    row->play_samples = pace_samples(now);
    if (!pace_want(row, &want))
        return;
    const int32_t pace = pace_of(row, row->play_samples);
    row->play_delay = pace - pace_least(row);
    if (pace - want < units * UNIT_SAMPLES + SPARE_SAMPLES)
        row->shrink_ticks = 0;
    else if (row->shrink_ticks < INT16_MAX)
        row->shrink_ticks = (uint16_t)(row->shrink_ticks + units);
}

uint32_t slots_spare(const struct plane *plane, int32_t index) {
    const struct row *row = &plane->rows[index];
    return is_there(plane, index, row->play_unit) ? row->shrink_ticks : 0;
}

struct frame slots_skip(struct plane *plane, int32_t index) {
    struct row *row = &plane->rows[index];
    row->dropped_units += 1u + row->play_rest;
    row->shrink_ticks = 0;
    return take(plane, index);
}

struct frame slots_next(struct plane *plane, int32_t index, double now) {
    struct row *row = &plane->rows[index];
    if (!row->slot_anchored)
        return (struct frame){.kind = FRAME_NONE};
    if (!row->receiving) { /* time goes on while nothing counts */
        if (row->play_rest > 0)
            row->play_rest--;
        else
            row->play_unit++;
        row->play_joint = 1;
        return (struct frame){.kind = FRAME_NONE};
    }
    if (row->play_rest > 0) {
        row->play_rest--;
        row->play_samples += UNIT_SAMPLES;
        return (struct frame){.kind = FRAME_REST};
    }
    watch_delay(row, now);
    return is_there(plane, index, row->play_unit) ? take(plane, index) : miss(plane, index);
}
