/* The functions of gateway._native that carry audio, for its table of methods. */
#ifndef TANDEM_BINDINGS_AUDIO_H
#define TANDEM_BINDINGS_AUDIO_H

#include "bindings/module.h"

PyObject *audio_playout(PyObject *self, PyObject *args);
PyObject *audio_speak(PyObject *self, PyObject *args);
PyObject *audio_press(PyObject *self, PyObject *args);
PyObject *audio_pressed(PyObject *self, PyObject *args);
PyObject *audio_press_layout(PyObject *self, PyObject *unused);
PyObject *audio_voice(PyObject *self, PyObject *args);
PyObject *audio_is_voice(PyObject *self, PyObject *args);
PyObject *audio_set_voice(PyObject *self, PyObject *args);
PyObject *audio_forget_voice(PyObject *self, PyObject *args);

#endif
