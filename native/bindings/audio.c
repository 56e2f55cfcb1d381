/* The audio half of gateway._native: what rows say and hear in a tick, their keys, and their codecs' states.
 */
#include "bindings/audio.h"

#include "bindings/plane_capsule.h"
#include "mixer/chorus.h"
#include "plane/press.h"
#include "plane/secure.h"

/* True when 0 <= at[i] < the units in pcm for all; else IndexError. */
static bool places_exist(const struct view *at, const struct view *pcm) {
    const int32_t *place = at->buffer.buf;
    for (Py_ssize_t i = 0; i < at->n; i++) {
        if (place[i] < 0 || place[i] >= pcm->n / UNIT_SAMPLES) {
            PyErr_Format(PyExc_IndexError, "place %d of %zd", (int)place[i], pcm->n / UNIT_SAMPLES);
            return false;
        }
    }
    return true;
}

/* playout(plane, rows, at, pcm, now) */
PyObject *audio_playout(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *at_object, *pcm_object, *result = NULL;
    struct view rows = {0}, at = {0}, pcm = {0};
    double now;
    if (!PyArg_ParseTuple(args, "OOOOd", &capsule, &rows_object, &at_object, &pcm_object, &now))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !VIEW(at, int32_t, false) || !VIEW(pcm, int16_t, true) ||
        !rows_exist(plane, &rows) || !view_holds(&at, "at", rows.n) || !places_exist(&at, &pcm))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    playout_rows(plane, rows.buffer.buf, at.buffer.buf, (size_t)rows.n, pcm.buffer.buf, now);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&pcm);
    view_release(&at);
    view_release(&rows);
    return result;
}

/* speak(plane, rows, at, pcm, now, sends) -> packets to send */
PyObject *audio_speak(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *at_object, *pcm_object, *sends_object, *result = NULL;
    struct view rows = {0}, at = {0}, pcm = {0}, sends = {0};
    double now;
    if (!PyArg_ParseTuple(args, "OOOOdO", &capsule, &rows_object, &at_object, &pcm_object, &now,
                          &sends_object))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !VIEW(at, int32_t, false) || !VIEW(pcm, int16_t, false) ||
        !VIEW(sends, struct send, true) || !rows_exist(plane, &rows) || !view_holds(&at, "at", rows.n) ||
        !places_exist(&at, &pcm) || !view_holds(&sends, "sends", rows.n))
        goto done;
    size_t n;
    Py_BEGIN_ALLOW_THREADS;
    n = speak_rows(plane, rows.buffer.buf, at.buffer.buf, (size_t)rows.n, pcm.buffer.buf, now,
                   sends.buffer.buf);
    Py_END_ALLOW_THREADS;
    result = PyLong_FromSize_t(n);
done:
    view_release(&sends);
    view_release(&pcm);
    view_release(&at);
    view_release(&rows);
    return result;
}

/* press(presses, at, code, tens, now) -> whether the key waits now; presses: struct press [n] */
PyObject *audio_press(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *presses_object, *result = NULL;
    struct view presses = {0};
    Py_ssize_t at;
    unsigned char code, tens;
    double now;
    if (!PyArg_ParseTuple(args, "Onbbd", &presses_object, &at, &code, &tens, &now))
        return NULL;
    if (VIEW(presses, struct press, true)) {
        struct press *press = presses.buffer.buf;
        if (at < 0 || at >= presses.n || press[at].n > PRESS_MAX)
            PyErr_Format(PyExc_IndexError, "no keys %zd of %zd", at, presses.n);
        else
            result = PyBool_FromLong(press_add(&press[at], code, tens, now));
    }
    view_release(&presses);
    return result;
}

/* Each of the rows has keys that are so. */
static bool presses_exist(const struct view *rows, const struct view *presses) {
    const int32_t *index = rows->buffer.buf;
    const struct press *press = presses->buffer.buf;
    for (Py_ssize_t i = 0; i < rows->n; i++)
        if (index[i] >= presses->n || press[index[i]].n > PRESS_MAX) {
            PyErr_Format(PyExc_IndexError, "row %d has no keys", (int)index[i]);
            return false;
        }
    return true;
}

/* pressed(plane, rows, presses, now, sends) -> packets to send */
PyObject *audio_pressed(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *presses_object, *sends_object, *result = NULL;
    struct view rows = {0}, presses = {0}, sends = {0};
    double now;
    if (!PyArg_ParseTuple(args, "OOOdO", &capsule, &rows_object, &presses_object, &now, &sends_object))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !VIEW(presses, struct press, true) ||
        !VIEW(sends, struct send, true) || !rows_exist(plane, &rows) || !presses_exist(&rows, &presses) ||
        !view_holds(&sends, "sends", rows.n))
        goto done;
    const int32_t *index = rows.buffer.buf;
    struct press *press = presses.buffer.buf;
    struct send *send = sends.buffer.buf;
    size_t n = 0;
    for (Py_ssize_t i = 0; i < rows.n; i++)
        n += press_next(plane, index[i], &press[index[i]], now, &send[n]);
    result = PyLong_FromSize_t(secure_sends(plane, send, n, false));
done:
    view_release(&sends);
    view_release(&presses);
    view_release(&rows);
    return result;
}

/* press_layout() -> bytes of struct press, and where its count is */
PyObject *audio_press_layout(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    return Py_BuildValue("(nn)", (Py_ssize_t)sizeof(struct press), (Py_ssize_t)offsetof(struct press, n));
}

/* voice(plane, row) -> the codec states in use */
PyObject *audio_voice(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int row;
    uint8_t copy[VOICE_COPY_BYTES];
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &row))
        return NULL;
    const struct plane *plane = plane_and_index(capsule, row);
    if (!plane)
        return NULL;
    return PyBytes_FromStringAndSize((const char *)copy, (Py_ssize_t)voice_save(&plane->voices, row, copy));
}

/* is_voice(copy) -> whether set_voice would take it */
PyObject *audio_is_voice(PyObject *self, PyObject *args) {
    (void)self;
    const char *copy;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "y#", &copy, &n))
        return NULL;
    return PyBool_FromLong(voice_is_valid((const uint8_t *)copy, (size_t)n));
}

/* set_voice(plane, row, copy): what voice() gave; nothing changes if it is not that */
PyObject *audio_set_voice(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int row;
    const char *copy;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "Oiy#", &capsule, &row, &copy, &n))
        return NULL;
    struct plane *plane = plane_and_index(capsule, row);
    if (!plane)
        return NULL;
    if (!voice_is_valid((const uint8_t *)copy, (size_t)n)) {
        PyErr_SetString(PyExc_ValueError, "these are no codec states that a row can have");
        return NULL;
    }
    voice_load(&plane->voices, row, (const uint8_t *)copy);
    Py_RETURN_NONE;
}

/* forget_voice(plane, row) */
PyObject *audio_forget_voice(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int row;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &row))
        return NULL;
    struct plane *plane = plane_and_index(capsule, row);
    if (!plane)
        return NULL;
    chorus_disband(&plane->voices, row, plane->capacity);
    voice_forget(&plane->voices, row);
    Py_RETURN_NONE;
}
