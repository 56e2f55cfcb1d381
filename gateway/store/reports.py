"""What calls came to, read from their records: by user or number, by kind, as counters."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, and_, case, func, or_, select, tuple_

from gateway.store.callbook import StoredCalls
from gateway.store.database import Database
from gateway.store.rows import call_of, folded
from gateway.store.tables import calls
from gateway.switch.records import CallKind, CallRecord, CallResult, Identity, IdentityType, Usage

__all__ = ["StoredReports"]

_PAGE: Final = 1000
_NUMBERS: Final = (str(IdentityType.NUMBER), str(IdentityType.DID))
"""A number is the same whether we own it or not."""


class StoredReports:
    """`gateway.switch.stores.Reports`."""

    def __init__(self, database: Database, book: StoredCalls) -> None:
        self._database = database
        self._book = book

    async def usage(
        self, application: str, identity: Identity, start: float, stop: float, domain: str | None = None
    ) -> Usage:
        answered = calls.c.result == str(CallResult.ANSWERED)
        figures = select(
            func.coalesce(func.sum(case((answered, 1), else_=0)), 0),
            func.coalesce(func.sum(case((answered, calls.c.duration_s), else_=0)), 0),
            func.count(),
        ).where(_ended_between(start, stop, application), _takes_part(identity))
        if domain is not None:
            figures = figures.where(func.lower(calls.c.domain) == domain.lower())
        success, duration_s, every = await self._database.read(
            lambda connection: connection.execute(figures).one()
        )
        return Usage(int(success), int(duration_s), int(every) - int(success))

    async def finished(
        self, kind: CallKind, start: float, stop: float, application: str | None = None
    ) -> AsyncIterator[CallRecord]:
        order = (calls.c.started_at, calls.c.call)
        wanted = select(calls).where(calls.c.kind == str(kind), _ended_between(start, stop, application))
        page = wanted.order_by(*order).limit(_PAGE)
        while True:
            records = await self._database.read(partial(_records, page))
            for record in records:
                yield record
            if len(records) < _PAGE:
                return
            last = (records[-1].started_at, records[-1].call)
            page = wanted.where(tuple_(*order) > tuple_(*last)).order_by(*order).limit(_PAGE)

    async def counter(self, name: str, application: str | None = None) -> tuple[int, float] | None:
        if name != "currentcalls":
            return None
        mine = [
            record
            for record in self._book.ongoing()
            if application is None or folded(record.application) == folded(application)
        ]
        return len(mine), time.time()


def _records(page: Executable, connection: Connection) -> list[CallRecord]:
    return [call_of(row) for row in connection.execute(page).mappings()]


def _ended_between(start: float, stop: float, application: str | None) -> ColumnElement[bool]:
    """Say which calls have ended and began in [start, stop)."""
    then = and_(calls.c.ended_at.is_not(None), calls.c.started_at >= start, calls.c.started_at < stop)
    return then if application is None else and_(then, calls.c.application == folded(application))


def _takes_part(identity: Identity) -> ColumnElement[bool]:
    """Say which calls somebody made or got."""
    types = _NUMBERS if str(identity.type) in _NUMBERS else (str(identity.type),)
    name = identity.endpoint
    either = or_(
        and_(calls.c.caller == name, calls.c.caller_type.in_(types)),
        and_(calls.c.called == name, calls.c.called_type.in_(types)),
    )
    if identity.type is IdentityType.USERNAME:
        return or_(either, calls.c.user_name == name)
    return either
