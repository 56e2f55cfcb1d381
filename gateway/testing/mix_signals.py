"""Signals for tests of conferences: noise of a level, speech of a level, and whether a signal clicks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.testing.audio import level_dbov, speech

__all__ = ["noise", "roughness", "talk"]

Signal = NDArray[np.int16]


def noise(n: int, *, seconds: float, dbov: float, seed: int = 1) -> Signal:
    """Return white noise for each of n members, int16 [n, samples] at 8 kHz."""
    spread = 32768 * 10 ** (dbov / 20)
    pcm = np.random.default_rng(seed).normal(0, spread, (n, round(seconds * 8000)))
    return _limited(pcm)


def talk(*, seconds: float, dbov: float = -26, start: int = 0) -> Signal:
    """Return speech that goes on for so long, int16 [samples]; `start` is where in the sample it begins."""
    sample = np.roll(speech(), -start)
    pcm = np.tile(sample, int(seconds * 8000 / sample.size) + 1)[: round(seconds * 8000)]
    gain = 10 ** ((dbov - level_dbov(speech())) / 20)
    return _limited(pcm * gain)


def roughness(pcm: Signal) -> int:
    """Return the greatest step of the slope from one sample to the next: a click is one that the signal has not."""
    return int(np.abs(np.diff(pcm.astype(np.int32), 2)).max())


def _limited(pcm: NDArray[Any]) -> Signal:
    limited: Signal = np.clip(np.rint(pcm), -32768, 32767).astype(np.int16)
    return limited
