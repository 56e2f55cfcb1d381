"""Packet loss concealment for G.711 in plain Python (ITU-T G.711 Appendix I), frame by frame of 10 ms.

What a talker said a pitch period ago is the best guess at what was lost.  So the first lost frame looks for the
lag at which the last 20 ms are most like what came before them, and repeats one period; the second and third
add a period each, or the ear would hear a tone.  Each lost frame after the first ends 20 % quieter than it
began; after 60 ms there is silence.  The first good frame is faded in over what the repetition would have been.

Everything comes out 30 samples late, lost or not: a quarter of the longest period, so that the end of what was
heard can still be bent towards the repetition when a loss begins.

To have the standard's bits, three things matter: samples are cut towards zero after every single step (overlap,
fading, overlap again); weights are summed up step by step; and Python's floats are the doubles of the G.191
software tool library.  The pitch search sums whole numbers, exactly.  The C twin is native/g711/plc.c.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

__all__ = ["DELAY", "FRAME", "WORDS", "Concealment"]

FRAME: Final = 80
"""Samples of a frame."""
DELAY: Final = 30
"""Samples that everything is late."""
WORDS: Final = 832
"""16-bit words of a state that is written down."""

_PITCH_MIN: Final = 40
_PITCH_MAX: Final = 120
_PERIODS_MAX: Final = 3
_PAST: Final = _PERIODS_MAX * _PITCH_MAX + DELAY
_KEPT: Final = 5 * FRAME
_SILENT_AFTER: Final = 6
_MATCH: Final = 160
_ENERGY_MIN: Final = 250
_OVERLAP_GROWTH: Final = 32
_FADE: Final = 0.2


class Concealment:
    """One row: what was heard, and how a loss is going on."""

    __slots__ = ("at", "history", "n_lost", "n_repeated", "past", "pitch", "quarter")

    def __init__(self) -> None:
        self.history = [0] * _KEPT
        """The last five frames, before the delay."""
        self.n_lost = 0
        """Frames lost in a row, counted up to 6; while it is 0, what follows means nothing."""
        self.past = [0] * _PAST
        """The history when the loss began, its end bent for repetition."""
        self.quarter: list[int] = []
        """The last quarter period of it as it was."""
        self.pitch = 0
        """Samples of a period."""
        self.n_repeated = 0
        """Samples at the end of the past that are repeated."""
        self.at = 0
        """The next sample among these."""

    def good(self, frame: Sequence[int]) -> list[int]:
        """Take a frame that came; return the frame to play in its place."""
        samples = list(frame)
        if self.n_lost:
            n = min(self.pitch // 4 + (self.n_lost - 1) * _OVERLAP_GROWTH, FRAME)
            samples[:n] = _overlapped(self._taken(n), samples[:n], _gain_after(self.n_lost))
            self.n_lost = 0
        return self._kept(samples)

    def lost(self) -> list[int]:
        """Return the frame to play when none came."""
        if self.n_lost == _SILENT_AFTER:
            return self._kept([0] * FRAME)
        samples = self._repetition()
        self.n_lost += 1
        return self._kept(samples)

    def _repetition(self) -> list[int]:
        if self.n_lost == 0:
            self._begin()
            return self._taken(FRAME)
        samples = self._widened() if self.n_lost < _PERIODS_MAX else self._taken(FRAME)
        return _faded(samples, _gain_after(self.n_lost))

    def _begin(self) -> None:
        """Find the pitch and bend the end of the past, which has not been played yet, towards repetition."""
        self.past = self.history[-_PAST:]
        self.pitch = _find_pitch(self.past)
        self.quarter = self.past[-(self.pitch // 4) :]
        self.at = 0
        self._repeat(self.pitch)
        self.history[-len(self.quarter) :] = self.past[-len(self.quarter) :]

    def _widened(self) -> list[int]:
        """Go on with one period more, from the same place in a period, faded over from the old repetition."""
        before = self.at
        continued = self._taken(len(self.quarter))
        while before > self.pitch:
            before -= self.pitch
        self.at = before
        self._repeat(self.n_repeated + self.pitch)
        samples = self._taken(FRAME)
        samples[: len(continued)] = _overlapped(continued, samples[: len(continued)], 1.0)
        return samples

    def _repeat(self, n_repeated: int) -> None:
        """Repeat so many samples at the end of the past, that end bent so that it leads to their beginning."""
        self.n_repeated = n_repeated
        n = len(self.quarter)
        begin = _PAST - n_repeated
        self.past[-n:] = _overlapped(self.quarter, self.past[begin - n : begin], 1.0)

    def _taken(self, n: int) -> list[int]:
        """Return the next `n` samples of the repetition."""
        repeated = self.past[-self.n_repeated :]
        samples = [repeated[(self.at + i) % self.n_repeated] for i in range(n)]
        self.at = (self.at + n) % self.n_repeated
        return samples

    def _kept(self, samples: list[int]) -> list[int]:
        """Keep a frame; return what is due now: all of it 30 samples later."""
        self.history = self.history[FRAME:] + samples
        return self.history[-FRAME - DELAY : -DELAY]

    def to_words(self) -> list[int]:
        """Write the state down as the C kernel's struct has it, in 16-bit words."""
        quarter = self.quarter + [0] * (DELAY - len(self.quarter))
        newest = _KEPT // FRAME - 1
        numbers = [newest, self.n_lost, self.pitch, self.n_repeated, self.at]
        words = self.history + self.past + quarter + numbers
        return words + [0] * (WORDS - len(words))

    @classmethod
    def from_words(cls, words: Sequence[int]) -> Concealment | None:
        """Read a state that was written down, here or by the C kernel; None if no call can have it."""
        history, past, quarter, numbers = _parted(words)
        newest, n_lost, pitch, n_repeated, at = numbers
        if not (0 <= newest < _KEPT // FRAME and 0 <= n_lost <= _SILENT_AFTER):
            return None
        row = cls()
        oldest = (newest + 1) * FRAME
        row.history = history[oldest:] + history[:oldest]
        if n_lost:
            periods = min(n_lost, _PERIODS_MAX)
            if not (
                _PITCH_MIN <= pitch <= _PITCH_MAX and n_repeated == periods * pitch and 0 <= at < n_repeated
            ):
                return None
            row.n_lost, row.pitch, row.n_repeated, row.at = n_lost, pitch, n_repeated, at
            row.past, row.quarter = past, quarter[: pitch // 4]
        return row


def _parted(words: Sequence[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    listed = list(words)
    ends = [_KEPT, _KEPT + _PAST, _KEPT + _PAST + DELAY]
    return listed[: ends[0]], listed[ends[0] : ends[1]], listed[ends[1] : ends[2]], listed[ends[2] :][:5]


def _overlapped(left: Sequence[int], right: Sequence[int], gain: float) -> list[int]:
    """Fade from one signal to the other: left * (n-1 .. 0)/n * gain + right * (1 .. n)/n, cut towards zero."""
    step = 1.0 / len(left)
    left_weight, right_weight = (1.0 - step) * gain, step
    left_step = step * gain
    samples = []
    for old, new in zip(left, right, strict=True):
        samples.append(int(min(max(left_weight * old + right_weight * new, -32768.0), 32767.0)))
        left_weight -= left_step
        right_weight += step
    return samples


def _gain_after(n_lost: int) -> float:
    """Return how loud repetition still is after so many lost frames: the second one begins at 1."""
    return max(1.0 - (n_lost - 1) * _FADE, 0.0)


def _faded(samples: Sequence[int], gain: float) -> list[int]:
    faded = []
    for sample in samples:
        faded.append(int(sample * gain))
        gain -= _FADE / FRAME
    return faded


def _find_pitch(past: Sequence[int]) -> int:
    """Return the best lag: first with every second sample and lag, then around what that found."""
    window = past[-_MATCH - _PITCH_MAX :]
    longest = _PITCH_MAX - _PITCH_MIN
    coarse = {shift: _likeness(window, shift, 2) for shift in range(0, longest + 1, 2)}
    about = max(coarse, key=lambda shift: (coarse[shift], shift))
    around = range(max(about - 1, 0), min(about + 1, longest) + 1)
    fine = {shift: _likeness(window, shift, 1) for shift in around}
    return _PITCH_MAX - max(fine, key=lambda shift: (fine[shift], -shift))


def _likeness(window: Sequence[int], shift: int, step: int) -> float:
    """Correlate the last 20 ms with those that begin at `shift`, by the root of the energy of the latter."""
    target = window[_PITCH_MAX::step]
    candidate = window[shift : shift + _MATCH : step]
    energy = sum(sample * sample for sample in candidate)
    correlation = sum(then * now for then, now in zip(candidate, target, strict=True))
    return correlation / math.sqrt(max(energy, _ENERGY_MIN))
