"""An application and its server in memory: a whole switch whose calls are steered, in virtual time.

    async with application_board() as house:
        house.server.says("ice", {"action": {"name": "hangup"}})
        alice = await house.board.phone("alice")
        ...
        assert house.server.told("ice")["callid"]

What an application would be told waits in the outbox (`house.outbox.waiting`); every record that was closed stands in
the book (`house.book.finished`), once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.errors import GatewayError, Overload
from gateway.ids import SeededIds
from gateway.sip.uri import parse_uri_untrusted
from gateway.svaml.asking import Asking, Urls
from gateway.svaml.interpreter import Interpreter
from gateway.svaml.ports import Accept, CallbackFailed, Headers, NoCallback
from gateway.svaml.recording_news import RecordingNews
from gateway.switch.applications import Applications
from gateway.switch.conferences import Conferences
from gateway.switch.desk import Desk
from gateway.switch.doors import Doors
from gateway.switch.prompts import Beeps, Prompter
from gateway.switch.recordings import Recordings
from gateway.switch.records import Application, CallRecord, Notification, Number, Rate, User
from gateway.switch.rings import FreeRings
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.world import Settings
from gateway.testing.phone import Phone
from gateway.testing.plane_port import PlanePort
from gateway.testing.recorder import VirtualRecorder
from gateway.testing.switchboard import Board, LogBook, switchboard
from gateway.testing.virtual_time import VirtualClock

__all__ = [
    "APPLICATION",
    "CARRIER",
    "NUMBER",
    "MemoryBook",
    "MemoryDirectory",
    "MemoryOutbox",
    "ScriptedServer",
    "SteeredHouse",
    "application_board",
]

APPLICATION: Final = Application(
    key="f00dcafe-abba-c0de-1dea-dabb1ed4caf3",
    secret="c2VjcmV0",
    name="test",
    callback="https://example.org/callback",
)
CARRIER: Final = "192.0.2.201"
"""Where the carrier is that every number leads to."""
NUMBER: Final = "+15550100"
"""A number behind the carrier."""
_PATIENCE_S: Final = 5.0
_CARRIER_TRUNK: Final = Trunk("carrier", parse_uri_untrusted(f"sip:{CARRIER}"), prefix="+")


class MemoryDirectory:
    """`gateway.switch.stores.Directory` in dictionaries."""

    def __init__(
        self,
        applications: Sequence[Application] = (),
        numbers: Sequence[Number] = (),
        users: Sequence[User] = (),
        rates: Sequence[Rate] = (),
    ) -> None:
        self._applications = {each.key.lower(): each for each in applications}
        self._numbers = {(each.number, each.capability): each for each in numbers}
        self._users = {(each.application.lower(), each.name): each for each in users}
        self._rates = list(rates)

    def change(self, application: Application) -> None:
        """Put an application in the place of the one with its key."""
        self._applications[application.key.lower()] = application

    def application(self, key: str) -> Application | None:
        """Return the application of that key."""
        return self._applications.get(key.lower())

    def applications(self) -> Sequence[Application]:
        """Return all."""
        return tuple(self._applications.values())

    def number(self, e164: str, capability: str = "voice") -> Number | None:
        """Return a number."""
        return self._numbers.get((e164, capability))

    def numbers(self, application: str | None = None) -> Sequence[Number]:
        """Return numbers."""
        every = self._numbers.values()
        return tuple(each for each in every if application is None or each.application == application)

    def user(self, application: str, name: str) -> User | None:
        """Return a user."""
        return self._users.get((application.lower(), name))

    def users(self, application: str | None = None) -> Sequence[User]:
        """Return users."""
        every = self._users.values()
        return tuple(each for each in every if application is None or each.application == application)

    def rate(self, e164: str) -> Rate | None:
        """Return the rate of the longest prefix."""
        fitting = [each for each in self._rates if e164.startswith(each.prefix)]
        return max(fitting, key=lambda each: len(each.prefix), default=None)


class MemoryOutbox:
    """`gateway.switch.stores.Outbox` in a list."""

    def __init__(self) -> None:
        self.waiting: Final[list[Notification]] = []
        self.full = False
        """It can keep no more."""
        self._news: Final = asyncio.Event()

    def bodies(self, event: str) -> list[dict[str, Any]]:
        """Return what waits of one event, as the application would read it."""
        return [json.loads(each.body) for each in self.waiting if each.event == event]

    async def put(self, notification: Notification) -> None:
        """Keep one more; Overload when it is full."""
        if self.full:
            raise Overload("the outbox is full")
        if all(each.id != notification.id for each in self.waiting):
            self.waiting.append(notification)
            self._news.set()

    async def news(self) -> None:
        """Wait for one more."""
        await self._news.wait()
        self._news.clear()

    async def due(self, now: float, limit: int = 100) -> Sequence[Notification]:
        """Return what is due."""
        return [each for each in self.waiting if each.next_at <= now][:limit]

    async def delivered(self, id: str) -> None:  # noqa: A002 - the field's name
        """Forget one."""
        self.waiting[:] = [each for each in self.waiting if each.id != id]

    async def failed(self, id: str, next_at: float) -> None:  # noqa: A002 - the field's name
        """Try again later."""
        self.waiting[:] = [
            replace(each, attempts=each.attempts + 1, next_at=next_at) if each.id == id else each
            for each in self.waiting
        ]

    async def given_up(self, id: str) -> None:  # noqa: A002 - the field's name
        """Forget one."""
        await self.delivered(id)

    async def backlog(self) -> int:
        """Count."""
        return len(self.waiting)


class MemoryBook:
    """`gateway.switch.stores.CallBook` in dictionaries; a record that is closed twice is a fault."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox: Final = outbox
        self._ongoing: dict[str, CallRecord] = {}
        self.finished: Final[dict[str, CallRecord]] = {}
        self.noted: Final[list[CallRecord]] = []
        """Every state of every call, in order."""

    async def begin(self, record: CallRecord) -> None:
        """Keep a call."""
        assert record.call not in self._ongoing, f"{record.call} has begun already"
        self._ongoing[record.call] = record
        await asyncio.sleep(0)

    def note(self, record: CallRecord) -> None:
        """Keep what is known."""
        assert record.call not in self.finished, f"{record.call} is over"
        self._ongoing[record.call] = record
        self.noted.append(record)

    async def finish(self, record: CallRecord, *outgoing: Notification) -> None:
        """Close a call."""
        assert record.call not in self.finished, f"{record.call} ends twice"
        self._ongoing.pop(record.call, None)
        self.finished[record.call] = record
        for notification in outgoing:
            await self._outbox.put(notification)

    async def find(self, call: str) -> CallRecord | None:
        """Return a call."""
        return self._ongoing.get(call) or self.finished.get(call)

    def ongoing(self) -> Sequence[CallRecord]:
        """Return what has not ended."""
        return tuple(self._ongoing.values())

    def keep(self, call: str, state: bytes) -> None:
        """Nobody takes calls over here."""

    def kept(self) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}

    async def report(self, call: str, status: str, details: str = "") -> CallRecord | None:
        """Add to a call."""
        record = await self.find(call)
        if record is None:
            return None
        changed = replace(record, reported_status=status, reported_details=details)
        (self._ongoing if record.ongoing else self.finished)[call] = changed
        return changed


@dataclass(slots=True)
class _Answer:
    body: bytes | None
    """None: nobody answers."""
    after_s: float = 0.0


@dataclass(slots=True)
class ScriptedServer:
    """`gateway.svaml.ports.Backend`: a server that answers what a test says, and remembers what it was asked."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)
    forwarded: list[Headers] = field(default_factory=list)
    _answers: dict[str, list[_Answer]] = field(default_factory=dict)

    def says(self, event: str, document: Mapping[str, object] | bytes, *, after_s: float = 0.0) -> None:
        """Answer an event with a document: the last one that was said is said again."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._answers.setdefault(event, []).append(_Answer(body, after_s))

    def keeps_silent(self, event: str) -> None:
        """Let every attempt at an event fail after its time."""
        self._answers.setdefault(event, []).append(_Answer(None, _PATIENCE_S))

    def told(self, event: str) -> dict[str, Any]:
        """Return the only body of an event."""
        (body,) = [body for body in self.asked if body["event"] == event]
        return body

    @property
    def events(self) -> list[str]:
        """Return the events in the order they came."""
        return [body["event"] for body in self.asked]

    async def ask(
        self,
        application: Application,
        event: str,
        body: Mapping[str, object],
        *,
        call: str,
        url: str | None = None,
        forwarded: Headers = (),
        accept: Accept | None = None,
    ) -> bytes:
        """Answer as the test wants."""
        if application.callback is None and url is None:
            raise NoCallback("no URL")
        self.asked.append(json.loads(json.dumps(body)))
        self.urls.append(url)
        self.forwarded.append(forwarded)
        answers = self._answers.get(event, [_Answer(b"")])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        await asyncio.sleep(answer.after_s)
        if answer.body is None:
            raise CallbackFailed("nobody answered")
        try:
            if accept is not None:
                accept(answer.body)
        except GatewayError as error:
            raise CallbackFailed(str(error), refusal=error) from error
        return answer.body


@dataclass(frozen=True, slots=True)
class SteeredHouse:
    """A switch, an application, and what it says and is told."""

    board: Board
    desk: Desk
    directory: MemoryDirectory
    book: MemoryBook
    outbox: MemoryOutbox
    server: ScriptedServer

    async def carrier(self) -> Phone:
        """Switch the carrier on: it rings for every number, and may call in."""
        return await self.board.phone(NUMBER, host=CARRIER, registered=False, password=None)

    async def crash(self) -> SteeredHouse:
        """Kill the switch; return the house of the next one, in which the book is as it was in that moment."""
        outbox = MemoryOutbox()
        book = MemoryBook(outbox)
        for record in self.book.ongoing():
            await book.begin(record)
        clock = self.board.world.clock
        asking = Asking(self.server, outbox, clock, SeededIds(8), Urls("http://switch.example"))
        steering, rooms = Interpreter(asking, self.directory), Conferences(clock.now)
        applications = Applications(self.directory, book, steering, rooms)
        await self.board.crash(applications=applications)
        desk = Desk(self.board.world, applications, self.board.switch)
        return SteeredHouse(self.board, desk, self.directory, book, outbox, self.server)

    def ended(self) -> CallRecord:
        """Return the record of the only call that has ended."""
        (record,) = self.book.finished.values()
        return record

    def dice(self) -> dict[str, Any]:
        """Return the only DiCE."""
        (body,) = self.outbox.bodies("dice")
        return body


def _recordings(recorder: VirtualRecorder, news: RecordingNews, clock: VirtualClock) -> Recordings:
    half = recorder.rings.count // 2
    return Recordings(
        recorder,
        recorder.rings,
        FreeRings(range(half, 2 * half)),
        news,
        clock,
        SeededIds(9),
        LogBook(),
        url_of=Urls("http://switch.example").of_recording,
    )


@asynccontextmanager
async def _running(*lives: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(life) for life in lives]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def application_board(
    *,
    application: Application = APPLICATION,
    users: Sequence[str] = ("alice", "bob", "carol"),
    numbers: Sequence[Number] = (),
    rates: Sequence[Rate] = (),
    trunk: Trunk = _CARRIER_TRUNK,
    plane: PlanePort | None = None,
    prompter: Prompter | None = None,
    recorder: VirtualRecorder | None = None,
) -> AsyncIterator[SteeredHouse]:
    """Run a switch whose users all belong to one application, with a carrier behind `trunk`."""
    settings = Settings(
        table=RoutingTable(frozenset(users), trunks=(trunk,)), doors=Doors.of_addresses({CARRIER: trunk.name})
    )
    clock = VirtualClock(asyncio.get_running_loop())
    people = [User(application.key, name) for name in users]
    directory = MemoryDirectory([application], numbers, people, rates)
    outbox, server = MemoryOutbox(), ScriptedServer()
    book = MemoryBook(outbox)
    asking = Asking(server, outbox, clock, SeededIds(7), Urls("http://switch.example"))
    recordings = None
    if recorder is not None:
        news = RecordingNews(outbox, directory, clock, SeededIds(8))
        recordings = _recordings(recorder, news, clock)
    applications = Applications(
        directory,
        book,
        Interpreter(asking, directory),
        Conferences(clock.now, recordings),
        prompter or Beeps(),
        recordings,
    )
    async with AsyncExitStack() as stack:
        if recorder is not None and recordings is not None:
            await stack.enter_async_context(_running(recorder.run(), recordings.run()))
        board = await stack.enter_async_context(
            switchboard(
                settings=settings, users=users, trunks=[CARRIER], plane=plane, applications=applications
            )
        )
        desk = Desk(board.world, applications, board.switch)
        yield SteeredHouse(board, desk, directory, book, outbox, server)
    assert not book.ongoing(), "a call has no end in the book"
