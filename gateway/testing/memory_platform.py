"""A switch and a store that are nothing but dictionaries: what the REST API is tested against.

`MemoryCalls` answers for the switch: it takes callouts and orders, and writes down what it was asked.  `MemoryStore` is
directory, call book, administration and reports in one.  Neither decides anything that the real ones decide; what they
refuse, a test told them to (`refuse`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gateway.api.platform import ApiSettings, Platform
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.ids import CallId, SeededIds
from gateway.switch.records import (
    Application,
    CallKind,
    CallRecord,
    CallResult,
    Identity,
    Money,
    Notification,
    Number,
    Rate,
    Usage,
    User,
)
from gateway.switch.steering import (
    Callout,
    Ear,
    Participant,
    ParticipantCommand,
    UnknownCall,
    UnknownConference,
)

__all__ = ["MemoryCalls", "MemoryStore", "QuietLog", "SetClock", "memory_platform"]


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    wall_s: float = 1_795_000_000.0
    """Unix seconds: in November 2026."""

    def now(self) -> float:
        return self.wall_s - 1_700_000_000.0

    def wall(self) -> float:
        return self.wall_s


@dataclass
class QuietLog:
    """A log that keeps what was written."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, /, **facts: object) -> None:
        self.lines.append((event, facts))

    warning = info
    exception = info


@dataclass
class MemoryStore:
    """Everything that a store keeps, kept by nothing."""

    people: dict[str, Application] = field(default_factory=dict)
    owned: dict[tuple[str, str], Number] = field(default_factory=dict)
    rates: list[Rate] = field(default_factory=list)
    records: dict[str, CallRecord] = field(default_factory=dict)
    counters: dict[str, tuple[int, float]] = field(default_factory=dict)

    # Directory

    def application(self, key: str) -> Application | None:
        return self.people.get(key.casefold())

    def applications(self) -> Sequence[Application]:
        return list(self.people.values())

    def number(self, e164: str, capability: str = "voice") -> Number | None:
        return self.owned.get((e164, capability))

    def numbers(self, application: str | None = None) -> Sequence[Number]:
        return [each for each in self.owned.values() if application in (None, each.application)]

    def user(self, application: str, name: str) -> User | None:
        return None

    def users(self, application: str | None = None) -> Sequence[User]:
        return ()

    def rate(self, e164: str) -> Rate | None:
        fitting = [rate for rate in self.rates if e164.startswith(rate.prefix)]
        return max(fitting, key=lambda rate: len(rate.prefix), default=None)

    # CallBook

    async def begin(self, record: CallRecord) -> None:
        self.records[record.call] = record

    def note(self, record: CallRecord) -> None:
        self.records[record.call] = record

    async def finish(self, record: CallRecord, *outgoing: Notification) -> None:
        self.records[record.call] = record

    async def find(self, call: str) -> CallRecord | None:
        return self.records.get(call)

    def ongoing(self) -> Sequence[CallRecord]:
        return [record for record in self.records.values() if record.ongoing]

    def keep(self, call: str, state: bytes) -> None:
        """Keep nothing: no test here takes a call up again."""

    def kept(self) -> Mapping[str, bytes]:
        return {}

    async def report(self, call: str, status: str, details: str = "") -> CallRecord | None:
        found = self.records.get(call)
        if found is None:
            return None
        self.records[call] = replace(found, reported_status=status, reported_details=details)
        return self.records[call]

    # Administration

    async def create_application(self, application: Application) -> None:
        self.people[application.key.casefold()] = application

    async def update_application(self, application: Application) -> None:
        self.people[application.key.casefold()] = application

    async def rotate(self, key: str, secret: str) -> Application:
        return self._change(key, secret=secret)

    async def set_callbacks(self, key: str, callback: str | None, fallback: str | None) -> Application:
        return self._change(key, callback=callback, fallback=fallback)

    async def charge(self, key: str, money: Money) -> Application:
        return self._change(key, spent=money)

    async def add_number(self, number: Number) -> None:
        self.owned[number.number, number.capability] = number

    async def assign(self, application: str, numbers: Sequence[str], capability: str = "voice") -> None:
        for number in numbers:
            self._give(number, capability, application)

    async def unassign(self, application: str, number: str, capability: str = "voice") -> None:
        self._give(number, capability, None)

    async def add_user(self, user: User) -> None:
        """Add nothing: the API has no users yet."""

    async def remove_user(self, application: str, name: str) -> None:
        """Remove nothing."""

    async def set_rates(self, rates: Sequence[Rate]) -> None:
        self.rates = list(rates)

    # Reports

    async def usage(
        self, application: str, identity: Identity, start: float, stop: float, domain: str | None = None
    ) -> Usage:
        counted = [
            record
            for record in self._between(start, stop, application)
            if identity in (record.caller, record.called) and domain in (None, record.domain)
        ]
        answered = [record for record in counted if record.result is CallResult.ANSWERED]
        seconds = sum(record.duration_s for record in answered)
        return Usage(success=len(answered), duration_s=seconds, failed=len(counted) - len(answered))

    async def finished(
        self, kind: CallKind, start: float, stop: float, application: str | None = None
    ) -> AsyncIterator[CallRecord]:
        for record in self._between(start, stop, application):
            if record.kind is kind:
                yield record

    async def counter(self, name: str, application: str | None = None) -> tuple[int, float] | None:
        return self.counters.get(name)

    def _between(self, start: float, stop: float, application: str | None) -> list[CallRecord]:
        return [
            record
            for record in self.records.values()
            if start <= record.started_at < stop
            and not record.ongoing
            and application in (None, record.application)
        ]

    def _change(self, key: str, **facts: object) -> Application:
        changed = replace(self.people[key.casefold()], **facts)  # type: ignore[arg-type]  # fields by name
        self.people[key.casefold()] = changed
        return changed

    def _give(self, number: str, capability: str, application: str | None) -> None:
        known = self.owned[number, capability]
        self.owned[number, capability] = replace(known, application=application)


@dataclass
class MemoryCalls:
    """A switch that has no phones."""

    book: MemoryStore
    rooms: dict[tuple[str, str], list[Participant]] = field(default_factory=dict)
    """By application and name of the conference."""
    callouts: list[Callout] = field(default_factory=list)
    orders: list[tuple[str, bytes, Ear]] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    refuse: GatewayError | None = None
    """What the next callout or order is refused with."""

    async def callout(self, request: Callout) -> CallId:
        self._refuse()
        call = CallId(f"call-{len(self.callouts) + 1}")
        self.callouts.append(request)
        await self.book.begin(
            CallRecord(
                call=call,
                application=request.application,
                started_at=SetClock().wall(),
                called=request.to,
                custom=request.custom,
                domain="pstn",
            )
        )
        return call

    async def abandon(self, application: str, call: CallId) -> None:
        self.abandoned.append(call)

    async def find(self, application: str, call: CallId) -> CallRecord:
        record = await self.book.find(call)
        if record is None or record.application != application:
            raise UnknownCall(call)
        return record

    async def manage(self, application: str, call: CallId, document: bytes, *, ear: Ear = Ear.CALLER) -> None:
        await self.find(application, call)
        self._refuse()
        self.orders.append((call, document, ear))

    def conference(self, application: str, conference: str) -> tuple[Participant, ...]:
        return tuple(self._room(application, conference))

    def command(
        self,
        application: str,
        conference: str,
        call: CallId,
        command: ParticipantCommand,
        *,
        moh: str | None = None,
    ) -> None:
        room = self._room(application, conference)
        member = self._member(room, call)
        changed = {
            ParticipantCommand.MUTE: replace(member, muted=True),
            ParticipantCommand.UNMUTE: replace(member, muted=False),
            ParticipantCommand.HOLD: replace(member, on_hold=True),
            ParticipantCommand.RESUME: replace(member, on_hold=False),
        }
        room[room.index(member)] = changed[command]

    def kick(self, application: str, conference: str, call: CallId) -> None:
        room = self._room(application, conference)
        room.remove(self._member(room, call))

    def kick_all(self, application: str, conference: str) -> None:
        self._room(application, conference)
        del self.rooms[application, conference]

    def ongoing(self, application: str | None = None) -> Sequence[CallRecord]:
        return [each for each in self.book.ongoing() if application in (None, each.application)]

    def counters(self) -> Mapping[str, int]:
        return {"callouts": len(self.callouts)}

    def _room(self, application: str, conference: str) -> list[Participant]:
        try:
            return self.rooms[application, conference]
        except KeyError:
            raise UnknownConference(conference) from None

    def _member(self, room: list[Participant], call: CallId) -> Participant:
        for member in room:
            if member.call == call:
                return member
        raise UnknownConference(call)

    def _refuse(self) -> None:
        refusal, self.refuse = self.refuse, None
        if refusal is not None:
            raise refusal


def memory_platform(
    *applications: Application, settings: ApiSettings | None = None, clock: Clock | None = None
) -> tuple[Platform, MemoryCalls, MemoryStore]:
    """Return a platform of nothing but memory, its switch and its store."""
    store = MemoryStore({each.key.casefold(): each for each in applications})
    store.rates.append(Rate("+46", "SE", "Mobile", Money(Decimal("0.0368"), "USD")))
    calls = MemoryCalls(store)
    platform = Platform(
        calls=calls,
        directory=store,
        book=store,
        administration=store,
        reports=store,
        clock=clock or SetClock(),
        ids=SeededIds(7),
        log=QuietLog(),
        settings=settings or ApiSettings(),
    )
    return platform, calls, store
