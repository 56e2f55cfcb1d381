"""The post-filter: makes decoded speech less noisy to the ear (A.4.2).

It emphasises the harmonics of the pitch and the formants, takes out the tilt that this gives, and restores the
level: residual by A(z/0.55); long-term filter with a whole lag near the decoded one; tilt compensation; synthesis
by 1/A(z/0.7); gain control sample by sample.  Comfort noise has no pitch; the memories move on all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voicecodecs.reference.g729.filters import LAG_MAX, ORDER, SUBFRAME, expand, residual, synthesize
from voicecodecs.reference.g729.fixed import (
    INT16_MAX,
    INT32_MIN,
    add16,
    div16,
    dot32,
    mul16,
    mul32,
    norm32,
    round16,
    shl32,
    shr32,
    sub16,
    sub32,
)
from voicecodecs.reference.g729.mathematics import inverse_sqrt

__all__ = ["Postfilter"]

_RESIDUAL_GAMMA_Q15: Final = 18022
_SYNTHESIS_GAMMA_Q15: Final = 22938


class Postfilter:
    """The post-filter of one decoder."""

    def __init__(self) -> None:
        self._residual = [0] * LAG_MAX
        self._past = [0] * ORDER
        self._before = 0
        self._gain_q12 = 4096

    def process(self, samples: Sequence[int], a_q12: Sequence[int], lag: int, *, speech: bool) -> list[int]:
        """Filter a subframe; the first ORDER of the samples are the past."""
        numerator_q12 = expand(a_q12, _RESIDUAL_GAMMA_Q15)
        denominator_q12 = expand(a_q12, _SYNTHESIS_GAMMA_Q15)
        history = self._residual + residual(numerator_q12, samples)
        self._residual = history[SUBFRAME:]
        filtered = _long_term_filtered(history, lag) if speech else history[LAG_MAX:]
        filtered = self._without_tilt(filtered, _tilt_of(numerator_q12, denominator_q12))
        out = synthesize(denominator_q12, filtered, self._past).samples
        self._past = out[-ORDER:]
        return self._with_level(out, samples[ORDER:])

    def _without_tilt(self, samples: Sequence[int], tilt_q15: int) -> list[int]:
        before = [self._before, *samples[:-1]]
        self._before = samples[-1]
        return [sub16(x, mul16(tilt_q15, b)) for x, b in zip(samples, before, strict=True)]

    def _with_level(self, out: list[int], samples: Sequence[int]) -> list[int]:
        """Bring out to the level of samples (A.4.2.4)."""
        energy_out = _scaled_energy(out)
        if energy_out == 0:
            self._gain_q12 = 0
            return out
        step = _gain_step(_scaled_energy(samples), energy_out)
        levelled = []
        for x in out:
            self._gain_q12 = add16(mul16(self._gain_q12, 29491), step)
            levelled.append(shl32(mul32(x, self._gain_q12), 3) >> 16)
        return levelled


def _best_lag(scaled: Sequence[int], first: int) -> tuple[int, int]:
    """Return the lag of seven with the largest correlation, and that."""
    largest, best = INT32_MIN, first
    for lag in range(first, first + 7):
        total = dot32(scaled[LAG_MAX:], scaled[LAG_MAX - lag : LAG_MAX - lag + SUBFRAME])
        if total > largest:
            largest, best = total, lag
    return best, largest


def _long_term_filtered(history: Sequence[int], lag: int) -> list[int]:
    """Return g0 x + gain x[-lag] for a prediction gain of 3 dB and more; else x (A.4.2.1)."""
    now = list(history[LAG_MAX:])
    scaled = [x >> 2 for x in history]
    lag, correlation = _best_lag(scaled, min(lag - 3, LAG_MAX - 6))
    then = slice(LAG_MAX - lag, LAG_MAX - lag + SUBFRAME)
    energies = (
        max(correlation, 0),
        dot32(scaled[then], scaled[then], 1),
        dot32(scaled[LAG_MAX:], scaled[LAG_MAX:], 1),
    )
    shift = norm32(max(energies))
    c, energy_then, energy_now = (round16(shl32(energy, shift)) for energy in energies)
    if sub32(mul32(c, c), shr32(mul32(energy_then, energy_now), 1)) < 0:
        return now
    gain, rest = 10923, 21845  # 1/3 and 2/3: gains above 1
    if c <= energy_then:
        half = mul16(c, 16384) >> 1
        total = add16(half, energy_then >> 1)
        gain = div16(half, total) if total > 0 else 0
        rest = sub16(INT16_MAX, gain)
    return [add16(mul16(rest, x), mul16(gain, y)) for x, y in zip(now, history[then], strict=True)]


def _tilt_of(numerator_q12: Sequence[int], denominator_q12: Sequence[int]) -> int:
    """Return the first reflection coefficient of the formant filter times 0.8; 0 unless positive (A.4.2.3)."""
    h = synthesize(denominator_q12, [*numerator_q12, *[0] * 11], [0] * ORDER).samples
    energy, correlation = dot32(h, h) >> 16, dot32(h[:-1], h[1:]) >> 16
    return 0 if correlation <= 0 else div16(mul16(correlation, 26214), energy)


def _scaled_energy(samples: Sequence[int]) -> int:
    scaled = [x >> 2 for x in samples]
    return dot32(scaled, scaled)


def _gain_step(energy_in: int, energy_out: int) -> int:
    """Return 0.1 * sqrt(energy of in / energy of out), Q12."""
    if energy_in == 0:
        return 0
    shift_out, shift_in = norm32(energy_out) - 1, norm32(energy_in)
    out, source = round16(shl32(energy_out, shift_out)), round16(shl32(energy_in, shift_in))
    ratio = shr32(shl32(div16(out, source), 7), shift_out - shift_in)
    return mul16(round16(shl32(inverse_sqrt(ratio), 9)), 3276)
