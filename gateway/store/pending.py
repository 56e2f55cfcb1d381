"""What waits to be written: acknowledged changes in their order, and of each noted thing the newest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.store.changes import Change

__all__ = ["MOST_AT_ONCE", "MOST_NOTED", "Batch", "Pending", "Waiting"]

MOST_NOTED: Final = 20_000
"""Things of which something may be noted at a time."""
MOST_AT_ONCE: Final = 500
"""Changes in one batch."""


@dataclass(slots=True, eq=False)
class Waiting:
    """An acknowledged change that the database has not got yet."""

    change: Change
    since: float
    """Monotonic seconds."""
    durable: asyncio.Future[None]
    """Done when it is on a disk, in the database or in the journal."""
    journalled: bool = False

    def settle(self, error: Exception | None = None) -> None:
        """Tell whoever still waits."""
        if self.durable.done():
            return
        if error is None:
            self.durable.set_result(None)
        else:
            self.durable.set_exception(error)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit takes."""

    waiting: Sequence[Waiting] = ()
    noted: Sequence[tuple[Hashable, Change]] = ()

    def __bool__(self) -> bool:
        """There is something in it."""
        return bool(self.waiting or self.noted)

    @property
    def changes(self) -> list[Change]:
        """Return them in the order in which they are applied."""
        return [each.change for each in self.waiting] + [change for _, change in self.noted]

    @property
    def parts(self) -> Iterator[Batch]:
        """Yield a batch for each change."""
        yield from (Batch((each,)) for each in self.waiting)
        yield from (Batch((), (each,)) for each in self.noted)


class Pending:
    """The queue."""

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self.given = 0
        """Acknowledged changes so far."""
        self._noted: OrderedDict[Hashable, Change] = OrderedDict()

    def __bool__(self) -> bool:
        """Something waits."""
        return bool(self.waiting or self._noted)

    @property
    def taken(self) -> int:
        """Return how many acknowledged changes have gone out, the first ones."""
        return self.given - len(self.waiting)

    @property
    def noted(self) -> int:
        """Return how many things have something noted of them."""
        return len(self._noted)

    def add(self, waiting: Waiting) -> None:
        """Put an acknowledged change behind the others."""
        self.waiting.append(waiting)
        self.given += 1

    def note(self, key: Hashable, change: Change) -> Hashable | None:
        """Note `change` in place of an older one of its key; return the key that had to give way, if one had."""
        self._noted.pop(key, None)
        self._noted[key] = change
        return self._noted.popitem(last=False)[0] if len(self._noted) > MOST_NOTED else None

    def drop(self, key: Hashable) -> None:
        """Forget what was noted."""
        self._noted.pop(key, None)

    def batch(self) -> Batch:
        """Return what may go now; it stays here until it is settled."""
        waiting = list(islice(self.waiting, MOST_AT_ONCE))
        return Batch(waiting, list(islice(self._noted.items(), MOST_AT_ONCE - len(waiting))))

    def settle(self, batch: Batch) -> None:
        """Take out what is in the database and tell who waits; what was noted anew meanwhile stays."""
        for each in batch.waiting:
            self.waiting.remove(each)
            each.settle()
        for key, change in batch.noted:
            if self._noted.get(key) is change:
                del self._noted[key]

    def not_journalled(self) -> list[Waiting]:
        """Return the acknowledged changes that are on no disk yet."""
        return [each for each in self.waiting if not each.journalled]

    def left(self) -> list[Change]:
        """Return everything that is on no disk yet."""
        return [each.change for each in self.not_journalled()] + list(self._noted.values())
