"""RFC 3951 sections 3.2.3 and 3.2.7: filters as line spectral frequencies, and back.

The sum and the difference of a filter and its mirror image have all roots on the unit circle, in turns.  Their
angles (LSF, Q13) can be interpolated and quantised without making the filter unstable, its coefficients cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import absolute, divide, int16, int32, norm_of
from voicecodecs.reference.ilbc.frame import ORDER
from voicecodecs.reference.ilbc.tables import (
    ACOS_SLOPE,
    COS_GRID_Q15,
    COS_Q15,
    COS_SLOPE,
    LSP_MEAN_Q15,
)

__all__ = ["filter_to_lsf", "lsf_to_filter"]

_HALF: Final = ORDER // 2
_GRID_POINTS: Final = 60


def lsf_to_filter(lsf_q13: Sequence[int]) -> list[int]:
    """Compute the filter (11 coefficients, Q12) with these ten frequencies."""
    lsp_q15 = [_cosine_q15(lsf) for lsf in lsf_q13]
    sum_q24, difference_q24 = _expand(lsp_q15[0::2]), _expand(lsp_q15[1::2])
    for i in range(_HALF, 0, -1):
        sum_q24[i] = int32(sum_q24[i] + sum_q24[i - 1])
        difference_q24[i] = int32(difference_q24[i] - difference_q24[i - 1])
    pairs = list(zip(sum_q24[1:], difference_q24[1:], strict=True))
    near = [int16(int32(s + d + 4096) >> 13) for s, d in pairs]
    far = [int16(int32(s - d + 4096) >> 13) for s, d in pairs]
    return [4096, *near, *far[::-1]]


def filter_to_lsf(a_q12: Sequence[int]) -> list[int]:
    """Find the ten frequencies of a filter; those of the mean if they are not all found."""
    f_q10 = [[1024], [1024]]
    for i in range(_HALF):
        near, far = a_q12[i + 1], a_q12[ORDER - i]
        f_q10[0].append(int16((near + far >> 2) - f_q10[0][i]))
        f_q10[1].append(int16((near - far >> 2) + f_q10[1][i]))
    return _arc_cosines(_roots(f_q10) or LSP_MEAN_Q15)


def _cosine_q15(lsf_q13: int) -> int:
    """By table and slope: 64 steps over half a turn."""
    frequency_q15 = lsf_q13 * 20861 >> 15  # 1 / 2 pi in Q17
    step = max(min(frequency_q15 >> 8, 63), 0)
    return int16(COS_Q15[step] + int16(COS_SLOPE[step] * (frequency_q15 & 0xFF) >> 12))


def _expand(lsp_q15: Sequence[int]) -> list[int]:
    """Multiply (1 - 2 lsp z^-1 + z^-2) over five lsp; Q24, the first six coefficients."""
    f_q24 = [1 << 24, lsp_q15[0] * -1024]
    for i in range(2, _HALF + 1):
        lsp = lsp_q15[i - 1]
        f_q24.append(f_q24[i - 2])
        for j in range(i, 1, -1):
            high, low = f_q24[j - 1] >> 16, (f_q24[j - 1] & 0xFFFF) >> 1
            product = int32((high * lsp << 2) + 4 * (low * lsp >> 15))
            f_q24[j] = int32(f_q24[j] + f_q24[j - 2] - product)
        f_q24[1] -= lsp * 1024
    return f_q24


def _chebyshev(x_q15: int, f_q10: Sequence[int]) -> int:
    """Evaluate the sum or difference polynomial at x, clipped to 16 bits."""
    before_q24, value_q24 = 1 << 24, int32((x_q15 << 10) + (f_q10[1] << 14))
    for i in range(2, _HALF):
        high, low = value_q24 >> 16, (value_q24 & 0xFFFF) >> 1
        product = high * x_q15 + (low * x_q15 >> 15) << 2
        before_q24, value_q24 = value_q24, int32(product - before_q24 + (f_q10[i] << 14))
    high, low = value_q24 >> 16, (value_q24 & 0xFFFF) >> 1
    value_q24 = int32(2 * high * x_q15 + 2 * (low * x_q15 >> 15) - before_q24 + (f_q10[_HALF] << 13))
    if value_q24 > 33553408:
        return 32767
    return -32768 if value_q24 < -33554432 else value_q24 >> 10


def _crossing(x_low: int, y_low: int, x_high: int, y_high: int) -> int:
    """Say where the line through two points of a sign change crosses zero."""
    width, height = int16(x_high - x_low), int16(y_high - y_low)
    if height == 0:
        return x_low
    magnitude = int16(absolute(height))
    shifts = norm_of(magnitude) - 16
    inverse = int16(divide(536838144, int16(magnitude << shifts)))
    slope = int16(width * inverse >> 19 - shifts)
    if height < 0:
        slope = int16(-slope)
    return int16(x_low - int16(y_low * slope >> 10))


def _roots(f_q10: Sequence[Sequence[int]]) -> list[int]:
    """Find the ten roots, Q15; [] if there are fewer.

    They are roots of one polynomial and the other in turns.  Walk a grid of 60 points from frequency 0 up; at a
    change of sign halve the interval four times and interpolate.
    """
    lsp_q15: list[int] = []
    x_low, f = COS_GRID_Q15[0], f_q10[0]
    y_low = _chebyshev(x_low, f)
    for x in COS_GRID_Q15[1:_GRID_POINTS]:
        x_high, y_high = x_low, y_low
        x_low, y_low = x, _chebyshev(x, f)
        if y_low * y_high > 0:
            continue
        for _ in range(4):
            middle = (x_low >> 1) + (x_high >> 1)
            y = _chebyshev(middle, f)
            if y_low * y <= 0:
                x_high, y_high = middle, y
            else:
                x_low, y_low = middle, y
        x_low = _crossing(x_low, y_low, x_high, y_high)
        lsp_q15.append(x_low)
        if len(lsp_q15) == ORDER:
            return lsp_q15
        f = f_q10[len(lsp_q15) & 1]
        y_low = _chebyshev(x_low, f)
    return []


def _arc_cosines(lsp_q15: Sequence[int]) -> list[int]:
    """By the same table, from the highest frequency down."""
    lsf_q13, step = [0] * ORDER, 63
    for i in range(ORDER - 1, -1, -1):
        while COS_Q15[step] < lsp_q15[i] and step > 0:
            step -= 1
        beyond = int16(lsp_q15[i] - COS_Q15[step])
        frequency = int16(step * 512 + int16(ACOS_SLOPE[step] * beyond >> 11))
        lsf_q13[i] = frequency * 25736 >> 15  # 2 pi in Q12
    return lsf_q13
