#include "bindings/srtp.h"

#include "bindings/plane_capsule.h"
#include "plane/secure.h"

#define SECURITY_CAPSULE "gateway.security"
#define ENDS_CAPSULE "gateway.srtp_ends"

/* A plane can encrypt for as long as this lives. */
struct security_capsule {
    struct security security;
    struct plane *plane;
    PyObject *plane_object;
};

static void security_release(PyObject *capsule) {
    struct security_capsule *held = PyCapsule_GetPointer(capsule, SECURITY_CAPSULE);
    held->plane->security = NULL;
    srtp_engine_close(&held->security.engine);
    PyMem_Free(held->security.rows);
    Py_DECREF(held->plane_object);
    PyMem_Free(held);
}

static bool engine_open(struct srtp_engine *engine, const char *path) {
    const char *reason = srtp_engine_open(engine, path);
    if (reason)
        PyErr_Format(PyExc_OSError, "%s: %s", path, reason);
    return reason == NULL;
}

/* security(plane, path) -> a capsule; OSError says why the library at `path` will not do */
PyObject *security_new(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *plane_object;
    const char *path;
    if (!PyArg_ParseTuple(args, "Os", &plane_object, &path))
        return NULL;
    struct plane *plane = plane_from(plane_object);
    if (!plane)
        return NULL;
    if (plane->security) {
        PyErr_SetString(PyExc_ValueError, "the plane can encrypt already");
        return NULL;
    }
    struct security_capsule *held = PyMem_Calloc(1, sizeof *held);
    struct secrets *rows = PyMem_Calloc((size_t)plane->capacity + 1, sizeof *rows);
    if (!held || !rows) {
        PyErr_NoMemory();
        goto fail;
    }
    if (!engine_open(&held->security.engine, path))
        goto fail;
    held->security.rows = rows;
    held->plane = plane;
    PyObject *capsule = PyCapsule_New(held, SECURITY_CAPSULE, security_release);
    if (!capsule) {
        srtp_engine_close(&held->security.engine);
        goto fail;
    }
    held->plane_object = Py_NewRef(plane_object);
    plane->security = &held->security;
    return capsule;
fail:
    PyMem_Free(rows);
    PyMem_Free(held);
    return NULL;
}

/* True when `suite` is one and both master keys have its length; else ValueError. */
static bool keys_fit(int suite, Py_ssize_t ours_n, Py_ssize_t theirs_n) {
    if (suite > SRTP_NONE && suite < SRTP_SUITES) {
        const struct srtp_suite_facts *facts = &srtp_suites[suite];
        const Py_ssize_t n = facts->key_bytes + facts->salt_bytes;
        if (ours_n == n && theirs_n == n)
            return true;
    }
    PyErr_SetString(PyExc_ValueError, "no such suite, or a master key of another length");
    return false;
}

/* secure(plane, row, suite, ours, theirs, now): from now on the row is encrypted */
PyObject *security_set(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int row, suite;
    const char *ours, *theirs;
    Py_ssize_t ours_n, theirs_n;
    double now;
    if (!PyArg_ParseTuple(args, "Oiiy#y#d", &capsule, &row, &suite, &ours, &ours_n, &theirs, &theirs_n, &now))
        return NULL;
    struct plane *plane = plane_and_index(capsule, row);
    if (!plane || !keys_fit(suite, ours_n, theirs_n))
        return NULL;
    if (!plane->security) {
        PyErr_SetString(PyExc_ValueError, "the plane cannot encrypt");
        return NULL;
    }
    secure_row(plane, row, (enum srtp_suite)suite, (const uint8_t *)ours, (const uint8_t *)theirs, now);
    Py_RETURN_NONE;
}

/* unsecure(plane, row): no keys (any more) */
PyObject *security_forget(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *capsule;
    int row;
    if (!PyArg_ParseTuple(args, "Oi", &capsule, &row))
        return NULL;
    struct plane *plane = plane_and_index(capsule, row);
    if (!plane)
        return NULL;
    secure_forget(plane, row);
    Py_RETURN_NONE;
}

/* srtp_suites() -> [(name, number, key bytes, salt bytes)] */
PyObject *srtp_suite_list(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    PyObject *list = PyList_New(0);
    for (int i = SRTP_NONE + 1; list && i < SRTP_SUITES; i++) {
        PyObject *suite = Py_BuildValue("(siii)", srtp_suites[i].name, i, (int)srtp_suites[i].key_bytes,
                                        (int)srtp_suites[i].salt_bytes);
        if (!suite || PyList_Append(list, suite) < 0)
            Py_CLEAR(list);
        Py_XDECREF(suite);
    }
    return list;
}

/* Both directions of one phone. */
struct ends {
    struct srtp_engine engine;
    struct srtp_keys ours, theirs;
    struct srtp_sender sent;
    struct srtp_stream heard[SRTP_STREAMS];
};

static void ends_release(PyObject *capsule) {
    struct ends *ends = PyCapsule_GetPointer(capsule, ENDS_CAPSULE);
    srtp_engine_close(&ends->engine);
    PyMem_Free(ends);
}

/* srtp_ends(path, suite, ours, theirs) -> a capsule */
PyObject *srtp_ends_new(PyObject *self, PyObject *args) {
    (void)self;
    const char *path, *ours, *theirs;
    int suite;
    Py_ssize_t ours_n, theirs_n;
    if (!PyArg_ParseTuple(args, "siy#y#", &path, &suite, &ours, &ours_n, &theirs, &theirs_n) ||
        !keys_fit(suite, ours_n, theirs_n))
        return NULL;
    struct ends *ends = PyMem_Calloc(1, sizeof *ends);
    if (!ends)
        return PyErr_NoMemory();
    PyObject *capsule = NULL;
    if (engine_open(&ends->engine, path))
        capsule = PyCapsule_New(ends, ENDS_CAPSULE, ends_release);
    if (!capsule) {
        srtp_engine_close(&ends->engine);
        PyMem_Free(ends);
        return NULL;
    }
    srtp_keys_derive(&ends->engine, &ends->ours, (enum srtp_suite)suite, (const uint8_t *)ours);
    srtp_keys_derive(&ends->engine, &ends->theirs, (enum srtp_suite)suite, (const uint8_t *)theirs);
    return capsule;
}

static struct ends *ends_and_packet(PyObject *args, const char **packet, Py_ssize_t *n, int *rtcp) {
    PyObject *capsule;
    if (!PyArg_ParseTuple(args, "Oy#p", &capsule, packet, n, rtcp))
        return NULL;
    if (*n > PACKET_BYTES) {
        PyErr_Format(PyExc_ValueError, "a packet of %zd bytes, the limit is %d", *n, (int)PACKET_BYTES);
        return NULL;
    }
    return PyCapsule_GetPointer(capsule, ENDS_CAPSULE);
}

/* srtp_protect(ends, packet, rtcp) -> the packet to send; ValueError: it is none */
PyObject *srtp_ends_protect(PyObject *self, PyObject *args) {
    (void)self;
    const char *packet;
    Py_ssize_t n;
    int rtcp;
    uint8_t data[PACKET_BYTES + SRTP_OVERHEAD_BYTES];
    struct ends *ends = ends_and_packet(args, &packet, &n, &rtcp);
    if (!ends)
        return NULL;
    size_t bytes = (size_t)n;
    memcpy(data, packet, bytes);
    if (!srtp_protect(&ends->engine, &ends->ours, &ends->sent, rtcp, data, &bytes, sizeof data)) {
        PyErr_SetString(PyExc_ValueError, "this is no packet that can be protected");
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)bytes);
}

/* srtp_open(ends, packet, rtcp) -> what was sent; None: it is not authentic, or was heard before */
PyObject *srtp_ends_open(PyObject *self, PyObject *args) {
    (void)self;
    const char *packet;
    Py_ssize_t n;
    int rtcp;
    uint8_t out[PACKET_BYTES];
    size_t out_bytes;
    struct ends *ends = ends_and_packet(args, &packet, &n, &rtcp);
    if (!ends)
        return NULL;
    if (srtp_open(&ends->engine, &ends->theirs, ends->heard, rtcp, (const uint8_t *)packet, (size_t)n, out,
                  &out_bytes) != SRTP_OPENED)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)out, (Py_ssize_t)out_bytes);
}
