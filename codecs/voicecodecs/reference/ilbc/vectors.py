"""The loops that the codec spends its time in, over lists of 16-bit samples.

A product is shifted right before it is summed, as the codec has it: shifting the sum would give other bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

from voicecodecs.reference.ilbc.arithmetic import saturate32

__all__ = ["dot", "fir", "greatest", "peak", "synthesise"]


def peak(x: Sequence[int]) -> int:
    """Find the largest magnitude; 32767 for -32768."""
    return min(max(max(x), -min(x)), 0x7FFF)


def dot(x: Sequence[int], y: Sequence[int], shift: int) -> int:
    """Sum x[i] * y[i] >> shift, saturated; the shorter sequence says how many."""
    return saturate32(
        sum(map(mul, x, y)) if shift == 0 else sum([product >> shift for product in map(mul, x, y)])
    )


def fir(samples: Sequence[int], taps_q12: Sequence[int]) -> list[int]:
    """Filter: out[i] = sum of taps[j] * samples[i + n_taps - 1 - j], as many as the taps fit."""
    reversed_q12 = taps_q12[::-1]
    n = len(samples) - len(taps_q12) + 1
    return [_rounded_q12(sum(map(mul, reversed_q12, samples[i : i + len(taps_q12)]))) for i in range(n)]


def synthesise(samples: Sequence[int], a_q12: Sequence[int], memory: Sequence[int]) -> list[int]:
    """Filter: out[i] = samples[i] - sum of a[j] * out[i - j], j from 1 to 10; memory is the ten outputs before."""
    reversed_q12 = a_q12[:0:-1]
    out = list(memory)
    for i, sample in enumerate(samples):
        out.append(_rounded_q12(a_q12[0] * sample - sum(map(mul, reversed_q12, out[i : i + 10]))))
    return out[10:]


def greatest(x: Sequence[int]) -> int:
    """Find the first of the greatest numbers."""
    return max(range(len(x)), key=x.__getitem__)


def _rounded_q12(x_q12: int) -> int:
    return max(-134217728, min(x_q12, 134215679)) + 2048 >> 12
