/* What every binding shares: buffers checked once, at the door.
 *
 * What does it do?  Takes numpy arrays (any C-contiguous buffer) from Python with their size and item size
 * checked, so that kernels may trust their arguments.
 * How do I use it?  struct view v = {0}; if (!view_get(&v, object, "pcm", sizeof(int16_t), writable)) goto
 * fail;
 * ... view_release(&v).  Releasing an empty view is harmless.
 */
#ifndef TANDEM_BINDINGS_MODULE_H
#define TANDEM_BINDINGS_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

struct view {
    Py_buffer buffer;
    bool held;
    Py_ssize_t n; /* items */
};

static inline bool view_get(struct view *v, PyObject *object, const char *name, size_t item_bytes,
                            bool writable) {
    int flags = PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, &v->buffer, flags) < 0)
        return false;
    v->held = true;
    if (v->buffer.len % (Py_ssize_t)item_bytes != 0 ||
        (v->buffer.itemsize != (Py_ssize_t)item_bytes && v->buffer.itemsize != 1)) {
        PyErr_Format(PyExc_TypeError, "%s: items of %zu bytes are needed, not of %zd", name, item_bytes,
                     v->buffer.itemsize);
        return false;
    }
    v->n = v->buffer.len / (Py_ssize_t)item_bytes;
    return true;
}

/* view_get of the object whose name is the view's and "_object". */
#define VIEW(name, type, writable) view_get(&name, name##_object, #name, sizeof(type), writable)

static inline void view_release(struct view *v) {
    if (v->held)
        PyBuffer_Release(&v->buffer);
    v->held = false;
}

#endif
