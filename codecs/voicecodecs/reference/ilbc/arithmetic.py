"""The few operators of the fixed-point codec: Python's integers do not end, a machine's do.

`int16` and `int32` wrap as the codec's variables do, `saturate16` and `saturate32` clip.
"""

from __future__ import annotations

from math import isqrt

__all__ = [
    "absolute",
    "bits_of",
    "divide",
    "int16",
    "int32",
    "norm_of",
    "saturate16",
    "saturate32",
    "shift_by",
    "square_root",
]

_INT32_MAX = 0x7FFFFFFF


def int16(x: int) -> int:
    """Keep the lower 16 bits, as a signed number.

    >>> int16(32768), int16(-32769)
    (-32768, 32767)
    """
    return (x + 0x8000 & 0xFFFF) - 0x8000


def int32(x: int) -> int:
    """Keep the lower 32 bits, as a signed number."""
    return (x + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def saturate16(x: int) -> int:
    """Clip to what 16 bits hold."""
    return max(-0x8000, min(x, 0x7FFF))


def saturate32(x: int) -> int:
    """Clip to what 32 bits hold."""
    return max(-0x80000000, min(x, _INT32_MAX))


def bits_of(x: int) -> int:
    """Count the bits that x needs: 0 for 0, 32 for a negative number."""
    return x.bit_length() if x >= 0 else 32


def norm_of(x: int) -> int:
    """Say how often x can be doubled and still fit in 32 bits; 0 for 0.

    >>> norm_of(1), norm_of(-1), norm_of(0)
    (30, 31, 0)
    """
    return 0 if x == 0 else 31 - (x if x > 0 else ~x).bit_length()


def shift_by(x: int, count: int) -> int:
    """Shift left by count, or right if it is negative; 32 bits."""
    return int32(x << count) if count >= 0 else x >> -count


def absolute(x: int) -> int:
    """Drop the sign; the most negative number of 32 bits keeps it."""
    return int32(abs(x))


def divide(numerator: int, denominator: int) -> int:
    """Divide towards zero; by 0 the quotient is the greatest number.

    >>> divide(-7, 2), divide(1, 0) == 2**31 - 1
    (-3, True)
    """
    if denominator == 0:
        return _INT32_MAX
    quotient = abs(numerator) // abs(denominator)
    return int32(quotient if (numerator < 0) == (denominator < 0) else -quotient)


def square_root(x: int) -> int:
    """Take the root, rounded down; of a negative number 0."""
    return isqrt(x) if x > 0 else 0
