"""Changes to who there is: each one transaction, after which memory and database say the same.

Whether a change is possible is asked inside its transaction, of the database: another process may have changed it a
moment ago.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import LocalError
from gateway.store import tables
from gateway.store.applying import upsert
from gateway.store.directory import MemoryDirectory, Snapshot, booked, bump, read_snapshot
from gateway.store.rows import (
    application_of,
    application_row,
    folded,
    number_row,
    rate_row,
    user_row,
)
from gateway.store.schema import lock
from gateway.store.sealing import Sealing, opened, reseal, sealed
from gateway.store.vault import Vault
from gateway.store.writer import Writer
from gateway.switch.records import Application, Money, Number, Rate, User

__all__ = ["StoredAdministration", "insert_application"]

Work = Callable[[Connection], None]


class StoredAdministration:
    """`gateway.switch.stores.Administration`."""

    def __init__(self, writer: Writer, directory: MemoryDirectory, vault: Vault) -> None:
        self._writer = writer
        self._directory = directory
        self._vault = vault

    async def create_application(self, application: Application) -> None:
        def work(connection: Connection) -> None:
            if _find_application(connection, application.key, self._vault) is not None:
                raise LocalError(f"there is an application {application.key} already")
            insert_application(connection, application, self._vault)

        await self._change(work)

    async def update_application(self, application: Application) -> None:
        await self._with_application(application.key, lambda old: replace(application, spent=old.spent))

    async def rotate(self, key: str, secret: str) -> Application:
        return await self._with_application(key, lambda old: replace(old, secret=secret))

    async def set_callbacks(self, key: str, callback: str | None, fallback: str | None) -> Application:
        return await self._with_application(
            key, lambda old: replace(old, callback=callback, fallback=fallback)
        )

    async def charge(self, key: str, money: Money) -> Application:
        return await self._with_application(key, lambda old: booked(old, money))

    async def add_number(self, number: Number) -> None:
        def work(connection: Connection) -> None:
            if number.application is not None:
                self._demand(connection, number.application)
            connection.execute(upsert(connection.dialect.name, tables.numbers), number_row(number))

        await self._change(work)

    async def assign(self, application: str, numbers: Sequence[str], capability: str = "voice") -> None:
        def work(connection: Connection) -> None:
            self._demand(connection, application)
            for number in numbers:
                _set_owner(connection, number, capability, folded(application))

        await self._change(work)

    async def unassign(self, application: str, number: str, capability: str = "voice") -> None:
        def work(connection: Connection) -> None:
            row = _number(connection, number, capability)
            if row["application"] != folded(application):
                raise LocalError(f"{number} is not assigned to {application}")
            _set_owner(connection, number, capability, None)

        await self._change(work)

    async def add_user(self, user: User) -> None:
        def work(connection: Connection) -> None:
            self._demand(connection, user.application)
            found = connection.execute(
                select(tables.users.c.application).where(tables.users.c.name == user.name)
            )
            if found.scalar() not in (None, folded(user.application)):
                raise LocalError(f"{user.name!r} is a user of another application")
            row = sealed(tables.users, user_row(user), self._vault)
            connection.execute(upsert(connection.dialect.name, tables.users), row)

        await self._change(work)

    async def remove_user(self, application: str, name: str) -> None:
        def work(connection: Connection) -> None:
            mine = (tables.users.c.name == name, tables.users.c.application == folded(application))
            connection.execute(delete(tables.users).where(*mine))

        await self._change(work)

    async def set_rates(self, rates: Sequence[Rate]) -> None:
        def work(connection: Connection) -> None:
            connection.execute(delete(tables.rates))
            if rates:
                connection.execute(insert(tables.rates), [rate_row(rate) for rate in rates])

        await self._change(work)

    async def rekey(self) -> None:
        """Draw a new key and seal everything secret with it; who runs beside us reads it when it needs it."""
        self._vault.renew()
        await self._change(lambda connection: reseal(connection, self._vault))

    async def _with_application(self, key: str, changed: Callable[[Application], Application]) -> Application:
        """Replace an application by what `changed` makes of it, and return that."""
        results: list[Application] = []

        def work(connection: Connection) -> None:
            results[:] = [changed(self._demand(connection, key))]
            row = sealed(tables.applications, application_row(results[0]), self._vault)
            del row["key"], row["written_key"]
            connection.execute(
                update(tables.applications).where(tables.applications.c.key == folded(key)).values(row)
            )

        await self._change(work)
        return results[0]

    async def _change(self, work: Work) -> None:
        """Do `work`, count it, and have the directory show what came of it."""

        def whole(connection: Connection) -> Snapshot:
            lock(connection)
            work(connection)
            bump(connection)
            return read_snapshot(connection, self._vault)

        try:
            self._directory.replace(await self._writer.work(whole))
        except DBAPIError as error:
            raise LocalError(f"the database refuses it: {error.orig}") from error

    def _demand(self, connection: Connection, key: str) -> Application:
        if (found := _find_application(connection, key, self._vault)) is None:
            raise LocalError(f"there is no application {key}")
        return found


def insert_application(connection: Connection, application: Application, sealing: Sealing) -> None:
    """Add an application behind the others."""
    last = connection.execute(select(func.coalesce(func.max(tables.applications.c.position), 0)))
    row = sealed(tables.applications, application_row(application), sealing)
    connection.execute(insert(tables.applications), {**row, "position": last.scalar_one() + 1})


def _find_application(connection: Connection, key: str, sealing: Sealing) -> Application | None:
    """Return an application; nobody else changes it before the transaction ends."""
    mine = select(tables.applications).where(tables.applications.c.key == folded(key)).with_for_update()
    row = connection.execute(mine).mappings().first()
    return None if row is None else application_of(opened(tables.applications, row, sealing))


def _number(connection: Connection, number: str, capability: str) -> Mapping[str, Any]:
    this = (tables.numbers.c.number == number, tables.numbers.c.capability == capability)
    row = connection.execute(select(tables.numbers).where(*this)).mappings().first()
    if row is None:
        raise LocalError(f"{number} ({capability}) is not a number of ours")
    return dict(row)


def _set_owner(connection: Connection, number: str, capability: str, owner: str | None) -> None:
    _number(connection, number, capability)
    this = (tables.numbers.c.number == number, tables.numbers.c.capability == capability)
    connection.execute(update(tables.numbers).where(*this).values(application=owner))
