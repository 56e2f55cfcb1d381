"""A flight again: what was recorded goes into a plane once more, and what comes out is compared with what came then.

    reenactment = Reenactment(capacity, witness)
    for record in flight.records:
        reenactment.take(record)
    reenactment.end()
    reenactment.differences               # none; or where and when the first of each leg was

The same inputs in the same order give the same bits, so a difference says that something else was at work: another
build, another machine's arithmetic, or an input that the recorder does not know of.  Compared are, each second, the
digests of all that every leg was sent; with each KEYFRAME, every field and every codec state of the rows that are
known already; and every event.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgpack
import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import BadMessage, GatewayError
from gateway.ids import LegId
from gateway.media.commands import RowState, room_from_map, row_from_map
from gateway.media.events import MediaEvent, event_as_map
from gateway.media.flight import Kind
from gateway.media.flight_log import ARRIVAL, Record, unpacked
from gateway.media.reenact_plane import Cut, Drawn, ReenactedPlane
from gateway.media.snapshot import RowImage, RowSnapshot
from gateway.media.statistics import LegStatistics
from gateway.media.table import ROW

__all__ = ["MOST_ROWS", "Difference", "Reenactment", "Witness"]

MOST_ROWS: Final = 8192
"""A plane of more rows there is not."""
_ROW_HEAD: Final = struct.Struct("<QiI")
"""`struct flight_row`: digest, row, bytes of codec states; behind it struct row, the slot arrays, the states."""
_SLOT_ENDS: Final = tuple(
    itertools.accumulate(_native.SLOTS * n_bytes for n_bytes in (_native.SLOT_BYTES, 4, 1, 1))
)
_NONSENSE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    GatewayError,
    msgpack.exceptions.UnpackException,
)
"""What bad records raise in what believes them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first moment at which a leg was not what it had been."""

    leg: LegId | None
    """None: a room."""
    at: float
    """Monotonic seconds of the record."""
    what: str
    """In words."""


class Witness(Protocol):
    """Who is told what happens while it happens."""

    def on_said(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        """A leg's phone sent this."""
        ...

    def on_heard(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        """A leg's phone was sent this RTP packet."""
        ...

    def on_told(self, now: float, event: Mapping[str, Any]) -> None:
        """The plane told this."""
        ...


@dataclass(frozen=True, slots=True)
class _Tick:
    ticks: int
    now: float
    wall: float


class Reenactment:
    """Takes records, one after another."""

    def __init__(self, capacity: int, witness: Witness) -> None:
        """Make a plane of `capacity` rows, at most `MOST_ROWS`."""
        self._drawn = Drawn()
        self._plane = ReenactedPlane(capacity, self._drawn)
        self._witness = witness
        self._tick: _Tick | None = None
        self._cuts: list[Cut] = []
        self._arrivals: list[Record] = []
        self._expected: dict[int, _Expected] = {}
        self._unlike: set[LegId | None] = set()
        self.now = 0.0
        """Of the last record that told the time."""
        self.began: float | None = None
        self.ticks = 0
        """How many have been run."""
        self.compared = 0
        """How many digests, rows and events were compared."""
        self.differences: list[Difference] = []
        self.statistics: dict[LegId, LegStatistics] = {}
        """The last of each leg."""

    def take(self, record: Record) -> None:
        """Let happen what a record says, or wait for what belongs to it.

        Raises:
            BadMessage: it cannot be.
        """
        with _doubts():
            self._take(record)

    def end(self) -> None:
        """Let happen what has waited, and note everybody's statistics.

        Raises:
            BadMessage: it cannot be.
        """
        with _doubts():
            self._catch_up()
        for leg in self._plane.legs:
            self.statistics[leg] = self._plane.statistics(leg)

    def _take(self, record: Record) -> None:
        if record.kind in {Kind.ARRIVAL, Kind.REFUSED}:
            self._arrivals.append(record)
        elif record.kind == Kind.MARK:
            phase, row = unpacked(record)
            self._cuts.append(Cut(phase, row, tuple(self._arrivals)))
            self._arrivals.clear()
        else:
            self._catch_up()
            _ACTS[record.kind](self, record)

    # --- time -----------------------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Run the tick that waited to know what came in its midst, then take what came behind it."""
        tick, cuts = self._tick, tuple(self._cuts)
        self._tick = None
        self._cuts.clear()
        if tick is not None:
            self._run(tick, cuts)
        self._arrive(self._arrivals)
        self._arrivals.clear()

    def _run(self, tick: _Tick, cuts: Sequence[Cut]) -> None:
        self._plane.is_at(tick.ticks)
        for sends, rtcp, comes in self._plane.tick_in_parts(tick.now, tick.wall, cuts):
            self._sent(sends, tick.now, rtcp=rtcp)
            self._arrive(comes)
        self.ticks += 1

    def _on_tick(self, record: Record) -> None:
        self._tick = _Tick(*unpacked(record))
        self._is_now(self._tick.now)

    def _is_now(self, now: float) -> None:
        self.now = now
        self.began = now if self.began is None else self.began

    # --- packets --------------------------------------------------------------------------------------------------

    def _arrive(self, came: Sequence[Record]) -> None:
        """Let packets come in, in one batch: it makes no difference."""
        for refused in (each for each in came if each.kind == Kind.REFUSED):
            self._plane.refuse(int(np.frombuffer(refused.data, ARRIVAL)["row"][0]), refused.flag)
        arrivals = [each for each in came if each.kind == Kind.ARRIVAL]
        if not arrivals:
            return
        heads = np.frombuffer(b"".join(each.data[: ARRIVAL.itemsize] for each in arrivals), ARRIVAL)
        packets = [each.data[ARRIVAL.itemsize :] for each in arrivals]
        width = max(map(len, packets))
        padded = np.frombuffer(b"".join(packet.ljust(width, b"\0") for packet in packets), np.uint8)
        self._is_now(float(heads["now"][0]))
        for row, packet, now in zip(heads["row"].tolist(), packets, heads["now"].tolist(), strict=True):
            self._witness.on_said(self._plane.leg_at(row), self._plane.state(row), now, packet)
        sends, _ = self._plane.arrive(
            np.ascontiguousarray(heads["row"]),
            np.ascontiguousarray(heads["source"]),
            padded.reshape(len(packets), width),
            np.array([len(packet) for packet in packets], np.int32),
            np.ascontiguousarray(heads["now"]),
            np.array([each.flag for each in arrivals], np.uint8),
        )
        self._is_now(float(heads["now"][-1]))
        self._sent(sends, self.now, rtcp=False)

    def _sent(self, sends: NDArray[Any], now: float, *, rtcp: bool) -> None:
        if sends.size == 0:
            return
        _native.flight_digest(self._plane.digests, sends, sends.size)
        if rtcp:
            return
        for row, n_bytes, data in zip(
            sends["row"].tolist(), sends["bytes"].tolist(), sends["data"], strict=True
        ):
            packet = data[:n_bytes].tobytes()
            self._witness.on_heard(self._plane.leg_at(row), self._plane.state(row), now, packet)

    # --- legs and commands ----------------------------------------------------------------------------------------

    def _on_open(self, record: Record) -> None:
        row, leg, socket, drawn = unpacked(record)
        self._plane.reserve(row)
        self._drawn.numbers.extend(drawn)
        self._plane.open(LegId(leg), socket=socket)
        self._plane.digests[row] = 0

    def _on_close(self, record: Record) -> None:
        leg, now, _ = unpacked(record)
        self.statistics[LegId(leg)] = self._plane.statistics(LegId(leg))
        self._plane.close(LegId(leg), now)

    def _on_goodbye(self, record: Record) -> None:
        leg, now, wall = unpacked(record)
        self._sent(self._plane.goodbye(LegId(leg), now, wall), now, rtcp=True)

    def _on_forget(self, record: Record) -> None:
        leg, now = unpacked(record)
        self._plane.forget(LegId(leg), now)

    def _on_apply(self, record: Record) -> None:
        _, now, state = unpacked(record)
        self._plane.apply(_state_of(state), now)

    def _on_room(self, record: Record) -> None:
        self._plane.apply_room(room_from_map(unpacked(record)[0]))

    def _on_relay_now(self, record: Record) -> None:
        leg, now = unpacked(record)
        self._plane.relay_now(LegId(leg), now)

    def _on_press(self, record: Record) -> None:
        leg, digit, duration_ms, now = unpacked(record)
        self._plane.press(LegId(leg), digit, duration_ms, now)

    # --- what it was ----------------------------------------------------------------------------------------------

    def _on_keyframe(self, record: Record) -> None:
        verify, said, columns, rooms = unpacked(record)
        for room in rooms:
            self._plane.apply_room(room_from_map(room))
        cut = [len(part) // max(len(said), 1) for part in columns]
        self._expected = {
            row: _Expected(
                LegId(leg),
                _state_of(state) if state is not None else None,
                (reason, refused, relayed_by),
                tuple(part[n * at : n * (at + 1)] for part, n in zip(columns, cut, strict=True)),
                verify=verify and leg in self._plane.legs,
            )
            for at, (row, leg, state, reason, refused, relayed_by) in enumerate(said)
        }

    def _on_row(self, record: Record) -> None:
        digest, row, voice_bytes = _ROW_HEAD.unpack_from(record.data)
        expected = self._expected.pop(row)
        still = expected.as_snapshot(record.data[_ROW_HEAD.size :], voice_bytes)
        if expected.verify:
            self._compare_row(row, still)
        else:
            self._plane.put_back(row, still)
            self._plane.digests[row] = digest

    def _compare_row(self, row: int, still: RowSnapshot) -> None:
        if self._plane.row(still.leg) != row:
            raise BadMessage(f"leg {still.leg} has changed its row")
        self.compared += 1
        unlike = self._plane.unlike(row, still)
        if unlike:
            self._differ(still.leg, f"it was otherwise: {', '.join(unlike)}")

    def _on_digests(self, record: Record) -> None:
        _, rows, digests = unpacked(record)
        for row, digest in zip(
            np.frombuffer(rows, "<i4").tolist(), np.frombuffer(digests, "<u8"), strict=True
        ):
            self.compared += 1
            if self._plane.digests[row] != digest:
                self._differ(self._plane.leg_at(row), "in the second before, it was sent something else")

    def _on_events(self, record: Record) -> None:
        (then,) = unpacked(record)
        now = [_told(event) for event in self._plane.events()]
        for event in now:
            self._witness.on_told(self.now, event)
        self.compared += len(then)
        for event in [event for event in then if event not in now] + [
            event for event in now if event not in then
        ]:
            was = "was told" if event in then else "was not told"
            self._differ(event.get("leg"), f"{event['event']} {was} then: {event}")

    def _differ(self, leg: LegId | None, what: str) -> None:
        if leg not in self._unlike:
            self._unlike.add(leg)
            self.differences.append(Difference(leg, self.now, what))


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a KEYFRAME says of a leg whose ROW is to come."""

    leg: LegId
    state: RowState | None
    course: tuple[str | None, bool, float | None]
    columns: tuple[bytes, ...]
    verify: bool

    def as_snapshot(self, row: bytes, voice_bytes: int) -> RowSnapshot:
        """Return the whole, with what a ROW says.

        Raises:
            BadMessage: it is too short or too long.
        """
        ends = [ROW.itemsize, *(ROW.itemsize + end for end in _SLOT_ENDS)]
        if len(row) != ends[-1] + voice_bytes:
            raise BadMessage(f"a row of {len(row)} bytes")
        slots = tuple(row[begin:end] for begin, end in itertools.pairwise(ends))
        image = RowImage(row[: ROW.itemsize], slots, self.columns, row[ends[-1] :])
        reason, refused, relayed_by = self.course
        return RowSnapshot(self.leg, self.state, None, None, reason, refused, relayed_by, image)


@contextlib.contextmanager
def _doubts() -> Iterator[None]:
    """Believe a record, until something shows that it is none."""
    try:
        yield
    except _NONSENSE as error:
        raise BadMessage(f"a record that cannot be: {error}") from error


def _state_of(packed: bytes) -> RowState:
    return row_from_map(msgpack.unpackb(packed, strict_map_key=False))


def _told(event: MediaEvent) -> Mapping[str, Any]:
    """Return an event as it comes out of a record: msgpack knows no tuples."""
    told: Mapping[str, Any] = msgpack.unpackb(msgpack.packb(event_as_map(event)), strict_map_key=False)  # type: ignore[arg-type]  # a plane makes no worker events
    return told


_ACTS: Final[Mapping[int, Callable[[Reenactment, Record], None]]] = {
    Kind.ROW: Reenactment._on_row,
    Kind.OPEN: Reenactment._on_open,
    Kind.CLOSE: Reenactment._on_close,
    Kind.GOODBYE: Reenactment._on_goodbye,
    Kind.FORGET: Reenactment._on_forget,
    Kind.APPLY: Reenactment._on_apply,
    Kind.ROOM: Reenactment._on_room,
    Kind.RELAY_NOW: Reenactment._on_relay_now,
    Kind.PRESS: Reenactment._on_press,
    Kind.TICK: Reenactment._on_tick,
    Kind.KEYFRAME: Reenactment._on_keyframe,
    Kind.EVENTS: Reenactment._on_events,
    Kind.DIGESTS: Reenactment._on_digests,
}
