"""What applications are still to be told, in the order of each call.

A call's second message waits until its first has arrived or was given up; other calls do not wait for it.  What was
put while the database is behind comes out when it has caught up, and what arrived meanwhile does not come out again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, func, select

from gateway.store.changes import Forget, GiveUp, Put, Retry
from gateway.store.database import Database
from gateway.store.rows import notification_of
from gateway.store.tables import outbox
from gateway.store.writer import Writer
from gateway.switch.records import Notification

__all__ = ["StoredOutbox"]

_earlier = outbox.alias("earlier")
_WAITS = outbox.c.given_up_at.is_(None)
_BLOCKED = exists().where(
    and_(
        _earlier.c.call == outbox.c.call,
        _earlier.c.sequence < outbox.c.sequence,
        _earlier.c.given_up_at.is_(None),
    )
)


class StoredOutbox:
    """`gateway.switch.stores.Outbox`."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._news = asyncio.Event()

    async def put(self, notification: Notification) -> None:
        await self._writer.write(Put(notification))
        self.arrived()

    def arrived(self) -> None:
        """Say that there is something new: a call was closed with something to tell."""
        self._news.set()

    async def news(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def due(self, now: float, limit: int = 100) -> Sequence[Notification]:
        decided = self._decided()
        ready = select(outbox).where(_WAITS, outbox.c.next_at <= now, ~_BLOCKED)
        in_order = ready.order_by(outbox.c.next_at, outbox.c.sequence).limit(limit + len(decided))

        def read(connection: Connection) -> list[Notification]:
            return [notification_of(row) for row in connection.execute(in_order).mappings()]

        return [each for each in await self._database.read(read) if each.id not in decided][:limit]

    async def delivered(self, id: str) -> None:  # noqa: A002 - the Protocol's name
        await self._writer.write(Forget(id))

    async def failed(self, id: str, next_at: float) -> None:  # noqa: A002 - the Protocol's name
        await self._writer.write(Retry(id, next_at))

    async def given_up(self, id: str) -> None:  # noqa: A002 - the Protocol's name
        await self._writer.write(GiveUp(id, time.time()))

    async def backlog(self) -> int:
        counted = select(func.count()).select_from(outbox).where(_WAITS)
        return int(await self._database.read(lambda connection: connection.execute(counted).scalar_one()))

    def _decided(self) -> set[str]:
        """Return those of which the database still has to hear how they fared."""
        return {change.id for change in self._writer.pending() if isinstance(change, Forget | Retry | GiveUp)}
