"""A database of either kind: work is a plain function of a connection, done in one transaction beside the event loop.

What the work is made of (statements, rows) does not know how it gets there: for SQLite a thread does it, for
PostgreSQL the loop does (SQLAlchemy runs plain functions over asyncpg in a greenlet).  One wish is one step for the
loop, however many statements it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.errors import ConfigError, Overload

__all__ = ["PATIENCE_S", "Database", "answering", "is_mistake", "store_url"]

PATIENCE_S: Final = 5.0
"""How long a statement may wait for others' locks, and a server for its answer."""
_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg"}
_MISTAKES: Final = ("22", "23", "42")
"""Classes of SQLSTATE that blame the statement: data, constraint, syntax or access."""

T = TypeVar("T")


class Database(Protocol):
    """What the store asks of a database."""

    @property
    def exists(self) -> bool:
        """Return False where looking for something would make it."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` read.

        Raises:
            Overload: the database does not answer.
        """
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned, once all that it wrote is on the disk.

        Raises:
            Exception: what `work` raised or the database says; nothing was written, unless the connection was lost
                while the database committed.
        """
        ...

    async def close(self) -> None:
        """Wait for what is under way, and close every connection."""
        ...


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


@contextmanager
def answering() -> Iterator[None]:
    """Raise Overload for whatever the block raises when it is the database's fault."""
    try:
        yield
    except Exception as error:
        if is_mistake(error):
            raise
        raise Overload("the database does not answer") from error
