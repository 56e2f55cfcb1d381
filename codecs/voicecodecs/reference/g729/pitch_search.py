"""The closed-loop pitch: lag and gain of the adaptive codebook (3.7, A.3.7).

Among lags near a guess, find the one whose past excitation, filtered, explains most of the target; then a third of
a sample more or less.  The target is filtered backwards once, so that a candidate costs one scalar product; Annex A
maximises that product alone, without the energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from voicecodecs.reference.g729.filters import SUBFRAME, fits32, predict_long_term
from voicecodecs.reference.g729.fixed import (
    INT32_MIN,
    abs32,
    div16,
    dot32,
    low16,
    neg16,
    norm32,
    round16,
    shl32,
    shr16,
)
from voicecodecs.reference.g729.gains import Product
from voicecodecs.reference.g729.pitch_lag import Lag

__all__ = ["LagRange", "PitchGain", "filtered_backwards", "pitch_gain", "search_lag"]


class LagRange(NamedTuple):
    """Whole lags from first to last; no thirds beyond last_fine."""

    first: int
    last: int
    last_fine: int


class PitchGain(NamedTuple):
    """The best gain, Q14, and the products that it came from, as the gain search wants them."""

    gain_q14: int
    yy: Product
    minus_2xy: Product


def filtered_backwards(h_q12: Sequence[int], target: Sequence[int]) -> list[int]:
    """Return the sums over j >= i of h[j - i] * target[j], scaled to 13 bits."""
    sums = [dot32(target[i:], h_q12[: SUBFRAME - i]) for i in range(SUBFRAME)]
    shift = min(norm32(max(map(abs32, sums))), 16)
    return [low16(total >> 18 - shift) for total in sums]


def search_lag(
    excitation: list[int], at: int, target: Sequence[int], h_q12: Sequence[int], lags: LagRange
) -> Lag:
    """Return the best lag; excitation[at : at + 40] becomes its prediction.

    Before, that is the LPC residual, which stands in for the future of lags below 40.
    """
    here = slice(at, at + SUBFRAME)
    backwards = filtered_backwards(h_q12, target)
    largest, best = INT32_MIN, lags.first
    for samples in range(lags.first, lags.last + 1):
        total = dot32(backwards, excitation[at - samples : at - samples + SUBFRAME])
        if total > largest:
            largest, best = total, samples
    lag = Lag(best, 0)
    predict_long_term(excitation, at, best, 0)
    if best > lags.last_fine:
        return lag
    prediction = excitation[here]
    largest = dot32(backwards, prediction)
    for thirds in (-1, 1):
        predict_long_term(excitation, at, best, thirds)
        total = dot32(backwards, excitation[here])
        if total > largest:
            largest, lag, prediction = total, Lag(best, thirds), excitation[here]
    excitation[here] = prediction
    return lag


def _normalized(total: int, shift_lost: int) -> Product:
    shift = norm32(total)
    return Product(round16(shl32(total, shift)), shift - shift_lost)


def _saturates(a: Sequence[int], b: Sequence[int], start: int) -> bool:
    """Say whether a sum of products saturates anywhere on its way."""
    total = start
    for x, y in zip(a, b, strict=True):
        total += 2 * x * y
        if not fits32(total):
            return True
    return False


def pitch_gain(target: Sequence[int], y: Sequence[int]) -> PitchGain:
    """Return target . y / y . y, at most 1.2 (3.7.3); of a quarter of y where a sum would saturate."""
    quarter = [x >> 2 for x in y]
    whole = not _saturates(y, y, 1)
    yy = _normalized(dot32(y, y, 1), 0) if whole else _normalized(dot32(quarter, quarter, 1), 4)
    whole = not _saturates(target, y, 0)
    xy = _normalized(dot32(target, y), 0) if whole else _normalized(dot32(target, quarter), 2)
    yy_product = Product(yy.mantissa, yy.exponent - 15)
    if xy.mantissa <= 0:
        return PitchGain(0, yy_product, Product(neg16(xy.mantissa), 14))
    ratio = div16(xy.mantissa >> 1, yy.mantissa)
    gain_q14 = min(shr16(ratio, xy.exponent - yy.exponent), 19661)
    return PitchGain(gain_q14, yy_product, Product(neg16(xy.mantissa), xy.exponent - 16))
