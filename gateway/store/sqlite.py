"""SQLite, opened so that what it says is committed is on the disk.

Write-ahead log with `synchronous=FULL` (NORMAL may lose the last commits in a power cut), foreign keys on, five seconds
of patience with other writers, a file that only its owner reads.  Transactions that write begin with BEGIN IMMEDIATE:
one that begins as a reader and then wants to write is refused at once when somebody else has written, whatever the
patience.  Python's driver would begin transactions when it thinks fit; here it is told not to (SQLAlchemy's
documentation, "Serializable isolation / Savepoints / Transactional DDL").

One thread writes and a few read.  An asynchronous driver would go to a thread and back for every cursor and every
statement, about thirty times for a call; measured, that was most of what a call cost.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from gateway.errors import ConfigError
from gateway.store.database import PATIENCE_S, answering

__all__ = ["SqliteDatabase", "scrub"]

_READERS: Final = 4
_WRITES: Final = "tandem_writes"
_LASTING: Final = "PRAGMA journal_mode=WAL"
"""Is a property of the file."""
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={int(PATIENCE_S * 1000)}",
    _LASTING,
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)

T = TypeVar("T")


class SqliteDatabase:
    """`gateway.store.database.Database`.

    Args:
        url: as `store_url` returns it.
        only_look: make nothing and set nothing that stays.

    Raises:
        ConfigError: the file cannot be made.
    """

    def __init__(self, url: URL, *, only_look: bool = False) -> None:
        self._url = url
        in_memory = not url.database or url.database == ":memory:"
        self._file = None if in_memory or url.database is None else Path(url.database)
        if self._file is not None and not only_look:
            _make(self._file)
        self._reads = _engine(url, alone=in_memory)
        _obey(self._reads, only_look=only_look)
        self._writes = self._reads.execution_options(**{_WRITES: True})
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")
        self._writer = ThreadPoolExecutor(1, "store-writer")

    def __str__(self) -> str:
        """Return the URL."""
        return self._url.render_as_string()

    @property
    def exists(self) -> bool:
        return self._file is None or self._file.exists()

    async def read(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._reads.connect() as connection:
                return work(connection)

        with answering():
            return await asyncio.get_running_loop().run_in_executor(self._readers, read)

    async def write(self, work: Callable[[Connection], T]) -> T:
        def write() -> T:
            with self._writes.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writer, write)

    async def close(self) -> None:
        def end() -> None:
            self._writer.shutdown()
            self._readers.shutdown()
            self._reads.dispose()

        await asyncio.to_thread(end)


def scrub(connection: Connection) -> bool:
    """Rewrite the file and empty its log, so that nothing is left of what rows said before; tell whether that was done.

    Not if somebody else reads just now.  Another kind of database is left to its administrator (VACUUM FULL).
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        return False
    try:
        driver.execute("VACUUM")
        busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not busy


def _engine(url: URL, *, alone: bool) -> Engine:
    """Return an engine whose tracebacks show no secret; with `alone`, one connection is the whole database."""
    size = 1 if alone else _READERS + 1
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )


def _make(path: Path) -> None:
    """Make an empty database that only its owner reads; SQLite gives its log the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ConfigError("store.url", f"{path}: {error.strerror}") from None


def _obey(engine: Engine, *, only_look: bool) -> None:
    """Have SQLite begin transactions when we say so, and be careful."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            if pragma != _LASTING or not only_look:
                connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
