"""What the configuration file says about who there is: taken over once, compared ever after.

The first start of a store takes applications, users and numbers from the file.  From then on the store is right: the
API and the shell change it, and the file is only told how it differs (`tandem check`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select

from gateway.config import Config
from gateway.store.administration import insert_application
from gateway.store.directory import Snapshot
from gateway.store.rows import folded, number_row, user_row
from gateway.store.sealing import Sealing, sealed
from gateway.store.tables import facts, numbers, users
from gateway.switch.records import Application, Number, User

__all__ = ["Difference", "configured", "differences", "seed"]

_SEEDED: Final = "seeded_at"
_WORDS: Final = {"verified": "has other verified numbers in the store"}


def configured(config: Config) -> Snapshot:
    """Return who there is by the configuration."""
    return Snapshot(
        applications=tuple(
            Application(
                each.key,
                each.secret,
                callback=each.callback,
                fallback=each.fallback,
                verified=each.verified,
            )
            for each in config.applications
        ),
        numbers=tuple(Number(each.number, each.application, forward=each.forward) for each in config.numbers),
        users=tuple(User(each.application, each.name, each.password, each.srtp) for each in config.users),
    )


def seed(connection: Connection, config: Config, sealing: Sealing) -> bool:
    """Take over what the configuration says, if no start before this one has; say whether that was done."""
    seeded = connection.execute(select(facts.c.value).where(facts.c.name == _SEEDED))
    if seeded.scalar() is not None:
        return False
    told = configured(config)
    for application in told.applications:
        insert_application(connection, application, sealing)
    if told.numbers:
        connection.execute(insert(numbers), [number_row(each) for each in told.numbers])
    if told.users:
        connection.execute(insert(users), [sealed(users, user_row(each), sealing) for each in told.users])
    connection.execute(insert(facts), {"name": _SEEDED, "value": str(int(time.time()))})
    return True


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the store sees otherwise than the file."""

    kind: str
    """application, number or user."""
    name: str
    what: str
    """In words, without a secret."""

    def __str__(self) -> str:
        """Return a sentence."""
        return f"The {self.kind} {self.name} {self.what}."


def differences(config: Config, stored: Snapshot) -> tuple[Difference, ...]:
    """Say in what the store differs from the file; the store is right."""
    told = configured(config)
    return (
        *_compared(
            "application",
            {folded(each.key): each for each in told.applications},
            {folded(each.key): each for each in stored.applications},
            ("secret", "callback", "fallback", "verified"),
        ),
        *_compared(
            "number",
            {each.number: each for each in told.numbers},
            {each.number: each for each in stored.numbers},
            ("application", "forward"),
        ),
        *_compared(
            "user",
            {each.name: each for each in told.users},
            {each.name: each for each in stored.users},
            ("application", "password", "srtp"),
        ),
    )


def _compared(
    kind: str, told: Mapping[str, object], stored: Mapping[str, object], fields: tuple[str, ...]
) -> Iterator[Difference]:
    for name, each in told.items():
        if name not in stored:
            yield Difference(kind, name, "stands in the file and not in the store")
            continue
        for field in fields:
            if _folded(field, each) != _folded(field, stored[name]):
                yield Difference(kind, name, _WORDS.get(field, f"has another {field} in the store"))
    for name in stored:
        if name not in told:
            yield Difference(kind, name, "stands in the store and not in the file")


def _folded(field: str, thing: object) -> object:
    """Return what a field comes to; keys are compared without regard to case."""
    value = getattr(thing, field)
    return folded(value) if field == "application" and isinstance(value, str) else value
