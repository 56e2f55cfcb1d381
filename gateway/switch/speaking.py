"""What parties are played: prompts and tones, while the call goes on.

A party hears a source of the plane in place of whoever it talks to, for as long as the clip lasts or until the plane
says that the stream has ended; keys, hang-ups and orders are heard meanwhile, and whoever asked says by `enough` when
something cuts it short.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.switch.legs import Leg
from gateway.switch.prompts import Clip, Stream

__all__ = ["Speaking"]

_KEY_MS: Final = 100
_BETWEEN_KEYS_S: Final = 0.08
_PAUSE: Final = "w"
_PAUSE_S: Final = 0.5


def _never() -> bool:
    return False


class Speaking:
    """Plays to the parties of one call."""

    def __init__(
        self,
        now: Callable[[], float],
        hear: Callable[[float], Awaitable[None]],
        restore: Callable[[Sequence[Leg]], None],
    ) -> None:
        """`hear(until)` lets the next thing happen; `restore` lets parties hear again what they heard before."""
        self._now: Final = now
        self._hear: Final = hear
        self._restore: Final = restore
        self._unheard: Final[set[str]] = set()
        """The sources of a stream that somebody still hears."""

    async def pause(self, seconds: float, *, enough: Callable[[], bool] = _never) -> None:
        """Let the call go on for a while, or until it is enough."""
        until = self._now() + seconds
        while self._now() < until and not enough():
            await self._hear(until)

    async def play(self, clip: Clip, to: Sequence[Leg], *, enough: Callable[[], bool] = _never) -> None:
        """Play a clip to its end, or until it is enough."""
        for leg in to:
            leg.listen(clip.source)
        try:
            await self.pause(clip.duration_s, enough=enough)
        finally:
            self._restore(to)

    async def follow(self, stream: Stream, to: Sequence[Leg], *, enough: Callable[[], bool] = _never) -> None:
        """Play a stream, to each its own source, until all have heard its end or it is enough."""
        for leg, source in zip(to, stream.sources, strict=False):  # somebody may have gone meanwhile
            leg.listen(source)
            self._unheard.add(source)
        try:
            while self._unheard and not stream.lost and self._now() < stream.over_by and not enough():
                await self._hear(stream.over_by)
        finally:
            self._unheard.clear()
            self._restore(to)

    def ended(self, source: str) -> None:
        """Take it that somebody has heard a source to its end."""
        self._unheard.discard(source)

    async def send(self, digits: str, to: Sequence[Leg]) -> None:
        """Send digits, `w` as half a second of silence: as events to those who agreed on them, else as tones."""
        for digit in digits:
            if digit == _PAUSE:
                await self.pause(_PAUSE_S)
                continue
            listeners = [leg for leg in to if not leg.press(digit, _KEY_MS)]
            await self.play(Clip(f"dtmf:{digit}", _KEY_MS / 1000), listeners)
            await self.pause(_BETWEEN_KEYS_S)
