"""What the running switch writes, as values: applied to a database, or kept in a journal until that is possible.

Every change may be applied twice (a journal is read again after a crash that fell between commit and clearing): the
second time does nothing, does the same, or counts an attempt too many.  A closed call is never changed but by what
its application reports of it, and what was to be told when it closed is queued by whoever closes it, nobody after.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import case, delete, func, literal, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.rows import (
    call_of,
    call_row,
    folded,
    notification_of,
    notification_row,
)
from gateway.store.tables import applications, call_states, calls, outbox
from gateway.switch.records import CallRecord, Money, Notification

__all__ = [
    "Change",
    "CloseCall",
    "Forget",
    "GiveUp",
    "KeepCall",
    "KeepState",
    "Put",
    "Report",
    "Retry",
    "apply",
    "dumped",
    "loaded",
    "upsert",
]


@dataclass(frozen=True, slots=True)
class KeepCall:
    """What is known of a call that has not ended."""

    record: CallRecord


@dataclass(frozen=True, slots=True)
class CloseCall:
    """A call's CDR, its debit, and what is to be told of it."""

    record: CallRecord
    outgoing: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepState:
    """What is needed to take a call up again."""

    call: str
    state: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What an application said of a call."""

    call: str
    status: str
    details: str


@dataclass(frozen=True, slots=True)
class Put:
    """Something to be told."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class Forget:
    """A notification arrived."""

    id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """A notification was tried once more in vain and is due again at `next_at`."""

    id: str
    next_at: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A notification is tried no more since `at`."""

    id: str
    at: float


Change: TypeAlias = KeepCall | CloseCall | KeepState | Report | Put | Forget | Retry | GiveUp


async def apply(connection: AsyncConnection, change: Change) -> None:
    """Do it, in the transaction that is open."""
    dialect = connection.dialect.name
    match change:
        case KeepCall(record):
            await connection.execute(_keep_call(dialect), call_row(record))
        case CloseCall():
            await _close(connection, change)
        case KeepState(call, state):
            await connection.execute(upsert(dialect, call_states), {"call": call, "state": state})
        case Report(call, status, details):
            values = {"reported_status": status, "reported_details": details}
            await connection.execute(update(calls).where(calls.c.call == call).values(values))
        case Put(notification):
            await connection.execute(_put(dialect), notification_row(notification))
        case Forget(id_):
            await connection.execute(delete(outbox).where(outbox.c.id == id_))
        case Retry(id_, next_at):
            once_more = {"attempts": outbox.c.attempts + 1, "next_at": next_at}
            await connection.execute(update(outbox).where(outbox.c.id == id_).values(once_more))
        case GiveUp(id_, at):
            await connection.execute(update(outbox).where(outbox.c.id == id_).values(given_up_at=at))
        case _:
            assert_never(change)


async def _close(connection: AsyncConnection, change: CloseCall) -> None:
    dialect, record = connection.dialect.name, change.record
    closed = await connection.execute(_close_call(dialect), call_row(record))
    if closed.first() is None:
        return
    await connection.execute(delete(call_states).where(call_states.c.call == record.call))
    for notification in change.outgoing:
        await connection.execute(_put(dialect), notification_row(notification))
    if record.debit is not None and record.debit.amount:
        await _book(connection, record.application, record.debit)


async def _book(connection: AsyncConnection, key: str, money: Money) -> None:
    """Take `money` from the balance and add it to what was spent; each counts one currency only."""
    table, amount = applications.c, money.amount
    mine = applications.c.key == folded(key)
    left = update(applications).where(mine, table.balance_currency == money.currency)
    await connection.execute(left.values(balance=table.balance - amount))
    same = or_(table.spent_currency.is_(None), table.spent_currency == money.currency)
    so_far = func.coalesce(table.spent, literal(Decimal(0), table.spent.type))
    added = {"spent": so_far + literal(amount, table.spent.type), "spent_currency": money.currency}
    await connection.execute(update(applications).where(mine, same).values(added))


# Statements, written once for each kind of database.

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def _insert(dialect: str, table: Any) -> Insert:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


@functools.cache
def upsert(dialect: str, table: Any) -> Insert:
    """Return a statement that inserts a row, or sets all of it where its primary key is taken."""
    statement = _insert(dialect, table)
    key = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=rest)


@functools.cache
def _keep_call(dialect: str) -> Insert:
    """Return the statement that sets a call, unless it is closed; it keeps what was reported of it."""
    statement = _insert(dialect, calls)
    news = statement.excluded
    values = {column.name: news[column.name] for column in calls.c if not column.primary_key}
    for name in ("reported_status", "reported_details"):
        values[name] = case((news.reported_status == "", calls.c[name]), else_=news[name])
    return statement.on_conflict_do_update(
        index_elements=["call"], set_=values, where=calls.c.ended_at.is_(None)
    )


@functools.cache
def _close_call(dialect: str) -> Any:
    """Return the same with the call's id as result if it was open or new, and nothing if it was closed."""
    return _keep_call(dialect).returning(calls.c.call)


@functools.cache
def _put(dialect: str) -> Insert:
    return _insert(dialect, outbox).on_conflict_do_nothing(index_elements=["id"])


# As lines of a journal.

_PLAIN: Final = {kind.__name__: kind for kind in (Report, Forget, Retry, GiveUp)}
"""Changes that are made of text and numbers."""


def dumped(change: Change) -> bytes:
    """Return a change as one line of JSON without its end."""
    document = {"change": type(change).__name__, **_fields(change)}
    return json.dumps(document, default=_written, separators=(",", ":")).encode("ascii")


def loaded(line: bytes) -> Change:
    """Read what `dumped` wrote.  Raises ValueError or KeyError if it is something else."""
    document = json.loads(line)
    kind = document.pop("change")
    match kind:
        case "KeepCall":
            return KeepCall(call_of(document["record"]))
        case "CloseCall":
            outgoing = tuple(_notification(row) for row in document["outgoing"])
            return CloseCall(call_of(document["record"]), outgoing)
        case "KeepState":
            return KeepState(document["call"], base64.b64decode(document["state"]))
        case "Put":
            return Put(_notification(document["notification"]))
        case _:
            return _PLAIN[kind](**document)


def _fields(change: Change) -> Mapping[str, object]:
    match change:
        case KeepCall(record):
            return {"record": call_row(record)}
        case CloseCall(record, outgoing):
            return {"record": call_row(record), "outgoing": [notification_row(each) for each in outgoing]}
        case Put(notification):
            return {"notification": notification_row(notification)}
        case _:
            return {name: getattr(change, name) for name in change.__slots__}


def _notification(row: Mapping[str, Any]) -> Notification:
    return notification_of({**row, "body": base64.b64decode(row["body"])})


def _written(value: object) -> str:
    """Write what JSON has no word for: bytes and amounts."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)
