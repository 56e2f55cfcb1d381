"""Which rings of the shared table are free: the switch allots them, to what is played and to what is recorded.

Whoever gives a ring back may have a reader that has not heard of it yet, so rings are taken in turn: the one that was
given back last is taken last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import Overload

__all__ = ["FreeRings"]


class FreeRings:
    """Numbers of rings that nobody uses."""

    def __init__(self, rings: Iterable[int]) -> None:
        self._free: Final = deque(rings)

    def __len__(self) -> int:
        return len(self._free)

    @contextmanager
    def taken(self, count: int) -> Iterator[tuple[int, ...]]:
        """Lend some rings while the block runs.

        Raises:
            Overload: so many are not free.
        """
        if count > len(self._free):
            raise Overload(f"{count} rings are needed, {len(self._free)} are free")
        rings = tuple(self._free.popleft() for _ in range(count))
        try:
            yield rings
        finally:
            self._free.extend(rings)
