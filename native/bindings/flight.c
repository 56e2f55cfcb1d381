/* gateway._native.flight: a recorder over memory of the caller's, attached to a plane for as long as it
 * lives. */
#include "bindings/flight.h"

#include "bindings/plane_capsule.h"
#include "plane/flight.h"

#define FLIGHT_CAPSULE "gateway.flight"

struct flight_capsule {
    struct flight flight;
    struct plane *plane;
    PyObject *plane_object;
    struct view memory;
};

static void flight_release(PyObject *capsule) {
    struct flight_capsule *held = PyCapsule_GetPointer(capsule, FLIGHT_CAPSULE);
    held->plane->flight = NULL;
    Py_DECREF(held->plane_object);
    view_release(&held->memory);
    PyMem_Free(held);
}

static struct flight_capsule *flight_from(PyObject *capsule) {
    return PyCapsule_GetPointer(capsule, FLIGHT_CAPSULE);
}

/* Bytes of a ring that fits into a view; -1 with an exception: none does. */
static Py_ssize_t ring_bytes_of(const struct view *memory, const struct plane *plane) {
    const Py_ssize_t rest = memory->n - (Py_ssize_t)flight_bytes((size_t)plane->capacity, 0);
    if (rest < FLIGHT_RING_BYTES_MIN || (uintptr_t)memory->buffer.buf % _Alignof(double) != 0) {
        PyErr_Format(PyExc_ValueError, "memory: aligned, and %d bytes more than %zd are needed",
                     (int)FLIGHT_RING_BYTES_MIN, memory->n - rest);
        return -1;
    }
    return rest / 8 * 8;
}

/* flight(plane, memory) -> a capsule; the plane is recorded until it goes */
PyObject *flight_new(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *plane_object, *memory_object, *capsule = NULL;
    struct view memory = {0};
    if (!PyArg_ParseTuple(args, "OO", &plane_object, &memory_object))
        return NULL;
    struct plane *plane = plane_from(plane_object);
    if (!plane)
        return NULL;
    if (plane->flight) {
        PyErr_SetString(PyExc_ValueError, "the plane has a recorder already");
        return NULL;
    }
    struct flight_capsule *held = PyMem_Calloc(1, sizeof *held);
    if (!held)
        return PyErr_NoMemory();
    Py_ssize_t ring_bytes = -1;
    if (view_get(&memory, memory_object, "memory", 1, true))
        ring_bytes = ring_bytes_of(&memory, plane);
    if (ring_bytes >= 0)
        capsule = PyCapsule_New(held, FLIGHT_CAPSULE, flight_release);
    if (!capsule) {
        view_release(&memory);
        PyMem_Free(held);
        return NULL;
    }
    held->plane = plane;
    held->plane_object = Py_NewRef(plane_object);
    held->memory = memory;
    flight_lay(&held->flight, memory.buffer.buf, (size_t)plane->capacity, (size_t)ring_bytes);
    plane->flight = &held->flight;
    return capsule;
}

/* flight_tell(flight, kind, data) */
PyObject *flight_told(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int kind;
    const char *data;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "Oiy#", &capsule, &kind, &data, &n))
        return NULL;
    struct flight_capsule *held = flight_from(capsule);
    if (!held)
        return NULL;
    if (kind < FLIGHT_TOLD || kind > UINT8_MAX) {
        PyErr_Format(PyExc_ValueError, "kind %d is not yours to tell", kind);
        return NULL;
    }
    flight_tell(&held->flight, (uint8_t)kind, (const uint8_t *)data, (size_t)n);
    Py_RETURN_NONE;
}

/* flight_keep(flight, rows) */
PyObject *flight_kept(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule, *rows_object, *result = NULL;
    struct view rows = {0};
    if (!PyArg_ParseTuple(args, "OO", &capsule, &rows_object))
        return NULL;
    struct flight_capsule *held = flight_from(capsule);
    if (held && view_get(&rows, rows_object, "rows", sizeof(int32_t), false) &&
        rows_exist(held->plane, &rows)) {
        for (Py_ssize_t i = 0; i < rows.n; i++)
            flight_keep(&held->flight, held->plane, ((int32_t *)rows.buffer.buf)[i]);
        result = Py_NewRef(Py_None);
    }
    view_release(&rows);
    return result;
}

/* flight_digest(digests, sends, n): digests of the rows that the first n packets go to */
PyObject *flight_digested(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *digests_object, *sends_object, *result = NULL;
    Py_ssize_t n;
    struct view digests = {0}, sends = {0};
    if (!PyArg_ParseTuple(args, "OOn", &digests_object, &sends_object, &n))
        return NULL;
    if (!view_get(&digests, digests_object, "digests", sizeof(uint64_t), true) ||
        !view_get(&sends, sends_object, "sends", sizeof(struct send), false) ||
        !view_holds(&sends, "sends", n))
        goto done;
    const struct send *send = sends.buffer.buf;
    for (Py_ssize_t i = 0; i < n; i++)
        if (send[i].row < 0 || send[i].row >= digests.n || send[i].bytes > PACKET_BYTES) {
            PyErr_Format(PyExc_ValueError, "sends[%zd]: no such row, or too long", i);
            goto done;
        }
    flight_digest(digests.buffer.buf, send, (size_t)n);
    result = Py_NewRef(Py_None);
done:
    view_release(&sends);
    view_release(&digests);
    return result;
}
