"""RFC 3951 section 3.6.4.2: the gains of a block's three vectors.

A stage's gain is a fraction of the stage before's, or of 0.1 if that was less; 5, 4 and 3 bits.
"""

from __future__ import annotations

from typing import Final

from voicecodecs.reference.ilbc.arithmetic import int16, norm_of, shift_by
from voicecodecs.reference.ilbc.tables import (
    GAIN_FIRST_Q14,
    GAIN_FIRST_SQUARED_Q14,
    GAIN_SECOND_Q14,
    GAIN_THIRD_Q14,
)

__all__ = ["gain_index", "gain_q14", "gain_raised"]

_LEVELS_Q14: Final = (GAIN_FIRST_Q14, GAIN_SECOND_Q14, GAIN_THIRD_Q14)
_TENTH_Q14: Final = 1638


def gain_q14(index: int, limit_q14: int, stage: int) -> int:
    """Dequantise; limit_q14 is the gain of the stage before, 1.0 for the first."""
    return int16(max(_TENTH_Q14, abs(limit_q14)) * _LEVELS_Q14[stage][index] + 8192 >> 14)


def gain_index(wanted_q14: int, limit_q14: int, stage: int) -> int:
    """Quantise: halve intervals, then take the nearer of two neighbours, at equal distance the lower."""
    levels, scale, n = _LEVELS_Q14[stage], max(_TENTH_Q14, abs(limit_q14)), 32 >> stage
    wanted_q28 = wanted_q14 << 14
    index, step = n // 2, n // 4
    while step:
        index += step if scale * levels[index] < wanted_q28 else -step
        step //= 2
    off = wanted_q28 - scale * levels[index]
    if off > 0:
        index += scale * levels[index + 1] - wanted_q28 < off
    else:
        index -= wanted_q28 - scale * levels[index - 1] <= -off
    return min(index, n - 1)


def gain_raised(index: int, first_q14: int, coded_energy: int, target_energy: int) -> int:
    """Raise the first gain's index as far as the coded energy stays below the target's."""
    down = 16 - min(norm_of(coded_energy), norm_of(target_energy))
    allowed = int16(shift_by(target_energy, -down)) * int16(first_q14 * first_q14 >> 14)
    coded = int16(shift_by(coded_energy, -down))
    raised = index
    for i in range(index, 32):
        if coded * GAIN_FIRST_SQUARED_Q14[i] < allowed and GAIN_FIRST_Q14[raised] < 2 * (first_q14 - 1):
            raised = i
    return raised
