/* The flight recorder's functions of gateway._native, for its table of methods. */
#ifndef TANDEM_BINDINGS_FLIGHT_H
#define TANDEM_BINDINGS_FLIGHT_H

#include "bindings/module.h"

PyObject *flight_new(PyObject *self, PyObject *args);
PyObject *flight_told(PyObject *self, PyObject *args);
PyObject *flight_kept(PyObject *self, PyObject *args);
PyObject *flight_digested(PyObject *self, PyObject *args);

#endif
