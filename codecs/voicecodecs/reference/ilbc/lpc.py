"""RFC 3951 sections 3.2.1 to 3.2.3: from 300 samples to line spectral frequencies.

The arithmetic is 16-bit hardware's: 32-bit numbers go about as two words, high and (15 bits of) low, and a
product of two leaves out that of the low words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from voicecodecs.reference.ilbc.arithmetic import absolute, divide, int16, int32, norm_of, shift_by
from voicecodecs.reference.ilbc.frame import ORDER, Mode
from voicecodecs.reference.ilbc.lpc_filters import widen
from voicecodecs.reference.ilbc.lsf import filter_to_lsf
from voicecodecs.reference.ilbc.tables import (
    ASYMMETRIC_WINDOW_Q15,
    CHIRP_SYNTHESIS_Q15,
    LAG_WINDOW_Q31,
    WINDOW_Q15,
)
from voicecodecs.reference.ilbc.vectors import dot, peak

__all__ = ["LOOKBACK", "analyse"]

LOOKBACK: Final = 60
"""Samples between the beginnings of the two windows."""
_WINDOW: Final = 240
_INT32_MAX: Final = 0x7FFFFFFF
_Words: TypeAlias = tuple[int, int]
"""High and low: x = (high << 16) + (low << 1)."""


def analyse(seen: Sequence[int], mode: Mode) -> list[list[int]]:
    """Analyse the last 300 samples: a set of frequencies from their end, before it one from their beginning."""
    last = _analyse_window(seen[LOOKBACK:], ASYMMETRIC_WINDOW_Q15)
    return [last] if mode.lpc_sets == 1 else [_analyse_window(seen[:_WINDOW], WINDOW_Q15), last]


def _analyse_window(samples: Sequence[int], window_q15: Sequence[int]) -> list[int]:
    r = _window_lags(_autocorrelate(samples, window_q15))
    a_q12 = _predict(r) or [4096] + [0] * ORDER
    return filter_to_lsf(widen(a_q12, CHIRP_SYNTHESIS_Q15))


def _autocorrelate(samples: Sequence[int], window_q15: Sequence[int]) -> list[int]:
    windowed = [x * w >> 15 for x, w in zip(samples, window_q15, strict=True)]
    greatest = peak(windowed)
    shift = max(0, _WINDOW.bit_length() - norm_of(greatest**2)) if greatest else 0
    return [dot(windowed, windowed[lag:], shift) for lag in range(ORDER + 1)]


def _window_lags(r: Sequence[int]) -> list[int]:
    """Widen the spectrum's peaks by 60 Hz, on normalised words."""
    up, windowed = norm_of(r[0]), []
    for x, y in zip(r, LAG_WINDOW_Q31, strict=True):
        (a_high, a_low), (b_high, b_low) = _split(int32(x << up)), _split(y)
        product = int32(2 * a_high * b_high + (a_high * b_low >> 14) + (a_low * b_high >> 14))
        windowed.append(product >> up)
    return windowed


def _predict(r: Sequence[int]) -> list[int]:
    """Levinson-Durbin: the filter (Q12), or [] where it would not be stable.

    From order i - 1 to i: k = -(r[i] + sum of r[j] a[i - j]) / error; a[j] += k a[i - j]; error *= 1 - k^2.
    a is in Q27; the error is kept normalised, error_up says by how much.
    """
    up = norm_of(r[0])
    words = [_split(int32(x << up)) for x in r]
    a: list[_Words] = [(2048, 0)]
    error, error_up = words[0], 0
    for i in range(1, ORDER + 1):
        k_q31 = _reflection(words[: i + 1], a, error, error_up)
        k = _split(k_q31)
        if i > 1 and abs(k[0]) > 32750:
            return []
        extended = [_split(int32(_joined(a[j]) + _product_q31(k, a[i - j]))) for j in range(1, i)]
        a = [a[0], *extended, _split(k_q31 >> 4)]
        shrunk = _product_q31(error, _complement_of_square(k))
        error, error_up = _split(int32(shrunk << norm_of(shrunk))), error_up + norm_of(shrunk)
    return [4096, *(int32((_joined(x) << 1) + 32768) >> 16 for x in a[1:])]


def _reflection(r: Sequence[_Words], a: Sequence[_Words], error: _Words, error_up: int) -> int:
    """-(r[i] + sum of r[j] a[i - j]) / error, Q31, saturated."""
    i = len(r) - 1
    total = int32(sum(_product_q31(r[j], a[i - j]) for j in range(1, i)))
    total = int32((total << 4) + _joined(r[i]))
    k = _quotient_q31(absolute(total), error)
    if total > 0:
        k = int32(-k)
    if k == 0 or error_up <= norm_of(k):
        return int32(k << error_up)
    return _INT32_MAX if k > 0 else -_INT32_MAX - 1


def _quotient_q31(numerator: int, denominator: _Words) -> int:
    """One Newton step on a 16-bit reciprocal; 0 <= numerator <= denominator, which is normalised."""
    guess_q14 = int16(divide(0x1FFFFFFF, denominator[0]))
    error = int32(2 * denominator[0] * guess_q14 + 2 * (denominator[1] * guess_q14 >> 15))
    rest = _split(int32(_INT32_MAX - error))  # 2 - denominator * guess, Q30
    inverse_q29 = _split(int32(rest[0] * guess_q14 + (rest[1] * guess_q14 >> 15) << 1))
    return shift_by(_product_q31(_split(numerator), inverse_q29), 2)


def _complement_of_square(k: _Words) -> _Words:
    """1 - k^2, Q31."""
    square = int32((k[0] * k[1] >> 14) + k[0] * k[0] << 1)
    return _split(int32(_INT32_MAX - absolute(square)))


def _split(x: int) -> _Words:
    return x >> 16, (x & 0xFFFF) >> 1


def _joined(x: _Words) -> int:
    return int32((x[0] << 16) + 2 * x[1])


def _product_q31(a: _Words, b: _Words) -> int:
    return int32(a[0] * b[0] + (a[0] * b[1] >> 15) + (a[1] * b[0] >> 15) << 1)
