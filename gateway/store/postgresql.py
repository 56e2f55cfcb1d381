"""PostgreSQL (the extra `postgresql`), as it comes, with limits on how long anything may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store.database import PATIENCE_S, answering

__all__ = ["PostgresDatabase"]

T = TypeVar("T")


class PostgresDatabase:
    """`gateway.store.database.Database`.

    Raises:
        ImportError: the driver is not installed.
    """

    exists = True

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = create_async_engine(
            url,
            connect_args={"timeout": PATIENCE_S, "command_timeout": PATIENCE_S},
            pool_pre_ping=True,
            hide_parameters=True,  # a traceback is to show no secret
        )

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self._url.render_as_string(hide_password=True)

    async def read(self, work: Callable[[Connection], T]) -> T:
        with answering():
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()
