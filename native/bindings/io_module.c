/* gateway.transport._io: sockets and epoll for the media plane (Linux; elsewhere the module is not built). */
#include "bindings/plane_capsule.h"
#include "io/loop.h"
#include "io/metronome.h"

#include <errno.h>

#define LOOP_CAPSULE "gateway.loop"

struct loop_capsule {
    struct loop loop;
    struct tap tap;
    struct view captured; /* the memory of the tap's ring */
};

static void loop_release(PyObject *capsule) {
    struct loop_capsule *held = PyCapsule_GetPointer(capsule, LOOP_CAPSULE);
    loop_close(&held->loop);
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
    view_release(&held->captured);
    PyMem_Free(held->tap.locals);
    PyMem_Free(held);
}

static struct loop_capsule *held_from(PyObject *capsule) {
    return PyCapsule_GetPointer(capsule, LOOP_CAPSULE);
}

static struct loop *loop_from(PyObject *capsule) {
    struct loop_capsule *held = held_from(capsule);
    return held ? &held->loop : NULL;
}

/* loop(plane) -> a capsule that keeps the plane's capsule alive */
static PyObject *new_loop(PyObject *self, PyObject *plane_object) {
    (void)self;
    struct plane *plane = plane_from(plane_object);
    if (!plane)
        return NULL;
    struct loop_capsule *held = PyMem_Calloc(1, sizeof *held);
    if (!held)
        return PyErr_NoMemory();
    if (loop_open(&held->loop, plane) < 0) {
        PyMem_Free(held);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *capsule = PyCapsule_New(held, LOOP_CAPSULE, loop_release);
    if (!capsule) {
        loop_close(&held->loop);
        PyMem_Free(held);
        return NULL;
    }
    PyCapsule_SetContext(capsule, Py_NewRef(plane_object));
    return capsule;
}

/* capture(loop, memory, ip[16], family): from now on each datagram of rows that are attached later */
static PyObject *capture(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *memory;
    const char *ip;
    Py_ssize_t ip_bytes;
    unsigned short family;
    if (!PyArg_ParseTuple(args, "OOy#H", &capsule, &memory, &ip, &ip_bytes, &family))
        return NULL;
    struct loop_capsule *held = held_from(capsule);
    if (!held)
        return NULL;
    struct tap *tap = &held->tap;
    if (held->loop.tap || ip_bytes != sizeof tap->announced.ip) {
        PyErr_SetString(PyExc_ValueError, "an address has 16 bytes, and a loop one capture");
        return NULL;
    }
    if (!view_get(&held->captured, memory, "memory", 1, true))
        return NULL;
    const Py_ssize_t ring_bytes = held->captured.n - (Py_ssize_t)capture_bytes(0);
    if (ring_bytes < CAPTURE_RING_BYTES_MIN || (uintptr_t)held->captured.buffer.buf % CAPTURE_LINE) {
        view_release(&held->captured);
        PyErr_SetString(PyExc_ValueError, "memory: aligned, and 64 KiB more than its head are needed");
        return NULL;
    }
    tap->locals = PyMem_Calloc((size_t)held->loop.plane->capacity, sizeof *tap->locals);
    if (!tap->locals) {
        view_release(&held->captured);
        return PyErr_NoMemory();
    }
    tap->announced.family = family;
    memcpy(tap->announced.ip, ip, sizeof tap->announced.ip);
    capture_lay(&tap->capture, held->captured.buffer.buf, (size_t)ring_bytes);
    held->loop.tap = tap;
    Py_RETURN_NONE;
}

static struct loop *loop_and_row(PyObject *args, int *row) {
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, row))
        return NULL;
    struct loop *loop = loop_from(capsule);
    if (loop && (*row < 0 || *row >= loop->plane->capacity)) {
        PyErr_Format(PyExc_IndexError, "row %d of %d", *row, (int)loop->plane->capacity);
        return NULL;
    }
    return loop;
}

static PyObject *attach(PyObject *self, PyObject *args) {
    (void)self;
    int row;
    struct loop *loop = loop_and_row(args, &row);
    if (!loop)
        return NULL;
    if (loop_attach(loop, row) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *detach(PyObject *self, PyObject *args) {
    (void)self;
    int row;
    struct loop *loop = loop_and_row(args, &row);
    if (!loop)
        return NULL;
    loop_detach(loop, row);
    Py_RETURN_NONE;
}

static PyObject *watch(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int fd;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &fd))
        return NULL;
    struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    if (loop_watch(loop, fd, (uint32_t)fd) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *unwatch(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int fd;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &fd))
        return NULL;
    struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    loop_unwatch(loop, fd);
    Py_RETURN_NONE;
}

/* wait(loop, deadline) -> descriptors that are ready */
static PyObject *wait_until(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    double deadline;
    if (!PyArg_ParseTuple(args, "Od", &capsule, &deadline))
        return NULL;
    struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    uint32_t ready[LOOP_READY_MAX];
    int n;
    Py_BEGIN_ALLOW_THREADS;
    n = loop_wait(loop, deadline, ready);
    Py_END_ALLOW_THREADS;
    if (n < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (PyErr_CheckSignals() < 0)
        return NULL;
    PyObject *list = PyList_New(n);
    for (int i = 0; list && i < n; i++) {
        PyObject *fd = PyLong_FromUnsignedLong(ready[i]);
        if (!fd) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, i, fd);
    }
    return list;
}

/* send(loop, sends, n, rtcp) -> packets sent */
static PyObject *send_all(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *sends_object, *result = NULL;
    Py_ssize_t n;
    int rtcp;
    struct view sends = {0};
    if (!PyArg_ParseTuple(args, "OOnp", &capsule, &sends_object, &n, &rtcp))
        return NULL;
    struct loop *loop = loop_from(capsule);
    if (!loop || !view_get(&sends, sends_object, "sends", sizeof(struct send), false) ||
        !view_holds(&sends, "sends", n))
        goto done;
    const struct send *packets = sends.buffer.buf;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (packets[i].row < 0 || packets[i].row >= loop->plane->capacity ||
            packets[i].bytes > PACKET_BYTES) {
            PyErr_Format(PyExc_ValueError, "sends[%zd]: no such row, or too long", i);
            goto done;
        }
    }
    size_t sent;
    Py_BEGIN_ALLOW_THREADS;
    sent = loop_send(loop, packets, (size_t)n, rtcp);
    Py_END_ALLOW_THREADS;
    result = PyLong_FromSize_t(sent);
done:
    view_release(&sends);
    return result;
}

/* counters(loop) -> (received, sent, send_errors, wakeups, edges_lost) */
static PyObject *counters(PyObject *self, PyObject *capsule) {
    (void)self;
    const struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    return Py_BuildValue("(KKKKK)", (unsigned long long)loop->received, (unsigned long long)loop->sent,
                         (unsigned long long)loop->send_errors, (unsigned long long)loop->wakeups,
                         (unsigned long long)loop->edges_lost);
}

/* idle(loop) -> seconds that wait() has slept */
static PyObject *idle(PyObject *self, PyObject *capsule) {
    (void)self;
    const struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    return PyFloat_FromDouble(loop->idle_s);
}

/* metronome(period, n, late) : late[i] = how much later than n * period a bare loop wakes up, s */
static PyObject *beat(PyObject *self, PyObject *args) {
    (void)self;
    double period;
    PyObject *late_object;
    struct view late = {0};
    if (!PyArg_ParseTuple(args, "dO", &period, &late_object))
        return NULL;
    if (!(period > 0 && period < 1)) {
        PyErr_SetString(PyExc_ValueError, "the period must lie between 0 and 1 s");
        return NULL;
    }
    if (!view_get(&late, late_object, "late", sizeof(double), true))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    metronome(period, (size_t)late.n, late.buffer.buf);
    Py_END_ALLOW_THREADS;
    view_release(&late);
    Py_RETURN_NONE;
}

/* edges(loop) -> [(row, ip[16], port, family, bytes)], and forgets them */
static PyObject *edges(PyObject *self, PyObject *capsule) {
    (void)self;
    struct loop *loop = loop_from(capsule);
    if (!loop)
        return NULL;
    PyObject *list = PyList_New(loop->edges_n);
    for (int32_t i = 0; list && i < loop->edges_n; i++) {
        const struct edge_packet *e = &loop->edges[i];
        PyObject *item = Py_BuildValue("(iy#HHy#)", (int)e->row, e->source.ip, (Py_ssize_t)16, e->source.port,
                                       e->source.family, e->data, (Py_ssize_t)e->bytes);
        if (!item) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, i, item);
    }
    loop->edges_n = 0;
    return list;
}

static PyMethodDef methods[] = {
    {"loop", new_loop, METH_O, "An epoll loop for a plane."},
    {"capture", capture, METH_VARARGS, "Copy what comes and goes into a ring (plane/capture.h)."},
    {"attach", attach, METH_VARARGS, "Listen on a row's sockets."},
    {"detach", detach, METH_VARARGS, "Stop listening on a row's sockets."},
    {"watch", watch, METH_VARARGS, "Return from wait() when a descriptor is readable."},
    {"unwatch", unwatch, METH_VARARGS, "Forget a watched descriptor."},
    {"wait", wait_until, METH_VARARGS,
     "Serve arrivals until a deadline; returns the watched descriptors ready."},
    {"send", send_all, METH_VARARGS, "Send packets through their rows' sockets."},
    {"counters", counters, METH_O, "(received, sent, send_errors, wakeups, edges_lost)"},
    {"idle", idle, METH_O, "Seconds that wait() has slept."},
    {"metronome", beat, METH_VARARGS, "How late a bare timer loop wakes up: the yardstick of lateness."},
    {"edges", edges, METH_O, "Packets for the edge process, taken."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_io", "The media plane's sockets.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__io(void);
PyMODINIT_FUNC PyInit__io(void) {
    return PyModuleDef_Init(&module);
}
