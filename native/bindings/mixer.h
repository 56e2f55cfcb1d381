/* The mixer's functions of gateway._native, for its table of methods. */
#ifndef TANDEM_BINDINGS_MIXER_H
#define TANDEM_BINDINGS_MIXER_H

#include "bindings/module.h"

PyObject *mixer_mix(PyObject *self, PyObject *args);
PyObject *mixer_chorus(PyObject *self, PyObject *args);
PyObject *mixer_row_layout(PyObject *self, PyObject *args);
PyObject *mixer_room_layout(PyObject *self, PyObject *args);

#endif
