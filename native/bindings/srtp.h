/* gateway._native's functions for SRTP: a plane's keys, and two ends of their own for phones and tests. */
#ifndef TANDEM_BINDINGS_SRTP_H
#define TANDEM_BINDINGS_SRTP_H

#include "bindings/module.h"

PyObject *security_new(PyObject *self, PyObject *args);
PyObject *security_set(PyObject *self, PyObject *args);
PyObject *security_forget(PyObject *self, PyObject *args);
PyObject *srtp_suite_list(PyObject *self, PyObject *args);
PyObject *srtp_ends_new(PyObject *self, PyObject *args);
PyObject *srtp_ends_protect(PyObject *self, PyObject *args);
PyObject *srtp_ends_open(PyObject *self, PyObject *args);

#endif
