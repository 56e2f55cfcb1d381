"""RFC 3951 sections 3.2.4 to 3.2.6: ten line spectral frequencies in 20 bits.

A set is three vectors, of 3, 3 and 4 frequencies, each with a codebook of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import int16
from voicecodecs.reference.ilbc.frame import ORDER
from voicecodecs.reference.ilbc.tables import LSF_CODEBOOK_Q13

__all__ = ["dequantise", "quantise"]

_SPLITS: Final = ((0, 3, 0, 64), (3, 3, 192, 128), (6, 4, 576, 128))
"""First of the ten, how many of them; where the codebook begins, its entries."""
_GAP_Q13: Final = 319
_PUSH_Q13: Final = 160
_LEAST_Q13: Final = 82
_GREATEST_Q13: Final = 25723


def quantise(lsf_q13: Sequence[int]) -> list[int]:
    """Choose the nearest vector of each codebook; the first of equals."""
    return [
        min(range(n_entries), key=lambda entry: _distance(lsf_q13[first : first + n], at + entry * n))
        for first, n, at, n_entries in _SPLITS
    ]


def dequantise(index: Sequence[int]) -> list[int]:
    """Look up a set of ten frequencies, and push neighbours apart twice."""
    lsf_q13: list[int] = []
    for (_, n, at, _), entry in zip(_SPLITS, index, strict=True):
        lsf_q13 += LSF_CODEBOOK_Q13[at + entry * n : at + (entry + 1) * n]
    _push_apart(lsf_q13)
    _push_apart(lsf_q13)
    return lsf_q13


def _distance(part_q13: Sequence[int], at: int) -> int:
    return sum(int16(x - LSF_CODEBOOK_Q13[at + i]) ** 2 for i, x in enumerate(part_q13))


def _push_apart(lsf_q13: list[int]) -> None:
    """Neighbours closer than 50 Hz are pushed apart, so that the filter is stable."""
    for i in range(ORDER - 1):
        low, high = lsf_q13[i], lsf_q13[i + 1]
        if high < low:
            high = low + _PUSH_Q13
        elif high - low < _GAP_Q13:
            low, high = low - _PUSH_Q13, high + _PUSH_Q13
        lsf_q13[i : i + 2] = max(_LEAST_Q13, min(low, _GREATEST_Q13)), high
