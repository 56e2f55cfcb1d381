"""Pitch lags on the line (3.7.2, 4.1.3).

A lag comes in thirds of a sample: 8 bits for the first subframe (thirds from 19 1/3 to 84 2/3, whole samples to
143), 5 bits for the second, relative to the first.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import LAG_MAX, LAG_MIN

__all__ = ["SECOND_RANGE", "Lag", "code_first", "code_second", "first_of", "second_of", "second_start"]

SECOND_RANGE: Final = 9
"""The second subframe's last whole lag minus its first."""


class Lag(NamedTuple):
    """samples + thirds / 3; thirds are -1, 0 or 1."""

    samples: int
    thirds: int


def second_start(first_samples: int) -> int:
    """Return where the second subframe's range starts."""
    return min(max(first_samples - 5, LAG_MIN), LAG_MAX - SECOND_RANGE)


def code_first(lag: Lag) -> int:
    """Return P1."""
    return 3 * lag.samples - 58 + lag.thirds if lag.samples <= 85 else lag.samples + 112


def code_second(lag: Lag, start: int) -> int:
    """Return P2."""
    return 3 * (lag.samples - start) + 2 + lag.thirds


def first_of(index: int) -> Lag:
    """Read P1.

    >>> first_of(0), first_of(196), first_of(255)
    (Lag(samples=19, thirds=1), Lag(samples=85, thirds=-1), Lag(samples=143, thirds=0))
    """
    if index >= 197:
        return Lag(index - 112, 0)
    samples = (index + 2) // 3 + 19
    return Lag(samples, index - 3 * samples + 58)


def second_of(index: int, start: int) -> Lag:
    """Read P2."""
    samples = (index + 2) // 3 - 1
    return Lag(start + samples, index - 2 - 3 * samples)
