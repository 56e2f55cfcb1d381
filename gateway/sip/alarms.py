"""A sans-IO alarm clock: named deadlines in monotonic seconds, the earliest first.

Setting an alarm that is already set moves it.  Names are any hashable value; the engine uses small tuples
such as `(Alarm.RING, session)`.  Moved and cleared alarms leave a dead entry in the heap, which is skipped
when it surfaces; the heap is rebuilt when the dead outnumber the living, so its size stays proportional to
what is set.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["Alarms"]

Name = TypeVar("Name", bound=Hashable)


class Alarms(Generic[Name]):
    """Deadlines by name; alarms at the same instant ring in the order in which they were set."""

    def __init__(self) -> None:
        self._set: dict[Name, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Name]] = []
        self._serial = 0

    def set(self, name: Name, at: float) -> None:
        """Ring `name` at monotonic second `at`, instead of whenever it was to ring before."""
        self._serial += 1
        self._set[name] = (at, self._serial)
        if len(self._heap) > 2 * len(self._set) + 16:
            self._heap = [(at, serial, name) for name, (at, serial) in self._set.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (at, self._serial, name))

    def clear(self, name: Name) -> None:
        """Forget `name`; nothing happens if it is not set."""
        self._set.pop(name, None)

    def next(self) -> float | None:
        """Return the earliest deadline, or None when nothing is set."""
        self._drop_dead()
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[Name]:
        """Yield and forget what is due at `now`; alarms set meanwhile for the past ring as well."""
        while True:
            self._drop_dead()
            if not self._heap or self._heap[0][0] > now:
                return
            name = heapq.heappop(self._heap)[2]
            del self._set[name]
            yield name

    def __len__(self) -> int:
        return len(self._set)

    def _drop_dead(self) -> None:
        while self._heap and self._set.get(self._heap[0][2]) != self._heap[0][:2]:
            heapq.heappop(self._heap)
