"""RFC 3951 section 4.6: make the residual more periodic.

Every block of 80 residual samples is replaced by a mix of itself and its six neighbours one, two, three pitch
periods before and after it.  Positions and periods are in quarter samples (Q2).

    history: |........................................|   this frame's residual   |
             0                    | new blocks of 80, which lag by the delay  |   640

After a loss it also blends what was concealed into the new frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import (
    bits_of,
    divide,
    int16,
    norm_of,
    saturate16,
    shift_by,
    square_root,
)
from voicecodecs.reference.ilbc.frame import Mode
from voicecodecs.reference.ilbc.smoother import smooth
from voicecodecs.reference.ilbc.tables import HALF_BAND_Q12, SEGMENT_WEIGHT_Q16, UPSAMPLE_Q12
from voicecodecs.reference.ilbc.vectors import dot, fir, greatest, peak

__all__ = ["Enhancer"]

_BLOCK: Final = 80
_HISTORY: Final = 640
_PERIODS: Final = 8
_SLOP: Final = 2
"""Samples that the period may be off."""
_CORRELATIONS: Final = 2 * _SLOP + 1
_UPSAMPLING: Final = 4
_OVERHANG_Q2: Final = 2 * _UPSAMPLING
_HALF_RATE_BLOCK: Final = _BLOCK // 2
_LAGS: Final = 50
_LEAST_LAG: Final = 10
_LOOKBACK: Final = 120
_MIDDLES_Q2: Final = tuple(range(160, 2401, 320))
"""Where the middles of the blocks of the periods are."""


@dataclass(slots=True)
class Enhancer:
    """Keeps the last 640 samples and the pitch periods along them."""

    mode: Mode
    history: list[int] = field(default_factory=lambda: [0] * _HISTORY)
    periods_q2: list[int] = field(default_factory=lambda: [160] * _PERIODS)

    def enhance(self, residual: Sequence[int], *, after_loss: bool) -> tuple[list[int], int]:
        """Return the enhanced residual, 40 (20 ms) or 80 samples late, and the pitch lag where the frame ends."""
        n, delay = self.mode.samples, 40 if self.mode.ms == 20 else 80
        n_blocks = n // _BLOCK
        self.history = [*self.history[n:], *residual]
        half_rate = _downsample(self.history, n + _LOOKBACK)
        at = range(_LOOKBACK // 2, _LOOKBACK // 2 + n_blocks * _HALF_RATE_BLOCK, _HALF_RATE_BLOCK)
        lags = [2 * _half_rate_lag(half_rate, position) for position in at]
        self.periods_q2 = [*self.periods_q2[n_blocks:], *(_UPSAMPLING * lag for lag in lags)]
        lag, begin = lags[-1], _HISTORY - n
        if after_loss:
            lag, self.history[begin - delay : begin] = _join(
                self.history[begin - delay : begin], residual, lags[0]
            )
        out: list[int] = []
        for position in range(begin - delay, _HISTORY - delay, _BLOCK):
            out += smooth(self.history[position : position + _BLOCK], self._surround(position))
        return out, lag

    def _surround(self, block_position: int) -> list[int]:
        """Sum the six neighbours of a block, weighted."""
        surround = [0] * _BLOCK
        position = _UPSAMPLING * block_position
        period = self.periods_q2[_nearest(_MIDDLES_Q2, 2 * (2 * block_position + _BLOCK - 1))]
        for weight in reversed(SEGMENT_WEIGHT_Q16):
            if position < period + _OVERHANG_Q2:
                break  # it would begin before the history, and so would those further back
            position -= period
            period = self.periods_q2[_nearest(_MIDDLES_Q2, max(0, position + 2 * _BLOCK - period))]
            position = _add_segment(surround, self.history, block_position, position, weight)
        position = _UPSAMPLING * block_position
        before = [middle - period for middle, period in zip(_MIDDLES_Q2, self.periods_q2, strict=True)]
        for weight in reversed(SEGMENT_WEIGHT_Q16):
            position += self.periods_q2[_nearest(before, position + 2 * _BLOCK)]
            if position + _UPSAMPLING * _BLOCK + _OVERHANG_Q2 < _UPSAMPLING * _HISTORY:
                position = _add_segment(surround, self.history, block_position, position, weight)
        return surround


# ---- 4.6.1: the pitch period of each new block, at half the rate ----


def _downsample(history: Sequence[int], n: int) -> list[int]:
    """The last n samples at 4 kHz; behind the end are zeros."""
    padded = [*history[-n - 3 :], 0, 0]
    reversed_q12 = HALF_BAND_Q12[::-1]
    return [
        saturate16(sum(c * x for c, x in zip(reversed_q12, padded[i : i + 7], strict=True)) + 2048 >> 12)
        for i in range(0, n, 2)
    ]


@dataclass(frozen=True, slots=True)
class _Score:
    """A lag's correlation squared over the energy there, as mantissas with one exponent."""

    lag: int
    square: int
    energy: int
    exponent: int

    def beats(self, other: _Score) -> bool:
        left, right = self.square * other.energy, other.square * self.energy
        apart = other.exponent - self.exponent
        return left >> min(31, max(0, apart)) > right >> min(31, max(0, -apart))


def _scored(lag: int, correlation: int, there: Sequence[int], shift: int) -> _Score:
    energy = dot(there, there, shift)
    up, up_energy = 15 - bits_of(correlation), 15 - bits_of(energy)
    square = int16(shift_by(correlation, up)) ** 2 >> 16
    return _Score(lag, int16(square), int16(shift_by(energy, up_energy)), up_energy - 2 * up)


def _half_rate_lag(samples: Sequence[int], position: int) -> int:
    """Find the three highest correlations that are not neighbours, then the best of them."""
    regressor = position - _LEAST_LAG
    target = samples[position : position + _HALF_RATE_BLOCK]
    there = [samples[regressor - lag : regressor - lag + _HALF_RATE_BLOCK] for lag in range(_LAGS)]
    # the last sample of the nearest lag is left out, as the codec has it
    shift = max(0, bits_of(peak(samples[regressor - _LAGS : regressor + _HALF_RATE_BLOCK - 1]) ** 2) - 25)
    correlations = [dot(target, samples_there, shift) for samples_there in there]
    best: _Score | None = None
    for _ in range(3):
        lag = greatest(correlations)
        candidate = _scored(lag, correlations[lag], there[lag], shift)
        if best is None or candidate.beats(best):
            best = candidate
        first, last = max(2, lag) - 2, min(_LAGS - 3, lag) + 2
        correlations[first : last + 1] = [0] * (last + 1 - first)
    return (best.lag if best else 0) + _LEAST_LAG


# ---- 4.6.2 and 4.6.3: the surround of a block ----


def _nearest(at_q2: Sequence[int], value_q2: int) -> int:
    """The place nearest to value_q2; a place before the history never is."""
    places = [i for i, place in enumerate(at_q2) if place >= 0]
    return min(places, key=lambda i: abs(at_q2[i] - value_q2))


def _add_segment(
    surround: list[int], history: Sequence[int], block_position: int, position_q2: int, weight_q16: int
) -> int:
    """Add the segment near position_q2 that is most like the block, weighted; return where it was, Q2."""
    rounded = position_q2 - 2 >> 2
    first, last = max(0, rounded - _SLOP), min(rounded + _SLOP, _HISTORY - _BLOCK - 1)
    block = history[block_position : block_position + _BLOCK]
    there = history[first : last + _BLOCK]
    greatest_sum = (peak(there) + 1) * (peak(block) + 1) * _BLOCK
    shift = max(0, greatest_sum.bit_length() - 31)
    correlations = [dot(block, there[lag : lag + _BLOCK], shift) for lag in range(last + 1 - first)]
    offset_q2 = _finest(correlations)

    # A sample later and as many quarters back; outside of the history are zeros.
    whole = offset_q2 + 3 >> 2
    taps_q12 = UPSAMPLE_Q12[_UPSAMPLING * whole - offset_q2]
    padded = [0, 0, 0, *history, 0, 0, 0]
    segment = fir(padded[first + whole : first + whole + _BLOCK + 6], taps_q12[::-1])
    for i, sample in enumerate(segment):
        surround[i] = int16(surround[i] + int16(sample * weight_q16 + 32768 >> 16))
    return first * _UPSAMPLING + offset_q2 + _UPSAMPLING


def _finest(correlations: Sequence[int]) -> int:
    """The quarter sample, from the first lag on, at which the correlation is greatest."""
    down = max(0, bits_of(min(max(map(abs, correlations)), 0x7FFFFFFF)) - 15)
    mantissas = [int16(x >> down) for x in correlations] + [0] * (_CORRELATIONS - len(correlations))
    fine = [
        sum(mantissas[k] * taps[3 + i - k] for k in range(max(0, i - 2), min(_CORRELATIONS, i + 3)))
        for i in range(len(correlations))
        for taps in UPSAMPLE_Q12
    ]
    return greatest(fine)


# ---- 4.6.4 and on: after a loss ----


def _join(concealed: Sequence[int], residual: Sequence[int], lag: int) -> tuple[int, list[int]]:
    """Predict backwards from the frame into what was concealed just before it, and cross-fade the two.

    Returns the refined lag, and what replaces the concealed samples.
    """
    n = len(concealed)
    shift = 2 if peak(residual[lag - 1 : lag + 1 + n]) > 5000 else 0
    correlations = [dot(residual[:n], residual[lag - 1 + k : lag - 1 + k + n], shift) for k in range(3)]
    lag += greatest(correlations) - 1
    backwards = list(residual[lag - n : lag]) if lag > n else [*concealed[lag:], *residual[:lag]]
    _limit_energy(backwards, concealed)
    step_q14, share_q14, joined = 400 if n == 40 else 202, 0, list(concealed)
    for i in range(n - 1, -1, -1):
        share_q14 += step_q14
        joined[i] = int16((concealed[i] * share_q14 >> 14) + ((16384 - share_q14) * backwards[i] >> 14))
    return lag, joined


def _limit_energy(backwards: list[int], concealed: Sequence[int]) -> None:
    """Hold the energy of what was predicted backwards to four times that of what was concealed.

    With a ramp of 16 samples up to the frame.
    """
    n, ramp = len(backwards), 16
    shift = max(0, 22 - norm_of(max(peak(concealed), peak(backwards))))
    allowed, energy = dot(concealed, concealed, shift), dot(backwards, backwards, shift)
    if energy <= 0 or energy >> 2 <= allowed:
        return
    up = norm_of(energy)
    ratio_q16 = int16(divide(shift_by(allowed, up), int16(shift_by(energy, up - 16))))
    root_q15 = int16(square_root(ratio_q16 << 14))
    step, above = 2048 - (root_q15 >> 3), 0
    for i in range(n - ramp):
        backwards[i] = int16(backwards[i] * root_q15 >> 14)
    for i in range(n - ramp, n):
        backwards[i] = int16(backwards[i] * (root_q15 + (above >> 1)) >> 14)
        above = int16(above + step)
