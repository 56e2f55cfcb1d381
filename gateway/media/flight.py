"""The flight recorder: a plane that writes down all that goes into it, within a budget of bytes.

    plane = RecordedPlane(capacity, ids, flight=flight_memory(capacity, ring_bytes=64 << 20))

A plane is a function of its inputs, so whoever has them has its audio, statistics and events again, bit for bit
(`gateway.media.reenact`).  One ring (native/plane/flight.h) holds them in the order in which they happened: packets,
which C writes where it takes them, and everything else in a few kinds of record, msgpack each:

    OPEN CLOSE GOODBYE     a leg gets a row, and loses it
    CAME                   legs came as they were elsewhere; a KEYFRAME follows
    APPLY ROOM PRESS RELAY_NOW   commands
    TICK MARK              a tick; and how far it had come when the packets before the mark arrived in its midst
    KEYFRAME               what some legs are; a ROW of native/plane/flight.c for each follows
    EVENTS DIGESTS         what came of it, to be compared: what was told, and each second what every leg was sent

A replay of a leg begins at its OPEN or KEYFRAME, whichever the ring still has.  People in one room depend on each
other, so they are kept together; and whoever changes rooms is kept before (`gateway.media.flight_log` says why).  A leg
is kept every ten seconds, or more often when the ring turns faster.

What a clip plays comes by a ring of another process and is not written down: a replay hears silence in its place, and
says that the digests of who heard it differ.

The ring holds the audio of calls, plain even where it is encrypted on the wire, but no keys.  It lies in memory that
only the owner's own account can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.ids import IdSource, LegId, RoomId
from gateway.media.commands import RoomState, RowState, room_as_map, row_as_map
from gateway.media.events import MediaEvent, event_as_map
from gateway.media.plan import Plan
from gateway.media.plane import Plane
from gateway.media.ring import Rings
from gateway.media.snapshot import COLUMNS, LAYOUT, Snapshot

__all__ = [
    "HEAD",
    "MEMORY_NAME",
    "Kind",
    "Phase",
    "RecordedPlane",
    "capacity_of",
    "flight_memory",
    "memory_bytes",
]

MEMORY_NAME: Final = "tandem-flight"
"""How a media process names the memory of its recorder (memfd)."""


KEEP_TICKS: Final = 1000
"""A leg is kept at least so often ..."""
KEEP_SHARE: Final = 4
"""... and while the ring turns by this part of it ..."""
KEEP_LEAST_TICKS: Final = 100
"""... but not more often than this."""
_KEEP_ROWS: Final = 32
"""Between two ticks no further room is kept once so many rows have been: each takes some microseconds."""
_DIGEST_TICKS: Final = 100
_LAST_ROW: Final = 2**31 - 1

HEAD: Final = np.dtype(
    [("ring_bytes", "<u8"), ("tail", "<u8"), ("head", "<u8"), ("lost", "<u8"), ("label", "S32")]
)
"""`struct flight_head`; behind it the digests, uint64 [capacity], then the ring.  `label` is the rows' layout."""


class Kind(IntEnum):
    """What a record is; see the module's docstring."""

    ARRIVAL = _native.FLIGHT_ARRIVAL
    REFUSED = _native.FLIGHT_REFUSED
    ROW = _native.FLIGHT_ROW
    OPEN = _native.FLIGHT_TOLD
    CLOSE = OPEN + 1
    GOODBYE = OPEN + 2
    APPLY = OPEN + 3
    ROOM = OPEN + 4
    RELAY_NOW = OPEN + 5
    TICK = OPEN + 6
    MARK = OPEN + 7
    KEYFRAME = OPEN + 8
    EVENTS = OPEN + 9
    DIGESTS = OPEN + 10
    CAME = OPEN + 11
    FORGET = OPEN + 12
    """Only in what was selected for one leg: this leg went to where the record does not follow it."""
    PRESS = OPEN + 13


class Phase(IntEnum):
    """How far a tick had come."""

    DECODED = 0
    """The rows below the mark's number have been played out."""
    MIXED = 1
    """... have been encoded; all have been mixed."""
    REPORTED = 2
    """All that was to be sent has been."""


def memory_bytes(capacity: int, ring_bytes: int) -> int:
    """Return how much memory the recorder of a plane of `capacity` rows needs."""
    return HEAD.itemsize + 8 * capacity + ring_bytes


def flight_memory(capacity: int, ring_bytes: int) -> NDArray[np.uint8]:
    """Return such memory: uint8 [n]."""
    return np.zeros(memory_bytes(capacity, ring_bytes), np.uint8)


def capacity_of(memory: memoryview | NDArray[np.uint8]) -> int:
    """Return how many rows the plane has that is recorded in this memory; negative: it is no recorder's."""
    ring_bytes = int(np.frombuffer(memory, HEAD, 1)["ring_bytes"][0])
    return (len(memory) - HEAD.itemsize - ring_bytes) // 8


class RecordedPlane(Plane):
    """A plane with a flight recorder; it does to the bit what a plane does."""

    def __init__(
        self,
        capacity: int,
        ids: IdSource,
        memory: memoryview | None = None,
        *,
        flight: memoryview | NDArray[np.uint8],
        rings: Rings | None = None,
    ) -> None:
        """`flight` is the recorder's memory: see `flight_memory`.  `rings` as a plane has them.

        Raises:
            ValueError: it is too small for a ring of 256 KiB.
        """
        super().__init__(capacity, ids, memory, rings=rings)
        self.flight: Final = flight
        """The recorder's memory, which `gateway.media.flight_log` reads."""
        self._flight = _native.flight(self.table.kernel, flight)
        self._head = np.frombuffer(flight, HEAD, 1)
        self._head["label"] = LAYOUT.encode()
        self._digests = np.frombuffer(flight, np.uint64, capacity, HEAD.itemsize)
        self._kept_at = np.zeros(capacity, np.int64)
        """When each row was kept: the tick, and the place in the ring."""
        self._kept_place = np.zeros(capacity, np.int64)
        self._packed: dict[int, tuple[RowState, bytes]] = {}

    def _tell(self, kind: Kind, *body: Any) -> None:
        _native.flight_tell(self._flight, kind, msgpack.packb(body))

    @property
    def _place(self) -> int:
        return int(self._head["head"][0])

    # --- rows come and go ---------------------------------------------------------------------------------------

    def open(self, leg: LegId, *, rtp_fd: int = -1, rtcp_fd: int = -1, socket: bool = True) -> int:
        known = leg in self._row_of
        row = super().open(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd, socket=socket)
        if not known:
            fields = self.table.rows[row]
            drawn = [int(fields[name]) for name in ("tx_ssrc", "tx_sequence", "tx_timestamp", "rtcp_random")]
            self._tell(Kind.OPEN, row, leg, socket, drawn)
            self._digests[row] = 0
            self._note_kept(np.array([row], np.int32))
        return row

    def adopt(self, leg: LegId, *, rtp_fd: int, rtcp_fd: int, now: float) -> int | None:
        row = super().adopt(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd, now=now)
        if row is not None:
            self._tell(Kind.CAME, [leg])
            self._keep([row], verify=False)
        return row

    def disown_rest(self) -> None:
        super().disown_rest()
        self._keep_rooms_of(self.legs)  # whoever heard one of those that went is another now

    def restore(
        self, snapshot: Snapshot, now: float, descriptors: Mapping[LegId, tuple[int, int]] | None = None
    ) -> None:
        super().restore(snapshot, now, descriptors)
        legs = [still.leg for still in snapshot.rows]
        self._digests[[self.row(leg) for leg in legs]] = 0
        self._tell(Kind.CAME, legs)
        self._keep_rooms_of(legs)

    def goodbye(self, leg: LegId, now: float, wall: float) -> NDArray[Any]:
        sends = super().goodbye(leg, now, wall)
        self._tell(Kind.GOODBYE, leg, now, wall)
        return sends

    def close(self, leg: LegId, now: float) -> None:
        row = self.row(leg)
        state = self._states.get(row)
        super().close(leg, now)
        self._packed.pop(row, None)
        self._tell(Kind.CLOSE, leg, now, None if state is None else state.room)

    # --- commands -----------------------------------------------------------------------------------------------

    def apply(self, state: RowState, now: float) -> None:
        row = self._row_of.get(state.leg, -1)
        before = self._states.get(row)
        is_new = before is None or state.generation >= before.generation
        if row >= 0 and is_new and state.room != (None if before is None else before.room):
            self._keep([row], verify=True, entering=state.room)
        super().apply(state, now)
        self._tell(Kind.APPLY, state.leg, now, _packed(state))

    def apply_room(self, state: RoomState) -> None:
        super().apply_room(state)
        self._tell(Kind.ROOM, room_as_map(state))

    def press(self, leg: LegId, digit: str, duration_ms: int, now: float) -> None:
        super().press(leg, digit, duration_ms, now)
        self._tell(Kind.PRESS, leg, digit, duration_ms, now)

    def relay_now(self, leg: LegId, now: float) -> None:
        super().relay_now(leg, now)
        self._tell(Kind.RELAY_NOW, leg, now)

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self, now: float, wall: float) -> Iterator[tuple[NDArray[Any], bool]]:
        if not self._events:  # what was not told yet is no part of what a leg is
            self._keep_due()
        self._tell(Kind.TICK, self._chores.ticks, now, wall)
        plan = self._planned()
        for stage, (sends, rtcp) in enumerate(super().tick(now, wall)):
            before = self._place
            yield sends, rtcp
            if self._place != before:
                self._tell(Kind.MARK, *_mark_after(stage, plan))
        if self._chores.ticks % _DIGEST_TICKS == 0:
            rows = np.flatnonzero(self._columns.open[: self._top]).astype(np.int32)
            self._tell(Kind.DIGESTS, now, rows.tobytes(), self._digests[rows].tobytes())

    def events(self) -> Iterator[MediaEvent]:
        events = list(super().events())
        if events:
            self._tell(Kind.EVENTS, [event_as_map(event) for event in events])  # type: ignore[arg-type]
        return iter(events)

    # --- what legs are ------------------------------------------------------------------------------------------

    def _keep_due(self) -> None:
        """Keep the rooms whose turn it is; a few between two ticks."""
        top, place = self._top, self._place
        age = self._chores.ticks - self._kept_at[:top]
        soon_gone = self._kept_place[:top] <= place - int(self._head["ring_bytes"][0]) // KEEP_SHARE
        is_due = (age >= KEEP_TICKS) | (age >= KEEP_LEAST_TICKS) & soon_gone
        due = np.flatnonzero(self._columns.open[:top] & is_due)
        left = _KEEP_ROWS
        for row in due[np.argsort(self._kept_place[due])][:_KEEP_ROWS].tolist():
            if left > 0 and self._kept_place[row] < place:
                company = self._company(row)
                self._keep(company, verify=True)
                left -= len(company)

    def _keep_rooms_of(self, legs: Iterable[LegId]) -> None:
        """Keep legs, whatever a replay thinks of them, and all that are in a room with them."""
        place = self._place
        for row in map(self.row, legs):
            if self._kept_place[row] <= place:
                self._keep(self._company(row), verify=False)

    def _company(self, row: int) -> Sequence[int]:
        """Return a row and all that are in a room with it."""
        state = self._states.get(row)
        return [row] if state is None or state.room is None else sorted(self._rooms.members(state.room))

    def _keep(self, rows: Sequence[int], *, verify: bool, entering: RoomId | None = None) -> None:
        """Write down what rows are; `verify` = a replay that knows them should find them so."""
        index = np.array(rows, np.int32)
        columns = [getattr(self._columns, name)[index].tobytes() for name in COLUMNS]
        rooms = {self._states[row].room for row in rows if row in self._states} | {entering}
        told = [room_as_map(room) for room in self._rooms.said(room for room in rooms if room is not None)]
        self._tell(Kind.KEYFRAME, verify, [self._said_of(row) for row in rows], columns, told)
        _native.flight_keep(self._flight, index)
        self._note_kept(index)

    def _note_kept(self, rows: NDArray[np.int32]) -> None:
        self._kept_at[rows] = self._chores.ticks
        self._kept_place[rows] = self._place

    def _said_of(self, row: int) -> Sequence[Any]:
        """Return what of a row is in no array: row, leg, state, reason, refused, waits until."""
        return row, self._leg_of[row], self._packed_state(row), *self._steering.course(row)

    def _packed_state(self, row: int) -> bytes | None:
        """Return a row's last command as bytes, packed once; None if there was none."""
        state = self._states.get(row)
        if state is None:
            return None
        known = self._packed.get(row)
        if known is None or known[0] is not state:
            known = self._packed[row] = (state, _packed(state))
        return known[1]


def _packed(state: RowState) -> bytes:
    """Return a command as bytes, without the keys that no record has."""
    packed: bytes = msgpack.packb(row_as_map(replace(state, crypto=None)))
    return packed


def _mark_after(stage: int, plan: Plan) -> tuple[int, int]:
    """Return the phase, and the row up to which a tick has come, when its generator has yielded `stage`."""
    decodes, encodes = len(plan.decode_stages), len(plan.encode_stages)
    if stage < decodes:
        return Phase.DECODED, _begin_of(plan.decode_stages, stage + 1)
    if stage <= decodes + encodes:
        return Phase.MIXED, _begin_of(plan.encode_stages, stage - decodes)
    return Phase.REPORTED, _LAST_ROW


def _begin_of(stages: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]], at: int) -> int:
    return int(stages[at][0][0]) if at < len(stages) else _LAST_ROW
