"""Which media worker has which leg, and what is said to whom so that those of one room meet: sans-IO.

The switch wishes (`open`, `set`, `close`); workers join, are lost and say things (`joined`, `lost`, `receive`).  After
any of these: send what `transmit` returns, take `events`, re-arm `next_deadline`.  A leg's life is the table of
`media_place_table`.

A leg is opened at the worker with the least to do (`media_loads`).  A leg that is put into a room sits where the room
has a seat for it (`media_rooms`): if that is elsewhere it moves there, with its sockets and all that its row is; if
the room spans several workers, trunks between them are opened and closed here like any other leg.

States are absolute: while a leg moves, only its newest state is kept and said when it has arrived.  The same happens
when a worker comes back: everything is said again, and saying it twice costs nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from gateway.errors import Overload
from gateway.ids import LegId, RoomId
from gateway.media.commands import RoomState, RowState, room_as_map, row_as_map
from gateway.media.events import RtpTimedOut, event_from_map
from gateway.transport.media_leg import PlacedLeg, PlacementEvent, PortOpened, PortRefused
from gateway.transport.media_loads import CLEARLY, Loads
from gateway.transport.media_place_table import TRANSITIONS, Do, Heard, Where
from gateway.transport.media_rooms import Rooms, trunk_legs, trunk_row
from gateway.transport.media_wire import Message

__all__ = ["OPEN_S", "SEATS", "Placement"]

OPEN_S: Final = 5.0
"""How long a port may be waited for."""
MOVE_S: Final = 2.0
"""A move that takes longer is asked for again."""
_OPENINGS: Final = 1000
_ROOM_STATES: Final = 4096
SEATS: Final = 1000
"""Legs of one room in one worker, before the room spans several."""


class Placement:
    """Legs, rooms and workers; see the module's docstring for the verbs.  Times are monotonic seconds."""

    def __init__(
        self,
        workers: int,
        *,
        announced: str | None = None,
        open_s: float = OPEN_S,
        clearly: float = CLEARLY,
        seats: int = SEATS,
    ) -> None:
        """`announced` is the address to write into SDP; None takes what a worker says.

        `clearly`: the difference of load for which the next leg goes to another worker than the last; `seats`: how
        many legs of a room sit in one worker before it spans several.
        """
        self.counters: Final[Counter[str]] = Counter()
        self._announced = announced
        self._open_s = open_s
        self._loads = Loads(workers, clearly=clearly)
        self._rooms = Rooms(seats=seats, crowded=self._loads.crowded, load=self._loads.of)
        self._legs: dict[LegId, PlacedLeg] = {}
        self._room_states: dict[RoomId, RoomState] = {}
        self._trunks: dict[RoomId, set[int]] = {}
        """The parts of each room to which there is a trunk, or one is being opened."""
        self._deadlines: dict[LegId, float] = {}
        self._left: dict[LegId, int] = {}
        """The rows of a switch before us that nobody has gone on with, and where they are."""
        self._now = 0.0
        self._outgoing: list[tuple[int, Message]] = []
        self._events: deque[PlacementEvent] = deque()
        self._deeds: Final[Mapping[Do, Callable[[PlacedLeg], None]]] = {
            Do.OPEN: lambda leg: self._say(leg.here, {"reopen" if leg.trunk else "open": leg.id}),
            Do.ASK_ANOTHER: self._ask_another,
            Do.REOPEN: self._reopen,
            Do.REOPEN_THERE: lambda leg: self._say(leg.there, {"reopen": leg.id}),
            Do.MOVE: self._move,
            Do.ARRIVE: self._arrive,
            Do.PLACE: self._place,
            Do.CLOSE: lambda leg: self._say(leg.here, {"close": leg.id}),
            Do.CLOSE_THERE: lambda leg: self._say(leg.there, {"close": leg.id}),
            Do.TELL_PORT: self._tell_port,
            Do.TELL_REFUSAL: self._tell_refusal,
            Do.TELL_LOST: self._tell_lost,
        }

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._legs

    @property
    def ready(self) -> bool:
        """Say whether any worker is there."""
        return bool(self._loads.present)

    @property
    def complete(self) -> bool:
        """Say whether every worker is there."""
        return len(self._loads.present) == len(self._loads)

    @property
    def figures(self) -> Mapping[int, Mapping[str, Any]]:
        """Return what each worker that is there has last told of itself."""
        return self._loads.figures

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
        worker = self._loads.choose()
        self._now = now
        self._begin(PlacedLeg(leg, worker, worker, Where.OPENING))

    def set(self, row: RowState) -> None:
        """Let a leg's row be so; a leg that was never opened is a source, which lives where its room does."""
        leg = self._legs.get(row.leg) or self._source(row)
        before, leg.row = leg.row, row
        if before is not None and before.room is not None and before.room != row.room:
            self._leave(leg, before.room)
        if row.room is not None:
            self._rooms.join(row.room, leg.id, at=leg.there, present=self._loads.present)
            self._span(row.room)
        if leg.state is Where.SETTLED:
            self._place(leg)

    def adopt(self, leg: LegId, address: tuple[str, int]) -> bool:
        """Go on with a row of a switch before us, which has told this address; False if nobody has it."""
        worker = self._left.pop(leg, None)
        if worker is not None:
            self._legs[leg] = PlacedLeg(leg, worker, worker, Where.SETTLED, address=address)
        return worker is not None

    def disown(self) -> None:
        """Close the rows of a switch before us that nobody has gone on with."""
        for leg, worker in self._left.items():
            self._say(worker, {"close": leg})
        self._left.clear()

    def set_room(self, state: RoomState) -> None:
        """Mix a room so, in every worker that has a part of it, now and later."""
        self._room_states.pop(state.room, None)
        self._room_states[state.room] = state
        if len(self._room_states) > _ROOM_STATES:
            del self._room_states[next(iter(self._room_states))]
        for worker in range(len(self._loads)):
            self._say(worker, {"room": room_as_map(state)})

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
        self._loads.came(worker)
        for stranger in legs - self._legs.keys():
            if inherited:
                self._left[stranger] = worker
            else:
                self._say(worker, {"close": stranger})
        for state in self._room_states.values():
            self._say(worker, {"room": room_as_map(state)})
        for leg in list(self._legs.values()):
            if worker in (leg.here, leg.there):
                self._step(leg, self._listed(leg, worker, found=leg.id in legs))
            elif leg.id in legs:
                self._relocate(leg, worker)
                self._step(leg, Heard.FOUND)
            elif leg.state is Where.SETTLED and self._wanted(leg) == worker:
                self._place(leg)

    def _listed(self, leg: PlacedLeg, worker: int, *, found: bool) -> Heard:
        if worker == leg.here:
            return Heard.FOUND if found else Heard.MISSED
        return Heard.FOUND_THERE if found else Heard.MISSED_THERE

    def lost(self, worker: int) -> None:
        """A worker has gone; its legs wait for its next process."""
        self._loads.left(worker)

    def receive(self, worker: int, message: Message, now: float) -> None:
        """Take in what a worker says.

        Raises:
            KeyError, TypeError, ValueError: it is not what a worker says.
        """
        self._now = now
        if "opened" in message:
            self._opened(worker, LegId(message["opened"]), message)
        elif "refused" in message:
            self._refused(worker, LegId(message["refused"]), str(message["reason"]))
        elif "absent" in message:
            if (leg := self._legs.get(LegId(message["absent"]))) is not None and leg.here == worker:
                self._step(leg, Heard.ABSENT)
        elif "figures" in message:
            self._loads.reported(worker, dict(message["figures"]))
        elif "event" in message and (event := event_from_map(message)) is not None:
            self._events.append(event)

    def _opened(self, worker: int, name: LegId, message: Message) -> None:
        leg = self._legs.get(name)
        address = self._announced or str(message["address"]), int(message["port"])
        if leg is None:  # the call gave up while it was being opened
            self._say(worker, {"close": name})
            return
        if leg.address not in (None, address):  # the peer sends to the old port
            self._tell_lost(leg)
        leg.address = address
        leg.bound = str(message.get("bound", message["address"])), int(message["port"])
        if worker not in (leg.here, leg.there):
            self._relocate(leg, worker)
        self._step(leg, Heard.OPENED if worker == leg.here else Heard.OPENED_THERE)

    def _refused(self, worker: int, name: LegId, reason: str) -> None:
        leg = self._legs.get(name)
        if leg is None or worker not in (leg.here, leg.there):
            return
        leg.reason = reason
        leg.refused_by.add(worker)
        everybody = leg.trunk or leg.address or len(leg.refused_by) == len(self._loads)
        self._step(leg, Heard.REFUSED_BY_ALL if everybody else Heard.REFUSED)

    def _relocate(self, leg: PlacedLeg, worker: int) -> None:
        """Believe a worker that says it has a leg: the broker gives a lease to one worker at a time."""
        self.counters["media.found_elsewhere"] += 1
        leg.here = leg.there = worker
        leg.state = Where.SETTLED

    # What comes of it.

    def transmit(self) -> list[tuple[int, Message]]:
        """Take what is to be said, and to which worker; those who are not there need not be told.

        Of what a row was since this was last asked only the newest state is said.
        """
        outgoing, self._outgoing = self._outgoing, []
        newest = {(to, said["set"]["leg"]): said for to, said in outgoing if "set" in said}
        return [
            (to, said) for to, said in outgoing if "set" not in said or newest[to, said["set"]["leg"]] is said
        ]

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

    def _step(self, leg: PlacedLeg, heard: Heard) -> None:
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

    def _begin(self, leg: PlacedLeg) -> None:
        self._legs[leg.id] = leg
        self._deadlines[leg.id] = self._now + self._open_s
        self._deeds[Do.OPEN](leg)

    def _forget(self, leg: PlacedLeg) -> None:
        del self._legs[leg.id]
        self._deadlines.pop(leg.id, None)
        if leg.trunk is None and leg.row is not None and leg.row.room is not None:
            self._leave(leg, leg.row.room)

    def _leave(self, leg: PlacedLeg, name: RoomId) -> None:
        self._rooms.leave(name, leg.id)
        self._span(name)

    def _ask_another(self, leg: PlacedLeg) -> None:
        leg.here = leg.there = self._loads.choose(frozenset(leg.refused_by))
        self._deeds[Do.OPEN](leg)

    def _reopen(self, leg: PlacedLeg) -> None:
        if leg.has_socket:
            self._say(leg.here, {"reopen": leg.id})
        else:
            self._place(leg)

    def _move(self, leg: PlacedLeg) -> None:
        self.counters["media.moves"] += 1
        self._say(leg.here, {"move": leg.id, "to": leg.there})

    def _arrive(self, leg: PlacedLeg) -> None:
        leg.here = leg.there

    def _tell_port(self, leg: PlacedLeg) -> None:
        assert leg.address is not None  # it was set from the message that brought us here
        if leg.trunk is None:
            self._events.append(PortOpened(leg.id, leg.address))
        else:
            self._connect(*leg.trunk)

    def _tell_refusal(self, leg: PlacedLeg) -> None:
        if leg.trunk is None:
            self._events.append(PortRefused(leg.id, leg.reason))
        else:
            self._do_without(*leg.trunk)

    def _tell_lost(self, leg: PlacedLeg) -> None:
        """A leg whose port is gone is as one that has fallen silent: its call ends, with a BYE and a cause."""
        self.counters["media.port_lost"] += 1
        if leg.trunk is None:
            self._events.append(RtpTimedOut(leg.id))
        else:
            self._do_without(*leg.trunk)

    def _place(self, leg: PlacedLeg) -> None:
        """Say the leg's state where it is, unless its room is elsewhere and can be reached."""
        wanted = self._wanted(leg)
        if wanted == leg.here or wanted not in self._loads.present:
            if leg.row is not None:
                self._say(leg.here, {"set": row_as_map(leg.row)})
        elif leg.has_socket:
            leg.there = wanted
            self._step(leg, Heard.NEEDED_THERE)
        else:  # a source has nothing to take along
            self._say(leg.here, {"close": leg.id})
            leg.here = leg.there = wanted
            self._place(leg)

    def _wanted(self, leg: PlacedLeg) -> int:
        """Return the worker where a leg should be."""
        seat = self._rooms.seat(None if leg.row is None else leg.row.room, leg.id)
        return leg.here if seat is None else seat

    def _source(self, row: RowState) -> PlacedLeg:
        home = self._rooms.home(row.room)
        worker = self._loads.choose() if home is None else home
        self._legs[row.leg] = PlacedLeg(row.leg, worker, worker, Where.SETTLED, has_socket=False)
        return self._legs[row.leg]

    # Rooms that span several workers.

    def _span(self, room: RoomId) -> None:
        """Open the trunks that a room needs, and close those that it needs no more."""
        home, needed, there = self._rooms.home(room), self._rooms.parts(room), self._trunks.get(room, set())
        for part in there - needed:
            self._close_trunk(room, part)
        if home is None:
            return
        for part in needed - there:
            self._trunks.setdefault(room, set()).add(part)
            for name, worker in zip(trunk_legs(room, part), (home, part), strict=True):
                self._begin(PlacedLeg(name, worker, worker, Where.OPENING, trunk=(room, part)))

    def _close_trunk(self, room: RoomId, part: int) -> None:
        self._trunks[room].discard(part)
        if not self._trunks[room]:
            del self._trunks[room]
        for name in trunk_legs(room, part):
            self.close(name)

    def _connect(self, room: RoomId, part: int) -> None:
        """Let the ends of a trunk speak to each other as soon as both have a port."""
        ends = [self._legs[name] for name in trunk_legs(room, part) if name in self._legs]
        if len(ends) < 2 or any(end.bound is None for end in ends):
            return
        for end, other in zip(ends, reversed(ends), strict=True):
            assert other.bound is not None  # just looked
            end.row = trunk_row(end.id, room, other.bound)
            if end.state is Where.SETTLED:
                self._place(end)

    def _do_without(self, room: RoomId, part: int) -> None:
        """A trunk got no port: everybody of that part sits at home, however crowded it is."""
        self.counters["media.trunk_refused"] += 1
        moved = self._rooms.give_up_part(room, part)
        self._span(room)
        for leg in (self._legs[name] for name in moved):
            if leg.state is Where.SETTLED:
                self._place(leg)

    def _say(self, worker: int, message: Message) -> None:
        self._outgoing.append((worker, message))
