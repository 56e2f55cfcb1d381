"""What a flight recorder holds, read from its memory, and of it the part that one leg's audio depends on.

    records = read_ring(memory)            # of this process, or of another that goes on writing
    flight = select(records, leg)          # what `gateway.media.reenact` can begin with

A leg is heard by those who are in a room with it, and depends on them: so everybody who was, while the ring goes
back, belongs to its flight, and everybody who was with those.

A leg is known from its OPEN or its first KEYFRAME on, and nothing may happen to it that the replay does not know of.
So all in a room are known, or nobody is.  The recorder sees to most of that: it keeps a room at once, and a leg before
it changes rooms.  What is left is a known leg that enters a room of unknown ones, because they were kept so long ago
that the ring has lost it: there the replay forgets the leg (FORGET), until the whole room is kept the next time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgpack
import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError
from gateway.ids import LegId, RoomId
from gateway.media.flight import HEAD, Kind, capacity_of
from gateway.media.snapshot import LAYOUT

__all__ = ["ARRIVAL", "Flight", "Record", "legs_in", "read_ring", "select", "unpacked"]

_RECORD: Final = struct.Struct("<IBBH")
"""`struct flight_record`."""
ARRIVAL: Final = np.dtype([("now", "<f8"), ("row", "<i4"), ("source", "u1", (20,))])
"""`struct flight_arrival`; the packet follows."""
_ROW_OF_ARRIVAL: Final = struct.Struct("<8xi")
_ROW_OF_ROW: Final = struct.Struct("<8xi")


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened."""

    kind: int
    flag: int
    data: bytes
    """As the ring has it: packed by C for `ARRIVAL`, `REFUSED` and `ROW`, a msgpack list for all others."""


@dataclass(frozen=True, slots=True)
class Flight:
    """What is needed to have some legs again."""

    legs: tuple[LegId, ...]
    records: Sequence[Record]


def unpacked(record: Record) -> Sequence[Any]:
    """Return what a record of Python's says."""
    said: Sequence[Any] = msgpack.unpackb(record.data, strict_map_key=False)
    return said


# --- the ring -------------------------------------------------------------------------------------------------------


def read_ring(memory: memoryview | NDArray[np.uint8]) -> list[Record]:
    """Return the records of a recorder's memory, oldest first; its plane may go on meanwhile.

    Raises:
        LocalError: it is no recorder's memory, or that of another build.
    """
    view = np.frombuffer(memory, np.uint8)
    head = view[: HEAD.itemsize].view(HEAD)
    ring_bytes = int(head["ring_bytes"][0])
    if head["label"][0] != LAYOUT.encode() or not 0 < ring_bytes <= view.size - HEAD.itemsize:
        raise LocalError("this is no flight recorder's memory, or that of another build of Tandem")
    ring = view[HEAD.itemsize + 8 * capacity_of(view) :][:ring_bytes]
    tail, end = int(head["tail"][0]), int(head["head"][0])
    copy = _unrolled(ring, tail, end)
    whole = int(head["tail"][0])  # what lies before has been written over meanwhile
    return [record for record in _records(copy, whole - tail) if record.kind != _native.FLIGHT_FILL]


def _unrolled(ring: NDArray[np.uint8], begin: int, end: int) -> bytes:
    """Return the ring's bytes from one position to another, in one piece."""
    at, n = begin % ring.size, end - begin
    return ring[at : at + n].tobytes() + ring[: max(at + n - ring.size, 0)].tobytes()


def _records(data: bytes, at: int) -> Iterator[Record]:
    while at < len(data):
        n_bytes, kind, flag, _ = _RECORD.unpack_from(data, at)
        begin = at + _RECORD.size
        yield Record(kind, flag, data[begin : begin + n_bytes])
        at = begin + (n_bytes + 7) // 8 * 8


# --- who was where --------------------------------------------------------------------------------------------------


class _Rooms:
    """Who is in which room, at one moment of the record."""

    def __init__(self) -> None:
        self.room_of: dict[LegId, RoomId] = {}
        self._members: dict[RoomId, set[LegId]] = {}

    def members(self, room: RoomId | None) -> set[LegId]:
        return self._members.get(room, set()) if room is not None else set()

    def move(self, leg: LegId, room: RoomId | None) -> None:
        before = self.room_of.pop(leg, None)
        if before is not None:
            self._members[before].discard(leg)
        if room is not None:
            self.room_of[leg] = room
            self._members.setdefault(room, set()).add(leg)


_Move: TypeAlias = tuple[LegId, RoomId | None, RoomId | None]
"""A leg, the room that it was in as far as one record tells, and the room that it is in then."""


def _moves(record: Record) -> Iterator[_Move]:
    """Yield what one record tells of legs and rooms."""
    match record.kind:
        case Kind.OPEN:
            yield LegId(unpacked(record)[1]), None, None
        case Kind.CAME:
            for leg in unpacked(record)[0]:
                yield LegId(leg), None, None
        case Kind.KEYFRAME:
            for _, leg, state, *_ in unpacked(record)[1]:
                room = _room_in(state)
                yield LegId(leg), room, room
        case Kind.APPLY:
            leg, _, state = unpacked(record)
            yield LegId(leg), _room_in(state), _room_in(state)
        case Kind.CLOSE:
            leg, _, room = unpacked(record)
            yield LegId(leg), room, None


def _room_in(state: bytes | None) -> RoomId | None:
    if state is None:
        return None
    room: RoomId | None = msgpack.unpackb(state, strict_map_key=False)["room"]
    return room


def _at_first(moves: Iterable[_Move]) -> dict[LegId, RoomId | None]:
    """Return the room that each leg was in when the record begins."""
    rooms: dict[LegId, RoomId | None] = {}
    for leg, before, _ in moves:
        rooms.setdefault(leg, before)
    return rooms


def legs_in(records: Iterable[Record]) -> tuple[LegId, ...]:
    """Return every leg that the records speak of, in the order in which they do."""
    return tuple(_at_first(move for record in records for move in _moves(record)))


def _company(moves: Iterable[_Move], first: Mapping[LegId, RoomId | None], leg: LegId) -> set[LegId]:
    """Return everybody who was ever in a room with a leg, and everybody who was with those."""
    rooms, companies = _Rooms(), {known: {known} for known in first}

    def enter(known: LegId, room: RoomId | None) -> None:
        one = next(iter(rooms.members(room)), known)  # those who are there are one company already
        if companies[one] is not companies[known]:
            small, large = sorted((companies[known], companies[one]), key=len)
            large |= small
            companies.update(dict.fromkeys(small, large))
        rooms.move(known, room)

    for known, room in first.items():
        enter(known, room)
    for known, _, room in moves:
        if rooms.room_of.get(known) != room:
            enter(known, room)
    return companies[leg]


# --- the part of one leg --------------------------------------------------------------------------------------------


def select(records: Sequence[Record], leg: LegId | None = None) -> Flight:
    """Return what is needed to have one leg again, or all of them.

    Raises:
        LocalError: the records do not speak of that leg, or its beginning is not among them.
    """
    moves = [move for record in records for move in _moves(record)]
    first = _at_first(moves)
    if leg is not None and leg not in first:
        raise LocalError(f"the flight recorder has nothing of leg {leg}")
    wanted = set(first) if leg is None else _company(moves, first, leg)
    visited = {room for known, *rooms in moves if known in wanted for room in rooms}
    selection = _Selection({known: first[known] for known in first if known in wanted}, visited)
    chosen = tuple(selection.of(records))
    if leg is not None and leg not in selection.ever_known:
        raise LocalError(f"the flight recorder has lost how leg {leg} began, and has not kept it since")
    return Flight(tuple(name for name in first if name in selection.ever_known), chosen)


class _Selection:
    """Passes on what concerns known legs of a company."""

    def __init__(self, company: Mapping[LegId, RoomId | None], visited: Set[RoomId | None]) -> None:
        """`company` has the room that each was in at first, `visited` all rooms that anybody of it was ever in."""
        self._wanted = company.keys()
        self._visited = visited
        self._rooms = _Rooms()
        for leg, room in company.items():
            self._rooms.move(leg, room)
        self._row_of: dict[LegId, int] = {}
        self._leg_at: dict[int, LegId] = {}
        self._closing: set[LegId] = set()
        self._rows_to_come: set[int] = set()
        self._interrupted = False
        self.ever_known: set[LegId] = set()

    def of(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            yield from self._pass(record)

    def _pass(self, record: Record) -> Iterator[Record]:
        choose = _CHOICES.get(record.kind)
        if choose is not None:
            yield from choose(self, record)

    def _know(self, leg: LegId, row: int) -> None:
        self._row_of[leg], self._leg_at[row] = row, leg
        self.ever_known.add(leg)

    def _forget(self, leg: LegId) -> None:
        del self._leg_at[self._row_of.pop(leg)]

    def _arrival(self, record: Record) -> Iterator[Record]:
        if _ROW_OF_ARRIVAL.unpack_from(record.data)[0] in self._leg_at:
            self._interrupted = True
            yield record

    def _row(self, record: Record) -> Iterator[Record]:
        row = _ROW_OF_ROW.unpack_from(record.data)[0]
        if row in self._rows_to_come:
            self._rows_to_come.discard(row)
            yield record

    def _open(self, record: Record) -> Iterator[Record]:
        row, leg, *_ = unpacked(record)
        if leg in self._wanted:
            self._know(leg, row)
            yield record

    def _keyframe(self, record: Record) -> Iterator[Record]:
        said = unpacked(record)[1]
        if said[0][1] not in self._wanted:
            return
        for row, leg, state, *_ in said:
            self._know(leg, row)
            self._rooms.move(leg, _room_in(state))
        self._rows_to_come = {row for row, *_ in said}
        yield record

    def _apply(self, record: Record) -> Iterator[Record]:
        leg, now, state = unpacked(record)
        if leg not in self._wanted:
            return
        room = _room_in(state)
        others = self._rooms.members(room) - {leg}
        self._rooms.move(leg, room)
        if leg not in self._row_of:
            return
        if others <= self._row_of.keys():
            yield record
        else:
            self._forget(leg)
            yield Record(Kind.FORGET, 0, msgpack.packb((leg, now)))

    def _close(self, record: Record) -> Iterator[Record]:
        leg = unpacked(record)[0]
        if leg not in self._wanted:
            return
        self._rooms.move(leg, None)
        if leg in self._row_of:
            self._forget(leg)
            self._closing.add(leg)
            yield record

    def _of_leg(self, record: Record) -> Iterator[Record]:
        if unpacked(record)[0] in self._row_of:
            yield record

    def _room(self, record: Record) -> Iterator[Record]:
        if unpacked(record)[0]["room"] in self._visited:
            yield record

    def _tick(self, record: Record) -> Iterator[Record]:
        self._interrupted = False
        if self.ever_known:
            yield record

    def _mark(self, record: Record) -> Iterator[Record]:
        if self._interrupted:
            self._interrupted = False
            yield record

    def _events(self, record: Record) -> Iterator[Record]:
        told = [event for event in unpacked(record)[0] if self._concerned(event)]
        self._closing.clear()
        if told:
            yield Record(record.kind, 0, msgpack.packb((told,)))

    def _concerned(self, event: Mapping[str, Any]) -> bool:
        if "room" in event:
            return bool(self._rooms.members(event["room"]) & self._row_of.keys())
        return event["leg"] in self._row_of or event["leg"] in self._closing

    def _digests(self, record: Record) -> Iterator[Record]:
        now, rows, digests = unpacked(record)
        known = np.frombuffer(rows, np.int32)
        mine = np.isin(known, np.array(list(self._leg_at), np.int32))
        if mine.any():
            kept = np.frombuffer(digests, np.uint64)[mine]
            yield Record(record.kind, 0, msgpack.packb((now, known[mine].tobytes(), kept.tobytes())))


_CHOICES: Final[Mapping[int, Callable[[_Selection, Record], Iterator[Record]]]] = {
    Kind.ARRIVAL: _Selection._arrival,
    Kind.REFUSED: _Selection._arrival,
    Kind.ROW: _Selection._row,
    Kind.OPEN: _Selection._open,
    Kind.KEYFRAME: _Selection._keyframe,
    Kind.APPLY: _Selection._apply,
    Kind.CLOSE: _Selection._close,
    Kind.GOODBYE: _Selection._of_leg,
    Kind.RELAY_NOW: _Selection._of_leg,
    Kind.PRESS: _Selection._of_leg,
    Kind.ROOM: _Selection._room,
    Kind.TICK: _Selection._tick,
    Kind.MARK: _Selection._mark,
    Kind.EVENTS: _Selection._events,
    Kind.DIGESTS: _Selection._digests,
}
