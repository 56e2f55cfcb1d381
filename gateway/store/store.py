"""A store, opened: the tables are there, the file was taken over, what a crash left is known, and one task writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from gateway.config import Config
from gateway.errors import ConfigError, Overload
from gateway.store.administration import StoredAdministration
from gateway.store.beside import beside
from gateway.store.callbook import StoredCalls
from gateway.store.database import Database, is_mistake, store_url
from gateway.store.directory import MemoryDirectory, Snapshot, read_revision, read_snapshot
from gateway.store.journal import Journal
from gateway.store.mailbox import StoredOutbox
from gateway.store.reports import StoredReports
from gateway.store.schema import HEAD, lock, upgrade, version
from gateway.store.sealing import as_it_is, protect
from gateway.store.seeding import seed
from gateway.store.sqlite import SqliteDatabase, scrub
from gateway.store.vault import KEY_FILE, Vault
from gateway.store.writer import Writer
from gateway.switch.ports import EventLog

__all__ = ["JOURNAL_FILE", "Store", "key_file", "open_store", "peek"]

JOURNAL_FILE: Final = "tandem.journal"
_LOOK_S: Final = 1.0
"""How soon a change by another process is seen."""
_TRIES: Final = 6
"""How often a database that does not answer is asked at a start, each time for as long as a statement may take."""
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that `gateway.switch.stores` asks for."""

    directory: MemoryDirectory
    calls: StoredCalls
    outbox: StoredOutbox
    administration: StoredAdministration
    reports: StoredReports
    writer: Writer
    database: Database


@asynccontextmanager
async def open_store(config: Config, log: EventLog, *, serving: bool = True) -> AsyncIterator[Store]:
    """Open the store of `config` for as long as the block runs; whatever was given to it is kept when it is left.

    Args:
        config: says where it is, and what it is seeded with.
        log: is told of what goes wrong.
        serving: this is the switch, of which there is one for a data directory; False = a command beside it,
            which leaves the switch's journal alone.

    Raises:
        ConfigError: there can be no such database.
        Overload: the database does not answer.
    """
    database, vault = _database(config), Vault(key_file(config))
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        await _prepare(database, config, vault, log)
        journal = Journal(config.data_dir / JOURNAL_FILE) if serving else None
        async with Writer(database, journal, log).running() as writer:
            if journal is not None and (left := journal.lines()):
                log.info("store.journal_read", changes=await writer.resume(left))
            directory = MemoryDirectory(await _everybody(database, vault))  # with the journal in it
            store = _assembled(database, writer, directory, vault)
            await store.calls.load()
            log.info("store.opened", url=str(database), calls=len(store.calls.ongoing()))
            async with beside(_watch(database, directory, vault, log)):
                yield store
    finally:
        await database.close()


async def peek(config: Config) -> Snapshot | None:
    """Return who there is by the store, changing nothing; None = there is no store of this version yet.

    Raises:
        ConfigError: there can be no such database, or the key of its secrets is not there.
        Overload: the database does not answer.
    """
    vault = Vault(key_file(config))

    def look(connection: Connection) -> Snapshot | None:
        known = version(connection) == HEAD
        return read_snapshot(connection, as_it_is(connection, vault)) if known else None

    database = _database(config, only_look=True)
    try:
        return await database.read(look) if database.exists else None
    finally:
        await database.close()


def key_file(config: Config) -> Path:
    """Return where the key is that opens what is secret in the store."""
    return config.data_dir / (config.store.key_file or KEY_FILE)


def _database(config: Config, *, only_look: bool = False) -> Database:
    """Return the database of a configuration.  Raises ConfigError if there can be none."""
    url = store_url(config.store.url, config.data_dir)
    if url.get_backend_name() == "sqlite":
        return SqliteDatabase(url, only_look=only_look)
    try:  # SQLite does without the extra, and starts sooner
        from gateway.store.postgresql import PostgresDatabase

        return PostgresDatabase(url)
    except ImportError as error:
        cure = "pip install 'tandem-voice[postgresql]'"
        raise ConfigError("store.url", f"needs {error.name or 'greenlet'}: {cure}") from None


def _assembled(database: Database, writer: Writer, directory: MemoryDirectory, vault: Vault) -> Store:
    outbox = StoredOutbox(database, writer)
    calls = StoredCalls(database, writer, directory, outbox)
    return Store(
        directory,
        calls,
        outbox,
        StoredAdministration(writer, directory, vault),
        StoredReports(database, calls),
        writer,
        database,
    )


async def _prepare(database: Database, config: Config, vault: Vault, log: EventLog) -> None:
    """Bring the database to this version, seal its secrets, and seed it; others who start now wait."""

    def prepare(connection: Connection) -> tuple[bool, bool]:
        lock(connection)
        upgrade(connection)
        return protect(connection, vault), seed(connection, config, vault)

    for tries_left in reversed(range(_TRIES)):
        try:
            were_open, seeded = await database.write(prepare)
            if were_open:
                log.info("store.sealed", key_file=str(vault.path), scrubbed=await database.read(scrub))
            if seeded:
                log.info("store.seeded", applications=len(config.applications), numbers=len(config.numbers))
            return
        except Exception as error:
            if is_mistake(error):
                raise
            if not tries_left:
                raise Overload(f"{database}: the database does not answer") from error
        await asyncio.sleep(_PAUSE_S)


async def _everybody(database: Database, vault: Vault) -> Snapshot:
    return await database.read(lambda connection: read_snapshot(connection, vault))


async def _watch(database: Database, directory: MemoryDirectory, vault: Vault, log: EventLog) -> None:
    """See what other processes change in who there is; what is known stays known when that cannot be read."""
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            if await database.read(read_revision) != directory.snapshot.revision:
                directory.replace(await _everybody(database, vault))
        except Overload:
            continue
        except ConfigError as error:
            log.warning("store.key_missing", reason=str(error))
