"""RFC 3951 sections 3.6.3 and 4.3: the codebook of a block, made of the samples coded before it.

For a block of n samples it is, in the order of its indices,

- every n successive samples of the memory, newest first;
- for whole sub-blocks also 20 vectors whose lag is shorter than they are: the last 20 to 39 samples repeated,
  with a blend over the seam;
- then all of them once more, from the memory filtered.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import int16
from voicecodecs.reference.ilbc.frame import SUBBLOCK
from voicecodecs.reference.ilbc.gain import gain_q14
from voicecodecs.reference.ilbc.tables import BLEND_Q15, CODEBOOK_FILTER_Q12
from voicecodecs.reference.ilbc.vectors import fir

__all__ = ["AUGMENTED", "SEAM", "augmented", "codebook_sum", "filtered", "half_size"]

AUGMENTED: Final = 20
"""Vectors with lags 20 to 39."""
SEAM: Final = 4
"""Samples of the blend."""


def half_size(memory_length: int, n: int) -> int:
    """Count the vectors of the plain or of the filtered half."""
    return memory_length - n + 1 + (AUGMENTED if n == SUBBLOCK else 0)


def filtered(memory: Sequence[int]) -> list[int]:
    """Filter the memory, with zeros around it."""
    return fir([0, 0, 0, *memory, 0, 0, 0, 0], CODEBOOK_FILTER_Q12)


def augmented(memory: Sequence[int], lag: int) -> list[int]:
    """Repeat the last `lag` samples until 40 are full."""
    old, new = memory[-lag - SEAM : -lag], memory[-SEAM:]
    blend = [
        (a * rising >> 15) + (b * falling >> 15)
        for a, rising, b, falling in zip(old, BLEND_Q15, new, reversed(BLEND_Q15), strict=True)
    ]
    return [*memory[-lag:-SEAM], *blend, *memory[-lag : SUBBLOCK - 2 * lag or None]]


def codebook_sum(memory: Sequence[int], n: int, vector: Sequence[int], gain: Sequence[int]) -> list[int]:
    """Decode a block of n samples: the sum of three vectors, each times its gain."""
    limit_q14, gains_q14 = 16384, []
    for stage, index in enumerate(gain):
        limit_q14 = gain_q14(index, limit_q14, stage)
        gains_q14.append(limit_q14)
    vectors = [_vector(memory, n, index) for index in vector]
    return [int16(sum(map(mul, gains_q14, column)) + 8192 >> 14) for column in zip(*vectors, strict=True)]


def _vector(memory: Sequence[int], n: int, index: int) -> list[int]:
    half = half_size(len(memory), n)
    samples = list(memory) if index < half else filtered(memory)
    index %= half
    first = len(memory) - n - index
    return samples[first : first + n] if first >= 0 else augmented(samples, AUGMENTED - first - 1)
