"""The keys that a call's parties press, gathered into what somebody waits for.

Gathering ends when there are enough, with `#` (which does not count then), or when no further key comes in time.  With
one digit asked for each key counts by itself, `#` too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from gateway.switch.legs import Leg

__all__ = ["Keypad"]

_END: Final = "#"
_MOST: Final = 64
"""Keys that are remembered while nobody takes them."""


class Keypad:
    """What was pressed and is not taken yet."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns monotonic seconds."""
        self._now: Final = now
        self._pressed = ""
        self._wanted = 1
        self._timeout_s = inf
        self._counts_from = inf
        """When the time for the next key began."""

    @property
    def pressed(self) -> str:
        """The keys so far."""
        return self._pressed

    @property
    def due_at(self) -> float:
        """When what there is will do, in monotonic seconds."""
        return self._counts_from + self._timeout_s

    def gather(self, wanted: int, timeout_s: float) -> None:
        """Begin anew: so many keys, with so long between them; the first one may take for ever."""
        self._pressed, self._wanted, self._timeout_s, self._counts_from = "", wanted, timeout_s, inf

    def hurry(self) -> None:
        """Let the time for the first key begin."""
        if not self._pressed:
            self._counts_from = self._now()

    def press(self, _leg: Leg, digit: str) -> None:
        """Take a key that was pressed."""
        self._pressed = (self._pressed + digit)[:_MOST]
        self._counts_from = self._now()

    def take(self) -> str | None:
        """Return what was gathered, and gather anew; None while more is awaited."""
        if not (self._full or self._now() >= self.due_at):
            return None
        keys = self._pressed if self._wanted == 1 else self._pressed.partition(_END)[0]
        self.gather(self._wanted, self._timeout_s)
        return keys[: self._wanted]

    @property
    def _full(self) -> bool:
        ended = self._wanted > 1 and _END in self._pressed
        return ended or len(self._pressed) >= self._wanted
