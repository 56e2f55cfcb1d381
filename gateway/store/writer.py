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
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from sqlalchemy import Connection

from gateway import failpoints
from gateway.errors import Overload
from gateway.store.applying import apply
from gateway.store.beside import beside
from gateway.store.changes import Change, dumped, loaded
from gateway.store.database import Database, is_mistake
from gateway.store.journal import Journal
from gateway.store.pending import Batch, Pending, Waiting
from gateway.switch.ports import EventLog

__all__ = ["CLOSING_S", "GATHER_S", "LATE_S", "NOTED_S", "WORK_S", "Writer"]

GATHER_S: Final = 0.003
NOTED_S: Final = 0.05
LATE_S: Final = 0.05
WORK_S: Final = 10.0
"""An administrator who has waited so long is refused."""
CLOSING_S: Final = 5.0
"""How long a store that is closed waits for its database."""
RETRY_S: Final = 0.25
"""Pause after a failed commit."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """An administrator's transaction."""

    run: Callable[[Connection], None]
    done: asyncio.Future[None]
    after: int
    """How many changes had been given when it was."""


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
        self._pending = Pending()
        self._work: deque[_Work] = deque()
        self._something = asyncio.Event()
        self._acknowledging = asyncio.Event()
        self._hurried = asyncio.Event()
        self._appending = False
        self._failing = False
        """The last commit failed."""
        self._behind_since: float | None = None
        names = ("commits", "changes", "failures", "journalled", "notes_dropped", "refused")
        self.counters: dict[str, int] = dict.fromkeys(names, 0)

    # What callers do.

    async def write(self, change: Change) -> None:
        """Return when `change` is durable.

        Raises:
            Exception: the change is wrong, as the database says it.
        """
        await self._given(change, journalled=False)

    async def resume(self, lines: Iterable[bytes]) -> int:
        """Write what a journal holds and return how much it was; the file is emptied when that is done."""
        changes = [change for line in lines if (change := self._read(line)) is not None]
        given = [self._given(change, journalled=True) for change in changes]
        await asyncio.gather(*given, return_exceptions=True)  # what is refused is logged where that happens
        return len(changes)

    def note(self, key: Hashable, change: Change) -> None:
        """Have `change` written soon, in place of an older one of the same key."""
        gone = self._pending.note(key, change)
        if gone is not None:
            self.counters["notes_dropped"] += 1
            self._log.warning("store.note_dropped", key=str(gone), dropped=self.counters["notes_dropped"])
        self._something.set()

    def drop(self, key: Hashable) -> None:
        """Forget a noted change: a later one, which is acknowledged, says it all."""
        self._pending.drop(key)

    async def work(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned in a transaction of its own, which is committed then.

        Raises:
            Overload: the database did not answer in time.
            Exception: what `work` raised; nothing was changed.
        """
        results: list[T] = []

        def run(connection: Connection) -> None:
            results[:] = [work(connection)]

        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work.append(_Work(run, done, self._pending.given))
        self._hurried.set()
        self._something.set()
        try:
            async with asyncio.timeout(WORK_S):
                await done
        except TimeoutError:
            raise Overload("the database does not answer") from None
        return results[0]

    async def settled(self) -> None:
        """Return when everything that was given so far is in the database; what it refuses counts as done.

        Raises:
            Overload: the database does not answer.
        """
        await self.work(_nothing)
        while self._pending.noted:
            await self.work(_nothing)

    def pending(self) -> list[Change]:
        """Return what is acknowledged, or about to be, and not in the database yet."""
        return [each.change for each in self._pending.waiting]

    def census(self) -> dict[str, int]:
        """Count what waits."""
        return {"store_waiting": len(self._pending.waiting), "store_noted": self._pending.noted}

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

    def _given(self, change: Change, *, journalled: bool) -> asyncio.Future[None]:
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.add(Waiting(change, time.monotonic(), durable, journalled))
        self._acknowledging.set()
        self._hurried.set()
        self._something.set()
        return durable

    def _read(self, line: bytes) -> Change | None:
        try:
            return loaded(line)
        except (KeyError, TypeError, ValueError) as error:
            shown = line.decode("utf-8", "backslashreplace")
            self._log.exception("store.journal_unreadable", reason=_in_short(error), line=shown)
            return None

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(CLOSING_S):
                await self.settled()
        except (TimeoutError, Overload):
            return

    def _leave_the_rest(self) -> None:
        """Put into the journal what the database did not take; the process is about to end."""
        if self._journal is None:
            return
        if left := self._pending.left():
            self._journal.append([dumped(change) for change in left])
        self._journal.close()

    # The database.

    async def _commit_forever(self) -> None:
        while True:
            await self._something.wait()
            await self._gather()
            if not await self._committed(self._pending.batch()):
                await asyncio.sleep(RETRY_S)
            elif self._work and self._work[0].after <= self._pending.taken:
                await self._do(self._work[0])
            if not (self._pending or self._work):
                self._something.clear()

    async def _gather(self) -> None:
        """Give others time to come along; not when the last commit took long enough for that."""
        if not (self._pending.waiting or self._work):
            self._hurried.clear()
            try:
                async with asyncio.timeout(NOTED_S):
                    await self._hurried.wait()
            except TimeoutError:
                pass
        if len(self._pending.waiting) == 1:
            await asyncio.sleep(GATHER_S)

    async def _committed(self, batch: Batch) -> bool:
        """Commit a batch; False = the database is behind and everything that is left is as it was."""
        try:
            await self._commit(batch.changes)
        except Exception as error:
            if not is_mistake(error):
                self._fall_behind(error)
                return False
            if len(batch.changes) > 1:
                return await self._committed_singly(batch)
            self._refuse(batch, error)
        self._failing = False
        self._settle(batch)
        return True

    async def _committed_singly(self, batch: Batch) -> bool:
        """Commit each change by itself: one of them is wrong, and the others are not to suffer."""
        for part in batch.parts:
            if not await self._committed(part):
                return False
        return True

    async def _commit(self, changes: Sequence[Change]) -> None:
        if not changes:
            return

        def write(connection: Connection) -> None:
            apply(connection, changes)
            failpoints.passing("store.before_commit")

        await self._database.write(write)
        failpoints.passing("store.committed")
        self.counters["commits"] += 1
        self.counters["changes"] += len(changes)

    def _refuse(self, batch: Batch, error: Exception) -> None:
        """Let the one change of a batch fail."""
        self.counters["refused"] += 1
        for change in batch.changes:
            self._log.exception("store.change_refused", change=type(change).__name__, reason=_in_short(error))
        for waiting in batch.waiting:
            waiting.settle(error)

    def _settle(self, batch: Batch) -> None:
        self._pending.settle(batch)
        if batch:
            failpoints.passing("store.acknowledged")
        self._catch_up()

    async def _do(self, work: _Work) -> None:
        """Do an administrator's work, unless nobody waits for it any more."""
        error: Exception | None = None
        if not work.done.done():
            try:
                await self._database.write(work.run)
            except Exception as raised:
                if not is_mistake(raised):
                    self._fall_behind(raised)
                    await asyncio.sleep(RETRY_S)
                    return
                error = raised
        self._work.popleft()
        if work.done.done():
            return
        if error is None:
            work.done.set_result(None)
        else:
            work.done.set_exception(error)

    def _fall_behind(self, error: Exception) -> None:
        self.counters["failures"] += 1
        self._failing = True
        self._say_behind(_in_short(error))

    def _say_behind(self, reason: str) -> None:
        if self._behind_since is None:
            self._behind_since = time.monotonic()
            self._log.warning("store.behind", reason=reason, waiting=len(self._pending.waiting))

    def _catch_up(self) -> None:
        """Empty the journal when the database has everything that stands there, and say that all is well again."""
        waiting = self._pending.waiting
        if self._failing or (waiting and waiting[0].journalled):  # those of the journal are the first
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
            late = self._pending.not_journalled()
            if not late:
                self._acknowledging.clear()
                continue
            wait_s = 0.0 if self._failing else late[0].since + LATE_S - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            else:
                await self._journal_these(journal, late)

    async def _journal_these(self, journal: Journal, late: Sequence[Waiting]) -> None:
        self._appending = True
        try:
            await asyncio.to_thread(journal.append, [dumped(each.change) for each in late])
        except OSError as error:
            self._log.exception("store.journal_failed", reason=str(error))
            await asyncio.sleep(RETRY_S)
            return
        finally:
            self._appending = False
        self._say_behind("it takes too long")
        self.counters["journalled"] += len(late)
        for each in late:
            each.journalled = True
            each.settle()
        failpoints.passing("journal.acknowledged")
        self._catch_up()


def _nothing(_connection: Connection) -> None:
    """Be an administrator's work that comes after everything else."""


def _in_short(error: Exception) -> str:
    """Return the first line of what a driver said."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
