"""RFC 3951 section 4.5: the residual of a lost frame.

It is the last frame's pitch, repeated, and its samples in random order, mixed by how periodic it was.  What the
fixed-point codec does where the RFC differs, or where it looks like a slip, is kept: it is the definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import absolute, bits_of, divide, int16, norm_of, shift_by
from voicecodecs.reference.ilbc.frame import Mode
from voicecodecs.reference.ilbc.tables import CONCEAL_PERIODICITY, CONCEAL_PITCH_Q15, CONCEAL_SLOPE_Q11
from voicecodecs.reference.ilbc.vectors import dot, peak

__all__ = ["Concealment"]

_LONGEST: Final = 60
_AROUND: Final = 3


@dataclass(slots=True)
class Concealment:
    """What a loss goes on from."""

    mode: Mode
    residual: list[int] = field(default_factory=list)
    """The last frame's, decoded or concealed."""
    seed: int = 777
    lag: int = 0
    periodicity: int = 0
    shift: int = 0

    def __post_init__(self) -> None:
        self.residual = [0] * self.mode.samples

    def conceal(self, pitch_lag: int, lost_run: int) -> list[int]:
        """Make up a residual; lost_run counts the frames lost in a row with this one."""
        if lost_run == 1:
            self._find_pitch(pitch_lag)
        n, old = self.mode.samples, self.residual
        pitch_q15, long_lost = _pitch_share_q15(self.periodicity), lost_run * n > 320
        # two periods of a short one: the same cycle over and over would buzz
        lag = 2 * self.lag if self.lag < 80 else self.lag
        noise: list[int] = []
        made_up: list[int] = []
        for i in range(n):
            self.seed = int16(self.seed * 31821 + 13849)
            noise_lag = 53 + (self.seed & 63)
            noise.append(old[n + i - noise_lag] if noise_lag > i else old[i - noise_lag])
            pitch = old[n + i - lag] if lag > i else made_up[i - lag]
            mixed = pitch_q15 * pitch + (32767 - pitch_q15) * noise[i] + 16384 >> 15
            made_up.append(_level_q15(i, long_lost=long_lost) * mixed >> 15)
        energy = sum(x * x >> self.shift + 1 for x in made_up)
        return noise if energy < n * 900 >> self.shift + 1 else made_up  # noise alone below 30 dB

    def _find_pitch(self, pitch_lag: int) -> None:
        """Look for the pitch 3 samples around the last frame's."""
        self.shift = max(0, 2 * bits_of(peak(self.residual)) - 25)
        n = min(_LONGEST, self.mode.samples - (pitch_lag + _AROUND))
        best = last = _matched(self.residual, pitch_lag - _AROUND, n, self.shift)
        for lag in range(best.lag + 1, pitch_lag + _AROUND + 1):
            last = _matched(self.residual, lag, n, self.shift)
            if last.beats(best):
                best = last
        now = self.residual[-n:]
        energy_now = dot(now, now, self.shift)
        self.lag = best.lag
        # the codec's guard tests the last candidate, not the best
        self.periodicity = _periodicity(best, energy_now) if energy_now > 0 and last.energy > 0 else 0


@dataclass(frozen=True, slots=True)
class _Match:
    lag: int
    product: int
    """Of the end of the frame with itself one lag before."""
    energy: int
    """There."""
    square: int
    """product^2 in 15 bits ..."""
    shift: int
    """... and the shift that took."""

    def beats(self, other: _Match) -> bool:
        """Compare product^2 / energy, crosswise."""
        shift_other, shift_self = bits_of(other.energy) - 15, bits_of(self.energy) - 15
        left = int16(shift_by(other.energy, -shift_other)) * self.square
        right = int16(shift_by(self.energy, -shift_self)) * other.square
        apart = 2 * other.shift + shift_self - 2 * self.shift - shift_other
        return left >> min(31, max(0, apart)) > right >> min(31, max(0, -apart))


def _matched(residual: Sequence[int], lag: int, n: int, shift: int) -> _Match:
    begin = len(residual) - n
    now, before = residual[begin:], residual[begin - lag : begin - lag + n]
    product, energy = dot(now, before, shift), dot(before, before, shift)
    if energy == 0:
        product, energy = 0, 1
    product_shift = bits_of(absolute(product)) - 15
    square = int16(shift_by(product, -product_shift)) ** 2 >> 15
    return _Match(lag, product, energy, int16(square), product_shift)


def _periodicity(match: _Match, energy_now: int) -> int:
    """product^2 / (energy now * energy before), Q15."""
    up_now, up_before = norm_of(energy_now) - 16, norm_of(match.energy) - 16
    now, before = int16(shift_by(energy_now, up_now)), int16(shift_by(match.energy, up_before))
    up = up_now + up_before - 1
    half, other_half = int16(shift_by(match.product, up >> 1)), int16(shift_by(match.product, up - (up >> 1)))
    return int16(divide(half * other_half, now * before >> 16))


def _pitch_share_q15(periodicity: int) -> int:
    """None of the pitch below a periodicity of 0.4, only pitch above 0.7 (to the fourth power, Q15)."""
    if periodicity > 7868:
        return 32767
    if periodicity <= 839:
        return 0
    i = max((k for k, bound in enumerate(CONCEAL_PERIODICITY) if periodicity >= bound), default=0)
    return min(
        CONCEAL_PITCH_Q15[i] + (CONCEAL_SLOPE_Q11[i] * (periodicity - CONCEAL_PERIODICITY[i]) >> 11), 32767
    )


def _level_q15(sample: int, *, long_lost: bool) -> int:
    """Less from 10 ms to 10 ms; a little less again after 40 ms of loss.

    A long loss does not fade: that is left to whoever hands over to comfort noise.
    """
    level = 29491 if long_lost else 32767
    return level if sample < 80 else 31130 * level >> 15 if sample < 160 else 29491 * level >> 15
