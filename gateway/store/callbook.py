"""Calls: those in progress in memory and in the database, the others in the database.

What is in progress is answered from memory, and so are the calls that ended last: an application that asks about
its calls costs no query.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, Executable, select

from gateway.store.changes import CloseCall, KeepCall, KeepState, Report
from gateway.store.database import Database
from gateway.store.directory import MemoryDirectory
from gateway.store.mailbox import StoredOutbox
from gateway.store.rows import call_of, storable
from gateway.store.tables import call_states, calls
from gateway.store.writer import Writer
from gateway.switch.records import CallRecord, Notification

__all__ = ["StoredCalls"]

MOST_RECENT: Final = 10_000
"""Calls that have ended and are still in memory."""


class StoredCalls:
    """`gateway.switch.stores.CallBook`."""

    def __init__(
        self, database: Database, writer: Writer, directory: MemoryDirectory, outbox: StoredOutbox
    ) -> None:
        self._database = database
        self._writer = writer
        self._directory = directory
        self._outbox = outbox
        self._open: dict[str, CallRecord] = {}
        self._recent: OrderedDict[str, CallRecord] = OrderedDict()
        self._states: dict[str, bytes] = {}

    async def load(self) -> None:
        """Learn which calls a process before this one has left."""
        records, states = await self._database.read(_left)
        self._open = {record.call: record for record in records}
        self._states = {call: state for call, state in states if call in self._open}

    async def begin(self, record: CallRecord) -> None:
        self._open[record.call] = record
        await self._writer.write(KeepCall(record))

    def note(self, record: CallRecord) -> None:
        if record.call in self._recent:
            return
        known = self._with_report(record)
        self._open[record.call] = known
        self._writer.note(("call", record.call), KeepCall(known))

    async def finish(self, record: CallRecord, *outgoing: Notification) -> None:
        if record.ongoing:
            raise ValueError(f"call {record.call} has not ended")
        first = record.call not in self._recent
        known = self._with_report(record)
        if first:
            self._forget_open(known)
        await self._writer.write(CloseCall(known, outgoing))
        if first and record.debit is not None:
            self._directory.book(record.application, record.debit)
        if outgoing:
            self._outbox.arrived()

    async def find(self, call: str) -> CallRecord | None:
        if (known := self._open.get(call) or self._recent.get(call)) is not None:
            return known
        return await self._database.read(lambda connection: _found(connection, call))

    def ongoing(self) -> Sequence[CallRecord]:
        return sorted(self._open.values(), key=lambda record: record.started_at)

    def keep(self, call: str, state: bytes) -> None:
        if call in self._recent:
            return
        self._states[call] = state
        self._writer.note(("state", call), KeepState(call, state))

    def kept(self) -> Mapping[str, bytes]:
        return dict(self._states)

    async def report(self, call: str, status: str, details: str = "") -> CallRecord | None:
        found = await self.find(call)
        if found is None:
            return None
        told = replace(found, reported_status=storable(status), reported_details=storable(details))
        if call in self._open:
            self._open[call] = told
            self._writer.drop(("call", call))
            await self._writer.write(KeepCall(told))
            return told
        if call in self._recent:
            self._recent[call] = told
        await self._writer.write(Report(call, told.reported_status, told.reported_details))
        return told

    def _with_report(self, record: CallRecord) -> CallRecord:
        """Return `record` with what was reported of the call, which those who follow it need not know."""
        before = self._open.get(record.call)
        if before is None or record.reported_status:
            return record
        return replace(
            record, reported_status=before.reported_status, reported_details=before.reported_details
        )

    def _forget_open(self, record: CallRecord) -> None:
        self._open.pop(record.call, None)
        self._states.pop(record.call, None)
        for kind in ("call", "state"):
            self._writer.drop((kind, record.call))
        self._recent[record.call] = record
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)


def _left(connection: Connection) -> tuple[list[CallRecord], list[tuple[str, bytes]]]:
    """Return the calls that have not ended, and the states that are kept."""
    still_open = select(calls).where(calls.c.ended_at.is_(None))
    states = connection.execute(select(call_states.c.call, call_states.c.state))
    return _records(connection, still_open), [(call, state) for call, state in states]


def _found(connection: Connection, call: str) -> CallRecord | None:
    return next(iter(_records(connection, select(calls).where(calls.c.call == call))), None)


def _records(connection: Connection, wanted: Executable) -> list[CallRecord]:
    return [call_of(row) for row in connection.execute(wanted).mappings()]
