#include "plane/press.h"

enum { EVENT_BYTES = 4, STEP_SAMPLES = 160, ENDS = 3, VOLUME_DBM0 = 10, END_BIT = 0x80 };
static const double TWIN_S = 0.06, SAME_KEY_S = 0.3; /* how far apart the two ways of one key may be */
static const double STEP_S = 0.02, GAP_S = 0.05;
static const double HELD_S = 0.12;  /* audio is silent so long after a packet that is not the last */
static const double EARLY_S = 5e-3; /* ticks do not come to the microsecond */

bool press_add(struct press *press, uint8_t code, uint8_t tens, double now) {
    if (press->n == PRESS_MAX)
        return false;
    if (press->n == 0 && press->due < now + TWIN_S)
        press->due = now + TWIN_S;
    press->codes[press->n] = code;
    press->tens[press->n] = tens < PRESS_LEAST_TENS  ? PRESS_LEAST_TENS
                            : tens > PRESS_MOST_TENS ? PRESS_MOST_TENS
                                                     : tens;
    press->n++;
    return true;
}

static void take_first(struct press *press) {
    press->n--;
    memmove(press->codes, press->codes + 1, press->n);
    memmove(press->tens, press->tens + 1, press->n);
    press->said = press->ends = 0;
}

static bool came_as_event(const struct plane *plane, int32_t index, uint8_t code, double now) {
    const int32_t other = plane->rows[index].peer;
    if (other < 0 || other == index || plane->rows[other].peer != index)
        return false;
    const struct row *speaker = &plane->rows[other];
    return speaker->digit_known && speaker->digit_code == code && now - speaker->digit_at < SAME_KEY_S;
}

/* A key begins; not while another is relayed to the same phone, and not at all if it is that one. */
static bool begin(struct plane *plane, int32_t index, struct press *press, double now) {
    if (came_as_event(plane, index, press->codes[0], now)) {
        take_first(press);
        return false;
    }
    if (now < plane->rows[index].tx_event_until)
        return false;
    press->timestamp = egress_press_timestamp(plane, index, now);
    press->due = now;
    return true;
}

/* Say how long the key has been pressed; true = it is the end. */
static bool say(struct plane *plane, int32_t index, struct press *press, struct send *send) {
    const uint16_t length = (uint16_t)(press->tens[0] * UNIT_SAMPLES), before = press->said;
    press->said = (uint16_t)(length - before < STEP_SAMPLES ? length : before + STEP_SAMPLES);
    const bool end = press->said == length;
    uint8_t event[EVENT_BYTES] = {press->codes[0], (uint8_t)((end ? END_BIT : 0) | VOLUME_DBM0)};
    write_u16(event + 2, press->said);
    egress_press(plane, index, event, press->timestamp, before == 0, send);
    return end;
}

bool press_next(struct plane *plane, int32_t index, struct press *press, double now, struct send *send) {
    struct row *row = &plane->rows[index];
    if (press->n == 0 || now + EARLY_S < press->due)
        return false;
    if (!row->sending || !row->event_send) {
        memset(press, 0, sizeof *press);
        return false;
    }
    if (press->said == 0 && !begin(plane, index, press, now))
        return false;
    const bool end = say(plane, index, press, send);
    row->tx_event_until = now + HELD_S;
    press->due += STEP_S;
    if (end && ++press->ends == ENDS) {
        take_first(press);
        row->tx_event_until = now;
        press->due = now + GAP_S;
    }
    return true;
}
