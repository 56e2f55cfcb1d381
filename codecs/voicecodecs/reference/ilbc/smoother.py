"""RFC 3951 section 4.6.5: mix a block with its pitch-synchronous surround.

As far as the power of what is changed stays below 5 % (A0) of the block's; with w00, w11, w10 the energies of
block and surround and their product:

    first try   C * surround,  C = sqrt(w11 / w00)
    else        A * surround + B * block,  A = sqrt((A0 - A0^2/4) w00^2 / (w11 w00 - w10^2)),
                                           B = 1 - A0/2 - A w10 / w00
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import (
    absolute,
    bits_of,
    divide,
    int16,
    int32,
    saturate32,
    shift_by,
    square_root,
)
from voicecodecs.reference.ilbc.vectors import dot, peak

__all__ = ["smooth"]

_A0_Q14: Final = 819
_A0_LESS_QUARTER_SQUARE_Q34: Final = 848256041
_HALF_A0_Q30: Final = 26843546
_AS_IT_WAS: Final = (0, 16384)
"""A in Q9, B in Q14."""


@dataclass(frozen=True, slots=True)
class _Energies:
    block: int
    surround: int
    product: int
    bits_block: int
    """Before the block's energy is taken for at least 1."""


def smooth(current: Sequence[int], surround: Sequence[int]) -> list[int]:
    """Mix a block of 80 samples with the surround of it."""
    # The codec scaled for products of 26 bits before 2016-06-08, too little for loud blocks: there sums saturate.
    shift = max(0, 2 * bits_of(max(peak(current), peak(surround))) - 26)
    block, around = dot(current, current, shift), dot(surround, surround, shift)
    # Block in 31 bits and surround in 15, 16 apart: their quotient is in Q16, its root in Q11 after 6 more.
    up_surround = min(15 - bits_of(around), 15 - bits_of(block))
    up_block = up_surround + 16
    wide, narrow = int32(block << up_block), int16(shift_by(around, up_surround))
    c_q11 = int16(square_root(int32(divide(wide, narrow) << 6))) if narrow > 64 else 1
    first_try = [int16(c_q11 * x + 1024 >> 11) for x in surround]
    change = saturate32(sum(int16(x - y >> 3) ** 2 for x, y in zip(current, first_try, strict=True)))

    down = 6 - shift + up_block
    allowed = 0 if down > 31 else shift_by(_A0_Q14 * (wide >> 14), -down)
    if change <= allowed:
        return first_try
    energies = _Energies(max(block, 1), around, dot(surround, current, shift), bits_of(block))
    a_q9, b_q14 = _constrained(energies)
    return [
        int16(int16(a_q9 * y >> 9) + int16(b_q14 * x >> 14)) for x, y in zip(current, surround, strict=True)
    ]


def _constrained(w: _Energies) -> tuple[int, int]:
    """Compute A (Q9) and B (Q14)."""
    independence_q16 = _independence_q16(w)
    if independence_q16 <= 7:
        return _AS_IT_WAS  # the cycles are alike, there is nothing to smooth
    a_q9 = _surround_share_q9(independence_q16)
    bits_product = bits_of(absolute(w.product))
    down = bits_product - 10
    both = max(0, w.bits_block - down - 15)
    product = int32(w.product << 31 - bits_product) >> both if w.product else 0
    block = shift_by(w.block, -down) >> both
    if product <= 0 or block <= 0:
        return _AS_IT_WAS
    ratio = divide(product, int16(block))
    b_q30 = 0
    if bits_of(ratio) + bits_of(a_q9) <= 31:
        b_q30 = (1 << 30) - _HALF_A0_Q30 - a_q9 * ratio
    return a_q9, b_q30 >> 16


def _independence_q16(w: _Energies) -> int:
    """(w11 w00 - w10^2) / w00^2."""
    down = max(w.bits_block, bits_of(w.surround)) - 15
    block, surround = int16(shift_by(w.block, -down)), int16(shift_by(w.surround, -down))
    product = int16(shift_by(w.product, -down))
    square = block * block
    return divide(max(0, surround * block - product * product), square >> 16) if square > 65536 else 65536


def _surround_share_q9(independence_q16: int) -> int:
    down = max(0, bits_of(independence_q16) - 15)
    return int16(square_root(divide(_A0_LESS_QUARTER_SQUARE_Q34 >> down, independence_q16 >> down)))
