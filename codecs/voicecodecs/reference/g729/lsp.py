"""From filter to line spectrum and back (3.2.3, 3.2.5, 3.2.6).

A(z) = F1(z) + F2(z), a symmetric and an antisymmetric polynomial whose roots lie on the unit circle and alternate.
Their angles are the line spectral frequencies (LSF), the cosines of these the line spectral pairs (LSP, Q15).
The roots are looked for on a grid of 51 points (A.3.2.3), halving an interval with a change of sign twice and
then drawing a straight line.

LSFs of the quantiser run from 0 to pi in Q13; those of the VAD from 0 to 0.5 in Q15.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.fixed import (
    INT16_MIN,
    Dpf,
    abs16,
    add16,
    add32,
    clamp16,
    div16,
    dpf_mul16,
    dpf_of,
    low16,
    mac32,
    msu32,
    mul16,
    mul32,
    neg16,
    norm16,
    round16,
    shl16,
    shl32,
    shr32,
    shr32_rounded,
    sub16,
    sub32,
)
from voicecodecs.reference.g729.tables_lsp import (
    ARCCOSINE_SLOPE_Q12,
    COSINE_Q15,
    COSINE_SLOPE_Q19,
    LSP_GRID_Q15,
)

__all__ = [
    "filter_of_lsp",
    "interpolate_filters",
    "lsf_of_lsp",
    "lsp_of_filter",
    "lsp_of_lsf",
    "normal_lsf_of_lsp",
]

_HALF: Final = ORDER // 2
_BISECTIONS: Final = 2


class _Series(NamedTuple):
    """F1 or F2 without its known root, as a series of Chebyshev polynomials in Q(q)."""

    f: list[int]
    q: int

    def at(self, x_q15: int) -> int:
        """Return the value at a cosine, Q14, by Clenshaw's recurrence: b0 = 2 x b1 - b2 + f[i]."""
        one = 1 << (self.q - 3)  # the upper half of 1.0 in Q(q + 13)
        b2 = Dpf(one, 0)
        b1 = dpf_of(mac32(mul32(x_q15, 2 * one), self.f[1], 4096))
        for i in range(2, _HALF):
            b0 = _less(shl32(dpf_mul16(b1, x_q15), 1), b2)
            b1, b2 = dpf_of(mac32(b0, self.f[i], 4096)), b1
        total = mac32(_less(dpf_mul16(b1, x_q15), b2), self.f[_HALF], 2048)
        return shl32(total, 17 - self.q) >> 16


def _less(total: int, b2: Dpf) -> int:
    return msu32(mac32(total, b2.high, INT16_MIN), b2.low, 1)


def _series_of(a_q12: Sequence[int], q: int) -> tuple[_Series, _Series, bool]:
    """Build F1 and F2; say whether a coefficient saturated.

    f1[i + 1] = a[i + 1] + a[10 - i] - f1[i],  f2[i + 1] = a[i + 1] - a[10 - i] + f2[i]
    """
    f1, f2 = [1 << q], [1 << q]
    saturated = False
    for i in range(_HALF):
        near, far = mul32(a_q12[i + 1], 1 << (q + 3)), mul32(a_q12[ORDER - i], 1 << (q + 3))
        next1 = (add32(near, far) >> 16) - f1[i]
        next2 = (sub32(near, far) >> 16) + f2[i]
        saturated = saturated or clamp16(next1) != next1 or clamp16(next2) != next2
        f1.append(clamp16(next1))
        f2.append(clamp16(next2))
    return _Series(f1, q), _Series(f2, q), saturated


def _crossing(x_low: int, y_low: int, x_high: int, y_high: int) -> int:
    """Return where the line through both points crosses zero."""
    rise = sub16(y_high, y_low)
    if rise == 0:
        return x_low
    magnitude = abs16(rise)
    shift = norm16(magnitude)
    inverse = div16(16383, shl16(magnitude, shift))
    slope_q11 = low16(shr32(mul32(sub16(x_high, x_low), inverse), 20 - shift))
    if rise < 0:
        slope_q11 = neg16(slope_q11)
    return sub16(x_low, low16(shr32(mul32(y_low, slope_q11), 11)))


def _root_between(series: _Series, x_low: int, y_low: int, x_high: int, y_high: int) -> int:
    for _ in range(_BISECTIONS):
        x = add16(x_low >> 1, x_high >> 1)
        y = series.at(x)
        if y_low * y <= 0:
            x_high, y_high = x, y
        else:
            x_low, y_low = x, y
    return _crossing(x_low, y_low, x_high, y_high)


def lsp_of_filter(a_q12: Sequence[int], previous_q15: Sequence[int]) -> tuple[int, ...]:
    """Return the ten roots of A(z), or the previous ones if fewer are found."""
    *series, saturated = _series_of(a_q12, 11)
    if saturated:
        *series, _ = _series_of(a_q12, 10)
    roots: list[int] = []
    x_low = LSP_GRID_Q15[0]
    y_low = series[0].at(x_low)
    for x in LSP_GRID_Q15[1:]:
        current = series[len(roots) % 2]
        x_high, y_high, x_low = x_low, y_low, x
        y_low = current.at(x_low)
        if y_low * y_high <= 0:
            x_low = _root_between(current, x_low, y_low, x_high, y_high)
            roots.append(x_low)
            if len(roots) == ORDER:
                return tuple(roots)
            y_low = series[len(roots) % 2].at(x_low)
    return tuple(previous_q15)


def _polynomial_of(lsp_q15: Sequence[int]) -> list[int]:
    """Multiply (1 - 2 lsp z^-1 + z^-2) over five pairs, up to the middle; Q24."""
    f_q24 = [1 << 24, msu32(0, lsp_q15[0], 512)]
    for i in range(2, _HALF + 1):
        lsp = lsp_q15[i - 1]
        f_q24.append(f_q24[i - 2])
        for j in range(i, 1, -1):
            doubled = shl32(dpf_mul16(dpf_of(f_q24[j - 1]), lsp), 1)
            f_q24[j] = sub32(add32(f_q24[j], f_q24[j - 2]), doubled)
        f_q24[1] = msu32(f_q24[1], lsp, 512)
    return f_q24


def filter_of_lsp(lsp_q15: Sequence[int]) -> tuple[int, ...]:
    """Return A(z), Q12."""
    f1, f2 = _polynomial_of(lsp_q15[::2]), _polynomial_of(lsp_q15[1::2])
    sums = [add32(f1[i], f1[i - 1]) for i in range(1, _HALF + 1)]
    differences = [sub32(f2[i], f2[i - 1]) for i in range(1, _HALF + 1)]
    first = [low16(shr32_rounded(add32(a, b), 13)) for a, b in zip(sums, differences, strict=True)]
    last = [low16(shr32_rounded(sub32(a, b), 13)) for a, b in zip(sums, differences, strict=True)]
    return (4096, *first, *reversed(last))


def interpolate_filters(old_q15: Sequence[int], new_q15: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the filters of both subframes: halfway from old to new (cut twice), and new."""
    middle_q15 = [add16(new >> 1, old >> 1) for old, new in zip(old_q15, new_q15, strict=True)]
    return filter_of_lsp(middle_q15), filter_of_lsp(new_q15)


def _indices_of(lsp_q15: Sequence[int]) -> list[int]:
    """Return the table entry at or above each cosine, searched from the last pair up."""
    index = 63
    indices = []
    for lsp in reversed(lsp_q15):
        while index > 0 and COSINE_Q15[index] < lsp:
            index -= 1
        indices.append(index)
    return indices[::-1]


def lsf_of_lsp(lsp_q15: Sequence[int]) -> list[int]:
    """Return frequencies from 0 to pi, Q13."""
    lsf_q13 = []
    for lsp, index in zip(lsp_q15, _indices_of(lsp_q15), strict=True):
        offset = sub16(lsp, COSINE_Q15[index])
        within = low16(shr32(mul32(ARCCOSINE_SLOPE_Q12[index], offset), 12))
        lsf_q13.append(mul16(add16(index << 9, within), 25736))  # times pi
    return lsf_q13


def lsp_of_lsf(lsf_q13: Sequence[int]) -> tuple[int, ...]:
    """Return the cosines of frequencies from 0 to pi."""
    lsp_q15 = []
    for lsf in lsf_q13:
        frequency = mul16(lsf, 20861)  # divided by pi
        index = min(frequency >> 8, 63)
        within = low16(shr32(mul32(COSINE_SLOPE_Q19[index], frequency & 0xFF), 13))
        lsp_q15.append(add16(COSINE_Q15[index], within))
    return tuple(lsp_q15)


def normal_lsf_of_lsp(lsp_q15: Sequence[int]) -> list[int]:
    """Return frequencies from 0 to 0.5, Q15."""
    lsf_q15 = []
    for lsp, index in zip(lsp_q15, _indices_of(lsp_q15), strict=True):
        offset = sub16(lsp, COSINE_Q15[index])
        lsf_q15.append(add16(round16(shl32(mul32(offset, ARCCOSINE_SLOPE_Q12[index]), 3)), index << 8))
    return lsf_q15
