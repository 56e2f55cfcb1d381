/* What the faces of G.729's blocks share: arrays and numbers in, arrays out, each from a fresh state.
 *
 * Where a block remembers, its face tells it several frames, one after the other.  Where it works on rows in
 * step, its face takes any number of rows: as many as there are lanes at a time, and lanes that are left
 * repeat the first, as they must. */
#ifndef TANDEM_TESTS_FACES_G729_H
#define TANDEM_TESTS_FACES_G729_H

#include "g729/g729.h"
#include "g729/innovation.h"
#include "g729/lanes.h"
#include "g729/lsf_quantizer.h"
#include "g729/lsp.h"
#include "g729/mathematics.h"
#include "g729/noise.h"
#include "g729/pitch_open_loop.h"
#include "g729/pitch_search.h"
#include "g729/sid.h"

#include <string.h>

enum { ORDER = G729_ORDER, SUBFRAME = G729_SUBFRAME, FRAME = G729_FRAME, PAST = G729_EXCITATION_PAST };

static inline void copy16(int16_t *out, const int16_t *in, size_t n) {
    memcpy(out, in, n * sizeof *out);
}

static inline int row_of(int lane, int n_rows) {
    return lane < n_rows ? lane : 0;
}

/* out[i] := in[i], of rows that are `apart` samples apart. */
static inline void gather_apart(lanes *out, const int16_t *in, int n_rows, int n, int apart) {
    for (int i = 0; i < n; i++)
        for (int lane = 0; lane < LANES; lane++)
            out[i][lane] = in[row_of(lane, n_rows) * apart + i];
}

/* in [n_rows][n] */
static inline void gather(lanes *out, const int16_t *in, int n_rows, int n) {
    gather_apart(out, in, n_rows, n, n);
}

/* out [n_rows][n] */
static inline void scatter(int16_t *out, const lanes *in, int n_rows, int n) {
    for (int row = 0; row < n_rows; row++)
        for (int i = 0; i < n; i++)
            out[row * n + i] = (int16_t)in[i][row];
}

static inline struct g729_lsf_parameters lsf_of(const int16_t *fields) {
    return (struct g729_lsf_parameters){(uint16_t)fields[0], (uint16_t)fields[1], (uint16_t)fields[2],
                                        (uint16_t)fields[3]};
}

#endif
