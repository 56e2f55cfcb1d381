"""The gains of the two excitations (3.9): prediction, decoding, concealment.

The code gain is predicted from the energy of the code vector and from what the last four predictions were wrong
by; a codebook of two stages holds pitch gains and corrections.  `gain_search` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.fixed import (
    Dpf,
    add16,
    dot32,
    dpf_mul16,
    dpf_of,
    dpf_value,
    low16,
    mac32,
    mul16,
    mul32,
    shl32,
    shr32,
    sub16,
)
from voicecodecs.reference.g729.mathematics import log2, power2
from voicecodecs.reference.g729.tables import (
    GAIN_CODEBOOK1,
    GAIN_CODEBOOK2,
    GAIN_ENTRY1_OF,
    GAIN_ENTRY2_OF,
    GAIN_PREDICTOR_Q13,
)

__all__ = ["GainMemory", "Gains", "Product"]

_DB_PER_OCTAVE_Q12: Final = 24660
_FLOOR_Q10: Final = -14336


class Gains(NamedTuple):
    """The gains of a subframe."""

    pitch_q14: int
    code_q1: int


class Product(NamedTuple):
    """A number as 16-bit mantissa and exponent: mantissa * 2^-exponent."""

    mantissa: int
    exponent: int


class GainMemory:
    """The dB that the last four predictions were wrong by, the newest first."""

    def __init__(self) -> None:
        self._errors_q10 = [_FLOOR_Q10] * 4

    def _push(self, error_q10: int) -> None:
        self._errors_q10 = [error_q10, *self._errors_q10[:3]]

    def predict(self, code_q13: Sequence[int]) -> Product:
        """Predict the code gain (3.9.1): mean energy - energy of the code + what the past says, in dB."""
        energy = log2(dot32(code_q13, code_q13))
        level = dpf_mul16(Dpf(*energy), -_DB_PER_OCTAVE_Q12)
        level = shl32(mac32(level, 32588, 32), 10)  # 127.298 dB: the mean, and the Q formats of the code
        for weight_q13, error_q10 in zip(GAIN_PREDICTOR_Q13, self._errors_q10, strict=True):
            level = mac32(level, weight_q13, error_q10)
        octaves = dpf_of(shr32(mul32(level >> 16, 5439), 8))  # log2 = dB * 0.166
        return Product(low16(power2(14, octaves.low)), 14 - octaves.high)

    def gains_of_entries(self, entry1: int, entry2: int, predicted: Product) -> Gains:
        """Return the gains of a pair of entries; remember their correction, in dB."""
        first, second = GAIN_CODEBOOK1[entry1], GAIN_CODEBOOK2[entry2]
        correction_q13 = first[1] + second[1]
        octaves = log2(correction_q13)
        split = dpf_value(Dpf(octaves.exponent - 13, octaves.fraction_q15))
        self._push(mul16(shl32(split, 13) >> 16, _DB_PER_OCTAVE_Q12))
        code = shl32(mul32(low16(correction_q13 >> 1), predicted.mantissa), 4 - predicted.exponent)
        return Gains(add16(first[0], second[0]), code >> 16)

    def decode(self, index1: int, index2: int, code_q13: Sequence[int]) -> Gains:
        """Return the gains of GA and GB."""
        return self.gains_of_entries(GAIN_ENTRY1_OF[index1], GAIN_ENTRY2_OF[index2], self.predict(code_q13))

    def fade(self, gains: Gains) -> Gains:
        """Return what follows `gains` in a lost subframe (4.4.2)."""
        lower_q10 = sub16(sum(self._errors_q10) >> 2, 4096)  # the mean less 4 dB
        self._push(max(lower_q10, _FLOOR_Q10))
        # The standard's cap is 0.9 in Q15, where the gain is in Q14: at 1.8 it never bites.
        return Gains(min(mul16(gains.pitch_q14, 29491), 29491), mul16(gains.code_q1, 32111))
