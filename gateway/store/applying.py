"""A batch of changes in a database: a handful of statements, however many changes there are.

Changes of one kind go together, in an order of kinds that comes to the same as the order in which they were given:
what is known of a call before its end, its end before what is reported of it, a notification before its fate.

Every change may be applied twice (a journal is read again after a crash that fell between commit and clearing): the
second time does nothing, does the same, or counts an attempt too many.  A closed call is never changed but by what
its application reports of it, and what was to be told when it closed is queued by whoever closes it, nobody after.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Executable, bindparam, case, delete, func, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.changes import (
    Change,
    CloseCall,
    Forget,
    GiveUp,
    KeepCall,
    KeepState,
    Put,
    Report,
    Retry,
)
from gateway.store.rows import call_row, folded, notification_row
from gateway.store.tables import applications, call_states, calls, outbox
from gateway.switch.records import CallRecord, Notification

__all__ = ["apply", "upsert"]

Kind = TypeVar("Kind", bound=Change)
Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def apply(connection: Connection, changes: Sequence[Change]) -> None:
    """Do all of them, in the transaction that is open."""
    dialect = connection.dialect.name
    kept = [call_row(change.record) for change in _of(KeepCall, changes)]
    _each(connection, _keep_call(dialect), kept)
    states = [{"call": change.call, "state": change.state} for change in _of(KeepState, changes)]
    _each(connection, upsert(dialect, call_states), states)
    closed = _close(connection, list(_of(CloseCall, changes)))
    messages = [notification_row(message) for message in _messages(changes, closed)]
    _each(connection, _put(dialect), messages)
    for kind, statement in _FATES.items():
        found = [_parameters(change) for change in _of(kind, changes)]
        _each(connection, statement, found)


def _each(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for each of `rows`."""
    if rows:
        connection.execute(statement, rows)


def _of(kind: type[Kind], changes: Iterable[Change]) -> Iterable[Kind]:
    return (change for change in changes if isinstance(change, kind))


def _messages(changes: Sequence[Change], closed: Mapping[str, CallRecord]) -> Iterable[Notification]:
    """Yield what is to be told, in the order in which it was given; of a call's end by whoever closed it."""
    for change in changes:
        if isinstance(change, Put):
            yield change.notification
        elif isinstance(change, CloseCall) and closed.get(change.record.call) is change.record:
            yield from change.outgoing


def _parameters(change: Change) -> dict[str, object]:
    """Return a change's fields as parameters, which must not be called like a column that is set."""
    return {f"the_{name}": getattr(change, name) for name in change.__slots__}


# The end of calls.


def _close(connection: Connection, changes: Sequence[CloseCall]) -> Mapping[str, CallRecord]:
    """Close calls and book what they cost; return those that were open until now."""
    first: dict[str, CallRecord] = {}
    for change in changes:
        first.setdefault(change.record.call, change.record)
    if not first:
        return {}
    rows = [call_row(record) for record in first.values()]
    done = connection.execute(_close_call(connection.dialect.name), rows)
    closed = {call: first[call] for call in done.scalars() if call in first}
    _each(connection, _FORGET_STATE, [{"the_call": call} for call in closed])
    debits = [
        {"the_key": key, "the_currency": currency, "the_amount": amount}
        for (key, currency), amount in _debits(closed.values()).items()
    ]
    _each(connection, _TAKE, debits)
    _each(connection, _SPEND, debits)
    return closed


def _debits(records: Iterable[CallRecord]) -> Mapping[tuple[str, str], Decimal]:
    """Return what calls cost in all, by application and currency."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in records:
        if record.debit is not None and record.debit.amount:
            sums[folded(record.application), record.debit.currency] += record.debit.amount
    return sums


# Statements, written once for each kind of database.


def _insert(dialect: str, table: Any) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


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
    values: dict[str, Any] = {column.name: news[column.name] for column in calls.c if not column.primary_key}
    for name in ("reported_status", "reported_details"):
        values[name] = case((news.reported_status == "", calls.c[name]), else_=news[name])
    still_open = calls.c.ended_at.is_(None)
    return statement.on_conflict_do_update(index_elements=["call"], set_=values, where=still_open)


@functools.cache
def _close_call(dialect: str) -> Any:
    """Return the same with, as its result, the ids of calls that were open or new."""
    return _keep_call(dialect).returning(calls.c.call)


@functools.cache
def _put(dialect: str) -> Insert:
    return _insert(dialect, outbox).on_conflict_do_nothing(index_elements=["id"])


_AMOUNT: Final = bindparam("the_amount", type_=applications.c.spent.type)
_OWN: Final = applications.c.key == bindparam("the_key")
_CURRENCY: Final = bindparam("the_currency", type_=applications.c.spent_currency.type)
_TAKE: Final = (
    update(applications)
    .where(_OWN, applications.c.balance_currency == _CURRENCY)
    .values(balance=applications.c.balance - _AMOUNT)
)
_SPEND: Final = (
    update(applications)
    .where(_OWN, func.coalesce(applications.c.spent_currency, _CURRENCY) == _CURRENCY)
    .values(spent=func.coalesce(applications.c.spent, 0) + _AMOUNT, spent_currency=_CURRENCY)
)
"""A balance and a sum count one currency each; what a call cost in another is in its record."""
_FORGET_STATE: Final = delete(call_states).where(call_states.c.call == bindparam("the_call"))
_THIS: Final = outbox.c.id == bindparam("the_id")
_FATES: Final[Mapping[type[Change], Executable]] = {
    Report: update(calls)
    .where(calls.c.call == bindparam("the_call"))
    .values(reported_status=bindparam("the_status"), reported_details=bindparam("the_details")),
    Retry: update(outbox)
    .where(_THIS)
    .values(attempts=outbox.c.attempts + 1, next_at=bindparam("the_next_at")),
    GiveUp: update(outbox).where(_THIS).values(given_up_at=bindparam("the_at")),
    Forget: delete(outbox).where(_THIS),
}
"""What changes a row that is there, in the order of kinds."""
