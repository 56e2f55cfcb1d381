"""Stores for tests: a configuration of one, a log that is listened to, and the records that stories are made of."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from gateway.config import Application, Config
from gateway.config import Store as StoreSection
from gateway.store import Store, open_store
from gateway.switch.records import (
    CallKind,
    CallReason,
    CallRecord,
    CallResult,
    Identity,
    IdentityType,
    Money,
    Notification,
)

__all__ = [
    "KEY",
    "SQLITE",
    "Heard",
    "a_call",
    "ended",
    "eventually",
    "locked",
    "opened",
    "store_config",
    "to_tell",
]

KEY: Final = "00000000-0000-4000-8000-00000000000A"
"""The application of these tests."""
SQLITE: Final = "sqlite+aiosqlite:///tandem.db"


@dataclass
class Heard:
    """A log that keeps what it hears."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, /, **facts: object) -> None:
        self.events.append((event, facts))

    warning = info
    exception = info

    @property
    def names(self) -> list[str]:
        """Return what happened, in order."""
        return [name for name, _ in self.events]


def store_config(data_dir: Path, url: str = SQLITE, *, key_file: Path | None = None, **tables: Any) -> Config:
    """Return a configuration with one application, and what `tables` say."""
    told: dict[str, Any] = {"applications": (Application(key=KEY, secret="c2VjcmV0"),), **tables}
    return Config(data_dir=data_dir, store=StoreSection(url=url, key_file=key_file), **told)


@asynccontextmanager
async def opened(
    data_dir: Path, url: str = SQLITE, *, log: Heard | None = None, **tables: Any
) -> AsyncIterator[Store]:
    """Open the store of a data directory."""
    async with open_store(store_config(data_dir, url, **tables), log or Heard()) as store:
        yield store


async def eventually(come: Callable[[], Awaitable[object]], *, within_s: float = 10.0) -> None:
    """Return when `come` returns something true: another process, or the disk, takes its time.

    Raises:
        TimeoutError: it never did.
    """
    async with asyncio.timeout(within_s):
        while not await come():  # noqa: ASYNC110 - nobody tells when a disk or another process has done it
            await asyncio.sleep(0.01)


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold a SQLite store against all who write, like a person with a shell who has begun a transaction."""
    holder = sqlite3.connect(
        data_dir / "tandem.db", isolation_level=None, timeout=30, check_same_thread=False
    )
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
    finally:
        holder.close()


def a_call(call: str = "call-1", **facts: Any) -> CallRecord:
    """Return a call in progress from a phone to a phone."""
    usual: dict[str, Any] = {
        "application": KEY,
        "kind": CallKind.PHONE_TERMINATED,
        "caller": Identity(IdentityType.NUMBER, "+46700000001"),
        "called": Identity(IdentityType.NUMBER, "+12017777777"),
        "domain": "pstn",
        "started_at": 1_000.0,
    }
    return CallRecord(call=call, **{**usual, **facts})


def ended(record: CallRecord, **facts: Any) -> CallRecord:
    """Return the same call answered a second after its start and hung up fifteen seconds later."""
    usual: dict[str, Any] = {
        "answered_at": record.started_at + 1,
        "ended_at": record.started_at + 16,
        "result": CallResult.ANSWERED,
        "reason": CallReason.CALLERHANGUP,
        "debit": Money(Decimal("0.05"), "USD"),
    }
    return replace(record, **{**usual, **facts})


def to_tell(id: str = "dice-1", call: str = "call-1", **facts: Any) -> Notification:  # noqa: A002 - the field's name
    """Return a DiCE that is due."""
    usual: dict[str, Any] = {
        "application": KEY,
        "event": "dice",
        "body": b'{"event":"dice"}',
        "created_at": 1_020.0,
    }
    return Notification(id=id, call=call, **{**usual, **facts})
