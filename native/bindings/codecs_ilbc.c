/* voicecodecs._native: iLBC.  Part of voicecodecs_module.c, which includes it after its checks.
 *
 * What does it do?  Codes one frame for each row named, on states that Python holds as rows of bytes.
 * How does it work?  A bank is an array uint8 [n_rows, ILBC_ENCODER_BYTES or ILBC_DECODER_BYTES]: the
 * kernel's structs, without pointers; all zero is a new call.  States must be valid, rows and sizes are
 * checked here.
 */
#include "ilbc/ilbc.h"

/* Samples or bytes of a frame in a bank of this mode; 0 and an error for what is none. */
static Py_ssize_t ilbc_samples(int mode_ms) {
    if (mode_ms != 20 && mode_ms != 30)
        PyErr_Format(PyExc_ValueError, "mode_ms: 20 or 30 is needed, not %d", mode_ms);
    return mode_ms == 20 ? 160 : mode_ms == 30 ? 240 : 0;
}

static Py_ssize_t ilbc_bytes(int mode_ms) {
    return mode_ms == 20 ? 38 : 50;
}

static bool ilbc_states_get(struct view *states, PyObject *object, size_t state_bytes) {
    if (!view_get(states, object, "states", state_bytes, true))
        return false;
    const bool aligned = (uintptr_t)states->buffer.buf % _Alignof(struct ilbc_decoder) == 0;
    if (!aligned)
        PyErr_SetString(PyExc_ValueError, "states are not aligned");
    return aligned;
}

static PyObject *ilbc_encode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *states_object, *rows_object, *pcm_object, *payloads_object, *result = NULL;
    struct view states = {0}, rows = {0}, pcm = {0}, payloads = {0};
    int mode_ms;
    if (!PyArg_ParseTuple(args, "OOOOi", &states_object, &rows_object, &pcm_object, &payloads_object,
                          &mode_ms))
        return NULL;
    const Py_ssize_t samples = ilbc_samples(mode_ms);
    if (samples == 0 || !ilbc_states_get(&states, states_object, sizeof(struct ilbc_encoder)) ||
        !view_get(&rows, rows_object, "rows", sizeof(ptrdiff_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), false) ||
        !view_get(&payloads, payloads_object, "payloads", sizeof(uint8_t), true) ||
        !are_rows_of(&rows, states.n) || !has_items(&pcm, "pcm", rows.n * samples) ||
        !has_items(&payloads, "payloads", rows.n * ilbc_bytes(mode_ms)) || !are_apart(&pcm, &payloads) ||
        !are_apart(&pcm, &states))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    ilbc_encode_rows(states.buffer.buf, mode_ms, rows.buffer.buf, (size_t)rows.n, payloads.buffer.buf,
                     pcm.buffer.buf);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&payloads);
    view_release(&pcm);
    view_release(&rows);
    view_release(&states);
    return result;
}

static PyObject *ilbc_decode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *states_object, *rows_object, *payloads_object, *lengths_object, *pcm_object, *result = NULL;
    struct view states = {0}, rows = {0}, payloads = {0}, lengths = {0}, pcm = {0};
    int mode_ms;
    if (!PyArg_ParseTuple(args, "OOOOOi", &states_object, &rows_object, &payloads_object, &lengths_object,
                          &pcm_object, &mode_ms))
        return NULL;
    const Py_ssize_t samples = ilbc_samples(mode_ms);
    if (samples == 0 || !ilbc_states_get(&states, states_object, sizeof(struct ilbc_decoder)) ||
        !view_get(&rows, rows_object, "rows", sizeof(ptrdiff_t), false) ||
        !view_get(&payloads, payloads_object, "payloads", sizeof(uint8_t), false) ||
        !view_get(&lengths, lengths_object, "lengths", sizeof(int32_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), true) || !are_rows_of(&rows, states.n) ||
        !has_items(&payloads, "payloads", rows.n * ilbc_bytes(mode_ms)) ||
        !has_items(&lengths, "lengths", rows.n) || !has_items(&pcm, "pcm", rows.n * samples) ||
        !are_apart(&payloads, &pcm) || !are_apart(&lengths, &pcm) || !are_apart(&states, &pcm))
        goto done;
    size_t good;
    Py_BEGIN_ALLOW_THREADS;
    good = ilbc_decode_rows(states.buffer.buf, mode_ms, rows.buffer.buf, (size_t)rows.n, pcm.buffer.buf,
                            payloads.buffer.buf, lengths.buffer.buf);
    Py_END_ALLOW_THREADS;
    result = PyLong_FromSsize_t((Py_ssize_t)good == rows.n ? -1 : (Py_ssize_t)good);
done:
    view_release(&pcm);
    view_release(&lengths);
    view_release(&payloads);
    view_release(&rows);
    view_release(&states);
    return result;
}

static PyObject *ilbc_first_invalid_encoder(PyObject *Py_UNUSED(self), PyObject *states_object) {
    PyObject *result = NULL;
    struct view states = {0};
    if (ilbc_states_get(&states, states_object, sizeof(struct ilbc_encoder))) {
        Py_ssize_t n = 0;
        while (n < states.n && ilbc_encoder_is_valid((const struct ilbc_encoder *)states.buffer.buf + n))
            n++;
        result = PyLong_FromSsize_t(n == states.n ? -1 : n);
    }
    view_release(&states);
    return result;
}

static PyObject *ilbc_first_invalid_decoder(PyObject *Py_UNUSED(self), PyObject *states_object) {
    PyObject *result = NULL;
    struct view states = {0};
    if (ilbc_states_get(&states, states_object, sizeof(struct ilbc_decoder))) {
        Py_ssize_t n = 0;
        while (n < states.n && ilbc_decoder_is_valid((const struct ilbc_decoder *)states.buffer.buf + n))
            n++;
        result = PyLong_FromSsize_t(n == states.n ? -1 : n);
    }
    view_release(&states);
    return result;
}

#define ILBC_METHODS                                                                                         \
    {"ilbc_encode_frames", ilbc_encode_frames, METH_VARARGS,                                                 \
     "ilbc_encode_frames($module, states, rows, pcm, payloads, mode_ms, /)\n--\n\n"                          \
     "Encode pcm (n x 160 or 240 x int16) into payloads (n x 38 or 50 x uint8)."},                           \
        {"ilbc_decode_frames", ilbc_decode_frames, METH_VARARGS,                                             \
         "ilbc_decode_frames($module, states, rows, payloads, lengths, pcm, mode_ms, /)\n--\n\n"             \
         "Decode payloads (n x 38 or 50 x uint8) into pcm (n x 160 or 240 x int16).\n\n"                     \
         "lengths (n x int32): 38, 50 if there is room, 0 (untransmitted) or -1 (lost).\n"                   \
         "Returns -1, or the index of the first frame of any other length; then nothing has changed."},      \
        {"ilbc_first_invalid_encoder", ilbc_first_invalid_encoder, METH_O,                                   \
         "ilbc_first_invalid_encoder($module, states, /)\n--\n\n"                                            \
         "Return the index of the first state that no call can have, or -1."},                               \
        {"ilbc_first_invalid_decoder", ilbc_first_invalid_decoder, METH_O,                                   \
         "ilbc_first_invalid_decoder($module, states, /)\n--\n\n"                                            \
         "Return the index of the first state that no call can have, or -1."}

static int ilbc_add_constants(PyObject *module) {
    if (PyModule_AddIntConstant(module, "ILBC_ENCODER_BYTES", sizeof(struct ilbc_encoder)) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "ILBC_DECODER_BYTES", sizeof(struct ilbc_decoder));
}
