"""A database of either kind, opened so that what it says is committed is on the disk.

SQLite: write-ahead log with `synchronous=FULL` (NORMAL may lose the last commits in a power cut), foreign keys on,
five seconds of patience with other writers, a file that only its owner reads.  Transactions that write begin with
BEGIN IMMEDIATE: one that begins as a reader and then wants to write is refused at once when somebody else has
written, whatever the patience.  SQLite's own driver would begin transactions when it thinks fit; here it is told
not to (SQLAlchemy's documentation, "Serializable isolation / Savepoints / Transactional DDL").

PostgreSQL (the extra `postgresql`): as it comes, with limits on how long anything may take.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateway.errors import ConfigError, Overload

__all__ = ["PATIENCE_S", "Database", "is_mistake", "store_url"]

PATIENCE_S: Final = 5.0
"""How long a statement may wait for others' locks, and a server for its answer."""
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_WRITES: Final = "tandem_writes"
_LASTING: Final = "PRAGMA journal_mode=WAL"
"""Is a property of the file."""
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={int(PATIENCE_S * 1000)}",
    _LASTING,
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
_MISTAKES: Final = ("22", "23", "42")
"""Classes of SQLSTATE that blame the statement: data, constraint, syntax or access."""


def store_url(text: str, data_dir: Path) -> URL:
    """Return the URL with the driver that we use; a relative SQLite path is relative to `data_dir`.

    Raises:
        ConfigError: no URL, or of a database that is neither SQLite nor PostgreSQL.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(
            "store.url", "is not a URL such as sqlite+aiosqlite:///tandem.db"
        ) from None  # which might hold a password
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise ConfigError("store.url", f"{url.drivername} is neither sqlite nor postgresql")
    url = url.set(drivername=driver)
    if driver == _DRIVERS["sqlite"] and url.database and url.database != ":memory:":
        url = url.set(database=str(data_dir / url.database))
    return url


class Database:
    """An engine for reading and one for writing, over one pool.

    Args:
        url: as `store_url` returns it.
        only_look: make nothing and set nothing that stays.

    Raises:
        ConfigError: the driver is not installed, or the SQLite file cannot be made.
    """

    def __init__(self, url: URL, *, only_look: bool = False) -> None:
        self.url = url
        self.reads = _engine(url)
        if self.file is not None and not only_look:
            _make_file(self.file)
        if self.is_sqlite:
            _obey(self.reads, only_look=only_look)
        self.writes = self.reads.execution_options(**{_WRITES: True})
        """Its transactions take the right to write when they begin."""

    @property
    def is_sqlite(self) -> bool:
        """It is a file of ours."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """Return the SQLite file; None = there is none."""
        database = self.url.database
        return Path(database) if self.is_sqlite and database and database != ":memory:" else None

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection to read from.

        Raises:
            Overload: the database does not answer.
        """
        try:
            async with self.reads.connect() as connection:
                yield connection
        except Exception as error:
            if is_mistake(error):
                raise
            raise Overload("the database does not answer") from error

    async def close(self) -> None:
        """Close every connection."""
        await self.reads.dispose()


def is_mistake(error: BaseException) -> bool:
    """Say whether the statement is to blame, so that trying again cannot help; else the database is."""
    if not isinstance(error, DBAPIError):
        return not isinstance(error, OSError | TimeoutError | PoolTimeoutError)
    if error.connection_invalidated:
        return False
    if (state := getattr(error.orig, "sqlstate", None)) is not None:
        return str(state).startswith(_MISTAKES)
    if isinstance(getattr(error.orig, "__cause__", None), ValueError):
        return True  # asyncpg could not encode a value
    return isinstance(error, IntegrityError | DataError | ProgrammingError)


def _engine(url: URL) -> AsyncEngine:
    try:
        if url.get_backend_name() == "postgresql":
            limits = {"timeout": PATIENCE_S, "command_timeout": PATIENCE_S}
            return create_async_engine(url, connect_args=limits, pool_pre_ping=True, hide_parameters=True)
        if not url.database or url.database == ":memory:":
            # one connection is the whole database: whoever wants it waits for it
            alone = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
            return create_async_engine(url, hide_parameters=True, **alone)
        return create_async_engine(url, hide_parameters=True)  # a traceback is to show no secret
    except ModuleNotFoundError as error:
        raise ConfigError(
            "store.url", f"needs {error.name}: pip install 'tandem-voice[postgresql]'"
        ) from None
    except (ArgumentError, InvalidRequestError) as error:
        raise ConfigError("store.url", str(error)) from None


def _make_file(path: Path) -> None:
    """Make an empty database that only its owner reads; SQLite gives its log the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ConfigError("store.url", f"{path}: {error.strerror}") from None


def _obey(engine: AsyncEngine, *, only_look: bool) -> None:
    """Have SQLite begin transactions when we say so, and be careful."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            if pragma != _LASTING or not only_look:
                cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
