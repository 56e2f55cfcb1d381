#include "g711/g711.h"

#include <string.h>

static size_t first_bad_length(const int32_t *lengths, size_t n_frames) {
    for (size_t i = 0; i < n_frames; i++)
        if (lengths[i] != G711_FRAME_SAMPLES && lengths[i] != G711_UNTRANSMITTED && lengths[i] != G711_LOST)
            return i;
    return n_frames;
}

size_t g711_decode_frames(g711_decoder *decode, int16_t *restrict out, const uint8_t *restrict in,
                          const int32_t *restrict lengths, size_t n_frames) {
    const size_t bad = first_bad_length(lengths, n_frames);
    if (bad < n_frames)
        return bad;
    /* All of them in one go, absent ones too: cheaper than a call for every run of present ones. */
    decode(out, in, n_frames * G711_FRAME_SAMPLES);
    for (size_t i = 0; i < n_frames; i++)
        if (lengths[i] != G711_FRAME_SAMPLES)
            memset(out + i * G711_FRAME_SAMPLES, 0, G711_FRAME_SAMPLES * sizeof *out);
    return n_frames;
}
