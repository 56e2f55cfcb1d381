"""RFC 3951 sections 3.1 and 4.8: the high-pass filters at the codec's two ends.

Second-order sections that keep their past outputs in 31 bits:
y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] - a1 y[i-1] - a2 y[i-2], Q12.  The output is clipped before it is scaled,
the state where it would leave 31 bits.  (The codec was written for 16-bit multipliers and keeps two words, of 16
and 15 bits: the same number.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voicecodecs.reference.ilbc.tables import HIGH_PASS_IN_Q12, HIGH_PASS_OUT_Q12

__all__ = ["HighPass", "input_high_pass", "output_high_pass"]


@dataclass(slots=True)
class HighPass:
    """One section and its state."""

    b_a_q12: Sequence[int]
    half: int
    """Half of what `shift` cuts off: rounds."""
    shift: int
    limit: int
    """Where the output is clipped, before it is shifted."""
    x_1: int = 0
    x_2: int = 0
    y_1: int = 0
    """The last output, Q14."""
    y_2: int = 0

    def filter(self, samples: Sequence[int]) -> list[int]:
        """Filter samples, going on from the ones before."""
        return [self._next(sample) for sample in samples]

    def _next(self, x: int) -> int:
        b_0, b_1, b_2, a_1, a_2 = self.b_a_q12
        fed_back = self.y_1 * a_1 + self.y_2 * a_2 >> 15
        y_q12 = 2 * fed_back + x * b_0 + self.x_1 * b_1 + self.x_2 * b_2
        kept_q14 = (1 << 30) - 1 if y_q12 >= 1 << 28 else max(y_q12 << 2, -1 << 30)
        self.x_1, self.x_2 = x, self.x_1
        self.y_1, self.y_2 = kept_q14, self.y_1
        return max(-self.limit, min(y_q12 + self.half, self.limit - 1)) >> self.shift


def input_high_pass() -> HighPass:
    """Make the 90 Hz filter of the encoder; it halves the level, so that the analysis has room."""
    return HighPass(HIGH_PASS_IN_Q12, 4096, 13, 1 << 28)


def output_high_pass() -> HighPass:
    """Make the 65 Hz filter of the decoder; it doubles the level again."""
    return HighPass(HIGH_PASS_OUT_Q12, 1024, 11, 1 << 26)
