"""At most so many lines a second of one event, so that a flood of one error cannot fill the disk.

What was held back is counted and told by the next line of that event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LINES_A_SECOND", "RateLimit"]

LINES_A_SECOND = 10
MAX_EVENTS = 1024
"""Event names are constants of the source; if something makes them up, they share what is left."""


@dataclass(slots=True)
class _Window:
    began_at: float
    lines: int = 0
    held_back: int = 0


class RateLimit:
    """Counts lines of each event.  `now` returns monotonic seconds."""

    def __init__(self, now: Callable[[], float], lines_a_second: int = LINES_A_SECOND) -> None:
        self._now = now
        self._lines_a_second = lines_a_second
        self._windows: dict[str, _Window] = {}

    def admit(self, event: str) -> int | None:
        """Return how many lines of `event` were held back before this one, or None to hold this one back."""
        if len(self._windows) >= MAX_EVENTS and event not in self._windows:
            event = ""
        now = self._now()
        window = self._windows.setdefault(event, _Window(now))
        if now - window.began_at >= 1.0:
            window.began_at, window.lines = now, 0
        if window.lines >= self._lines_a_second:
            window.held_back += 1
            return None
        window.lines += 1
        held_back, window.held_back = window.held_back, 0
        return held_back
