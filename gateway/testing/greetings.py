"""How people and machines answer the telephone, made of the shipped speech: for tests that need no voices."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.lab.samples import speech
from gateway.testing.audio import tone

__all__ = ["beep", "long_greeting", "short_greeting", "silence"]

_RATE_HZ: Final = 8000
_FIRST_WORDS: Final = slice(800, 6000)
"""Of the shipped speech: 0.65 seconds."""


def silence(seconds: float) -> NDArray[np.int16]:
    """Return nothing, int16 [n] at 8 kHz."""
    return np.zeros(round(seconds * _RATE_HZ), np.int16)


def beep(*, duration_ms: float = 400, hertz: float = 1000) -> NDArray[np.int16]:
    """Return the tone after which a machine records."""
    return tone(hertz, duration_ms=duration_ms, level_dbov=-20)


def short_greeting(*, after_s: float = 0.4, then_s: float = 3.0) -> NDArray[np.int16]:
    """Return what a person says who is called: a few words, and then silence."""
    return np.concatenate([silence(after_s), speech()[_FIRST_WORDS], silence(then_s)])


def long_greeting(*, after_s: float = 0.4) -> NDArray[np.int16]:
    """Return what a machine says: five seconds, a beep, and then silence."""
    return np.concatenate([silence(after_s), speech(), silence(0.3), beep(), silence(1.0)])
