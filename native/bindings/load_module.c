/* gateway.lab._load: a load of RTP legs for benchmarks (Linux). */
#include "bindings/module.h"
#include "load/load.h"

#include <errno.h>

/* run(fds int32[n], payload_types uint8[n], seconds, settle_s)
 *   -> (struct phone[n] as bytes, spacing uint64[1000] as bytes, late_max_s, share of late slots) */
static PyObject *run(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *fds_object, *types_object, *result_object = NULL;
    double seconds, settle_s;
    struct view fds = {0}, types = {0};
    struct phone *phones = NULL;
    if (!PyArg_ParseTuple(args, "OOdd", &fds_object, &types_object, &seconds, &settle_s))
        return NULL;
    if (!view_get(&fds, fds_object, "fds", sizeof(int32_t), false) ||
        !view_get(&types, types_object, "payload_types", 1, false))
        goto done;
    if (types.n != fds.n || fds.n == 0) {
        PyErr_SetString(PyExc_ValueError, "a payload type is needed for each of at least one descriptor");
        goto done;
    }
    size_t n = (size_t)fds.n;
    phones = PyMem_Calloc(n, sizeof *phones);
    if (!phones) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        phones[i].fd = ((const int32_t *)fds.buffer.buf)[i];
        phones[i].payload_type = ((const uint8_t *)types.buffer.buf)[i];
        phones[i].ssrc = 0x10000000u + (uint32_t)i;
    }
    struct load_result result;
    int failed;
    Py_BEGIN_ALLOW_THREADS;
    failed = load_run(phones, n, seconds, settle_s, &result);
    Py_END_ALLOW_THREADS;
    if (failed) {
        PyErr_SetFromErrno(PyExc_OSError);
        goto done;
    }
    result_object =
        Py_BuildValue("(y#y#dd)", (const char *)phones, (Py_ssize_t)(n * sizeof *phones),
                      (const char *)result.spacing, (Py_ssize_t)sizeof result.spacing, result.late_max_s,
                      result.slots ? (double)result.late_slots / (double)result.slots : 0.0);
done:
    PyMem_Free(phones);
    view_release(&types);
    view_release(&fds);
    return result_object;
}

static PyMethodDef methods[] = {
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
