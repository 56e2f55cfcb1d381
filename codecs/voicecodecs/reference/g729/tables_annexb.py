"""Tables of G.729 Annex B.

The numbers are those of ITU-T Recommendation G.729 (Annexes A and B included), facts without which nothing
interoperates; two separate transcriptions of its tables agree with them.  Names and order are ours, the same
as in native/g729/tables.h.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "SID_ENERGY_MARGIN",
    "SID_ENERGY_SHARE_Q15",
    "SID_GAIN",
    "SID_LSP_START_Q15",
    "SID_MODE_WEIGHT_Q15",
    "SID_PREDICTOR_Q15",
    "SID_PREDICTOR_REST_INVERSE_Q12",
    "SID_PREDICTOR_REST_Q15",
    "SID_SUBSET1",
    "SID_SUBSET2",
    "VAD_LOW_BAND_Q15",
    "VAD_RATES_Q15",
    "VAD_START_SCALE_Q15",
    "VAD_START_SHIFT",
]

# Rows of numbers stay rows.
# fmt: off

VAD_LOW_BAND_Q15: Final[tuple[int, ...]] = (
    7869, 7011, 4838, 2299, 321, -660, -782, -484, -164, 3, 39, 21, 4,
)
"""B.3.1.2: autocorrelation of a low pass at 1 kHz."""

VAD_START_SCALE_Q15: Final[tuple[int, ...]] = (
    32767, 16913, 17476, 18079, 18725, 19418, 20165, 20972, 21845, 22795, 23831, 24966, 26214, 27594, 29127,
    30840, 32767, 17476, 18725, 20165, 21845, 23831, 26214, 29127, 32767, 18725, 21845, 26214, 32767, 21845,
    32767, 32767, 0,
)
"""B.3: 32 / (32 - n) without its power of two: makes a mean of a sum that lacks n frames."""

VAD_START_SHIFT: Final[tuple[int, ...]] = (
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 0,
)
"""B.3: the power of two of vad_start_scale_q15."""

VAD_RATES_Q15: Final[tuple[tuple[int, ...], ...]] = (
    (24576, 8192, 26214, 6554, 19661, 13017),
    (31130, 1638, 30147, 2621, 21299, 11469),
    (31785, 983, 30802, 1966, 22938, 9830),
    (32440, 328, 31457, 1311, 24576, 8192),
    (32604, 164, 32440, 328, 24576, 8192),
    (32604, 164, 32702, 66, 24576, 8192),
)
"""B.3.7: how fast noise means move: energies, zero crossings, spectrum (old and new share each),
by the number of updates so far: below 20, 30, 40, 50, 60, and from there on."""

SID_GAIN: Final[tuple[int, ...]] = (
    2, 5, 8, 13, 20, 32, 50, 64, 80, 101, 127, 160, 201, 253, 318, 401, 505, 635, 800, 1007, 1268, 1596,
    2010, 2530, 3185, 4009, 5048, 6355, 8000, 10071, 12679, 15962,
)
"""B.4.2.1: the 32 gains of comfort noise."""

SID_ENERGY_SHARE_Q15: Final[tuple[int, ...]] = (410, 26, 13)
"""B.4.1.3: 1/80 of an energy; for none, one or two energies to average."""

SID_ENERGY_MARGIN: Final[tuple[int, ...]] = (0, 0, 1)
"""B.4.1.3: bits of room for the sum of that many energies."""

SID_PREDICTOR_Q15: Final[tuple[tuple[tuple[int, ...], ...], ...]] = (
    (
        (8421, 9109, 9175, 8965, 9034, 9057, 8765, 8775, 9106, 8673),
        (7018, 7189, 7638, 7307, 7444, 7379, 7038, 6956, 6930, 6868),
        (5472, 4990, 5134, 5177, 5246, 5141, 5206, 5095, 4830, 5147),
        (4056, 3031, 2614, 3024, 2916, 2713, 3309, 3237, 2857, 3473),
    ),
    (
        (8145, 8617, 8779, 8648, 8718, 8829, 8713, 8705, 8806, 8231),
        (5894, 5525, 5603, 5773, 6016, 5968, 5896, 5835, 5721, 5707),
        (4568, 3765, 3605, 3963, 4144, 4038, 4225, 4139, 3914, 4255),
        (3643, 2455, 1944, 2466, 2438, 2259, 2798, 2775, 2479, 3124),
    ),
)
"""B.4.2.2: LSF predictors of SID frames: that of speech mode 0, and 0.6 of it with 0.4 of mode 1."""

SID_PREDICTOR_REST_Q15: Final[tuple[tuple[int, ...], ...]] = (
    (7798, 8447, 8205, 8293, 8126, 8477, 8447, 8703, 9043, 8604),
    (10514, 12402, 12833, 11914, 11447, 11670, 11132, 11311, 11844, 11447),
)
"""B.4.2.2: the share of the new vector."""

SID_PREDICTOR_REST_INVERSE_Q12: Final[tuple[tuple[int, ...], ...]] = (
    (17210, 15888, 16357, 16183, 16516, 15833, 15888, 15421, 14840, 15597),
    (12764, 10821, 10458, 11264, 11724, 11500, 12056, 11865, 11331, 11724),
)
"""B.4.2.2: 1 / sid_predictor_rest_q15."""

SID_SUBSET1: Final[tuple[int, ...]] = (
    96, 52, 20, 54, 86, 114, 82, 68, 36, 121, 48, 92, 18, 120, 94, 124, 50, 125, 4, 100, 28, 76, 12, 117, 81,
    22, 90, 116, 127, 21, 108, 66,
)
"""B.4.2.2: entries of lsp_codebook1_q13 that a SID frame can name."""

SID_SUBSET2: Final[tuple[tuple[int, ...], ...]] = (
    (31, 21, 9, 3, 10, 2, 19, 26, 4, 3, 11, 29, 15, 27, 21, 12),
    (16, 1, 0, 0, 8, 25, 22, 20, 19, 23, 20, 31, 4, 31, 20, 31),
)
"""B.4.2.2: entries of lsp_codebook2_q13, low and high half."""

SID_MODE_WEIGHT_Q15: Final[tuple[int, ...]] = (8644, 16572)
"""B.4.2.2: weight of the two predictors in the first search."""

SID_LSP_START_Q15: Final[tuple[int, ...]] = (
    31441, 27566, 21458, 13612, 4663, -4663, -13612, -21458, -27566, -31441,
)
"""B.4.4: line spectral pairs of comfort noise before the first SID frame."""
