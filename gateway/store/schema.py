"""Bring a database to the tables of this version, once, however many start together.

Everything happens in one transaction: SQLite's BEGIN IMMEDIATE lets one in at a time, PostgreSQL is asked for an
advisory lock that goes with the transaction.  A database that is up to date is only looked at: Alembic is not even
imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from gateway.errors import ConfigError

__all__ = ["HEAD", "MIGRATIONS", "lock", "upgrade", "version"]

HEAD: Final = "0002"
"""The newest version that there is in `gateway.store.migrations`."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 7_266_336
"""Any number that nobody else uses: `tandem` on a telephone's keys, shortened."""


def lock(connection: Connection) -> None:
    """Let no other starter or administrator in until the transaction ends; SQLite's begins so."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def version(connection: Connection) -> str | None:
    """Return the version of a database; None = it has no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(connection: Connection) -> None:
    """Bring a database that is older, or empty, to `HEAD`.

    Raises:
        ConfigError: it is newer than this program.
    """
    if version(connection) == HEAD:
        return
    from alembic import command  # it takes longer to import than all the rest
    from alembic.config import Config
    from alembic.util.exc import CommandError

    told = Config()
    told.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    told.attributes["connection"] = connection
    try:
        command.upgrade(told, HEAD)
    except CommandError as error:
        raise ConfigError("store.url", f"this database is of another version of Tandem ({error})") from None
