"""Which columns are secret, and how a store that has them in the clear becomes one that has not.

`SECRETS` is the whole list.  Rows are sealed as the last thing before they are written and opened as the first thing
after they are read, so nobody else needs to know.  The first start of this version seals what an older one has written,
in the transaction that brings the tables up to date; a fact in the store then says that it was done, and is itself
sealed, so that a wrong key is found at the start and not at the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Table, insert, select, update

from gateway.store.applying import upsert
from gateway.store.rows import Row
from gateway.store.tables import applications, facts, users
from gateway.store.vault import Vault

__all__ = ["SECRETS", "InTheClear", "Sealing", "as_it_is", "opened", "protect", "reseal", "sealed"]

SECRETS: Final[Mapping[str, tuple[str, str]]] = {
    applications.name: ("key", "secret"),
    users.name: ("name", "password"),
}
"""By table: the column that names the row, and the one that is secret."""
_FACT: Final = "sealed"
_PLACE: Final = "facts/sealed"
_WORD: Final = "tandem"


class Sealing(Protocol):
    """What seals and opens: a `Vault`, or nothing at all."""

    def seal(self, text: str, place: str) -> str:
        """Return what is written at `place` for a text."""
        ...

    def open(self, sealed: str, place: str) -> str:
        """Return the text."""
        ...


class InTheClear:
    """`Sealing` of a store that an older version has written."""

    def seal(self, text: str, place: str) -> str:
        return text

    def open(self, sealed: str, place: str) -> str:
        return sealed


def sealed(table: Table, row: Row, sealing: Sealing) -> dict[str, Any]:
    """Return a row as it is written."""
    name, secret = SECRETS[table.name]
    return {**row, secret: sealing.seal(row[secret], _place(table, row[name]))}


def opened(table: Table, row: Row, sealing: Sealing) -> dict[str, Any]:
    """Return a row as it was given.  Raises ConfigError if the key is not there."""
    name, secret = SECRETS[table.name]
    return {**row, secret: sealing.open(row[secret], _place(table, row[name]))}


def protect(connection: Connection, vault: Vault) -> bool:
    """See that everything secret is sealed with the newest key; tell whether something stood there in the clear.

    Raises:
        ConfigError: the key that it was sealed with is not there.
    """
    fact = _fact(connection)
    if fact is None:
        vault.make()
        found = _rewrite(connection, InTheClear(), vault)
        connection.execute(insert(facts), {"name": _FACT, "value": vault.seal(_WORD, _PLACE)})
        return found > 0
    vault.open(fact, _PLACE)
    if not vault.is_newest(fact, _PLACE):
        reseal(connection, vault)
    return False


def reseal(connection: Connection, vault: Vault) -> None:
    """Seal everything with the newest key."""
    _rewrite(connection, vault, vault)
    fact = {"name": _FACT, "value": vault.seal(_WORD, _PLACE)}
    connection.execute(upsert(connection.dialect.name, facts), fact)


def as_it_is(connection: Connection, vault: Vault) -> Sealing:
    """Return what opens a store that is only looked at: an older one is in the clear."""
    return InTheClear() if _fact(connection) is None else vault


def _fact(connection: Connection) -> str | None:
    found: str | None = connection.execute(select(facts.c.value).where(facts.c.name == _FACT)).scalar()
    return found


def _rewrite(connection: Connection, before: Sealing, after: Sealing) -> int:
    """Seal every secret anew; return how many there are."""
    count = 0
    for table in (applications, users):
        name, secret = SECRETS[table.name]
        for row in connection.execute(select(table.c[name], table.c[secret])).mappings().all():
            anew = sealed(table, opened(table, row, before), after)
            statement = update(table).where(table.c[name] == row[name])
            connection.execute(statement.values({secret: anew[secret]}))
            count += 1
    return count


def _place(table: Table, name: str) -> str:
    return f"{table.name}/{name}"
