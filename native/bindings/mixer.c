/* gateway._native.mix: the mixer's arrays checked at the door, then all rooms in one call without the GIL. */
#include "bindings/mixer.h"

#include "bindings/plane_capsule.h"
#include "mixer/chorus.h"

enum { ROWS, ROOMS, ROOM_OF, OFFSETS, MEMBER_ROWS, MEMBER_AT, SAID, SPOKEN, HEARS, SIGNAL_OF, VIEWS };

static const struct {
    const char *name;
    size_t bytes;
    bool writable;
} arrays[VIEWS] = {
    [ROWS] = {"rows", sizeof(struct mix_row), true},
    [ROOMS] = {"rooms", sizeof(struct mix_room), false},
    [ROOM_OF] = {"room_of", sizeof(int32_t), false},
    [OFFSETS] = {"offsets", sizeof(int32_t), false},
    [MEMBER_ROWS] = {"member_rows", sizeof(int32_t), false},
    [MEMBER_AT] = {"member_at", sizeof(int32_t), false},
    [SAID] = {"said", sizeof(int16_t), false},
    [SPOKEN] = {"spoken", sizeof(int16_t), true},
    [HEARS] = {"hears", sizeof(int16_t), true},
    [SIGNAL_OF] = {"signal_of", sizeof(int32_t), true},
};

/* True when all numbers of a view are 0..n - 1; else IndexError. */
static bool below(const struct view *v, const char *name, Py_ssize_t n) {
    const int32_t *number = v->buffer.buf;
    for (Py_ssize_t i = 0; i < v->n; i++)
        if (number[i] < 0 || number[i] >= n) {
            PyErr_Format(PyExc_IndexError, "%s: %d of %zd", name, (int)number[i], n);
            return false;
        }
    return true;
}

static bool rising(const struct view *offsets, Py_ssize_t members) {
    const int32_t *offset = offsets->buffer.buf;
    bool fits = offset[0] == 0 && offset[offsets->n - 1] == members;
    for (Py_ssize_t i = 1; fits && i < offsets->n; i++)
        fits = offset[i] >= offset[i - 1] && offset[i] - offset[i - 1] <= MIX_MEMBERS_MAX;
    if (!fits)
        PyErr_SetString(PyExc_ValueError,
                        "offsets must rise from 0 to the number of members, by 65,535 at most");
    return fits;
}

static bool rooms_fit(const struct view *rooms) {
    const struct mix_room *room = rooms->buffer.buf;
    for (Py_ssize_t i = 0; i < rooms->n; i++)
        if (room[i].loudest < 0 || room[i].loudest > MIX_LOUDEST_MAX) {
            PyErr_Format(PyExc_ValueError, "rooms[%zd]: the loudest %d of at most %d", i,
                         (int)room[i].loudest, MIX_LOUDEST_MAX);
            return false;
        }
    return true;
}

static bool signals_fit(const struct view v[VIEWS], Py_ssize_t samples) {
    Py_ssize_t n = v[SAID].n;
    bool apart = v[SAID].buffer.buf != v[HEARS].buffer.buf && v[SAID].buffer.buf != v[SPOKEN].buffer.buf &&
                 v[SPOKEN].buffer.buf != v[HEARS].buffer.buf;
    if (samples > 0 && samples <= MIX_SAMPLES_MAX && v[SPOKEN].n == n && v[HEARS].n == n &&
        (apart || n == 0) && v[SIGNAL_OF].n == n / samples)
        return true;
    PyErr_SetString(
        PyExc_ValueError,
        "mix: said, spoken and hears are three arrays of one shape, of 1 to 960 samples a position");
    return false;
}

static bool job_fits(const struct view v[VIEWS], Py_ssize_t samples) {
    if (v[OFFSETS].n != v[ROOM_OF].n + 1 || v[MEMBER_ROWS].n != v[MEMBER_AT].n) {
        PyErr_SetString(PyExc_ValueError, "mix: a room has two offsets, a member a row and a position");
        return false;
    }
    return signals_fit(v, samples) && rising(&v[OFFSETS], v[MEMBER_ROWS].n) && rooms_fit(&v[ROOMS]) &&
           below(&v[ROOM_OF], "room_of", v[ROOMS].n) && below(&v[MEMBER_ROWS], "member_rows", v[ROWS].n) &&
           below(&v[MEMBER_AT], "member_at", v[SIGNAL_OF].n);
}

static void mix_views(const struct view v[VIEWS], Py_ssize_t samples) {
    const struct mix_job job = {
        .rows = v[ROWS].buffer.buf,
        .rooms = v[ROOMS].buffer.buf,
        .room_of = v[ROOM_OF].buffer.buf,
        .offsets = v[OFFSETS].buffer.buf,
        .member_rows = v[MEMBER_ROWS].buffer.buf,
        .member_at = v[MEMBER_AT].buffer.buf,
        .said = v[SAID].buffer.buf,
        .spoken = v[SPOKEN].buffer.buf,
        .hears = v[HEARS].buffer.buf,
        .signal_of = v[SIGNAL_OF].buffer.buf,
        .n_rooms = (size_t)v[ROOM_OF].n,
        .samples = (size_t)samples,
    };
    Py_BEGIN_ALLOW_THREADS;
    mix_rooms(&job);
    Py_END_ALLOW_THREADS;
}

PyObject *mixer_mix(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *o[VIEWS], *result = NULL;
    struct view v[VIEWS] = {0};
    Py_ssize_t samples;
    if (!PyArg_ParseTuple(args, "OOOOOOOOOOn", &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7], &o[8],
                          &o[9], &samples))
        return NULL;
    bool held = true;
    for (int i = 0; held && i < VIEWS; i++)
        held = view_get(&v[i], o[i], arrays[i].name, arrays[i].bytes, arrays[i].writable);
    if (held && job_fits(v, samples)) {
        mix_views(v, samples);
        result = Py_NewRef(Py_None);
    }
    for (int i = 0; i < VIEWS; i++)
        view_release(&v[i]);
    return result;
}

/* chorus(plane, mix, rows, at, signal_of, choruses, now) */
PyObject *mixer_chorus(PyObject *self, PyObject *args) {
    (void)self;
    enum { MIX, SINGERS, AT, SIGNALS, CHORUSES, N };
    static const char *const names[N] = {"mix", "rows", "at", "signal_of", "choruses"};
    PyObject *capsule, *o[N], *result = NULL;
    struct view v[N] = {0};
    double now;
    if (!PyArg_ParseTuple(args, "OOOOOOd", &capsule, &o[0], &o[1], &o[2], &o[3], &o[4], &now))
        return NULL;
    struct plane *plane = plane_from(capsule);
    bool held = plane != NULL;
    for (int i = 0; held && i < N; i++)
        held = view_get(&v[i], o[i], names[i],
                        i == MIX        ? sizeof(struct mix_row)
                        : i == CHORUSES ? sizeof(struct chorus)
                                        : sizeof(int32_t),
                        i == CHORUSES);
    if (held && view_holds(&v[MIX], "mix", plane->capacity) && rows_exist(plane, &v[SINGERS]) &&
        view_holds(&v[AT], "at", v[SINGERS].n) && below(&v[AT], "at", v[SIGNALS].n) &&
        below(&v[SIGNALS], "signal_of", v[SIGNALS].n) &&
        view_holds(&v[CHORUSES], "choruses", v[SIGNALS].n * CHORUS_KINDS)) {
        const struct chorus_job job = {
            .mix = v[MIX].buffer.buf,
            .rows = v[SINGERS].buffer.buf,
            .at = v[AT].buffer.buf,
            .signal_of = v[SIGNALS].buffer.buf,
            .choruses = v[CHORUSES].buffer.buf,
            .n = (size_t)v[SINGERS].n,
            .positions = (size_t)v[SIGNALS].n,
            .now = now,
        };
        chorus_form(&plane->voices, plane->rows, &job);
        result = Py_NewRef(Py_None);
    }
    for (int i = 0; i < N; i++)
        view_release(&v[i]);
    return result;
}

static PyObject *layout_of(const struct row_field *fields, size_t itemsize) {
    PyObject *list = PyList_New(0);
    for (const struct row_field *f = fields; list && f->name; f++) {
        PyObject *item = Py_BuildValue("(ssHH)", f->name, f->type, f->offset, f->count);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list ? Py_BuildValue("(nN)", (Py_ssize_t)itemsize, list) : NULL;
}

PyObject *mixer_row_layout(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    return layout_of(mix_row_fields, sizeof(struct mix_row));
}

PyObject *mixer_room_layout(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    return layout_of(mix_room_fields, sizeof(struct mix_room));
}
