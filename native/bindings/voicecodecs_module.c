/* voicecodecs._native: the codec kernels over buffers.
 *
 * What does it do?  Checks sizes, releases the GIL, calls a kernel of native/, maps its verdict.
 * How does it work?  Arrays come in and go out as C-contiguous buffers that the caller made, so a call
 * allocates nothing but its small return value.  Item types beyond their size, rows and options are the
 * business of the Python side (voicecodecs/), which knows how to say what was wrong. How do I use it?
 * codecs/voicecodecs/_native.pyi is its face.
 */
#include "bindings/module.h"

#include "g711/g711.h"
#include "g711/plc.h"

typedef void encoder(uint8_t *restrict out, const int16_t *restrict in, size_t n);

static bool has_items(const struct view *v, const char *name, Py_ssize_t n) {
    if (v->n != n)
        PyErr_Format(PyExc_ValueError, "%s: %zd items are needed, not %zd", name, n, v->n);
    return v->n == n;
}

/* Kernels take restrict pointers: an output that is also an input would give wrong samples, silently. */
static bool are_apart(const struct view *in, const struct view *out) {
    const char *a = in->buffer.buf, *b = out->buffer.buf;
    const bool apart = a + in->buffer.len <= b || b + out->buffer.len <= a;
    if (!apart)
        PyErr_SetString(PyExc_ValueError, "input and output share memory");
    return apart;
}

static PyObject *encode_with(encoder *encode, PyObject *args) {
    PyObject *pcm_object, *codes_object, *result = NULL;
    struct view pcm = {0}, codes = {0};
    if (!PyArg_ParseTuple(args, "OO", &pcm_object, &codes_object))
        return NULL;
    if (!view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), false) ||
        !view_get(&codes, codes_object, "codes", sizeof(uint8_t), true) ||
        !has_items(&codes, "codes", pcm.n) || !are_apart(&pcm, &codes))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    encode(codes.buffer.buf, pcm.buffer.buf, (size_t)pcm.n);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&codes);
    view_release(&pcm);
    return result;
}

static PyObject *decode_with(g711_decoder *decode, PyObject *args) {
    PyObject *codes_object, *pcm_object, *result = NULL;
    struct view codes = {0}, pcm = {0};
    if (!PyArg_ParseTuple(args, "OO", &codes_object, &pcm_object))
        return NULL;
    if (!view_get(&codes, codes_object, "codes", sizeof(uint8_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), true) || !has_items(&pcm, "pcm", codes.n) ||
        !are_apart(&codes, &pcm))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    decode(pcm.buffer.buf, codes.buffer.buf, (size_t)codes.n);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&pcm);
    view_release(&codes);
    return result;
}

static PyObject *decode_frames_with(g711_decoder *decode, PyObject *args) {
    PyObject *payloads_object, *lengths_object, *pcm_object, *result = NULL;
    struct view payloads = {0}, lengths = {0}, pcm = {0};
    if (!PyArg_ParseTuple(args, "OOO", &payloads_object, &lengths_object, &pcm_object))
        return NULL;
    if (!view_get(&payloads, payloads_object, "payloads", sizeof(uint8_t), false) ||
        !view_get(&lengths, lengths_object, "lengths", sizeof(int32_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), true) ||
        !has_items(&payloads, "payloads", lengths.n * G711_FRAME_SAMPLES) ||
        !has_items(&pcm, "pcm", lengths.n * G711_FRAME_SAMPLES) || !are_apart(&payloads, &pcm) ||
        !are_apart(&lengths, &pcm))
        goto done;
    size_t good;
    Py_BEGIN_ALLOW_THREADS;
    good = g711_decode_frames(decode, pcm.buffer.buf, payloads.buffer.buf, lengths.buffer.buf,
                              (size_t)lengths.n);
    Py_END_ALLOW_THREADS;
    result = PyLong_FromSsize_t((Py_ssize_t)good == lengths.n ? -1 : (Py_ssize_t)good);
done:
    view_release(&pcm);
    view_release(&lengths);
    view_release(&payloads);
    return result;
}

static PyObject *ulaw_encode(PyObject *Py_UNUSED(self), PyObject *args) {
    return encode_with(g711_ulaw_encode, args);
}

static PyObject *alaw_encode(PyObject *Py_UNUSED(self), PyObject *args) {
    return encode_with(g711_alaw_encode, args);
}

static PyObject *ulaw_decode(PyObject *Py_UNUSED(self), PyObject *args) {
    return decode_with(g711_ulaw_decode, args);
}

static PyObject *alaw_decode(PyObject *Py_UNUSED(self), PyObject *args) {
    return decode_with(g711_alaw_decode, args);
}

static PyObject *ulaw_decode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    return decode_frames_with(g711_ulaw_decode, args);
}

static PyObject *alaw_decode_frames(PyObject *Py_UNUSED(self), PyObject *args) {
    return decode_frames_with(g711_alaw_decode, args);
}

static bool are_rows_of(const struct view *rows, Py_ssize_t n_rows) {
    const ptrdiff_t *row = rows->buffer.buf;
    for (Py_ssize_t i = 0; i < rows->n; i++)
        if (row[i] < 0 || row[i] >= n_rows) {
            PyErr_Format(PyExc_IndexError, "row %zd of %zd", (Py_ssize_t)row[i], n_rows);
            return false;
        }
    return true;
}

static PyObject *plc_process(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *states_object, *rows_object, *pcm_object, *lost_object, *result = NULL;
    struct view states = {0}, rows = {0}, pcm = {0}, lost = {0};
    if (!PyArg_ParseTuple(args, "OOOO", &states_object, &rows_object, &pcm_object, &lost_object))
        return NULL;
    if (!view_get(&states, states_object, "states", sizeof(struct g711_plc), true) ||
        !view_get(&rows, rows_object, "rows", sizeof(ptrdiff_t), false) ||
        !view_get(&pcm, pcm_object, "pcm", sizeof(int16_t), true) ||
        !view_get(&lost, lost_object, "lost", sizeof(uint8_t), false) || !are_rows_of(&rows, states.n) ||
        !has_items(&pcm, "pcm", rows.n * G711_PLC_FRAME) || !has_items(&lost, "lost", rows.n) ||
        !are_apart(&pcm, &states))
        goto done;
    Py_BEGIN_ALLOW_THREADS;
    g711_plc_process(states.buffer.buf, rows.buffer.buf, pcm.buffer.buf, lost.buffer.buf, (size_t)rows.n);
    Py_END_ALLOW_THREADS;
    result = Py_NewRef(Py_None);
done:
    view_release(&lost);
    view_release(&pcm);
    view_release(&rows);
    view_release(&states);
    return result;
}

static PyObject *plc_first_invalid(PyObject *Py_UNUSED(self), PyObject *states_object) {
    PyObject *result = NULL;
    struct view states = {0};
    if (view_get(&states, states_object, "states", sizeof(struct g711_plc), false)) {
        const struct g711_plc *state = states.buffer.buf;
        Py_ssize_t n = 0;
        while (n < states.n && g711_plc_is_valid(&state[n]))
            n++;
        result = PyLong_FromSsize_t(n == states.n ? -1 : n);
    }
    view_release(&states);
    return result;
}

#define ENCODE_DOC "($module, pcm, codes, /)\n--\n\nEncode pcm (n x int16) into codes (n x uint8)."
#define DECODE_DOC "($module, codes, pcm, /)\n--\n\nDecode codes (n x uint8) into pcm (n x int16)."
#define FRAMES_DOC                                                                                           \
    "($module, payloads, lengths, pcm, /)\n--\n\n"                                                           \
    "Decode payloads (n x 80 x uint8) into pcm (n x 80 x int16).\n\n"                                        \
    "lengths (n x int32): 80, or 0 (untransmitted) or -1 (lost), which give silence.\n"                      \
    "Returns -1, or the index of the first frame of any other length; then pcm is left as it was."

#define PLC_DOC                                                                                              \
    "plc_process($module, states, rows, pcm, lost, /)\n--\n\n"                                               \
    "Conceal in place: pcm (n x 80 x int16), one frame for each of rows (n x intp) of states.\n\n"           \
    "lost (n x bool) says which frames are missing.  The states must be valid."
#define VALID_DOC                                                                                            \
    "plc_first_invalid($module, states, /)\n--\n\n"                                                          \
    "Return the index of the first state that no call can have, or -1."

#include "bindings/codecs_g729.c"
#include "bindings/codecs_ilbc.c"

static PyMethodDef methods[] = {
    {"ulaw_encode", ulaw_encode, METH_VARARGS, "ulaw_encode" ENCODE_DOC},
    {"alaw_encode", alaw_encode, METH_VARARGS, "alaw_encode" ENCODE_DOC},
    {"ulaw_decode", ulaw_decode, METH_VARARGS, "ulaw_decode" DECODE_DOC},
    {"alaw_decode", alaw_decode, METH_VARARGS, "alaw_decode" DECODE_DOC},
    {"ulaw_decode_frames", ulaw_decode_frames, METH_VARARGS, "ulaw_decode_frames" FRAMES_DOC},
    {"alaw_decode_frames", alaw_decode_frames, METH_VARARGS, "alaw_decode_frames" FRAMES_DOC},
    {"plc_process", plc_process, METH_VARARGS, PLC_DOC},
    {"plc_first_invalid", plc_first_invalid, METH_O, VALID_DOC},
    G729_METHODS,
    ILBC_METHODS,
    {NULL, NULL, 0, NULL},
};

static int add_table(PyObject *module, const char *name, const uint8_t table[256]) {
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)table, 256);
    const int failed = PyModule_AddObjectRef(module, name, bytes); /* takes NULL as "an error is set" */
    Py_XDECREF(bytes);
    return failed;
}

static int execute(PyObject *module) {
    if (add_table(module, "ULAW_TO_ALAW", g711_ulaw_to_alaw) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "PLC_STATE_BYTES", sizeof(struct g711_plc)) < 0 ||
        g729_add_constants(module) < 0 || ilbc_add_constants(module) < 0)
        return -1;
    return add_table(module, "ALAW_TO_ULAW", g711_alaw_to_ulaw);
}

/* A slot holds a function as void *: the one conversion that ISO C leaves to POSIX, which allows it. */
static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "voicecodecs._native",
    .m_doc = "The codec kernels over buffers, C-contiguous and made by the caller; the GIL is released.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void);
PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&module);
}
