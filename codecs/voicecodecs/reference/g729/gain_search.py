"""The choice of gains (3.9.2).

The error of a pair of gains is |x - gp y - gc z|^2 = |x|^2 + gp^2 yy - 2 gp xy + gc^2 zz - 2 gc xz + 2 gp gc yz for a
target x, filtered past y and filtered code z.  The unquantised optimum tells which 4 of the 8 first entries and 8 of
the 16 second ones to try.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Final, NamedTuple

from voicecodecs.reference.g729.fixed import (
    INT32_MAX,
    add16,
    add32,
    div16,
    dpf_mul16,
    dpf_of,
    low16,
    mul16,
    mul32,
    neg16,
    norm32,
    shl32,
    shr16,
    shr32,
    sub32,
)
from voicecodecs.reference.g729.gains import GainMemory, Gains, Product
from voicecodecs.reference.g729.tables import (
    GAIN_CODEBOOK1,
    GAIN_CODEBOOK2,
    GAIN_INDEX1_OF,
    GAIN_INDEX2_OF,
    GAIN_PRESELECT,
    GAIN_PRESELECT_FINE,
    GAIN_THRESHOLD1_Q14,
    GAIN_THRESHOLD2_Q15,
)

__all__ = ["ChosenGains", "GainProducts", "choose_gains"]

_FIRST_TRIED: Final = 4
_SECOND_TRIED: Final = 8
_TAME_LIMIT_Q14: Final = 16383
_TAME_OPTIMUM_Q9: Final = 481


class GainProducts(NamedTuple):
    """The scalar products that the error depends on."""

    yy: Product
    minus_2xy: Product
    zz: Product
    minus_2xz: Product
    yz2: Product


class ChosenGains(NamedTuple):
    """GA, GB and what they stand for."""

    index1: int
    index2: int
    gains: Gains


class _Optimum(NamedTuple):
    pitch_q9: int
    code_q2: int


def _normalized(x: int, exponent: int) -> Product:
    shift = norm32(x)
    return Product(shl32(x, shift) >> 16, exponent + shift - 16)


def _determinant(p: GainProducts) -> Product:
    """4 yy zz - yz^2, in one exponent."""
    squares, mixed = mul32(p.yy.mantissa, p.zz.mantissa), mul32(p.yz2.mantissa, p.yz2.mantissa)
    exponent1, exponent2 = p.yy.exponent + p.zz.exponent - 1, 2 * p.yz2.exponent + 1
    if exponent1 > exponent2:
        return _normalized(sub32(shr32(squares, exponent1 - exponent2), mixed), exponent2)
    return _normalized(sub32(squares, shr32(mixed, exponent2 - exponent1)), exponent1)


def _numerator(a: Product, b: Product, c: Product, d: Product) -> Product:
    """2 a b - c d, halved, in one exponent."""
    ab, cd = mul32(a.mantissa, b.mantissa), mul32(c.mantissa, d.mantissa)
    exponent1, exponent2 = a.exponent + b.exponent, c.exponent + d.exponent + 1
    if exponent1 > exponent2:
        return _normalized(sub32(shr32(ab, exponent1 - exponent2 + 1), shr32(cd, 1)), exponent2 - 1)
    return _normalized(sub32(shr32(ab, 1), shr32(cd, exponent2 - exponent1 + 1)), exponent1 - 1)


def _free_gains(p: GainProducts) -> _Optimum:
    """Return the gains that would be best if they were free: -numerator / determinant."""
    determinant = _determinant(p)
    inverse = Product(neg16(div16(16384, determinant.mantissa)), 14 + 15 - determinant.exponent)

    def quotient(numerator: Product, q: int) -> int:
        shift = numerator.exponent + inverse.exponent - (q + 16 - 1)
        return shr32(mul32(numerator.mantissa, inverse.mantissa), shift) >> 16

    pitch = _numerator(p.zz, p.minus_2xy, p.minus_2xz, p.yz2)
    code = _numerator(p.yy, p.minus_2xz, p.minus_2xy, p.yz2)
    return _Optimum(quotient(pitch, 9), quotient(code, 2))


def _passed(position: int, predicted_q4: int, thresholds: Sequence[int], shift: int) -> int:
    """Count the thresholds that the optimum has passed; they scale with the predicted gain and its sign."""
    for count, threshold in enumerate(thresholds):
        beyond = sub32(position, shr32(mul32(threshold, predicted_q4), shift))
        if beyond <= 0 if predicted_q4 > 0 else beyond >= 0:
            return count
    return len(thresholds)


def _preselect(optimum: _Optimum, predicted_q4: int) -> tuple[int, int]:
    """Return the first candidates of both stages, from where the optimum lies between two lines."""
    inverse = -17103
    slope_q20 = mul32(GAIN_PRESELECT[0][0], optimum.pitch_q9)

    line = add32(slope_q20, GAIN_PRESELECT_FINE[1][1] >> 15) >> 16
    distance = sub32(shl32(optimum.code_q2, 7), mul32(line, predicted_q4))
    x_q15 = mul32(shl32(distance, 2) >> 16, inverse)

    line = mul16(sub32(slope_q20, GAIN_PRESELECT_FINE[0][1] >> 10) >> 16, predicted_q4)
    distance = sub32(mul32(line, GAIN_PRESELECT[1][0]), mul32(GAIN_PRESELECT[0][0], optimum.code_q2) >> 3)
    y_q16 = mul32(shl32(distance, 2) >> 16, inverse)

    first = _passed(y_q16, predicted_q4, GAIN_THRESHOLD1_Q14, 3)
    return first, _passed(x_q15, predicted_q4, GAIN_THRESHOLD2_Q15, 5)


def _distortion_of(p: GainProducts, predicted_q: int) -> Callable[[int, int], int]:
    """Bring the five products into one exponent; return the error as a function of the gains."""
    exponents = (
        p.yy.exponent + 13,
        p.minus_2xy.exponent + 14,
        p.zz.exponent + 2 * predicted_q - 21,
        p.minus_2xz.exponent + predicted_q - 3,
        p.yz2.exponent + predicted_q - 4,
    )
    least = min(exponents)
    factors = [dpf_of(shr32(x.mantissa << 16, e - least)) for x, e in zip(p, exponents, strict=True)]

    def distortion(pitch_q14: int, code: int) -> int:
        terms = (mul16(pitch_q14, pitch_q14), pitch_q14, mul16(code, code), code, mul16(code, pitch_q14))
        total = 0
        for factor, term in zip(factors, terms, strict=True):
            total = add32(total, dpf_mul16(factor, term))
        return total

    return distortion


def choose_gains(
    memory: GainMemory, products: GainProducts, code_q13: Sequence[int], *, tame: bool
) -> ChosenGains:
    """Choose a pair of entries; the memory takes its correction.  tame: keep the pitch gain below 1 (3.7.3)."""
    predicted = memory.predict(code_q13)
    optimum = _free_gains(products)
    if tame:
        optimum = optimum._replace(pitch_q9=min(optimum.pitch_q9, _TAME_OPTIMUM_Q9))
    if predicted.exponent >= 4:
        predicted_q4 = shr16(predicted.mantissa, predicted.exponent - 4)
    else:
        predicted_q4 = shl32(predicted.mantissa, 20 - predicted.exponent) >> 16
    distortion = _distortion_of(products, predicted.exponent)
    first1, first2 = _preselect(optimum, predicted_q4)
    least, best = INT32_MAX, (first1, first2)
    for i, j in product(range(first1, first1 + _FIRST_TRIED), range(first2, first2 + _SECOND_TRIED)):
        a, b = GAIN_CODEBOOK1[i], GAIN_CODEBOOK2[j]
        pitch_q14 = add16(a[0], b[0])
        if tame and pitch_q14 >= _TAME_LIMIT_Q14:
            continue
        error = distortion(pitch_q14, mul16(predicted.mantissa, low16(a[1] + b[1] >> 1)))
        if error < least:
            least, best = error, (i, j)
    gains = memory.gains_of_entries(*best, predicted)
    return ChosenGains(GAIN_INDEX1_OF[best[0]], GAIN_INDEX2_OF[best[1]], gains)
