"""The open-loop pitch: a first guess, once a frame (A.3.4).

Correlations of every second sample in three ranges of lags, normalised by the energy; a shorter lag that a longer
one is a multiple of gets a bonus.  The scaling looks at other samples than the correlations do, so these can
saturate, and the saturating sums are real.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from voicecodecs.reference.g729.filters import FRAME, LAG_MAX, LAG_MIN, fits32
from voicecodecs.reference.g729.fixed import INT32_MIN, add16, dot32, dpf_mul, dpf_of, low16, mul16, shl16
from voicecodecs.reference.g729.mathematics import inverse_sqrt

__all__ = ["open_loop_lag"]


class _Candidate(NamedTuple):
    lag: int
    score: int


def open_loop_lag(weighted: Sequence[int]) -> int:
    """Return the lag (20 to 143) at which weighted speech, 143 samples of past and 80, is most like itself."""
    signal = _scaled(weighted)
    short = _best_of(signal, range(LAG_MIN, 40))
    middle = _best_of(signal, range(40, 80))
    long = _best_of(signal, range(80, LAG_MAX, 2))
    middle = _favoured(middle, long, long.score >> 2)
    short = _favoured(short, middle, mul16(middle.score, 6554))
    best = middle if short.score < middle.score else short
    return long.lag if best.score < long.score else best.lag


def _scaled(weighted: Sequence[int]) -> list[int]:
    """Scale down by 8 if the energy (of every second sample, from the oldest on) saturates; up if it is low."""
    energy = 2 * sum(x * x for x in weighted[::2])
    shift = -3 if not fits32(energy) else 3 if energy < 1 << 20 else 0
    return [shl16(x, shift) for x in weighted]


def _every_second(signal: Sequence[int], lag: int) -> Sequence[int]:
    return signal[LAG_MAX - lag : LAG_MAX - lag + FRAME : 2]


def _best_of(signal: Sequence[int], lags: range) -> _Candidate:
    largest, best = INT32_MIN, lags[0]

    def look_at(some: Iterable[int]) -> None:
        nonlocal largest, best
        for lag in some:
            total = dot32(_every_second(signal, 0), _every_second(signal, lag))
            if total > largest:
                largest, best = total, lag

    look_at(lags)
    if lags.step == 2:  # only even lags were tried: look at both neighbours
        look_at((best + 1, best - 1))
    energy = dot32(_every_second(signal, best), _every_second(signal, best), 1)
    return _Candidate(best, low16(dpf_mul(dpf_of(largest), dpf_of(inverse_sqrt(energy)))))


def _favoured(shorter: _Candidate, longer: _Candidate, bonus: int) -> _Candidate:
    """Favour a lag if the longer one is about twice or three times as long."""
    score = shorter.score
    if abs(2 * shorter.lag - longer.lag) < 5:
        score = add16(score, bonus)
    if abs(3 * shorter.lag - longer.lag) < 7:
        score = add16(score, bonus)
    return _Candidate(shorter.lag, score)
