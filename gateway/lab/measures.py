"""What was heard against what was said: delay, likeness, noise, holes, levels.

All signals are int16 [n] at one rate, `said` the original and `heard` what came out of the far end.  The
order is always the same: `align` finds the delay once, the other measures take it (or find it themselves).

    heard[n + delay]  belongs to  said[n]

Levels are in dBov: 0 is a square wave at full scale, a sine at full scale is -3 (ITU-T G.100.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Gap",
    "align",
    "correlation",
    "gaps",
    "level_dbov",
    "snr_db",
    "tone_level",
    "window_correlations",
]

Signal = npt.NDArray[np.int16]
_Float = npt.NDArray[np.float64]

SILENCE_DBOV: Final = -127.0
"""What an empty or all-zero signal measures: the lowest level that RFC 3389 can write."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the source, in its own time, that was spoken and not heard."""

    start_ms: float
    duration_ms: float

    @property
    def end_ms(self) -> float:
        """Where it ends, in the time of the source."""
        return self.start_ms + self.duration_ms


def align(heard: Signal, said: Signal, *, max_delay: int | None = None) -> int:
    """Return the delay in samples at which `heard` is most like `said`.

    The peak of the non-circular cross-correlation by FFT: argmax over d of |sum_n heard[n + d] said[n]|.
    Negative when `heard` starts inside `said`.  `max_delay` bounds its size.  0 if one of the two is silent
    or empty.
    """
    if not len(heard) or not len(said):
        return 0
    reach = max(len(heard), len(said)) if max_delay is None else max_delay
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.rfft(_centred(heard), size) * np.conj(np.fft.rfft(_centred(said), size))
    likeness = np.abs(np.fft.irfft(product, size))
    delays = np.arange(-min(reach, len(said) - 1), min(reach, len(heard) - 1) + 1)
    if not likeness.max() > 0:
        return 0
    return int(delays[np.argmax(likeness[delays])])


def correlation(heard: Signal, said: Signal, delay: int | None = None) -> float:
    """Return Pearson's correlation (-1 to 1) of the stretch that both cover; 0 if it is silent or empty."""
    mine, theirs = _overlap(heard, said, delay)
    mine, theirs = _centred(mine), _centred(theirs)
    power = float(np.sqrt((mine @ mine) * (theirs @ theirs)))
    return float(mine @ theirs) / power if power > 0 else 0.0


def window_correlations(
    heard: Signal, said: Signal, *, window_ms: int = 400, max_shift_ms: int = 200, rate_hz: int = 8000
) -> _Float:
    """Return, for each window of `said`, the correlation with the stretch of `heard` that is most like it.

    Each window is aligned by itself, at most `max_shift_ms` from the place where one delay for all would put it: a
    playout buffer that changes its delay costs the window in which it did, not everything after it.
    """
    size, reach = window_ms * rate_hz // 1000, max_shift_ms * rate_hz // 1000
    delay = align(heard, said)
    found = []
    for start in range(0, len(said) - size + 1, size):
        window = said[start : start + size]
        begin = max(0, start + delay - reach)
        around = heard[begin : max(begin, start + delay + size + reach)]
        found.append(abs(correlation(around, window)))
    return np.array(found)


def snr_db(heard: Signal, said: Signal, delay: int | None = None) -> float:
    """Return 10 log10(sum said^2 / sum (heard - said)^2) over the stretch that both cover.

    No gain is matched: a path that changes the level is not clean.  `inf` for an identical signal, `-inf`
    if the source was silent.
    """
    mine, theirs = _overlap(heard, said, delay)
    noise = float(np.sum((mine - theirs) ** 2))
    signal = float(np.sum(theirs**2))
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > 0 else float("-inf")


def gaps(
    heard: Signal,
    said: Signal,
    *,
    delay: int | None = None,
    rate_hz: int = 8000,
    frame_ms: float = 5,
    minimum_ms: float = 10,
    speaking_dbov: float = -45,
    drop_db: float = 20,
) -> list[Gap]:
    """Return where the source speaks and `heard` is silent or nearly so, in order.

    Both are measured in frames of `frame_ms`.  A frame is lost if the source's level is above
    `speaking_dbov` and what was heard is more than `drop_db` below it.  Neighbouring lost frames are one
    gap; shorter ones than `minimum_ms` are not counted.  What lies before the start or behind the end of
    `heard` counts as lost.
    """
    shift = align(heard, said) if delay is None else delay
    size = round(frame_ms * rate_hz / 1000)
    count = len(said) // size
    source = _frame_levels(said[: count * size].astype(np.float64), size)
    arrived = _frame_levels(_shifted(heard, shift, count * size), size)
    lost = (source > speaking_dbov) & (arrived < source - drop_db)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(np.int8), [0]))))
    runs = edges.reshape(-1, 2) * frame_ms
    return [Gap(float(a), float(b - a)) for a, b in runs if b - a >= minimum_ms]


def level_dbov(pcm: Signal) -> float:
    """Return the level of the whole signal; -127 for silence."""
    if not len(pcm):
        return SILENCE_DBOV
    return _level(float(np.mean(pcm.astype(np.float64) ** 2)))


def tone_level(pcm: Signal, hz: float, *, rate_hz: int = 8000) -> float:
    """Return the level in dBov of the component at `hz`, whatever else is there; -127 for none.

    The Hann-windowed Fourier coefficient at that one frequency: amplitude = 2 |sum w x e^(-j 2 pi f n)| /
    sum w.  Tones closer than 4 / duration are not told apart.
    """
    if len(pcm) < 2:
        return SILENCE_DBOV
    window = np.hanning(len(pcm) + 2)[1:-1]
    turn = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(pcm)))
    amplitude = 2 * abs(complex(np.sum(window * pcm * turn))) / float(window.sum())
    return _level(amplitude * amplitude / 2)


def _level(power: float) -> float:
    return max(10 * float(np.log10(power / 32768.0**2)), SILENCE_DBOV) if power > 0 else SILENCE_DBOV


def _centred(signal: npt.NDArray[Any]) -> _Float:
    values = signal.astype(np.float64)
    return values - values.mean() if len(values) else values


def _overlap(heard: Signal, said: Signal, delay: int | None) -> tuple[_Float, _Float]:
    """Return the two stretches, of one length, that `delay` puts side by side."""
    shift = align(heard, said) if delay is None else delay
    start = max(0, -shift)
    stop = max(min(len(said), len(heard) - shift), start)
    return heard[start + shift : stop + shift].astype(np.float64), said[start:stop].astype(np.float64)


def _shifted(heard: Signal, shift: int, size: int) -> _Float:
    """Return `heard` in the time of the source: [size], with zeros where nothing was heard."""
    out = np.zeros(size)
    start, stop = max(0, -shift), min(size, len(heard) - shift)
    if stop > start:
        out[start:stop] = heard[start + shift : stop + shift]
    return out


def _frame_levels(signal: _Float, size: int) -> _Float:
    """Return the level of each frame in dBov, [n / size]."""
    power = np.mean(signal.reshape(-1, size) ** 2, axis=1) / 32768.0**2
    levels: _Float = np.maximum(10 * np.log10(np.maximum(power, 1e-13)), SILENCE_DBOV)
    return levels
