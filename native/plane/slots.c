/* The playout slots: encoded payload by media time, on a grid of 10 ms.
 *
 * A row's RTP time is counted in units of 10 ms from `slot_origin`.  The tick plays one unit at a time, and
 * the position moves on whether something is there or not, so silence suppression needs no rule of its own.
 *
 *   a packet that comes too late     the position steps back to it: the delay grows at once, and is counted
 *   ... and was overtaken            is dropped: what was heard after it is not heard again
 *   100 packets, each early by 2     the position steps on by one: the delay shrinks, and is counted
 *   a jump of the sender's clock     starts the grid anew; a straggler is no jump
 */
#include "plane/plane.h"

enum { LATE_MAX_UNITS = 20, STALL_MAX_UNITS = 100, LEAD_WINDOW = 100, LEAD_SPARE_UNITS = 2 };
static const uint8_t SILENCE[] = {0, 0xff, 0xd5}; /* by enum codec: G.711's zero */

static int32_t floor_units(int32_t samples) {
    return samples >= 0 ? samples / UNIT_SAMPLES : -((-samples + UNIT_SAMPLES - 1) / UNIT_SAMPLES);
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
    row->play_unit = SLOTS - DELAY_UNITS;
    row->played_head = 0;
    row->slot_anchored = 1;
    row->lead_count = 0;
}

/* Keep the playout position in step with what arrives. */
static void keep_pace(struct row *row, int32_t unit) {
    int32_t lead = unit - row->play_unit;
    if (lead < 0) {
        row->late_packets++;
        row->play_unit += lead;
        if (row->played_head > 0) /* before the first unit is heard there is nothing to put anything into */
            row->inserted_units += (uint32_t)-lead;
        lead = 0;
    }
    if (row->lead_count == 0 || lead < row->lead_min)
        row->lead_min = lead;
    if (++row->lead_count < LEAD_WINDOW)
        return;
    row->lead_count = 0;
    if (row->lead_min >= LEAD_SPARE_UNITS + DELAY_UNITS - 1) {
        row->play_unit++;
        row->dropped_units++;
    }
}

/* Has the sender's clock jumped?  After a stall of the network its time goes on where it stopped. */
static bool jumped(const struct row *row, int32_t unit, int32_t span, bool newest) {
    int32_t lead = unit - (row->mode == MODE_TICK ? row->play_unit : row->slot_head - span);
    bool goes_on = newest && unit >= row->slot_head;
    return lead > SLOTS - span - 2 || lead < -(goes_on ? STALL_MAX_UNITS : LATE_MAX_UNITS);
}

static void fill(struct plane *plane, int32_t index, int32_t sample, const uint8_t *payload, int32_t bytes,
                 enum codec codec) {
    while (bytes > 0) {
        int32_t unit = floor_units(sample);
        int32_t within = sample - unit * UNIT_SAMPLES;
        int32_t n = UNIT_SAMPLES - within < bytes ? UNIT_SAMPLES - within : bytes;
        size_t slot = (size_t)index * SLOTS + ((uint32_t)unit & (SLOTS - 1));
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

enum verdict slots_store(struct plane *plane, int32_t index, const struct rtp *rtp, enum codec codec) {
    struct row *row = &plane->rows[index];
    int32_t bytes = (int32_t)rtp->payload_bytes; /* G.711: one byte a sample */
    int32_t span = (bytes + UNIT_SAMPLES - 1) / UNIT_SAMPLES;
    if (bytes == 0 || span > SLOTS / 2)
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
    int32_t heard = 0;
    if (row->mode == MODE_TICK) {
        keep_pace(row, unit);
        heard = row->played_head * UNIT_SAMPLES - sample;
    }
    if (heard >= bytes)
        return DROP_OLD;
    heard = heard < 0 ? 0 : heard;
    fill(plane, index, sample + heard, rtp->payload + heard, bytes - heard, codec);
    if (unit + span > row->slot_head) {
        row->slot_head = unit + span;
        row->slot_span = (uint8_t)span;
    }
    return VERDICT_HOLD;
}

void slots_take(struct plane *plane, const int32_t *rows, size_t n, uint8_t *payloads, int32_t *lengths,
                uint8_t *codecs) {
    for (size_t i = 0; i < n; i++) {
        struct row *row = &plane->rows[rows[i]];
        lengths[i] = -1;
        codecs[i] = CODEC_NONE;
        if (!row->slot_anchored)
            continue;
        int32_t unit = row->play_unit++;
        if (!row->receiving) /* time goes on while nothing counts */
            continue;
        size_t slot = (size_t)rows[i] * SLOTS + ((uint32_t)unit & (SLOTS - 1));
        if (plane->slot_unit[slot] != unit || unit < row->played_head) {
            row->concealed_units++;
            continue;
        }
        plane->slot_unit[slot] = -1;
        row->played_head = unit + 1;
        lengths[i] = plane->slot_fill[slot];
        codecs[i] = plane->slot_codec[slot];
        memcpy(payloads + i * SLOT_BYTES, plane->slots + slot * SLOT_BYTES, SLOT_BYTES);
    }
}

void slots_enter(struct plane *plane, int32_t index, double now) {
    struct row *row = &plane->rows[index];
    row->lead_count = 0;
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
