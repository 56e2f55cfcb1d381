"""A signed write is done once: the memory of signatures that were seen.

Whoever copies a signed request off the wire could send it again while its timestamp is fresh.  A GET that comes
twice is answered twice, it changes nothing; anything else is refused.  The memory is bounded twice: a signature is
forgotten when its timestamp would be refused anyway, and the oldest ones go when there are too many.  The second
bound is a choice: a gateway that stops taking calls because it remembers too much would be worse than one that can
be told twice.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Replays"]

MOST: Final = 100_000


class Replays:
    """Which signatures were used, for as long as they are good."""

    def __init__(self, *, keep_s: float, most: int = MOST) -> None:
        self._keep_s = keep_s
        self._most = most
        self._seen: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def first_time(self, signature: str, now: float) -> bool:
        """Remember a signature, and say whether it is new.  now: monotonic seconds, never less than before."""
        self._forget(now)
        if signature in self._seen:
            return False
        self._seen[signature] = now
        return True

    def _forget(self, now: float) -> None:
        """Drop what is old, from the front: a dict keeps the order in which things came."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < self._most and now - self._seen[oldest] <= self._keep_s:
                return
            del self._seen[oldest]
