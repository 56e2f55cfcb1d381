"""Records as rows and rows as records: the only place that knows which field stands in which column.

What a database cannot hold (U+0000 in PostgreSQL's text, half a surrogate pair in any) becomes U+FFFD: text that a
stranger chose never makes a record unwritable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import RowMapping

from gateway.switch.records import (
    Application,
    CallKind,
    CallReason,
    CallRecord,
    CallResult,
    Identity,
    IdentityType,
    Money,
    Notification,
    Number,
    Rate,
    User,
)

__all__ = [
    "Row",
    "application_of",
    "application_row",
    "call_of",
    "call_row",
    "folded",
    "notification_of",
    "notification_row",
    "number_of",
    "number_row",
    "rate_of",
    "rate_row",
    "storable",
    "user_of",
    "user_row",
]

Row: TypeAlias = RowMapping | Mapping[str, Any]
"""A column's name and its value."""
_MOST_OF_A_NAME: Final = 500
"""Characters of an endpoint that are kept: PostgreSQL's index takes no row above 2,704 bytes."""
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def folded(key: str) -> str:
    """Return an application's key as it is compared."""
    return key.strip().lower()


def storable(text: str) -> str:
    """Return text that every database can hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[storable(name), storable(value)] for name, value in pairs]


def _pairs_of(written: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in written)


def _money(column: str, money: Money | None) -> dict[str, object]:
    return {
        column: None if money is None else money.amount,
        f"{column}_currency": None if money is None else money.currency,
    }


def _money_of(row: Row, column: str) -> Money | None:
    return None if row[column] is None else Money(Decimal(row[column]), row[f"{column}_currency"])


def _identity(column: str, identity: Identity | None) -> dict[str, object]:
    return {
        f"{column}_type": None if identity is None else str(identity.type),
        column: None if identity is None else storable(identity.endpoint)[:_MOST_OF_A_NAME],
    }


def _identity_of(row: Row, column: str) -> Identity | None:
    if row[column] is None:
        return None
    return Identity(IdentityType(row[f"{column}_type"]), row[column])


# Who there is.


def application_row(application: Application) -> dict[str, object]:
    """Return everything but its place in the list."""
    return {
        "key": folded(application.key),
        "written_key": application.key,
        "secret": application.secret,
        "name": storable(application.name),
        "callback": application.callback,
        "fallback": application.fallback,
        "basic": application.basic,
        **_money("balance", application.balance),
        **_money("spend_cap", application.spend_cap),
        **_money("spent", application.spent),
        "calls_per_s": application.calls_per_s,
        "destinations": list(application.destinations),
        "verified": list(application.verified),
    }


def application_of(row: Row) -> Application:
    """Read a row of `applications`."""
    return Application(
        row["written_key"],
        row["secret"],
        row["name"],
        row["callback"],
        row["fallback"],
        basic=bool(row["basic"]),
        balance=_money_of(row, "balance"),
        spend_cap=_money_of(row, "spend_cap"),
        spent=_money_of(row, "spent"),
        calls_per_s=row["calls_per_s"],
        destinations=tuple(row["destinations"]),
        verified=tuple(row["verified"]),
    )


def number_row(number: Number) -> dict[str, object]:
    """Return a row of `numbers`."""
    return {
        "number": number.number,
        "capability": number.capability,
        "application": None if number.application is None else folded(number.application),
        "forward": number.forward,
    }


def number_of(row: Row) -> Number:
    """Read a row of `numbers` that was joined with its application's written key."""
    return Number(row["number"], row["written_key"], row["capability"], row["forward"])


def user_row(user: User) -> dict[str, object]:
    """Return a row of `users`."""
    return {
        "name": user.name,
        "application": folded(user.application),
        "password": user.password,
        "srtp": user.srtp,
    }


def user_of(row: Row) -> User:
    """Read a row of `users` that was joined with its application's written key."""
    return User(row["written_key"], row["name"], row["password"], row["srtp"])


def rate_row(rate: Rate) -> dict[str, object]:
    """Return a row of `rates`."""
    return {
        "prefix": rate.prefix,
        "country": rate.country,
        "number_type": rate.number_type,
        "per_minute": rate.per_minute.amount,
        "currency": rate.per_minute.currency,
    }


def rate_of(row: Row) -> Rate:
    """Read a row of `rates`."""
    return Rate(row["prefix"], row["country"], row["number_type"], Money(row["per_minute"], row["currency"]))


# Calls, and what is to be told of them.


def call_row(record: CallRecord) -> dict[str, object]:
    """Return a row of `calls`."""
    return {
        "call": storable(record.call),
        "application": folded(record.application),
        "written_application": record.application,
        "kind": str(record.kind),
        "user_name": storable(record.user),
        **_identity("caller", record.caller),
        **_identity("called", record.called),
        **{name: storable(getattr(record, name)) for name in ("cli", "domain", "origination", "conference")},
        "started_at": record.started_at,
        "answered_at": record.answered_at,
        "ended_at": record.ended_at,
        "duration_s": record.duration_s,
        "result": str(record.result),
        "reason": str(record.reason),
        "custom": storable(record.custom),
        **_money("rate", record.rate),
        **_money("debit", record.debit),
        **{name: _pairs(getattr(record, name)) for name in ("tags", "cookies", "headers")},
        "reported_status": storable(record.reported_status),
        "reported_details": storable(record.reported_details),
        "callbacks": record.callbacks,
    }


def call_of(row: Row) -> CallRecord:
    """Read a row of `calls`."""
    return CallRecord(
        call=row["call"],
        application=row["written_application"],
        user=row["user_name"],
        kind=CallKind(row["kind"]),
        caller=_identity_of(row, "caller"),
        called=_identity_of(row, "called"),
        cli=row["cli"],
        domain=row["domain"],
        origination=row["origination"],
        conference=row["conference"],
        started_at=row["started_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        result=CallResult(row["result"]),
        reason=CallReason(row["reason"]),
        custom=row["custom"],
        rate=_money_of(row, "rate"),
        debit=_money_of(row, "debit"),
        tags=_pairs_of(row["tags"]),
        cookies=_pairs_of(row["cookies"]),
        headers=_pairs_of(row["headers"]),
        reported_status=row["reported_status"],
        reported_details=row["reported_details"],
        callbacks=bool(row["callbacks"]),
    )


def notification_row(notification: Notification) -> dict[str, object]:
    """Return a row of `outbox` without its place in the queue."""
    return {
        "id": notification.id,
        "call": notification.call,
        "application": notification.application,
        "event": notification.event,
        "url": notification.url,
        "body": notification.body,
        "headers": _pairs(notification.headers),
        "created_at": notification.created_at,
        "attempts": notification.attempts,
        "next_at": notification.next_at,
        "given_up_at": None,
    }


def notification_of(row: Row) -> Notification:
    """Read a row of `outbox`."""
    return Notification(
        id=row["id"],
        call=row["call"],
        application=row["application"],
        event=row["event"],
        url=row["url"],
        body=row["body"],
        headers=_pairs_of(row["headers"]),
        created_at=row["created_at"],
        attempts=row["attempts"],
        next_at=row["next_at"],
    )
