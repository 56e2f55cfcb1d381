"""Who there is, in memory: the path of a call asks here and never waits.

The copy is whole and is replaced whole, after every change of ours and when another process (`tandem number add`,
another switch on the same PostgreSQL) has made one: each change counts up a number in the database, which is looked
at once a second.  SQLite can tell nobody that it has changed, so somebody has to look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, Executable, select

from gateway.store.applying import upsert
from gateway.store.rows import application_of, folded, number_of, rate_of, user_of
from gateway.store.sealing import Sealing, opened
from gateway.store.tables import applications, facts, numbers, rates, users
from gateway.switch.records import Application, Money, Number, Rate, User

__all__ = ["MemoryDirectory", "Snapshot", "bump", "read_revision", "read_snapshot"]

_REVISION: Final = "revision"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everybody at one moment."""

    applications: tuple[Application, ...] = ()
    numbers: tuple[Number, ...] = ()
    users: tuple[User, ...] = ()
    rates: tuple[Rate, ...] = ()
    revision: int = 0
    """How often an administrator has changed something."""


@dataclass(slots=True)
class MemoryDirectory:
    """`gateway.switch.stores.Directory`, from a snapshot."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    passwords: dict[str, str] = field(default_factory=dict)
    """What phones answer challenges with, by user; always this same mapping, so that who was given it stays current."""
    guest: Callable[[str, str], User | None] = lambda _application, _name: None
    """Finds users of the moment, who are in no store."""
    _applications: dict[str, Application] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], Number] = field(default_factory=dict)
    _users: dict[tuple[str, str], User] = field(default_factory=dict)
    _rates: dict[str, Rate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.replace(self.snapshot)

    def replace(self, snapshot: Snapshot) -> None:
        """Know this from now on, and nothing else."""
        self.snapshot = snapshot
        self._applications = {folded(each.key): each for each in snapshot.applications}
        self._numbers = {(each.number, each.capability): each for each in snapshot.numbers}
        self._users = {(folded(each.application), each.name): each for each in snapshot.users}
        self._rates = {each.prefix: each for each in snapshot.rates}
        self.passwords.clear()
        self.passwords.update({each.name: each.password for each in snapshot.users if each.password})

    def book(self, key: str, money: Money) -> None:
        """Show what a call has cost; the database has it already."""
        if (before := self.application(key)) is not None:
            self._applications[folded(key)] = booked(before, money)

    def application(self, key: str) -> Application | None:
        return self._applications.get(folded(key))

    def applications(self) -> Sequence[Application]:
        return list(self._applications.values())

    def number(self, e164: str, capability: str = "voice") -> Number | None:
        return self._numbers.get((e164, capability))

    def numbers(self, application: str | None = None) -> Sequence[Number]:
        return [each for each in self._numbers.values() if _belongs(each.application, application)]

    def user(self, application: str, name: str) -> User | None:
        return self._users.get((folded(application), name)) or self.guest(application, name)

    def users(self, application: str | None = None) -> Sequence[User]:
        return [each for each in self._users.values() if _belongs(each.application, application)]

    def rate(self, e164: str) -> Rate | None:
        for length in range(len(e164), 0, -1):
            if (found := self._rates.get(e164[:length])) is not None:
                return found
        return None


def booked(application: Application, money: Money) -> Application:
    """Return the application after a call that cost `money`; each of its accounts counts one currency only."""
    balance, spent = application.balance, application.spent
    if balance is not None and balance.currency == money.currency:
        balance = replace(balance, amount=balance.amount - money.amount)
    if spent is None:
        spent = money
    elif spent.currency == money.currency:
        spent = replace(spent, amount=spent.amount + money.amount)
    return replace(application, balance=balance, spent=spent)


def _belongs(owner: str | None, application: str | None) -> bool:
    return application is None or (owner is not None and folded(owner) == folded(application))


# From the database.


def read_snapshot(connection: Connection, sealing: Sealing) -> Snapshot:
    """Return everybody, applications and users in the order in which they came.

    Raises:
        ConfigError: the key of what is secret is not there.
    """
    written = applications.c.written_key
    owned = select(users, written).join(applications, users.c.application == applications.c.key)
    assigned = select(numbers, written).outerjoin(applications, numbers.c.application == applications.c.key)

    def rows(statement: Executable) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(statement).mappings()]

    ours = rows(select(applications).order_by(applications.c.position))
    phones = rows(owned.order_by(users.c.name))
    return Snapshot(
        applications=tuple(application_of(opened(applications, row, sealing)) for row in ours),
        numbers=tuple(map(number_of, rows(assigned.order_by(numbers.c.number, numbers.c.capability)))),
        users=tuple(user_of(opened(users, row, sealing)) for row in phones),
        rates=tuple(map(rate_of, rows(select(rates).order_by(rates.c.prefix)))),
        revision=read_revision(connection),
    )


def read_revision(connection: Connection) -> int:
    """Return how often an administrator has changed something."""
    found = connection.execute(select(facts.c.value).where(facts.c.name == _REVISION))
    return int(found.scalar() or 0)


def bump(connection: Connection) -> None:
    """Count one change more, in the transaction that makes it."""
    revision = str(read_revision(connection) + 1)
    connection.execute(upsert(connection.dialect.name, facts), {"name": _REVISION, "value": revision})
