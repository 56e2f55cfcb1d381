#include "bindings/module.h"

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_io", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__io(void);
PyMODINIT_FUNC PyInit__io(void) {
    return PyModuleDef_Init(&module);
}
