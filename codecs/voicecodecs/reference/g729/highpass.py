"""The two high passes at the codec's ends (3.1 and 4.2.5).

Before the encoder: cut below 140 Hz and halve.  After the decoder: cut below 100 Hz and double.  Second-order
recursions whose outputs are remembered with 31 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicecodecs.reference.g729.fixed import Dpf, add32, dpf_mul16, dpf_of, mac32, round16, shl32

__all__ = ["Postprocess", "Preprocess"]


class _HighPass:
    """y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] + a1 y[i-1] + a2 y[i-2]."""

    b: tuple[int, int, int]
    a: tuple[int, int]
    shift: int

    def __init__(self) -> None:
        self._x1 = self._x2 = 0
        self._y1 = self._y2 = Dpf(0, 0)

    def _next(self, x: int) -> int:
        # The order of the five products is the standard's; with saturation it matters.
        total = dpf_mul16(self._y1, self.a[0])
        total = add32(total, dpf_mul16(self._y2, self.a[1]))
        total = mac32(total, x, self.b[0])
        total = mac32(total, self._x1, self.b[1])
        total = mac32(total, self._x2, self.b[2])
        y = shl32(total, self.shift)
        self._x1, self._x2 = x, self._x1
        self._y1, self._y2 = dpf_of(y), self._y1
        return y


class Preprocess(_HighPass):
    """Cut below 140 Hz and halve; coefficients in Q12, half of the gain is in the numerator."""

    b = (1899, -3798, 1899)
    a = (7807, -3733)
    shift = 3

    def process(self, samples: Sequence[int]) -> list[int]:
        """Filter samples, any number."""
        return [round16(self._next(x)) for x in samples]


class Postprocess(_HighPass):
    """Cut below 100 Hz and double; coefficients in Q13."""

    b = (7699, -15398, 7699)
    a = (15836, -7667)
    shift = 2

    def process(self, samples: Sequence[int]) -> list[int]:
        """Filter samples, any number."""
        return [round16(shl32(self._next(x), 1)) for x in samples]
