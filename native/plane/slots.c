/* The playout slots: encoded frames by media time, on a grid of 10 ms.
 *
 * A row's RTP time is counted in units of 10 ms from `slot_origin`.  A frame lies in the slot of the unit
 * that it begins at; one that lasts longer than a unit is decoded once and played in as many ticks.  The
 * position moves on whether something is there or not.
 *
 *   a packet that comes too late     the position steps back to it: the delay grows at once, and is counted
 *   ... and was overtaken            is dropped: what was heard after it is not heard again; the delay grows
 * to what pace.c wants a jump of the sender's clock     starts the grid anew; a straggler is no jump time
 * goes on, the numbers do not silence on purpose (RFC 3551 section 4.1): its slots are empty, not missing
 */
#include "plane/pace.h"

enum { LATE_MAX_UNITS = 20, STALL_MAX_UNITS = 100 };
static const uint8_t SILENCE[CODECS] = {[CODEC_PCMU] = 0xff, [CODEC_PCMA] = 0xd5}; /* G.711's zero */

static int32_t floor_units(int32_t samples) {
    return samples >= 0 ? samples / UNIT_SAMPLES : -1 - (-1 - samples) / UNIT_SAMPLES;
}

static void anchor(struct plane *plane, int32_t index, uint32_t timestamp) {
    struct row *row = &plane->rows[index];
    if (row->slot_anchored && row->mode == MODE_TICK && row->slot_head > row->play_unit) {
        row->dropped_units += (uint32_t)(row->slot_head - row->play_unit);
        row->inserted_units += DELAY_UNITS;
    }
    memset(plane->slot_unit + (size_t)index * SLOTS, 0xff, SLOTS * sizeof *plane->slot_unit);
    row->slot_origin =
        timestamp - SLOTS * UNIT_SAMPLES; /* units that count are positive: -1 is an empty slot */
    row->slot_head = SLOTS;
    row->play_unit = SLOTS - (row->play_fixed ? row->play_fixed : DELAY_UNITS);
    row->played_head = 0;
    row->play_rest = 0;
    row->play_joint = 1;
    row->slot_anchored = 1;
    pace_reset(row);
}

/* A frame is here that is being concealed: no more of the concealment than was needed. */
static void cut_concealment(struct row *row) {
    if (!row->play_lost || row->play_rest == 0)
        return;
    row->play_unit -= row->play_rest;
    row->concealed_units -= row->play_rest;
    row->absent_units -= row->play_rest;
    row->play_rest = 0;
    row->play_joint = 1;
}

static void step_back(struct row *row, int32_t unit) {
    if (unit >= row->play_unit)
        return;
    if (row->played_head > 0) /* before the first unit is heard there is nothing to put anything into */
        row->inserted_units += (uint32_t)(row->play_unit - unit);
    row->play_unit = unit;
}

/* A packet came after its time.  Has nothing newer been heard, it is played, and all that follows so much
 * later; else only what the distribution of delays says is waited for. */
static void come_late(struct row *row, int32_t unit) {
    int32_t want;
    row->late_packets++;
    cut_concealment(row);
    if (unit >= row->played_head) {
        step_back(row, unit);
    } else if (pace_want(row, &want)) {
        uint32_t due = row->play_samples + (uint32_t)(1 + row->play_rest) * UNIT_SAMPLES;
        int32_t missing = want - pace_of(row, due);
        if (missing > 0)
            step_back(row, row->play_unit - (missing + UNIT_SAMPLES - 1) / UNIT_SAMPLES);
    }
}

/* Has the sender's clock jumped?  After a stall of the network its time goes on where it stopped. */
static bool jumped(const struct row *row, int32_t unit, int32_t span, bool newest) {
    int32_t lead = unit - (row->mode == MODE_TICK ? row->play_unit : row->slot_head - span);
    bool goes_on = newest && unit >= row->slot_head;
    return lead > SLOTS - span - 2 || lead < -(goes_on ? STALL_MAX_UNITS : LATE_MAX_UNITS);
}

static void put(struct plane *plane, int32_t index, int32_t unit, uint8_t codec, const uint8_t *data,
                int32_t bytes) {
    size_t slot = slot_of(index, unit);
    plane->slot_unit[slot] = unit;
    plane->slot_codec[slot] = codec;
    plane->slot_fill[slot] = (uint8_t)bytes;
    if (bytes > 0)
        memcpy(plane->slots + slot * SLOT_BYTES, data, (size_t)bytes);
}

/* One byte a sample: the payload is cut at the units' borders. */
static void fill_samples(struct plane *plane, int32_t index, int32_t sample, const uint8_t *payload,
                         int32_t bytes, enum codec codec) {
    while (bytes > 0) {
        int32_t unit = floor_units(sample);
        int32_t within = sample - unit * UNIT_SAMPLES;
        int32_t n = UNIT_SAMPLES - within < bytes ? UNIT_SAMPLES - within : bytes;
        size_t slot = slot_of(index, unit);
        uint8_t *data = plane->slots + slot * SLOT_BYTES;
        if (plane->slot_unit[slot] != unit || plane->slot_codec[slot] != codec) {
            plane->slot_unit[slot] = unit;
            plane->slot_codec[slot] = (uint8_t)codec;
            plane->slot_fill[slot] = SLOT_BYTES;
            if (n < UNIT_SAMPLES) /* off the grid: the neighbour brings the rest, or it is silence */
                memset(data, SILENCE[codec], SLOT_BYTES);
        }
        memcpy(data + within, payload, (size_t)n);
        sample += n;
        payload += n;
        bytes -= n;
    }
}

/* Whole frames and perhaps a silence descriptor; those before `heard` come too late. */
static void fill_frames(struct plane *plane, int32_t index, int32_t unit, const uint8_t *data,
                        const struct payload *payload, int32_t heard) {
    const struct codec_facts *facts = &codec_facts[payload->codec];
    for (int32_t i = 0; i < payload->frames; i++) {
        if (unit >= heard)
            put(plane, index, unit, (uint8_t)payload->codec, data, facts->frame_bytes);
        unit += facts->frame_units;
        data += facts->frame_bytes;
    }
    if (payload->tail_bytes && unit >= heard)
        put(plane, index, unit, (uint8_t)payload->codec, data, payload->tail_bytes);
}

/* Put a payload into its slots.  False: all of it comes too late. */
static bool fill(struct plane *plane, int32_t index, int32_t sample, const struct rtp *rtp,
                 const struct payload *payload) {
    const struct row *row = &plane->rows[index];
    bool played = row->mode == MODE_TICK;
    int32_t unit = floor_units(sample);
    if (codec_is_g711((uint8_t)payload->codec)) {
        int32_t bytes = (int32_t)rtp->payload_bytes;
        int32_t heard = played ? row->played_head * UNIT_SAMPLES - sample : 0;
        if (heard >= bytes)
            return false;
        heard = heard < 0 ? 0 : heard;
        fill_samples(plane, index, sample + heard, rtp->payload + heard, bytes - heard, payload->codec);
        return true;
    }
    int32_t heard = played ? row->played_head : 0;
    if (heard >= unit + payload->units)
        return false;
    if (payload->codec == CODEC_COMFORT_NOISE)
        put(plane, index, unit, CODEC_COMFORT_NOISE, rtp->payload, (int32_t)rtp->payload_bytes);
    else
        fill_frames(plane, index, unit, rtp->payload, payload, heard);
    return true;
}

/* The sender's time went on and its numbers did not: what lies between was not sent on purpose. */
static void mark_silence(struct plane *plane, int32_t index, int32_t unit, enum codec codec) {
    struct row *row = &plane->rows[index];
    int32_t from = row->slot_head;
    if (row->mode == MODE_TICK && from < row->play_unit) {
        uint32_t past = (uint32_t)((unit < row->play_unit ? unit : row->play_unit) - from);
        past = past < row->absent_units ? past : row->absent_units;
        row->concealed_units -= past;
        row->silent_units += past;
        from = row->play_unit;
    }
    for (; from < unit; from++)
        put(plane, index, from, (uint8_t)codec, NULL, 0);
}

enum verdict slots_store(struct plane *plane, int32_t index, const struct rtp *rtp,
                         const struct payload *payload, double now) {
    struct row *row = &plane->rows[index];
    int32_t span = payload->units;
    if (span > SLOTS / 2)
        return DROP_FOREIGN_PAYLOAD;
    if (!row->slot_anchored)
        anchor(plane, index, rtp->timestamp);
    int32_t sample = (int32_t)(rtp->timestamp - row->slot_origin);
    int32_t unit = floor_units(sample);
    bool newest = rtp->sequence == row->rx_max_sequence;
    if (jumped(row, unit, span, newest)) {
        if (!newest)
            return DROP_OLD;
        anchor(plane, index, rtp->timestamp);
        unit = SLOTS;
        sample = unit * UNIT_SAMPLES;
    }
    if (unit > row->slot_head && rtp->sequence == (uint16_t)(row->slot_sequence + 1))
        mark_silence(plane, index, unit, payload->codec);
    if (row->mode == MODE_TICK) {
        pace_measure(row, rtp->timestamp, now);
        if (unit < row->play_unit)
            come_late(row, unit);
    }
    if (!fill(plane, index, sample, rtp, payload))
        return DROP_OLD;
    if (unit + span > row->slot_head) {
        row->slot_head = unit + span;
        row->slot_span = (uint8_t)span;
        row->slot_sequence = rtp->sequence;
        if (codec_has_frames((uint8_t)payload->codec))
            row->heard_codec = (uint8_t)payload->codec;
    }
    return VERDICT_HOLD;
}

void slots_enter(struct plane *plane, int32_t index, double now) {
    struct row *row = &plane->rows[index];
    pace_reset(row);
    row->play_rest = 0;
    row->play_fresh = row->play_joint = 1;
    if (row->peer >= 0) { /* the tick writes to it now, even if the relay is back before it has */
        plane->rows[row->peer].tx_marker = 1;
        plane->rows[row->peer].relay_locked = 0;
    }
    if (!row->slot_anchored)
        return;
    /* where the position would be, had the row been played from its last packet on; what is merely overdue is
     * waited for */
    double elapsed = (now - row->audio_at) * 100.0;
    int32_t ticks = elapsed < 0 ? 0 : elapsed > 1e6 ? 1000000 : (int32_t)elapsed;
    row->play_unit = row->slot_head - row->slot_span - DELAY_UNITS + ticks;
    if (ticks <= LATE_MAX_UNITS && row->play_unit > row->slot_head)
        row->play_unit = row->slot_head;
    row->played_head = row->play_unit;
    if (row->slot_head > row->play_unit)
        row->inserted_units += (uint32_t)(row->slot_head - row->play_unit);
}

void slots_leave(struct plane *plane, int32_t index) {
    struct row *row = &plane->rows[index];
    if (row->slot_anchored && row->slot_head > row->play_unit)
        row->dropped_units += (uint32_t)(row->slot_head - row->play_unit);
}
