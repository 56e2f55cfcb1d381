/* The capsule that carries a struct plane from gateway._native to gateway.transport._io.
 *
 * The plane's arrays are numpy's; the capsule keeps their buffers, so the pointers live as long as it does.
 */
#ifndef TANDEM_BINDINGS_PLANE_CAPSULE_H
#define TANDEM_BINDINGS_PLANE_CAPSULE_H

#include "bindings/module.h"
#include "plane/plane.h"

#define PLANE_CAPSULE "gateway.plane"

enum { PLANE_VIEWS = 7 };

struct plane_capsule {
    struct plane plane;
    struct view views[PLANE_VIEWS];
};

static inline struct plane *plane_from(PyObject *capsule) {
    struct plane_capsule *held = PyCapsule_GetPointer(capsule, PLANE_CAPSULE);
    return held ? &held->plane : NULL;
}

/* The plane, if it has such a row; else NULL and IndexError. */
static inline struct plane *plane_and_index(PyObject *capsule, int row) {
    struct plane *plane = plane_from(capsule);
    if (plane && (row < 0 || row >= plane->capacity)) {
        PyErr_Format(PyExc_IndexError, "row %d of %d", row, (int)plane->capacity);
        return NULL;
    }
    return plane;
}

/* True when 0 <= rows[i] < capacity for all; else IndexError. */
static inline bool rows_exist(const struct plane *plane, const struct view *rows) {
    const int32_t *index = rows->buffer.buf;
    for (Py_ssize_t i = 0; i < rows->n; i++) {
        if (index[i] < 0 || index[i] >= plane->capacity) {
            PyErr_Format(PyExc_IndexError, "row %d of %d", (int)index[i], (int)plane->capacity);
            return false;
        }
    }
    return true;
}

/* True when the view has at least `n` items; else ValueError. */
static inline bool view_holds(const struct view *v, const char *name, Py_ssize_t n) {
    if (v->n >= n)
        return true;
    PyErr_Format(PyExc_ValueError, "%s: %zd items are needed, there are %zd", name, n, v->n);
    return false;
}

#endif
