"""Functions by table: logarithm, power, roots.

Normalise, look up the upper five or six bits, interpolate with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from voicecodecs.reference.g729.fixed import add16, msu32, mul32, norm32, shr32, shr32_rounded, sub16
from voicecodecs.reference.g729.tables import INVERSE_ROOT_Q15, LOGARITHM_Q15, POWER_Q14

__all__ = ["Logarithm", "inverse_sqrt", "log2", "power2", "sqrt"]


class Logarithm(NamedTuple):
    """A logarithm in two parts."""

    exponent: int
    fraction_q15: int


def _interpolated(table: Sequence[int], normal: int, first: int) -> int:
    """Read a table at normal, whose upper half is the index (+ first), the 15 bits below it the fraction."""
    index = (normal >> 16) - first
    return msu32(table[index] << 16, sub16(table[index], table[index + 1]), normal >> 1 & 0x7FFF)


def log2(x: int) -> Logarithm:
    """Return the logarithm to base 2; 0 for x <= 0.

    >>> log2(1 << 20)
    Logarithm(exponent=20, fraction_q15=0)
    """
    if x <= 0:
        return Logarithm(0, 0)
    shift = norm32(x)
    return Logarithm(30 - shift, _interpolated(LOGARITHM_Q15, x << shift >> 9, 32) >> 16)


def power2(exponent: int, fraction_q15: int) -> int:
    """Return 2^(exponent.fraction)."""
    return shr32_rounded(_interpolated(POWER_Q14, mul32(fraction_q15, 32), 0), 30 - exponent)


def inverse_sqrt(x: int) -> int:
    """Return 2^30 / sqrt(x), 0x3FFFFFFF for x <= 0."""
    if x <= 0:
        return 0x3FFFFFFF
    exponent = 30 - norm32(x)
    normal = x << norm32(x)
    if exponent % 2 == 0:
        normal >>= 1
    return shr32(_interpolated(INVERSE_ROOT_Q15, normal >> 9, 16), (exponent >> 1) + 1)


def sqrt(x: int) -> int:
    """Return the root of x / 2, cut to an even number: bit by bit, without the last."""
    root = 0
    for bit in range(14, 0, -1):
        larger = add16(root, 1 << bit)
        if x >= mul32(larger, larger):
            root = larger
    return root
