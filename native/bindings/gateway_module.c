/* gateway._native: the media plane's kernels over numpy arrays.
 *
 * What does it do?  Checks sizes and row numbers at the door, releases the GIL, calls plane/.
 * How does it work?  plane(...) wraps the arrays into a capsule; every other function takes that capsule
 * first. How do I use it?  gateway/media/table.py is the only caller; gateway/_native.pyi is its face.
 */
#include "bindings/audio.h"
#include "bindings/flight.h"
#include "bindings/mixer.h"
#include "bindings/plane_capsule.h"
#include "bindings/srtp.h"
#include "mixer/chorus.h"
#include "plane/flight.h"
#include "plane/quality.h"
#include "plane/secure.h"

static void plane_release(PyObject *capsule) {
    struct plane_capsule *held = PyCapsule_GetPointer(capsule, PLANE_CAPSULE);
    for (int i = 0; i < PLANE_VIEWS; i++)
        view_release(&held->views[i]);
    PyMem_Free(held);
}

static bool plane_take_views(struct plane_capsule *held, PyObject *const objects[PLANE_VIEWS]) {
    static const struct {
        const char *name;
        size_t item_bytes;
        Py_ssize_t per_row; /* 0 = it has nothing to do with rows */
    } arrays[PLANE_VIEWS] = {
        {"rows", sizeof(struct row), 1},
        {"slots", 1, SLOTS * SLOT_BYTES},
        {"slot_unit", sizeof(int32_t), SLOTS},
        {"slot_fill", 1, SLOTS},
        {"slot_codec", 1, SLOTS},
        {"voices", 1, VOICE_BYTES},
        {"notices", sizeof(struct notice), 0},
    };
    for (int i = 0; i < PLANE_VIEWS; i++) {
        struct view *view = &held->views[i];
        if (!view_get(view, objects[i], arrays[i].name, arrays[i].item_bytes, true) ||
            !view_holds(view, arrays[i].name, held->views[0].n * arrays[i].per_row))
            return false;
        if ((uintptr_t)view->buffer.buf % _Alignof(double) != 0) {
            PyErr_Format(PyExc_ValueError, "%s: not aligned", arrays[i].name);
            return false;
        }
    }
    return true;
}

static PyObject *new_plane(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *o[PLANE_VIEWS];
    if (!PyArg_ParseTuple(args, "OOOOOOO", &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6]))
        return NULL;
    struct plane_capsule *held = PyMem_Calloc(1, sizeof *held);
    if (!held)
        return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(held, PLANE_CAPSULE, plane_release);
    if (!capsule) {
        PyMem_Free(held);
        return NULL;
    }
    if (!plane_take_views(held, o)) {
        Py_DECREF(capsule);
        return NULL;
    }
    held->plane = (struct plane){
        .rows = held->views[0].buffer.buf,
        .slots = held->views[1].buffer.buf,
        .slot_unit = held->views[2].buffer.buf,
        .slot_fill = held->views[3].buffer.buf,
        .slot_codec = held->views[4].buffer.buf,
        .notices = held->views[6].buffer.buf,
        .capacity = (int32_t)held->views[0].n,
        .notices_capacity = (int32_t)held->views[6].n,
    };
    voices_lay(&held->plane.voices, held->views[5].buffer.buf, (size_t)held->views[0].n);
    return capsule;
}

static PyObject *row_layout(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    PyObject *fields = PyList_New(0);
    if (!fields)
        return NULL;
    for (const struct row_field *f = row_fields; f->name; f++) {
        PyObject *field = Py_BuildValue("(ssii)", f->name, f->type, (int)f->offset, (int)f->count);
        if (!field || PyList_Append(fields, field) < 0) {
            Py_XDECREF(field);
            Py_DECREF(fields);
            return NULL;
        }
        Py_DECREF(field);
    }
    return Py_BuildValue("(nN)", (Py_ssize_t)sizeof(struct row), fields);
}

/* arrive(plane, rows, sources, packets, lengths, on_rtcp, nows, sends, verdicts) -> packets to send */
static PyObject *arrive(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *sources_object, *packets_object, *lengths_object, *on_rtcp_object,
        *nows_object, *sends_object, *verdicts_object, *result = NULL;
    struct view rows = {0}, sources = {0}, packets = {0}, lengths = {0}, on_rtcp = {0}, nows = {0},
                sends = {0}, verdicts = {0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOO", &capsule, &rows_object, &sources_object, &packets_object,
                          &lengths_object, &on_rtcp_object, &nows_object, &sends_object, &verdicts_object))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !VIEW(sources, struct address, false) ||
        !VIEW(packets, uint8_t, false) || !VIEW(lengths, int32_t, false) || !VIEW(on_rtcp, uint8_t, false) ||
        !VIEW(nows, double, false) || !VIEW(sends, struct send, true) || !VIEW(verdicts, uint8_t, true) ||
        !rows_exist(plane, &rows) || !view_holds(&sources, "sources", rows.n) ||
        !view_holds(&lengths, "lengths", rows.n) || !view_holds(&on_rtcp, "on_rtcp", rows.n) ||
        !view_holds(&nows, "nows", rows.n) || !view_holds(&verdicts, "verdicts", rows.n) ||
        !view_holds(&sends, "sends", rows.n * SEND_MAX))
        goto done;
    Py_ssize_t stride = rows.n ? packets.n / rows.n : 0;
    const int32_t *length = lengths.buffer.buf;
    for (Py_ssize_t i = 0; i < rows.n; i++) {
        if (length[i] < 0 || length[i] > stride) {
            PyErr_Format(PyExc_ValueError, "lengths[%zd] is %d, a packet has room for %zd", i, (int)length[i],
                         stride);
            goto done;
        }
    }
    size_t n = 0;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t i = 0; i < rows.n; i++) {
        int n_sends;
        enum verdict verdict =
            plane_arrive(plane, ((int32_t *)rows.buffer.buf)[i], (struct address *)sources.buffer.buf + i,
                         (uint8_t *)packets.buffer.buf + i * stride, (size_t)length[i],
                         ((uint8_t *)on_rtcp.buffer.buf)[i] != 0, ((double *)nows.buffer.buf)[i],
                         (struct send *)sends.buffer.buf + n, &n_sends);
        ((uint8_t *)verdicts.buffer.buf)[i] = (uint8_t)verdict;
        n += (size_t)n_sends;
    }
    Py_END_ALLOW_THREADS;
    result = PyLong_FromSize_t(n);
done:
    view_release(&verdicts);
    view_release(&sends);
    view_release(&nows);
    view_release(&on_rtcp);
    view_release(&lengths);
    view_release(&packets);
    view_release(&sources);
    view_release(&rows);
    return result;
}

/* rtcp(plane, rows, now, wall, bye, sends) -> packets to send */
static PyObject *rtcp(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *sends_object, *result = NULL;
    struct view rows = {0}, sends = {0};
    double now, wall;
    int bye;
    if (!PyArg_ParseTuple(args, "OOddpO", &capsule, &rows_object, &now, &wall, &bye, &sends_object))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !VIEW(sends, struct send, true) ||
        !rows_exist(plane, &rows) || !view_holds(&sends, "sends", rows.n))
        goto done;
    for (Py_ssize_t i = 0; i < rows.n; i++) {
        struct send *send = (struct send *)sends.buffer.buf + i;
        send->row = ((int32_t *)rows.buffer.buf)[i];
        send->bytes = (uint32_t)rtcp_write(&plane->rows[send->row], now, wall, bye, send->data);
    }
    result = PyLong_FromSize_t(secure_sends(plane, sends.buffer.buf, (size_t)rows.n, true));
done:
    view_release(&sends);
    view_release(&rows);
    return result;
}

static struct plane *plane_and_row(PyObject *args, int *row, double *now) {
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "Oid", &capsule, row, now))
        return NULL;
    return plane_and_index(capsule, *row);
}

/* rate(plane, rows): how good each row's audio was since the last time */
static PyObject *rate(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *result = NULL;
    struct view rows = {0};
    if (!PyArg_ParseTuple(args, "OO", &capsule, &rows_object))
        return NULL;
    struct plane *plane = plane_from(capsule);
    if (!plane || !VIEW(rows, int32_t, false) || !rows_exist(plane, &rows))
        goto done;
    for (Py_ssize_t i = 0; i < rows.n; i++)
        quality_rate(&plane->rows[((const int32_t *)rows.buffer.buf)[i]]);
    result = Py_NewRef(Py_None);
done:
    view_release(&rows);
    return result;
}

static PyObject *enter(PyObject *self, PyObject *args) {
    (void)self;
    int row;
    double now;
    struct plane *plane = plane_and_row(args, &row, &now);
    if (!plane)
        return NULL;
    slots_enter(plane, row, now);
    Py_RETURN_NONE;
}

static PyObject *leave(PyObject *self, PyObject *args) {
    (void)self;
    int row;
    double now;
    struct plane *plane = plane_and_row(args, &row, &now);
    if (!plane)
        return NULL;
    slots_leave(plane, row);
    Py_RETURN_NONE;
}

/* How many notices there are; the next arrival overwrites them. */
static PyObject *notices(PyObject *self, PyObject *capsule) {
    (void)self;
    struct plane *plane = plane_from(capsule);
    if (!plane)
        return NULL;
    long n = plane->notices_n;
    plane->notices_n = 0;
    return PyLong_FromLong(n);
}

static PyMethodDef methods[] = {
    {"plane", new_plane, METH_VARARGS, "Wrap the plane's arrays."},
    {"row_layout", row_layout, METH_NOARGS, "Bytes of a row, and its fields as (name, type, offset, count)."},
    {"arrive", arrive, METH_VARARGS, "Give packets to the plane; returns how many must be sent."},
    {"playout", audio_playout, METH_VARARGS, "What each row's phone says in this tick, decoded."},
    {"speak", audio_speak, METH_VARARGS,
     "What each row hears in this tick; returns how many packets must be sent."},
    {"press", audio_press, METH_VARARGS, "Let a key be pressed for a row."},
    {"pressed", audio_pressed, METH_VARARGS, "What is due of the keys that are pressed for rows."},
    {"press_layout", audio_press_layout, METH_NOARGS, "Bytes of a row's keys, and where their number is."},
    {"voice", audio_voice, METH_VARARGS, "The codec states of a row, as bytes."},
    {"is_voice", audio_is_voice, METH_VARARGS, "Whether these are codec states that a row can have."},
    {"set_voice", audio_set_voice, METH_VARARGS, "Give a row the codec states of another."},
    {"forget_voice", audio_forget_voice, METH_VARARGS, "A row that has neither heard nor said anything."},
    {"rtcp", rtcp, METH_VARARGS, "Write a compound RTCP packet for each row."},
    {"rate", rate, METH_VARARGS, "How good each row's audio was since the last time."},
    {"enter", enter, METH_VARARGS, "A relayed row begins to be played."},
    {"leave", leave, METH_VARARGS, "A played row begins to be relayed."},
    {"notices", notices, METH_O, "How many notices wait; they are overwritten from now on."},
    {"flight", flight_new, METH_VARARGS, "Record all that comes into a plane, until this capsule goes."},
    {"flight_tell", flight_told, METH_VARARGS, "Record something else that happened to the plane."},
    {"flight_keep", flight_kept, METH_VARARGS, "Record what some rows are now."},
    {"flight_digest", flight_digested, METH_VARARGS, "Add packets to the digests of their rows."},
    {"security", security_new, METH_VARARGS, "Let a plane encrypt, until this capsule goes."},
    {"secure", security_set, METH_VARARGS, "Encrypt a row from now on."},
    {"unsecure", security_forget, METH_VARARGS, "Forget a row's keys."},
    {"srtp_suites", srtp_suite_list, METH_NOARGS, "Every suite of SRTP, its number, bytes of key and salt."},
    {"srtp_ends", srtp_ends_new, METH_VARARGS, "Both directions of SRTP of one phone."},
    {"srtp_protect", srtp_ends_protect, METH_VARARGS, "Protect a packet."},
    {"srtp_open", srtp_ends_open, METH_VARARGS, "Open a packet; None = it must not be used."},
    {"mix", mixer_mix, METH_VARARGS, "Mix a tick of many rooms."},
    {"chorus", mixer_chorus, METH_VARARGS, "Let rows that hear the same follow one that encodes for them."},
    {"mix_row_layout", mixer_row_layout, METH_NOARGS, "Bytes and fields of a row of the mixer."},
    {"mix_room_layout", mixer_room_layout, METH_NOARGS, "Bytes and fields of a room of the mixer."},
    {NULL, NULL, 0, NULL},
};

static int add_constants(PyObject *module) {
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"UNIT_SAMPLES", UNIT_SAMPLES},
        {"SLOTS", SLOTS},
        {"SLOT_BYTES", SLOT_BYTES},
        {"PACKET_BYTES", PACKET_BYTES},
        {"SEND_MAX", SEND_MAX},
        {"CHORUS_KINDS", CHORUS_KINDS},
        {"VERDICTS", VERDICTS},
        {"PACKET_UNITS_MAX", PACKET_UNITS_MAX},
        {"VOICE_BYTES", VOICE_BYTES},
        {"CODEC_PCMU", CODEC_PCMU},
        {"CODEC_PCMA", CODEC_PCMA},
        {"CODEC_G729", CODEC_G729},
        {"CODEC_ILBC_20", CODEC_ILBC_20},
        {"CODEC_ILBC_30", CODEC_ILBC_30},
        {"CODEC_COMFORT_NOISE", CODEC_COMFORT_NOISE},
        {"CODEC_EVENT", CODEC_EVENT},
        {"FLIGHT_RING_BYTES_MIN", FLIGHT_RING_BYTES_MIN},
        {"FLIGHT_FILL", FLIGHT_FILL},
        {"FLIGHT_ARRIVAL", FLIGHT_ARRIVAL},
        {"FLIGHT_REFUSED", FLIGHT_REFUSED},
        {"FLIGHT_ROW", FLIGHT_ROW},
        {"FLIGHT_TOLD", FLIGHT_TOLD},
        {"NOTICE_DIGIT", NOTICE_DIGIT},
        {"NOTICE_LATCHED", NOTICE_LATCHED},
        {"NOTICE_RELAY_REFUSED", NOTICE_RELAY_REFUSED},
        {"NOTICE_BYE", NOTICE_BYE},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)add_constants}, {0, NULL}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The media plane's kernels.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void);
PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&module);
}
