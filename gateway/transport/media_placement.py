"""Which media worker has which leg, and what is said to whom so that those of one room meet: sans-IO.

The switch wishes (`open`, `set`, `close`); workers join, are lost and say things (`joined`, `lost`, `receive`).  After
any of these: send what `transmit` returns, take `events`, re-arm `next_deadline`.  A leg's life is the table of
`media_place_table`.

Placing.  A leg is opened at the worker with the least load, and stays with the worker of the leg before it as long as
that one is not clearly busier: the two legs of a call mostly meet without a move.  A room's home is the worker of
its first leg; a leg that is put into a room elsewhere moves there, with its sockets and all that its row is.

States are absolute: while a leg moves, only its newest state is kept and said when it has arrived.  The same happens
when a worker comes back: everything is said again, and saying it twice costs nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.errors import Overload
from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState, row_as_map
from gateway.media.events import MediaEvent, event_from_map
from gateway.transport.media_place_table import TRANSITIONS, Do, Heard, Where
from gateway.transport.media_wire import Message

__all__ = ["CLEARLY", "OPEN_S", "Placement", "PlacementEvent", "PortOpened", "PortRefused"]

OPEN_S: Final = 5.0
"""How long a port may be waited for."""
MOVE_S: Final = 2.0
"""A move that takes longer is asked for again."""
_OPENINGS: Final = 1000
_LEG_LOAD: Final = 0.0005
"""What a leg that was placed since the worker's last report is taken to cost, as a share of a core."""
CLEARLY: Final = 0.02
"""Of a core: what forty legs are taken to cost."""


@dataclass(frozen=True, slots=True)
class PortOpened:
    """A leg has its port."""

    leg: LegId
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class PortRefused:
    """A leg gets no port, for a reason in words."""

    leg: LegId
    reason: str


PlacementEvent: TypeAlias = MediaEvent | PortOpened | PortRefused


@dataclass(slots=True)
class _Leg:
    id: LegId
    here: int
    there: int
    state: Where
    refused_by: set[int] = field(default_factory=set)
    reason: str = "the media process does not answer"
    address: tuple[str, int] | None = None
    """As the switch was told; None for a source without a socket."""
    row: RowState | None = None
    has_socket: bool = True


@dataclass(slots=True)
class _Worker:
    present: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)
    placed: int = 0
    """Legs placed since its last report."""

    @property
    def load(self) -> float:
        return float(self.figures.get("busy", 0.0)) + self.placed * _LEG_LOAD

    @property
    def refuses(self) -> bool:
        return self.figures.get("refusal") is not None


@dataclass(slots=True)
class _Room:
    home: int
    legs: set[LegId] = field(default_factory=set)


class Placement:
    """Legs, rooms and workers; see the module's docstring for the verbs.  Times are monotonic seconds."""

    def __init__(
        self, workers: int, *, announced: str | None = None, open_s: float = OPEN_S, clearly: float = CLEARLY
    ) -> None:
        """`announced` is the address to write into SDP; None takes what a worker says.

        `clearly` is the difference of load for which the next leg goes to another worker than the last.
        """
        self.counters: Final[Counter[str]] = Counter()
        self._announced = announced
        self._open_s = open_s
        self._clearly = clearly
        self._workers = [_Worker() for _ in range(workers)]
        self._legs: dict[LegId, _Leg] = {}
        self._rooms: dict[RoomId, _Room] = {}
        self._deadlines: dict[LegId, float] = {}
        self._last_placed = 0
        self._now = 0.0
        self._outgoing: list[tuple[int, Message]] = []
        self._events: deque[PlacementEvent] = deque()
        self._deeds: Final[Mapping[Do, Callable[[_Leg], None]]] = {
            Do.OPEN: lambda leg: self._say(leg.here, {"open": leg.id}),
            Do.ASK_ANOTHER: self._ask_another,
            Do.REOPEN: self._reopen,
            Do.REOPEN_THERE: lambda leg: self._say(leg.there, {"reopen": leg.id}),
            Do.MOVE: self._move,
            Do.ARRIVE: self._arrive,
            Do.PLACE: self._place,
            Do.CLOSE: lambda leg: self._say(leg.here, {"close": leg.id}),
            Do.CLOSE_THERE: lambda leg: self._say(leg.there, {"close": leg.id}),
            Do.TELL_PORT: self._tell_port,
            Do.TELL_REFUSAL: lambda leg: self._events.append(PortRefused(leg.id, leg.reason)),
        }

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._legs

    @property
    def ready(self) -> bool:
        """Say whether any worker is there."""
        return any(worker.present for worker in self._workers)

    @property
    def complete(self) -> bool:
        """Say whether every worker is there."""
        return all(worker.present for worker in self._workers)

    @property
    def figures(self) -> Mapping[int, Mapping[str, Any]]:
        """Return what each worker that is there has last told of itself."""
        return {
            number: one.figures for number, one in enumerate(self._workers) if one.present and one.figures
        }

    def census(self) -> dict[str, int]:
        """Return what is held: all zero when there are no calls."""
        states = Counter(leg.state for leg in self._legs.values())
        return {
            "legs": sum(leg.address is not None for leg in self._legs.values()),
            "rows": sum(leg.row is not None for leg in self._legs.values()),
            "opening": states[Where.OPENING],
            "moving": states[Where.MOVING],
            "rooms": len(self._rooms),
        }

    def worker_of(self, leg: LegId) -> int:
        """Return the worker that has a leg, or would know of it."""
        return self._legs[leg].here if leg in self._legs else 0

    # What the switch wishes.

    def open(self, leg: LegId, now: float) -> None:
        """Get a port for a leg: `PortOpened` or `PortRefused` follows.

        Raises:
            Overload: too many are being asked for.
        """
        if len(self._deadlines) >= _OPENINGS:
            raise Overload("too many ports are being asked for")
        worker = self._choose(frozenset())
        self._legs[leg] = opened = _Leg(leg, worker, worker, Where.OPENING)
        self._deadlines[leg] = now + self._open_s
        self._deeds[Do.OPEN](opened)

    def set(self, row: RowState) -> None:
        """Let a leg's row be so; a leg that was never opened is a source, which lives where its room does."""
        leg = self._legs.get(row.leg) or self._source(row)
        before, leg.row = leg.row, row
        if before is not None and before.room != row.room:
            self._leave(leg, before.room)
        if row.room is not None:
            self._rooms.setdefault(row.room, _Room(home=leg.there)).legs.add(leg.id)
        if leg.state is Where.SETTLED:
            self._place(leg)

    def close(self, leg: LegId) -> None:
        """Forget a leg; one that nobody knows is no error."""
        if leg in self._legs:
            self._step(self._legs[leg], Heard.CLOSED)

    # What workers say.

    def joined(self, worker: int, legs: frozenset[LegId], now: float, *, inherited: bool) -> None:
        """A worker is there, with these legs, and is told everything.

        `inherited` rows are those of a switch before us: people who still hear each other.  They are left alone, and
        the worker frees them itself when nobody has taken them up for a minute.
        """
        self._now = now
        self._workers[worker] = _Worker(present=True)
        for stranger in legs - self._legs.keys() if not inherited else ():
            self._say(worker, {"close": stranger})
        for leg in list(self._legs.values()):
            if worker in (leg.here, leg.there):
                self._step(leg, self._listed(leg, worker, found=leg.id in legs))
            elif leg.id in legs:
                self._relocate(leg, worker)
                self._step(leg, Heard.FOUND)
            elif leg.state is Where.SETTLED and self._wanted(leg) == worker:
                self._place(leg)

    def _listed(self, leg: _Leg, worker: int, *, found: bool) -> Heard:
        if worker == leg.here:
            return Heard.FOUND if found else Heard.MISSED
        return Heard.FOUND_THERE if found else Heard.MISSED_THERE

    def lost(self, worker: int) -> None:
        """A worker has gone; its legs wait for its next process."""
        self._workers[worker] = _Worker()

    def receive(self, worker: int, message: Message, now: float) -> None:
        """Take in what a worker says.

        Raises:
            KeyError, TypeError, ValueError: it is not what a worker says.
        """
        self._now = now
        if "opened" in message:
            self._opened(worker, LegId(message["opened"]), self._address(message))
        elif "refused" in message:
            self._refused(worker, LegId(message["refused"]), str(message["reason"]))
        elif "absent" in message:
            if (leg := self._legs.get(LegId(message["absent"]))) is not None and leg.here == worker:
                self._step(leg, Heard.ABSENT)
        elif "figures" in message:
            self._workers[worker].figures = dict(message["figures"])
            self._workers[worker].placed = 0
        elif "event" in message and (event := event_from_map(message)) is not None:
            self._events.append(event)

    def _address(self, message: Message) -> tuple[str, int]:
        return self._announced or str(message["address"]), int(message["port"])

    def _opened(self, worker: int, name: LegId, address: tuple[str, int]) -> None:
        leg = self._legs.get(name)
        if leg is None:  # the call gave up while it was being opened
            self._say(worker, {"close": name})
            return
        if leg.address not in (None, address):  # the peer sends to the old port: this leg is deaf
            self.counters["media.port_moved"] += 1
        leg.address = address
        if worker not in (leg.here, leg.there):
            self._relocate(leg, worker)
        self._step(leg, Heard.OPENED if worker == leg.here else Heard.OPENED_THERE)

    def _refused(self, worker: int, name: LegId, reason: str) -> None:
        leg = self._legs.get(name)
        if leg is None or worker != leg.here:
            return
        leg.reason = reason
        leg.refused_by.add(worker)
        everybody = len(leg.refused_by) == len(self._workers)
        self._step(leg, Heard.REFUSED_BY_ALL if everybody else Heard.REFUSED)

    def _relocate(self, leg: _Leg, worker: int) -> None:
        """Believe a worker that says it has a leg: the broker gives a lease to one worker at a time."""
        self.counters["media.found_elsewhere"] += 1
        leg.here = leg.there = worker
        leg.state = Where.SETTLED

    # What comes of it.

    def transmit(self) -> list[tuple[int, Message]]:
        """Take what is to be said, and to which worker; those who are not there need not be told."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def events(self) -> Iterator[PlacementEvent]:
        """Take what happened."""
        while self._events:
            yield self._events.popleft()

    def next_deadline(self) -> float | None:
        """Return when `deadline_reached` is due, if ever."""
        return min(self._deadlines.values(), default=None)

    def deadline_reached(self, now: float) -> None:
        """See to what has taken too long."""
        self._now = now
        for name in [name for name, deadline in self._deadlines.items() if deadline <= now]:
            self._step(self._legs[name], Heard.LATE)

    # Deeds.

    def _step(self, leg: _Leg, heard: Heard) -> None:
        """Follow the table: the only place where a leg changes its state."""
        step = TRANSITIONS.get((leg.state, heard))
        if step is None:
            self.counters["media.too_late"] += 1
            return
        leg.state = step.state
        if leg.state is Where.MOVING:
            self._deadlines[leg.id] = self._now + MOVE_S
        elif leg.state is not Where.OPENING:
            self._deadlines.pop(leg.id, None)
        for do in step.actions:
            self._deeds[do](leg)
        if leg.state is Where.GONE:
            self._forget(leg)

    def _forget(self, leg: _Leg) -> None:
        del self._legs[leg.id]
        if leg.row is not None:
            self._leave(leg, leg.row.room)

    def _leave(self, leg: _Leg, name: RoomId | None) -> None:
        if name is None or (room := self._rooms.get(name)) is None:
            return
        room.legs.discard(leg.id)
        if not room.legs:
            del self._rooms[name]

    def _ask_another(self, leg: _Leg) -> None:
        leg.here = leg.there = self._choose(frozenset(leg.refused_by))
        self._deeds[Do.OPEN](leg)

    def _reopen(self, leg: _Leg) -> None:
        if leg.has_socket:
            self._say(leg.here, {"reopen": leg.id})
        else:
            self._place(leg)

    def _move(self, leg: _Leg) -> None:
        self.counters["media.moves"] += 1
        self._say(leg.here, {"move": leg.id, "to": leg.there})

    def _arrive(self, leg: _Leg) -> None:
        leg.here = leg.there

    def _tell_port(self, leg: _Leg) -> None:
        assert leg.address is not None  # it was set from the message that brought us here
        self._events.append(PortOpened(leg.id, leg.address))

    def _place(self, leg: _Leg) -> None:
        """Say the leg's state where it is, unless its room is elsewhere and can be reached."""
        wanted = self._wanted(leg)
        if wanted == leg.here or not self._workers[wanted].present:
            if leg.row is not None:
                self._say(leg.here, {"set": row_as_map(leg.row)})
        elif leg.has_socket:
            leg.there = wanted
            self._step(leg, Heard.NEEDED_THERE)
        else:  # a source has nothing to take along
            self._say(leg.here, {"close": leg.id})
            leg.here = leg.there = wanted
            self._place(leg)

    def _wanted(self, leg: _Leg) -> int:
        """Return the worker where a leg should be."""
        room = None if leg.row is None or leg.row.room is None else self._rooms.get(leg.row.room)
        return leg.here if room is None else room.home

    def _source(self, row: RowState) -> _Leg:
        room = None if row.room is None else self._rooms.get(row.room)
        worker = self._choose(frozenset()) if room is None else room.home
        source = _Leg(row.leg, worker, worker, Where.SETTLED, has_socket=False)
        self._legs[row.leg] = source
        return source

    def _choose(self, refused_by: frozenset[int]) -> int:
        """Return the worker for the next leg: the last one, unless another has clearly less to do."""

        def cost(number: int) -> tuple[bool, bool, bool, float]:
            worker = self._workers[number]
            return number in refused_by, not worker.present, worker.refuses, worker.load

        best, last = min(range(len(self._workers)), key=cost), self._last_placed
        if cost(last)[:3] == cost(best)[:3] and cost(last)[3] <= cost(best)[3] + self._clearly:
            best = last
        self._last_placed = best
        self._workers[best].placed += 1
        return best

    def _say(self, worker: int, message: Message) -> None:
        self._outgoing.append((worker, message))
