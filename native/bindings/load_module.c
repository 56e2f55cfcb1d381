/* gateway.lab._load: a load of RTP legs for benchmarks (Linux). */
#include "bindings/module.h"
#include "load/bare.h"
#include "load/load.h"

#include <errno.h>

/* A bytes-like object of whole payloads as a song. */
static bool song_get(struct song *song, const struct view *payloads, int packet_bytes) {
    if (packet_bytes < 1 || packet_bytes > LOAD_PAYLOAD_BYTES || payloads->n < packet_bytes ||
        payloads->n % packet_bytes) {
        PyErr_Format(PyExc_ValueError, "a song is whole payloads of 1 to %d bytes each", LOAD_PAYLOAD_BYTES);
        return false;
    }
    *song =
        (struct song){payloads->buffer.buf, (uint32_t)(payloads->n / packet_bytes), (uint32_t)packet_bytes};
    return true;
}

static PyObject *result_of(const struct phone *phones, size_t n, const struct load_result *result) {
    return Py_BuildValue("(y#y#dd)", (const char *)phones, (Py_ssize_t)(n * sizeof *phones),
                         (const char *)result->spacing, (Py_ssize_t)sizeof result->spacing,
                         result->late_max_s,
                         result->slots ? (double)result->late_slots / (double)result->slots : 0.0);
}

/* Everybody speaks by turns of their own: phone i begins at another line of its song. */
static void fill_phones(struct phone *phones, size_t n, const struct view *fds, const struct view *types,
                        const struct view *song_of, const struct song songs[2]) {
    for (size_t i = 0; i < n; i++) {
        const struct song *song = &songs[((const uint8_t *)song_of->buffer.buf)[i] != 0];
        phones[i].fd = ((const int32_t *)fds->buffer.buf)[i];
        phones[i].payload_type = ((const uint8_t *)types->buffer.buf)[i];
        phones[i].ssrc = 0x10000000u + (uint32_t)i;
        phones[i].song = song;
        phones[i].line = (uint32_t)(i * 37 % song->packets);
    }
}

/* run(fds int32[n], payload_types uint8[n], even song, its payload bytes, odd song, its payload bytes,
 * seconds, settle_s) -> (struct phone[n] as bytes, spacing uint64[1000] as bytes, late_max_s, share of late
 * slots). Phones 0, 2, ... sing the even song, phones 1, 3, ... the odd one. */
static PyObject *run(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *objects[5], *result_object = NULL;
    int bytes[2];
    double seconds, settle_s;
    struct view fds = {0}, types = {0}, song_of = {0}, payloads[2] = {{0}, {0}};
    struct song songs[2];
    struct phone *phones = NULL;
    if (!PyArg_ParseTuple(args, "OOOOiOidd", &objects[0], &objects[1], &objects[4], &objects[2], &bytes[0],
                          &objects[3], &bytes[1], &seconds, &settle_s))
        return NULL;
    if (!view_get(&fds, objects[0], "fds", sizeof(int32_t), false) ||
        !view_get(&types, objects[1], "payload_types", 1, false) ||
        !view_get(&song_of, objects[4], "song_of", 1, false) ||
        !view_get(&payloads[0], objects[2], "first song", 1, false) ||
        !view_get(&payloads[1], objects[3], "second song", 1, false) ||
        !song_get(&songs[0], &payloads[0], bytes[0]) || !song_get(&songs[1], &payloads[1], bytes[1]))
        goto done;
    if (types.n != fds.n || song_of.n != fds.n || fds.n == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "a payload type and a song are needed for each of at least one descriptor");
        goto done;
    }
    size_t n = (size_t)fds.n;
    phones = PyMem_Calloc(n, sizeof *phones);
    if (!phones) {
        PyErr_NoMemory();
        goto done;
    }
    fill_phones(phones, n, &fds, &types, &song_of, songs);
    struct load_result result;
    int failed;
    Py_BEGIN_ALLOW_THREADS;
    failed = load_run(phones, n, seconds, settle_s, &result);
    Py_END_ALLOW_THREADS;
    if (failed)
        PyErr_SetFromErrno(PyExc_OSError);
    else
        result_object = result_of(phones, n, &result);
done:
    PyMem_Free(phones);
    view_release(&payloads[1]);
    view_release(&payloads[0]);
    view_release(&song_of);
    view_release(&types);
    view_release(&fds);
    return result_object;
}

/* bare_relay(fds int32[n]): n is even; ends with the process. */
static PyObject *bare(PyObject *self, PyObject *object) {
    (void)self;
    struct view fds = {0};
    if (!view_get(&fds, object, "fds", sizeof(int32_t), false))
        return NULL;
    if (fds.n % 2) {
        view_release(&fds);
        PyErr_SetString(PyExc_ValueError, "a call has two descriptors");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    bare_relay(fds.buffer.buf, (size_t)fds.n);
    Py_END_ALLOW_THREADS;
    view_release(&fds);
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyMethodDef methods[] = {
    {"bare_relay", bare, METH_O, "Pass on what arrives between two descriptors; never returns."},
    {"run", run, METH_VARARGS, "Play phones: (phones as bytes, spacing as bytes, late_max_s, late_share)."},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_load", "A load of RTP legs.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__load(void);
PyMODINIT_FUNC PyInit__load(void) {
    return PyModuleDef_Init(&module);
}
