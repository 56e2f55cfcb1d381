/* struct mix_row and struct mix_room as numpy sees them: the one list of their fields, checked by the
 * compiler. */
#include "mixer/mixer.h"

#include <stddef.h>

#define ROW(name, type) {#name, type, (uint16_t)offsetof(struct mix_row, name), 1}
#define ROOM(name, type) {#name, type, (uint16_t)offsetof(struct mix_room, name), 1}

const struct row_field mix_row_fields[] = {
    ROW(key, "<u8"),         ROW(heard_by, "<i4"),    ROW(gain_in, "<u2"),    ROW(gain_out, "<u2"),
    ROW(muted, "u1"),        ROW(deaf, "u1"),         ROW(aside, "u1"),       ROW(person, "u1"),
    ROW(whispered, "u1"),    ROW(switched, "u1"),     ROW(was_aside, "u1"),   ROW(spoken, "u1"),
    ROW(weight, "<u2"),      ROW(out_weight, "<u2"),  ROW(last_heard, "<i2"), ROW(open, "u1"),
    ROW(hangover, "u1"),     ROW(chosen, "u1"),       ROW(active, "u1"),      ROW(told_active, "u1"),
    ROW(window_ticks, "u1"), ROW(leading, "<u2"),     ROW(silent, "<u2"),     ROW(shared_ticks, "<u4"),
    ROW(peak, "<u4"),        ROW(power, "<u4"),       ROW(smooth, "<u4"),     ROW(slow, "<u4"),
    ROW(window_min, "<u4"),  ROW(earlier_min, "<u4"), ROW(floor, "<u4"),      ROW(speech, "<u4"),
    ROW(auto_gain, "<u4"),   {NULL, NULL, 0, 0},
};

const struct row_field mix_room_fields[] = {
    ROOM(gate_from, "<i4"), ROOM(loudest_from, "<i4"), ROOM(loudest, "<i4"),
    ROOM(margin_q8, "<u4"), ROOM(auto_gain, "<i4"),    {NULL, NULL, 0, 0},
};
