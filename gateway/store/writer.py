"""One task writes, and commits what has gathered: a disk flush costs the same for one change as for a hundred.

- **Acknowledged** changes (`write`) return when they are durable.  Those that arrive while a commit is under way, or
  within `GATHER_S` of each other, share the next one.
- **Noted** changes (`note`) return at once.  The newest of each key waits; when `MOST_NOTED` keys wait the oldest
  gives way, which is counted and logged.  They go along with the next commit, `NOTED_S` after the first at the latest.
- **Work** (`work`) is an administrator's transaction of its own, after everything that was acknowledged before it.

A database that is locked or gone is tried again until it answers; nothing is dropped meanwhile.  Acknowledged
changes that have waited for `LATE_S` are written to the journal, and that is what their callers wait for then.  When
the writer is closed, what the database did not take goes there, too.

A change that is itself wrong (it breaks a constraint) fails alone: its neighbours are committed one by one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import failpoints
from gateway.errors import Overload
from gateway.store.beside import beside
from gateway.store.changes import Change, apply, dumped, loaded
from gateway.store.database import Database, is_mistake
from gateway.store.journal import Journal
from gateway.switch.ports import EventLog

__all__ = ["CLOSING_S", "GATHER_S", "LATE_S", "MOST_NOTED", "NOTED_S", "WORK_S", "Writer"]

GATHER_S: Final = 0.003
NOTED_S: Final = 0.01
LATE_S: Final = 0.05
WORK_S: Final = 10.0
"""An administrator who has waited so long is refused."""
CLOSING_S: Final = 5.0
"""How long a store that is closed waits for its database."""
MOST_NOTED: Final = 20_000
MOST_AT_ONCE: Final = 500
"""Changes in one commit."""
RETRY_S: Final = 0.25
"""Pause after a failed commit."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Waiting:
    """An acknowledged change that the database has not got yet."""

    change: Change
    since: float
    """Monotonic seconds."""
    durable: asyncio.Future[None]
    journalled: bool = False


@dataclass(slots=True, eq=False)
class _Work:
    """An administrator's transaction."""

    run: Callable[[AsyncConnection], Awaitable[None]]
    done: asyncio.Future[None]
    after: int
    """How many changes had been given when it was."""


@dataclass(slots=True)
class _Batch:
    """What one commit takes."""

    waiting: Sequence[_Waiting]
    noted: Sequence[tuple[Hashable, Change]] = field(default_factory=list)

    @property
    def changes(self) -> Iterable[Change]:
        """Yield them in the order in which they are applied."""
        yield from (each.change for each in self.waiting)
        yield from (change for _, change in self.noted)


class Writer:
    """The one who writes.

    Args:
        database: where to.
        journal: what takes over; None = nobody is acknowledged before the database has it.
        log: is told when the database is behind, and when it has caught up.
    """

    def __init__(self, database: Database, journal: Journal | None, log: EventLog) -> None:
        self._database = database
        self._journal = journal
        self._log = log
        self._waiting: deque[_Waiting] = deque()
        self._noted: OrderedDict[Hashable, Change] = OrderedDict()
        self._work: deque[_Work] = deque()
        self._given = 0
        self._something = asyncio.Event()
        self._acknowledging = asyncio.Event()
        self._hurried = asyncio.Event()
        self._appending = False
        self._behind_since: float | None = None
        self.counters: dict[str, int] = dict.fromkeys(
            ("commits", "changes", "failures", "journalled", "notes_dropped", "refused"), 0
        )

    # What callers do.

    async def write(self, change: Change) -> None:
        """Return when `change` is durable.

        Raises:
            Exception: the change is wrong, as the database says it.
        """
        await self._wait_for(change, journalled=False)

    async def resume(self, lines: Iterable[bytes]) -> int:
        """Write what a journal holds and return how much it was; the file is emptied when that is done."""
        changes = [change for line in lines if (change := self._read(line)) is not None]
        asked = (self._wait_for(change, journalled=True) for change in changes)
        await asyncio.gather(*asked, return_exceptions=True)  # what is refused is logged where that happens
        return len(changes)

    def _read(self, line: bytes) -> Change | None:
        try:
            return loaded(line)
        except (KeyError, TypeError, ValueError) as error:
            self._log.exception("store.journal_unreadable", reason=_in_short(error), line=line.decode("utf-8", "replace"))
            return None

    def _wait_for(self, change: Change, *, journalled: bool) -> asyncio.Future[None]:
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(change, time.monotonic(), durable, journalled))
        self._given += 1
        self._acknowledging.set()
        self._something.set()
        return durable

    def note(self, key: Hashable, change: Change) -> None:
        """Have `change` written soon, in place of an older one of the same key."""
        self._noted.pop(key, None)
        self._noted[key] = change
        if len(self._noted) > MOST_NOTED:
            dropped, _ = self._noted.popitem(last=False)
            self.counters["notes_dropped"] += 1
            self._log.warning("store.note_dropped", key=str(dropped), dropped=self.counters["notes_dropped"])
        self._something.set()

    def drop(self, key: Hashable) -> None:
        """Forget a noted change: a later one, which is acknowledged, says it all."""
        self._noted.pop(key, None)

    async def work(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `work` returned in a transaction of its own, which is committed then.

        Raises:
            Overload: the database did not answer in time.
            Exception: what `work` raised; nothing was changed.
        """
        results: list[T] = []

        async def run(connection: AsyncConnection) -> None:
            results[:] = [await work(connection)]

        done = asyncio.get_running_loop().create_future()
        self._work.append(_Work(run, done, self._given))
        self._hurried.set()
        self._something.set()
        try:
            async with asyncio.timeout(WORK_S):
                await done
        except TimeoutError:
            raise Overload("the database does not answer") from None
        return results[0]

    def pending(self) -> Iterable[Change]:
        """Yield what is acknowledged, or about to be, and not in the database yet."""
        return [each.change for each in self._waiting]

    def census(self) -> dict[str, int]:
        """Count what waits."""
        return {"store_waiting": len(self._waiting), "store_noted": len(self._noted)}

    @property
    def behind(self) -> bool:
        """The database does not take what it is given."""
        return self._behind_since is not None

    async def settled(self) -> None:
        """Return when everything that was given so far is in the database; what it refuses counts as done.

        Raises:
            Overload: the database does not answer.
        """
        await self.work(_nothing)
        while self._noted:
            await self.work(_nothing)

    # Living.

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Write while the block runs, and at its end what is left: into the database or else into the journal."""
        works = [self._commit_forever()]
        if self._journal is not None:
            works.append(self._journal_forever(self._journal))
        try:
            async with beside(*works):
                try:
                    yield self
                finally:
                    await self._finish()
        finally:
            self._leave_the_rest()

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(CLOSING_S):
                await self.settled()
        except (TimeoutError, Overload):
            return

    def _leave_the_rest(self) -> None:
        """Put into the journal what the database did not take; the process is about to end."""
        left = [each.change for each in self._waiting if not each.journalled]
        left += self._noted.values()
        if self._journal is None:
            return
        if left:
            self._journal.append([dumped(change) for change in left])
        self._journal.close()

    # The database.

    async def _commit_forever(self) -> None:
        while True:
            await self._something.wait()
            await self._gather()
            batch = self._batch()
            if not await self._committed(batch):
                await asyncio.sleep(RETRY_S)
            elif self._work and self._work[0].after <= self._given - len(self._waiting):
                await self._do(self._work[0])
            if not (self._waiting or self._noted or self._work):
                self._something.clear()

    async def _gather(self) -> None:
        """Give others time to come along; not when the last commit took long enough for that."""
        patience_s = GATHER_S if self._waiting else NOTED_S
        if self._work or len(self._waiting) > 1:
            return
        self._hurried.clear()
        try:
            async with asyncio.timeout(patience_s):
                await self._hurried.wait()
        except TimeoutError:
            return

    def _batch(self) -> _Batch:
        waiting = list(self._waiting)[:MOST_AT_ONCE]
        room = MOST_AT_ONCE - len(waiting)
        return _Batch(waiting, list(self._noted.items())[:room])

    async def _committed(self, batch: _Batch) -> bool:
        """Commit a batch; False = the database is behind and everything is as it was."""
        if not (batch.waiting or batch.noted):
            return True
        try:
            await self._commit(batch.changes)
        except Exception as error:
            if not is_mistake(error):
                self._fall_behind(error)
                return False
            return await self._committed_singly(batch)
        self._settle(batch)
        return True

    async def _commit(self, changes: Iterable[Change]) -> None:
        n = 0
        async with self._database.writes.begin() as connection:
            for n, change in enumerate(changes, 1):
                await apply(connection, change)
            failpoints.passing("store.before_commit")
        failpoints.passing("store.committed")
        self.counters["commits"] += 1
        self.counters["changes"] += n

    async def _committed_singly(self, batch: _Batch) -> bool:
        """Commit each change by itself: one of them is wrong, and the others are not to suffer."""
        for waiting in batch.waiting:
            if not await self._one_committed(_Batch([waiting]), waiting.durable):
                return False
        for noted in batch.noted:
            if not await self._one_committed(_Batch([], [noted]), None):
                return False
        return True

    async def _one_committed(self, one: _Batch, durable: asyncio.Future[None] | None) -> bool:
        try:
            await self._commit(one.changes)
        except Exception as error:
            if not is_mistake(error):
                self._fall_behind(error)
                return False
            self._refuse(one, error, durable)
        self._settle(one)
        return True

    def _refuse(self, one: _Batch, error: Exception, durable: asyncio.Future[None] | None) -> None:
        self.counters["refused"] += 1
        (change,) = one.changes
        self._log.exception("store.change_refused", change=type(change).__name__, reason=_in_short(error))
        if durable is not None and not durable.done():
            durable.set_exception(error)

    def _settle(self, batch: _Batch) -> None:
        """Take out what is in the database and say so to whoever waits; what was noted anew meanwhile stays."""
        for waiting in batch.waiting:
            self._waiting.remove(waiting)
            if not waiting.durable.done():
                waiting.durable.set_result(None)
        for key, change in batch.noted:
            if self._noted.get(key) is change:
                del self._noted[key]
        failpoints.passing("store.acknowledged")
        self._catch_up()

    async def _do(self, work: _Work) -> None:
        """Do an administrator's work, unless nobody waits for it any more."""
        if work.done.done():
            self._work.popleft()
            return
        try:
            async with self._database.writes.begin() as connection:
                await work.run(connection)
        except Exception as error:
            if not is_mistake(error):
                self._fall_behind(error)
                await asyncio.sleep(RETRY_S)
                return
            self._work.popleft()
            if not work.done.done():
                work.done.set_exception(error)
            return
        self._work.popleft()
        if not work.done.done():
            work.done.set_result(None)

    def _fall_behind(self, error: Exception) -> None:
        self.counters["failures"] += 1
        if self._behind_since is None:
            self._behind_since = time.monotonic()
            self._log.warning("store.behind", reason=_in_short(error), waiting=len(self._waiting))

    def _catch_up(self) -> None:
        """Empty the journal when the database has everything that stands there, and say that all is well again."""
        if self._waiting:
            return
        if self._behind_since is not None:
            lasted_s = round(time.monotonic() - self._behind_since, 3)
            self._behind_since = None
            self._log.info("store.caught_up", lasted_s=lasted_s)
        if self._journal is not None and self._journal.used and not self._appending:
            self._journal.clear()

    # The journal.

    async def _journal_forever(self, journal: Journal) -> None:
        while True:
            await self._acknowledging.wait()
            late = [each for each in self._waiting if not each.journalled]
            if not late:
                self._acknowledging.clear()
                continue
            wait_s = 0.0 if self.behind else late[0].since + LATE_S - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            else:
                await self._journal_these(journal, late)

    async def _journal_these(self, journal: Journal, late: Sequence[_Waiting]) -> None:
        self._appending = True
        try:
            await asyncio.to_thread(journal.append, [dumped(each.change) for each in late])
        except OSError as error:
            self._log.exception("store.journal_failed", reason=str(error))
            await asyncio.sleep(RETRY_S)
            return
        finally:
            self._appending = False
        self.counters["journalled"] += len(late)
        for each in late:
            each.journalled = True
            if not each.durable.done():
                each.durable.set_result(None)
        failpoints.passing("journal.acknowledged")
        self._catch_up()


async def _nothing(_connection: AsyncConnection) -> None:
    """Be an administrator's work that comes after everything else."""


def _in_short(error: Exception) -> str:
    """Return the first line of what a driver said."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
