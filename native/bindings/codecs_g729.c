/* voicecodecs._native: G.729.  Part of voicecodecs_module.c, which includes it after its checks.
 *
 * What does it do?  Codes one frame for each row named, on states that Python holds as rows of bytes.
 * How does it work?  A bank is an array uint8 [n_rows, G729_ENCODER_BYTES or G729_DECODER_BYTES]: the
 * kernel's structs, without pointers.  Rows are checked here as well: a wrong one would write outside the
 * array.
 */
#include "g729/g729.h"

static bool g729_bank_get(struct view *bank, PyObject *object, size_t state_bytes, struct view *rows,
                          PyObject *rows_object) {
    if (!view_get(bank, object, "states", sizeof(uint8_t), true) ||
        !view_get(rows, rows_object, "rows", sizeof(intptr_t), false))
        return false;
    if ((uintptr_t)bank->buffer.buf % _Alignof(struct g729_encoder) != 0) {
        PyErr_SetString(PyExc_ValueError, "states are not aligned");
        return false;
    }
    const size_t n_states = (size_t)bank->n / state_bytes;
    const intptr_t *row = rows->buffer.buf;
    for (Py_ssize_t i = 0; i < rows->n; i++)
        if ((size_t)row[i] >= n_states) {
            PyErr_Format(PyExc_IndexError, "row %zd is not among %zu states", (Py_ssize_t)row[i], n_states);
            return false;
        }
    return true;
}

static PyObject *g729_reset_with(PyObject *args, size_t state_bytes, void (*reset)(void *state)) {
    PyObject *states_object, *rows_object, *result = NULL;
    struct view states = {0}, rows = {0};
    if (!PyArg_ParseTuple(args, "OO", &states_object, &rows_object))
        return NULL;
    if (!g729_bank_get(&states, states_object, state_bytes, &rows, rows_object))
        goto done;
    for (Py_ssize_t i = 0; i < rows.n; i++)
        reset((char *)states.buffer.buf + (size_t)((const intptr_t *)rows.buffer.buf)[i] * state_bytes);
    result = Py_NewRef(Py_None);
done:
    view_release(&rows);
    view_release(&states);
    return result;
}

static void g729_reset_encoder_state(void *state) {
    g729_encoder_reset(state);
}

static void g729_reset_decoder_state(void *state) {
    g729_decoder_reset(state);
}

static PyObject *g729_reset_encoders(PyObject *Py_UNUSED(self), PyObject *args) {
    return g729_reset_with(args, sizeof(struct g729_encoder), g729_reset_encoder_state);
}

static PyObject *g729_reset_decoders(PyObject *Py_UNUSED(self), PyObject *args) {
    return g729_reset_with(args, sizeof(struct g729_decoder), g729_reset_decoder_state);
}

static PyObject *g729_encode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *states_object, *rows_object, *pcm_object, *payloads_object, *lengths_object, *result = NULL;
    struct view states = {0}, rows = {0}, pcm = {0}, payloads = {0}, lengths = {0};
    int annexb;
    if (!PyArg_ParseTuple(args, "OOOOOp", &states_object, &rows_object, &pcm_object, &payloads_object,
                          &lengths_object, &annexb))
        return NULL;
    if (!g729_bank_get(&states, states_object, sizeof(struct g729_encoder), &rows, rows_object) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), false) ||
        !view_get(&payloads, payloads_object, "payloads", sizeof(uint8_t), true) ||
        !view_get(&lengths, lengths_object, "lengths", sizeof(int32_t), true) ||
        !has_items(&pcm, "pcm", rows.n * G729_FRAME) ||
        !has_items(&payloads, "payloads", rows.n * G729_SPEECH_BYTES) ||
        !has_items(&lengths, "lengths", rows.n) || !are_apart(&pcm, &payloads) || !are_apart(&pcm, &lengths))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    g729_encode_rows(states.buffer.buf, rows.buffer.buf, (size_t)rows.n, payloads.buffer.buf,
                     lengths.buffer.buf, pcm.buffer.buf, annexb != 0);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&lengths);
    view_release(&payloads);
    view_release(&pcm);
    view_release(&rows);
    view_release(&states);
    return result;
}

static PyObject *g729_decode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *states_object, *rows_object, *payloads_object, *lengths_object, *pcm_object, *result = NULL;
    struct view states = {0}, rows = {0}, payloads = {0}, lengths = {0}, pcm = {0};
    if (!PyArg_ParseTuple(args, "OOOOO", &states_object, &rows_object, &payloads_object, &lengths_object,
                          &pcm_object))
        return NULL;
    if (!g729_bank_get(&states, states_object, sizeof(struct g729_decoder), &rows, rows_object) ||
        !view_get(&payloads, payloads_object, "payloads", sizeof(uint8_t), false) ||
        !view_get(&lengths, lengths_object, "lengths", sizeof(int32_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), true) ||
        !has_items(&payloads, "payloads", rows.n * G729_SPEECH_BYTES) ||
        !has_items(&lengths, "lengths", rows.n) || !has_items(&pcm, "pcm", rows.n * G729_FRAME) ||
        !are_apart(&payloads, &pcm) || !are_apart(&lengths, &pcm))
        goto done;
    size_t good;
    Py_BEGIN_ALLOW_THREADS;
    good = g729_decode_rows(states.buffer.buf, rows.buffer.buf, (size_t)rows.n, pcm.buffer.buf,
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

static bool g729_encoder_state_is_valid(const void *state) {
    return g729_encoder_is_valid(state);
}

static bool g729_decoder_state_is_valid(const void *state) {
    return g729_decoder_is_valid(state);
}

static PyObject *g729_first_invalid_with(PyObject *states_object, size_t state_bytes,
                                         bool (*is_valid)(const void *state)) {
    PyObject *result = NULL;
    struct view states = {0};
    if (view_get(&states, states_object, "states", sizeof(uint8_t), false)) {
        const Py_ssize_t n = states.n / (Py_ssize_t)state_bytes;
        Py_ssize_t i = 0;
        while (i < n && is_valid((const char *)states.buffer.buf + (size_t)i * state_bytes))
            i++;
        result = PyLong_FromSsize_t(i == n ? -1 : i);
    }
    view_release(&states);
    return result;
}

static PyObject *g729_first_invalid_encoder(PyObject *Py_UNUSED(self), PyObject *states) {
    return g729_first_invalid_with(states, sizeof(struct g729_encoder), g729_encoder_state_is_valid);
}

static PyObject *g729_first_invalid_decoder(PyObject *Py_UNUSED(self), PyObject *states) {
    return g729_first_invalid_with(states, sizeof(struct g729_decoder), g729_decoder_state_is_valid);
}

#define G729_METHODS                                                                                         \
    {"g729_reset_encoders", g729_reset_encoders, METH_VARARGS,                                               \
     "g729_reset_encoders($module, states, rows, /)\n--\n\nPut rows into the state of a new call."},         \
        {"g729_reset_decoders", g729_reset_decoders, METH_VARARGS,                                           \
         "g729_reset_decoders($module, states, rows, /)\n--\n\nPut rows into the state of a new call."},     \
        {"g729_encode_frames", g729_encode_frames, METH_VARARGS,                                             \
         "g729_encode_frames($module, states, rows, pcm, payloads, lengths, annexb, /)\n--\n\n"              \
         "Encode pcm (n x 80 x int16) into payloads (n x 10 x uint8) and lengths (n x int32)."},             \
        {"g729_decode_frames", g729_decode_frames, METH_VARARGS,                                             \
         "g729_decode_frames($module, states, rows, payloads, lengths, pcm, /)\n--\n\n"                      \
         "Decode payloads (n x 10 x uint8) into pcm (n x 80 x int16).\n\n"                                   \
         "lengths (n x int32): 10, 2, 0 (untransmitted) or -1 (lost).\n"                                     \
         "Returns -1, or the index of the first frame of any other length; then nothing has changed."},      \
        {"g729_first_invalid_encoder", g729_first_invalid_encoder, METH_O,                                   \
         "g729_first_invalid_encoder($module, states, /)\n--\n\n"                                            \
         "Return the index of the first state that no call can have, or -1."},                               \
        {"g729_first_invalid_decoder", g729_first_invalid_decoder, METH_O,                                   \
         "g729_first_invalid_decoder($module, states, /)\n--\n\n"                                            \
         "Return the index of the first state that no call can have, or -1."}

static int g729_add_constants(PyObject *module) {
    if (PyModule_AddIntConstant(module, "G729_ENCODER_BYTES", sizeof(struct g729_encoder)) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "G729_DECODER_BYTES", sizeof(struct g729_decoder));
}
