"""The media plane: a table of legs, and three inputs in one total order.

    plane.arrive(packets, now)   packets as they came; each gets one verdict, a relayed one is handed back at once
    plane.apply(state, now)      what a row shall be: absolute, idempotent, with the row's generation
    plane.tick(now, wall)        every 10 ms: decode, mix, encode, reports; yields what must be sent

The plane is sans-IO: no socket, no clock, no chance of its own.  The live loop (gateway/transport) gives it packets
from epoll and the time from the machine; tests give it both from arrays, and the same inputs give the same bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError, Overload
from gateway.ids import IdSource, LegId, RoomId
from gateway.media.answering_machine import AnswerDetector
from gateway.media.chores import Chores
from gateway.media.commands import KEYS, RoomState, RowState
from gateway.media.dtmf_detector import DtmfDetector
from gateway.media.events import DigitHeard, MediaEvent, RowClosed, SourceEnded, answers_of
from gateway.media.mixer import row_wishes
from gateway.media.mixing import Mixing
from gateway.media.payloads import codec_id, receive_map
from gateway.media.plan import IDLE, Columns, Plan, make_plan
from gateway.media.recorders import NO_TAPE
from gateway.media.ring import RINGS, Rings
from gateway.media.row_fields import coding_costs, write_state
from gateway.media.snapshot import LAYOUT, RowSnapshot, Snapshot, image_of, put_image
from gateway.media.sources import Sources
from gateway.media.statistics import LegStatistics
from gateway.media.steering import Steering
from gateway.media.table import SEND, Table
from gateway.media.tally import statistics_of
from gateway.media.tick import TICK_S, Ticker

__all__ = ["TICK_S", "Plane"]

LEARN_S: Final = 5.0
"""How long after an offer or answer a source may be learnt (see native/plane/latch.c)."""
RESTART_SEQUENCE_JUMP: Final = 1000
"""What a plane that takes over rows adds to their sequence numbers: more than the old one can have sent since."""


def leg_hash(leg: LegId) -> int:
    """Return the 64 bits by which a row remembers its leg when the process that knew the name is gone."""
    return int.from_bytes(hashlib.blake2b(leg.encode(), digest_size=8).digest()) | 1


class Plane:
    """Rows for up to `capacity` legs.  See the module's docstring for the three inputs."""

    def __init__(
        self, capacity: int, ids: IdSource, memory: memoryview | None = None, *, rings: Rings | None = None
    ) -> None:
        """`rings` are what clips come by and recordings leave by; None = there are none."""
        self.table = Table(capacity, memory)
        self.table.rows["rtp_fd"] = self.table.rows["rtcp_fd"] = -1  # a plane before us had others
        self._ids = ids
        self._columns = Columns(capacity)
        self._sources = Sources()
        self._mixing = Mixing(self._columns, capacity)
        self._rooms = self._mixing.rooms
        self._rings = rings
        self._ticker = Ticker(self.table, self._columns, self._sources, self._mixing, rings)
        self._chores = Chores(self.table, self._columns)
        self._detector = DtmfDetector(capacity)
        self._answerers = AnswerDetector(self._columns.answerer)
        self._states: dict[int, RowState] = {}
        self._row_of: dict[LegId, int] = {}
        self._leg_of: dict[int, LegId] = {}
        self._steering = Steering(self.table, self._columns, self._states)
        self._free = list(range(capacity - 1, -1, -1))
        self._top = 0
        self._plan: Plan | None = Plan()
        self._ticked = Plan()
        """The plan of the last tick."""
        self._events: list[MediaEvent] = []

    # --- rows come and go ---------------------------------------------------------------------------------------

    @property
    def legs(self) -> tuple[LegId, ...]:
        """Return the legs that have a row."""
        return tuple(self._row_of)

    def row(self, leg: LegId) -> int:
        """Return a leg's row.

        Raises:
            LocalError: it has none.
        """
        if leg not in self._row_of:
            raise LocalError(f"no row for leg {leg}")
        return self._row_of[leg]

    def open(self, leg: LegId, *, rtp_fd: int = -1, rtcp_fd: int = -1, socket: bool = True) -> int:
        """Give a leg a row (the same one again if it has one already) and return it.

        Raises:
            Overload: no row is free.
        """
        if leg in self._row_of:
            return self._row_of[leg]
        if not self._free:
            raise Overload("the plane has no free row")
        row = self._free.pop()
        self.table.clear(row)
        fields = self.table.rows
        fields["generation"][row] = 1
        fields["leg_hash"][row] = leg_hash(leg)
        fields["tx_ssrc"][row] = self._ids.number(2**32)
        fields["tx_sequence"][row] = self._ids.number(2**15)  # the first half: it does not wrap at once
        fields["tx_timestamp"][row] = self._ids.number(2**32)
        fields["tx_marker"][row] = 1
        fields["rtcp_random"][row] = self._ids.number(2**32)
        self._install(leg, row, rtp_fd, rtcp_fd, socket=socket)
        return row

    def adopt(self, leg: LegId, *, rtp_fd: int, rtcp_fd: int, now: float) -> int | None:
        """Take over the row that a plane before us left in the shared memory; None if it left none.

        What only media knows goes on: SSRC, sequence (with a jump), clock, latch and counters.  A relayed row
        relays again from the next packet; codec state starts cold.
        """
        found = np.flatnonzero(self.table.rows["leg_hash"] == leg_hash(leg))
        if found.size == 0 or leg in self._row_of:
            return None
        row = int(found[0])
        self._free.remove(row)
        fields = self.table.rows
        for name in (
            "tx_sequence",
            "relay_sequence_delta",
        ):  # a relay goes on, in its own time, behind the jump
            fields[name][row] = int(fields[name][row]) + RESTART_SEQUENCE_JUMP & 0xFFFF
        fields["slot_anchored"][row] = fields["play_rest"][row] = fields["tx_phase"][row] = 0
        fields["tx_marker"][row] = 1
        fields["heard_at"][row] = now
        self._install(leg, row, rtp_fd, rtcp_fd, socket=True)
        return row

    def _install(self, leg: LegId, row: int, rtp_fd: int, rtcp_fd: int, *, socket: bool) -> None:
        self.table.rows["rtp_fd"][row] = rtp_fd
        self.table.rows["rtcp_fd"][row] = rtcp_fd
        self._columns.clear(row)
        self._detector.clear(row)
        self._columns.open[row] = True
        self._columns.socket[row] = socket
        self._mixing.open(row, leg_hash(leg), socket=socket)
        self._row_of[leg] = row
        self._leg_of[row] = leg
        self._top = max(self._top, row + 1)
        self._plan = None

    def snapshot(self, legs: Sequence[LegId]) -> Snapshot:
        """Return all that some legs are, between two ticks.

        Raises:
            LocalError: one of them has no row.
        """
        rows = tuple(self._still(leg) for leg in legs)
        rooms = (
            still.state.room for still in rows if still.state is not None and still.state.room is not None
        )
        return Snapshot(LAYOUT, self._chores.ticks, rows, self._rooms.said(rooms))

    def _still(self, leg: LegId) -> RowSnapshot:
        row = self.row(leg)
        fields = self.table.rows
        reason, refused, relayed_by = self._steering.course(row)
        return RowSnapshot(
            leg=leg,
            state=self._states.get(row),
            peer=self._leg_of.get(int(fields["peer"][row])),
            relay_source=self._leg_of.get(int(fields["relay_source"][row])),
            reason=reason,
            refused=refused,
            relayed_by=relayed_by,
            image=image_of(row, self.table, self._columns),
        )

    def restore(
        self, snapshot: Snapshot, now: float, descriptors: Mapping[LegId, tuple[int, int]] | None = None
    ) -> None:
        """Go on with the legs of a snapshot, each through its `descriptors` (RTP, RTCP), if it has any.

        Raises:
            LocalError: the snapshot is of another layout, holds codec states that are none, or one of its legs
                has a row here already.
            Overload: not enough rows are free; then none has been taken.
        """
        if snapshot.layout != LAYOUT:
            raise LocalError(f"a snapshot of layout {snapshot.layout}, this is {LAYOUT}")
        known = [still.leg for still in snapshot.rows if still.leg in self._row_of]
        if known:
            raise LocalError(f"leg {known[0]} has a row already")
        if len(snapshot.rows) > len(self._free):
            raise Overload(f"{len(snapshot.rows)} rows are needed, {len(self._free)} are free")
        for still in snapshot.rows:
            if not _native.is_voice(still.image.voice):
                raise LocalError(f"the codec states of leg {still.leg} are none")
        if not self._row_of:
            self._chores.ticks = snapshot.ticks
        for room in snapshot.rooms:
            self._rooms.apply(room)
        for still in snapshot.rows:
            self._put(still, (descriptors or {}).get(still.leg, (-1, -1)), now)
        came = {self._row_of[still.leg] for still in snapshot.rows}
        for still in snapshot.rows:
            self._connect(still, came, now)

    def _put(self, still: RowSnapshot, descriptors: tuple[int, int], now: float) -> None:
        row = self._free.pop()
        self._install(still.leg, row, *descriptors, socket=True)
        put_image(still.image, row, self.table, self._columns)
        self.table.rows["rtp_fd"][row], self.table.rows["rtcp_fd"][row] = descriptors
        self._steering.follow(row, still)
        if still.state is not None:
            self._states[row] = still.state
            self.table.encrypt(row, still.state.crypto, now)
            self._enter(row, still.state)

    def _connect(self, still: RowSnapshot, came: set[int], now: float) -> None:
        """Rows name each other by number again; a leg that left company behind or finds some is steered anew."""
        row = self._row_of[still.leg]
        for name, leg in (("peer", still.peer), ("relay_source", still.relay_source)):
            self.table.rows[name][row] = self._row_of.get(leg, -1) if leg is not None else -1
        room = still.state.room if still.state is not None else None
        left_behind = still.peer is not None and still.peer not in self._row_of
        if left_behind:
            self.table.rows["mode"][row] = IDLE
        if left_behind or (room is not None and self._rooms.members(room) - came):
            self._steer(room, row, now)

    def disown_rest(self) -> None:
        """Free the rows in shared memory that nobody adopted."""
        for row in np.flatnonzero(self.table.rows["generation"]):
            if int(row) not in self._leg_of:
                self._clear(int(row))

    def goodbye(self, leg: LegId, now: float, wall: float) -> NDArray[Any]:
        """Return the RTCP BYE that a leg's phone should get before its row is closed (SEND [0 or 1])."""
        row = self.row(leg)
        sends = np.zeros(1, SEND)
        heard = self._columns.socket[row] and self.table.rows["heard_at"][row] > 0
        n = _native.rtcp(self.table.kernel, np.array([row], np.int32), now, wall, True, sends) if heard else 0
        return sends[:n]

    def close(self, leg: LegId, now: float) -> None:
        """Free a leg's row; its last statistics come as an event, with the mode that it had in company.

        Raises:
            LocalError: it has no row.
        """
        row = self.row(leg)
        self._events.append(RowClosed(leg, statistics_of(self.table.rows[row], *self._steering.last(row))))
        state = self._states.pop(row, None)
        self._steering.forget(row)
        self._mixing.forget(row)
        self._columns.clear(row)
        self._clear(row)
        del self._row_of[leg], self._leg_of[row]
        self._free.append(row)
        if state is not None and state.room is not None:
            self._leave_room(row, state.room, now)
        self._plan = None

    def _clear(self, row: int) -> None:
        """Free a row in the table; whoever gets it next is nobody's peer."""
        self.table.clear(row)
        orphans = np.flatnonzero(self.table.rows["peer"] == row)
        for orphan in orphans.tolist():
            self._steering.part(orphan)
        self.table.rows["peer"][orphans] = -1
        self.table.rows["mode"][orphans] = IDLE
        self._plan = None

    # --- commands -----------------------------------------------------------------------------------------------

    def apply(self, state: RowState, now: float) -> None:
        """Make a row what `state` says; an older generation is ignored.

        A leg without a row gets one without a socket: a source that its room hears.

        Raises:
            LocalError: a codec, a source or an address that we do not have.
        """
        codec_id(state.send_codec, state.options.mode_ms)  # refused before anything has changed
        receive_map(state.receive, state.event_receive_pt, mode_ms=state.options.mode_ms)
        self._source_number(state)
        row_wishes(state)
        self._check_tapes(state)
        if state.source == "tap" and self._has_socket(state.leg):
            raise LocalError(f"leg {state.leg}: a tap has no socket")
        if state.leg not in self._row_of:
            self.open(state.leg, socket=False)
        row = self._row_of[state.leg]
        before = self._states.get(row)
        if before is not None and state.generation < before.generation:
            return
        self._write(row, state, before, now)
        self._states[row] = state
        self._steering.allow(row)
        if before is not None and before.room is not None and before.room != state.room:
            self._leave_room(row, before.room, now)
        self._enter(row, state)
        self._steer(state.room, row, now)

    def apply_room(self, state: RoomState) -> None:
        """Mix a room as `state` says, from the next tick on; an older generation is ignored.

        Raises:
            LocalError: a number out of bounds.
        """
        self._rooms.apply(state)

    def _enter(self, row: int, state: RowState) -> None:
        """Note the source a row says or hears, the room it is in, and whom it coaches."""
        number = self._source_number(state)
        if number != self._columns.source[row]:
            self._columns.source_ended[row] = False
        self._columns.source[row] = number
        self._columns.in_band[row] = state.in_band
        self._answerers.follow(row, state.answering)
        self._columns.tapes[row] = state.recording or NO_TAPE
        self._mixing.enter(row, state)

    def _check_tapes(self, state: RowState) -> None:
        count = RINGS if self._rings is None else self._rings.count
        if any(not NO_TAPE <= ring < count for ring in state.recording or ()):
            raise LocalError(f"leg {state.leg}: there are no rings {state.recording}")

    def _has_socket(self, leg: LegId) -> bool:
        return leg in self._row_of and bool(self._columns.socket[self._row_of[leg]])

    def _source_number(self, state: RowState) -> int:
        source = state.hold or state.source
        return -1 if source is None or source in {"echo", "tap"} else self._sources.number(source)

    def _write(self, row: int, state: RowState, before: RowState | None, now: float) -> None:
        self.table.encrypt(row, state.crypto, now)
        write_state(self.table.rows, row, state)
        self._columns.ear_cost[row], self._columns.mouth_cost[row] = coding_costs(state)
        if before is None or before != state:
            self.table.rows["learn_until"][row] = now + LEARN_S
        self._columns.echo[row] = state.source == "echo" and state.hold is None
        self._mixing.wish(row, state, moved=before is None or before.room != state.room)

    def _leave_room(self, row: int, room: RoomId, now: float) -> None:
        members = self._rooms.leave(room, row)
        if members:
            self._steer(room, next(iter(members)), now)
        if row in self._states:
            self._steer(None, row, now)

    def _steer(self, room: RoomId | None, row: int, now: float) -> None:
        """Find anew how the audio of everybody travels whom a change of `row` in `room` concerns."""
        self._plan = None
        self._steering.steer([row] if room is None else sorted(self._rooms.members(room)), now)

    def relay_now(self, leg: LegId, now: float) -> None:
        """Do not wait for a pause in speech: a direction that may go back to the relay does so at once."""
        self._steering.relay_now(self.row(leg), now)
        self._plan = None

    def press(self, leg: LegId, digit: str, duration_ms: int, now: float) -> None:
        """Press a key for a leg's phone, as events of RTP (RFC 4733); one that wants none hears nothing.

        It lasts 100 ms to 2.5 s.  A key that is being relayed to the same phone is not pressed again.

        Raises:
            LocalError: there is no such key, or no row.
            Overload: sixteen keys wait already.
        """
        row = self.row(leg)
        if digit not in KEYS or len(digit) != 1:
            raise LocalError(f"there is no key {digit!r}")
        tens = min(max(duration_ms // 10, 0), 255)
        if not _native.press(self._columns.presses, row, KEYS.index(digit), tens, now):
            raise Overload(f"leg {leg}: too many keys wait")
        self._plan = None

    # --- packets and time ---------------------------------------------------------------------------------------

    def arrive(
        self,
        rows: NDArray[np.int32],
        sources: NDArray[np.uint8],
        packets: NDArray[np.uint8],
        lengths: NDArray[np.int32],
        nows: NDArray[np.float64],
        on_rtcp: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Give packets to the plane in the order they came.

        rows int32 [n]; sources: ADDRESS bytes uint8 [n, 20]; packets uint8 [n, stride]; lengths int32 [n] in bytes;
        nows float64 [n] in seconds.  Returns the packets to send (SEND [m]) and the verdicts, uint8 [n].
        """
        sends = np.zeros(rows.size * _native.SEND_MAX, SEND)
        verdicts = np.zeros(rows.size, np.uint8)
        flags = np.zeros(rows.size, np.uint8) if on_rtcp is None else on_rtcp
        n = _native.arrive(self.table.kernel, rows, sources, packets, lengths, flags, nows, sends, verdicts)
        return sends[:n], verdicts

    def tick(self, now: float, wall: float) -> Iterator[tuple[NDArray[Any], bool]]:
        """Run one tick; yields (SEND [n], are they RTCP) to be sent before the next is asked for."""
        plan = self._ticked = self._planned()
        for sends in self._ticker.run(plan, now):
            yield sends, False
        if plan.in_band.size:
            self._events += self._keys_as_tones(plan)
        if plan.answerers.size:
            news = self._answerers.hear(plan.answerers, plan.said[plan.answerers_at])
            self._events += answers_of(news, self._leg_of)
        if plan.clips.rows.size:
            self._events += self._ended_clips(plan)
        if self._steering.relay_in_pauses(plan, now):
            self._plan = None
        yield self._chores.reports(self._top, now, wall), True
        self._events += self._chores.news(self._leg_of, self._top, now)
        self._events += self._mixing.news(self._chores.ticks, self._leg_of, self._top)
        for row in self._chores.refused():
            self._steering.refuse(row)
            if row in self._states:
                self._steer(self._states[row].room, row, now)

    def _keys_as_tones(self, plan: Plan) -> list[MediaEvent]:
        """Return the keys that ended in what the rows said that are listened to."""
        return [
            DigitHeard(self._leg_of[tone.row], tone.key, tone.duration_ms, in_band=True)
            for tone in self._detector.hear(plan.in_band, plan.said[plan.in_band_at])
            if tone.duration_ms is not None and tone.row in self._leg_of
        ]

    def _ended_clips(self, plan: Plan) -> list[MediaEvent]:
        """Return the clips whose last samples were played in this tick."""
        ended = [row for row in self._ticker.ended(plan.clips).tolist() if row in self._states]
        names = [(self._states[row], self._leg_of[row]) for row in ended]
        return [SourceEnded(leg, state.hold or state.source or "") for state, leg in names]

    def taps(self) -> tuple[tuple[LegId, ...], NDArray[np.int16]]:
        """Return the legs whose source is `tap` and what their rooms said in the last tick, int16 [n, UNIT_SAMPLES].

        A tap hears everybody as listeners do: gated, weighed, limited once.  A copy: it stays as it is.
        """
        plan = self._ticked
        present = [
            (at, self._leg_of[row]) for at, row in enumerate(plan.taps.tolist()) if row in self._leg_of
        ]
        heard = plan.hears[plan.signal_of[plan.taps_at[[at for at, _ in present]]]]
        return tuple(leg for _, leg in present), heard

    def _planned(self) -> Plan:
        """Return the plan of the next tick, made now if something has changed."""
        if self._plan is None:
            self._mixing.connect(self._row_of)
            self._plan = make_plan(self.table.rows, self._columns, self._top)
        return self._plan

    def events(self) -> Iterator[MediaEvent]:
        """Take what happened since the last call."""
        events, self._events = self._events, []
        return iter(events)

    def statistics(self, leg: LegId) -> LegStatistics:
        """Return a leg's counters.

        Raises:
            LocalError: it has no row.
        """
        row = self.row(leg)
        return statistics_of(
            self.table.rows[row], int(self.table.rows["mode"][row]), self._steering.reason(row)
        )
