"""Linear prediction: window, autocorrelation, Levinson-Durbin (3.2.1, 3.2.2).

Correlations of the windowed samples, normalised alike, weighted by a lag window (60 Hz) and a little noise; then
the recursion in split 32-bit numbers.  An unstable filter is replaced by the last stable one.  Annex B looks at
12 lags, the filter uses 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import ORDER, fits32
from voicecodecs.reference.g729.fixed import (
    INT32_MAX,
    Dpf,
    abs16,
    abs32,
    add32,
    dot32,
    dpf_div,
    dpf_mul,
    dpf_of,
    dpf_value,
    mul16_rounded,
    neg32,
    norm32,
    round16,
    shl32,
    shr16,
    shr32,
    sub32,
)
from voicecodecs.reference.g729.tables import LAG_WINDOW_HIGH_Q15, LAG_WINDOW_LOW, LPC_WINDOW_Q15

__all__ = ["Autocorrelation", "Prediction", "Predictor", "autocorrelate", "with_lag_window"]

_LAGS: Final = 12
_UNSTABLE_Q15: Final = 32750


class Autocorrelation(NamedTuple):
    """Correlations, normalised; the energy of the windowed signal is r[0] * 2^exponent."""

    r: tuple[Dpf, ...]
    exponent: int


class Prediction(NamedTuple):
    """A filter, its first two reflection coefficients and the energy of its residual.

    The energy is in units of the upper half of r[0]; None if the filter was unstable.
    """

    a_q12: tuple[int, ...]
    reflection_q15: tuple[int, int]
    error: int | None


def autocorrelate(samples: Sequence[int]) -> Autocorrelation:
    """Window 240 samples and correlate them with themselves; r[0] starts from 1, so that it is never zero."""
    windowed = [mul16_rounded(x, w) for x, w in zip(samples, LPC_WINDOW_Q15, strict=True)]
    exponent = -1  # of the doubling in Q15 * Q15 -> Q31
    while not fits32(1 + 2 * sum(x * x for x in windowed)):
        windowed = [x >> 2 for x in windowed]
        exponent += 4
    sums = [dot32(windowed[: len(windowed) - lag], windowed[lag:], int(lag == 0)) for lag in range(_LAGS + 1)]
    shift = norm32(sums[0])
    return Autocorrelation(tuple(dpf_of(shl32(total, shift)) for total in sums), exponent - shift)


def with_lag_window(correlation: Autocorrelation) -> Autocorrelation:
    """Weight the lags."""
    window = map(Dpf, LAG_WINDOW_HIGH_Q15, LAG_WINDOW_LOW)
    weighted = [dpf_of(dpf_mul(r, w)) for r, w in zip(correlation.r[1:], window, strict=True)]
    return correlation._replace(r=(correlation.r[0], *weighted))


class _Error(NamedTuple):
    """An energy with the bits that it lost to normalisation."""

    value: Dpf
    exponent: int

    def reduced(self, k: Dpf) -> _Error:
        """Return error * (1 - k^2)."""
        product = dpf_mul(self.value, dpf_of(sub32(INT32_MAX, abs32(dpf_mul(k, k)))))
        shift = norm32(product)
        return _Error(dpf_of(shl32(product, shift)), self.exponent + shift)

    def reflection(self, numerator: int) -> int:
        """Return -numerator / error, Q31."""
        quotient = dpf_div(abs32(numerator), self.value)
        return shl32(neg32(quotient) if numerator > 0 else quotient, self.exponent)


class Predictor:
    """Finds filters, and remembers the last stable one."""

    def __init__(self) -> None:
        self._last = Prediction((4096, *[0] * ORDER), (0, 0), None)

    def predict(self, r: Sequence[Dpf]) -> Prediction:
        """Find the filter of autocorrelations r[0] to r[10]."""
        error = _Error(r[0], 0)
        a: list[Dpf] = []  # a[1] to a[i], Q27
        reflections = []
        for i in range(1, ORDER + 1):
            total = 0
            for j in range(1, i):
                total = add32(total, dpf_mul(r[j], a[i - j - 1]))
            k = error.reflection(add32(shl32(total, 4), dpf_value(r[i])))
            k_split = dpf_of(k)
            reflections.append(k_split.high)
            if i > 1 and abs16(k_split.high) > _UNSTABLE_Q15:
                return self._last._replace(error=None)
            reversed_a = [dpf_mul(k_split, coefficient) for coefficient in reversed(a)]
            a = [dpf_of(add32(x, dpf_value(y))) for x, y in zip(reversed_a, a, strict=True)]
            a.append(dpf_of(shr32(k, 4)))
            error = error.reduced(k_split)
        a_q12 = (4096, *(round16(shl32(dpf_value(coefficient), 1)) for coefficient in a))
        residual = shr16(error.value.high, error.exponent)
        self._last = Prediction(a_q12, (reflections[0], reflections[1]), residual)
        return self._last
