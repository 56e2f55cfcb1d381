"""The arithmetic of G.729: 16 and 32-bit fractions that saturate (the basic operators of ITU-T G.191).

Names say the width: `add16` saturates to 16 bits, `mac32` to 32.  `mac32` and `msu32` saturate twice: first the
product (only -1 * -1 can overflow), then the sum.  A shift by a negative count goes the other way; left shifts
saturate, right shifts floor.

A `Dpf` ("double precision format") is a 32-bit number in two halves, high 16 and low 15 bits: the lowest bit is
lost, and products drop the low halves' product and cut each cross product on its own.  A product made of all 64
bits would be more exact and therefore wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = [
    "INT16_MAX",
    "INT16_MIN",
    "INT32_MAX",
    "INT32_MIN",
    "Dpf",
    "abs16",
    "abs32",
    "add16",
    "add32",
    "clamp16",
    "clamp32",
    "div16",
    "dot32",
    "dpf_div",
    "dpf_mul",
    "dpf_mul16",
    "dpf_of",
    "dpf_value",
    "low16",
    "mac32",
    "msu32",
    "mul16",
    "mul16_rounded",
    "mul32",
    "neg16",
    "neg32",
    "norm16",
    "norm32",
    "round16",
    "shl16",
    "shl32",
    "shr16",
    "shr16_rounded",
    "shr32",
    "shr32_rounded",
    "sub16",
    "sub32",
]

INT16_MAX: Final = 0x7FFF
INT16_MIN: Final = -0x8000
INT32_MAX: Final = 0x7FFFFFFF
INT32_MIN: Final = -0x80000000


def clamp16(x: int) -> int:
    """Saturate to 16 bits.

    >>> clamp16(40000), clamp16(-40000), clamp16(-5)
    (32767, -32768, -5)
    """
    if INT16_MIN <= x <= INT16_MAX:
        return x
    return INT16_MAX if x > 0 else INT16_MIN


def clamp32(x: int) -> int:
    """Saturate to 32 bits."""
    if INT32_MIN <= x <= INT32_MAX:
        return x
    return INT32_MAX if x > 0 else INT32_MIN


def low16(x: int) -> int:
    """Return the lower half as a signed number.

    >>> low16(0x18000)
    -32768
    """
    return ((x & 0xFFFF) ^ 0x8000) - 0x8000


def add16(a: int, b: int) -> int:
    """A + b, 16 bits."""
    return clamp16(a + b)


def sub16(a: int, b: int) -> int:
    """A - b, 16 bits."""
    return clamp16(a - b)


def neg16(a: int) -> int:
    """-a, 16 bits."""
    return clamp16(-a)


def abs16(a: int) -> int:
    """|a|, 16 bits."""
    return clamp16(abs(a))


def add32(a: int, b: int) -> int:
    """A + b, 32 bits."""
    return clamp32(a + b)


def sub32(a: int, b: int) -> int:
    """A - b, 32 bits."""
    return clamp32(a - b)


def neg32(a: int) -> int:
    """-a, 32 bits."""
    return clamp32(-a)


def abs32(a: int) -> int:
    """|a|, 32 bits."""
    return clamp32(abs(a))


def shl16(a: int, count: int) -> int:
    """A * 2^count, 16 bits; a negative count floors."""
    return clamp16(a << count) if count >= 0 else a >> -count


def shr16(a: int, count: int) -> int:
    """A / 2^count, floored; a negative count saturates at 16 bits."""
    return shl16(a, -count)


def shr16_rounded(a: int, count: int) -> int:
    """A / 2^count, rounded by the last bit that is shifted out; 0 beyond 15."""
    if count > 15:
        return 0
    return (a >> count) + (a >> (count - 1) & 1) if count > 0 else shl16(a, -count)


def shl32(a: int, count: int) -> int:
    """A * 2^count, 32 bits; a negative count floors."""
    return clamp32(a << count) if count >= 0 else a >> -count


def shr32(a: int, count: int) -> int:
    """A / 2^count, floored; a negative count saturates at 32 bits."""
    return shl32(a, -count)


def shr32_rounded(a: int, count: int) -> int:
    """A / 2^count, rounded by the last bit that is shifted out; 0 beyond 31."""
    if count > 31:
        return 0
    return (a >> count) + (a >> (count - 1) & 1) if count > 0 else shl32(a, -count)


def mul16(a: int, b: int) -> int:
    """Q15 * Q15 -> Q15, cut."""
    return clamp16(a * b >> 15)


def mul16_rounded(a: int, b: int) -> int:
    """Q15 * Q15 -> Q15, rounded."""
    return clamp16(a * b + 0x4000 >> 15)


def mul32(a: int, b: int) -> int:
    """Q15 * Q15 -> Q31.

    >>> hex(mul32(-32768, -32768))
    '0x7fffffff'
    """
    return clamp32(2 * a * b)


def mac32(total: int, a: int, b: int) -> int:
    """Total + a * b."""
    return clamp32(total + clamp32(2 * a * b))


def msu32(total: int, a: int, b: int) -> int:
    """Total - a * b."""
    return clamp32(total - clamp32(2 * a * b))


def dot32(a: Sequence[int], b: Sequence[int], start: int = 0) -> int:
    """`mac32` over pairs, in order."""
    total = start
    for x, y in zip(a, b, strict=True):
        total += min(2 * x * y, INT32_MAX)
        if not INT32_MIN <= total <= INT32_MAX:
            total = clamp32(total)
    return total


def round16(a: int) -> int:
    """Return the upper half, rounded."""
    return clamp32(a + 0x8000) >> 16


def norm32(a: int) -> int:
    """Say how far a 32-bit number can be shifted left; 0 for 0.

    >>> norm32(1), norm32(-1), norm32(0)
    (30, 31, 0)
    """
    return 31 - (a if a >= 0 else ~a).bit_length() if a else 0


def norm16(a: int) -> int:
    """Say how far a 16-bit number can be shifted left; 0 for 0."""
    return 15 - (a if a >= 0 else ~a).bit_length() if a else 0


def div16(a: int, b: int) -> int:
    """A / b as a Q15 fraction, cut, for 0 <= a <= b; other arguments give the nearest fraction."""
    if a <= 0:
        return 0
    return INT16_MAX if a >= b else (a << 15) // b


class Dpf(NamedTuple):
    """A 32-bit number in two halves: high * 2^16 + low * 2."""

    high: int
    low: int


def dpf_of(a: int) -> Dpf:
    """Split; the lowest bit is lost."""
    return Dpf(a >> 16, a >> 1 & 0x7FFF)


def dpf_value(a: Dpf) -> int:
    """Put together."""
    return clamp32((a.high << 16) + 2 * a.low)


def dpf_mul(a: Dpf, b: Dpf) -> int:
    """Q31 * Q31 -> Q31."""
    total = mac32(mul32(a.high, b.high), mul16(a.high, b.low), 1)
    return mac32(total, mul16(a.low, b.high), 1)


def dpf_mul16(a: Dpf, b: int) -> int:
    """Q31 * Q15 -> Q31."""
    return mac32(mul32(a.high, b), mul16(a.low, b), 1)


def dpf_div(a: int, b: Dpf) -> int:
    """A / b as a Q31 fraction for 0 <= a < b and b normalised: one Newton step from the 16-bit inverse."""
    near = div16(0x3FFF, b.high)
    correction = sub32(INT32_MAX, dpf_mul16(b, near))
    inverse = dpf_mul16(dpf_of(correction), near)
    return shl32(dpf_mul(dpf_of(a), dpf_of(inverse)), 2)
