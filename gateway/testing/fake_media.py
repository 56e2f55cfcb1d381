"""A media plane without media: it leases ports and remembers what rows were told.

It implements `gateway.switch.ports.MediaPort`, so a test of calls needs neither sockets nor audio and can
still ask who would hear whom.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from gateway.errors import Overload
from gateway.ids import LegId, RoomId
from gateway.media.commands import RoomState, RowState, WebRtcPath
from gateway.media.events import AddressLatched, MediaEvent
from gateway.media.statistics import LegStatistics

__all__ = ["FakeMediaPort"]


class FakeMediaPort:
    """Rows and leases in two dictionaries."""

    def __init__(self, *, address: str = "192.0.2.1", ports: int = 1000) -> None:
        """`ports` is how many legs there may be at once."""
        self.rows: Final[dict[LegId, RowState]] = {}
        """The last state of each open row."""
        self.leases: Final[dict[LegId, int]] = {}
        self.room_states: Final[dict[RoomId, RoomState]] = {}
        self.history: Final[list[RowState]] = []
        """Every state that was ever set, in order."""
        self.paths: Final[dict[LegId, WebRtcPath]] = {}
        """Where browsers are, and their keys."""
        self.pressed: Final[list[tuple[LegId, str, int]]] = []
        """Every key that was pressed for a phone, and for how many ms."""
        self._address = address
        self._free = [20_000 + 2 * n for n in reversed(range(ports))]
        self._adopted: set[LegId] = set()
        self._statistics: dict[LegId, LegStatistics] = {}
        self._events: asyncio.Queue[MediaEvent] = asyncio.Queue()

    @property
    def quiet(self) -> bool:
        """Nothing is leased and no row is left."""
        return not self.rows and not self.leases

    @property
    def rooms(self) -> Mapping[RoomId, frozenset[LegId]]:
        """Who hears whom."""
        rooms: dict[RoomId, frozenset[LegId]] = {}
        for row in self.rows.values():
            if row.room is not None:
                rooms[row.room] = rooms.get(row.room, frozenset()) | {row.leg}
        return rooms

    def row_at(self, port: int) -> RowState:
        """Return the row whose RTP port, as its peer was told, is `port`."""
        (leg,) = (leg for leg, leased in self.leases.items() if leased == port)
        return self.rows[leg]

    def take_all_ports(self) -> None:
        """Have every port leased to somebody else."""
        self._free.clear()

    def happen(self, event: MediaEvent) -> None:
        """Tell the switch something."""
        self._events.put_nowait(event)

    def measured(self, leg: LegId, statistics: LegStatistics) -> None:
        """Choose the last counters of a leg."""
        self._statistics[leg] = statistics

    async def open(self, leg: LegId) -> tuple[str, int]:
        """Lease the next port; Overload when there is none."""
        if not self._free:
            raise Overload("no port is free")
        self.leases[leg] = self._free.pop()
        return self._address, self.leases[leg]

    def set_room(self, room: RoomState) -> None:
        """Remember how a room is mixed."""
        self.room_states[room.room] = room

    def press(self, leg: LegId, digit: str, duration_ms: int) -> None:
        """Remember a key."""
        self.pressed.append((leg, digit, duration_ms))

    def set(self, row: RowState) -> None:
        """Remember the state; an older generation than the row has is a fault of the switch."""
        known = self.rows.get(row.leg)
        assert row.leg in self.leases, f"a state for {row.leg}, which is not open"
        assert known is None or known.generation < row.generation, f"generation {row.generation} is not new"
        self.rows[row.leg] = row
        self.history.append(row)

    def close(self, leg: LegId) -> None:
        """Forget the row and free its port."""
        self.rows.pop(leg, None)
        port = self.leases.pop(leg, None)
        if port is not None:
            self._free.insert(0, port)

    def left(self) -> FakeMediaPort:
        """Return the plane as the next switch finds it, whatever the one before does to this one."""
        left = FakeMediaPort(address=self._address, ports=0)
        left.rows.update(self.rows)
        left.leases.update(self.leases)
        left._free[:] = self._free
        return left

    async def listed(self) -> None:
        """Know at once which rows there are."""

    def shaken(self, leg: LegId, path: WebRtcPath) -> None:
        """Let a browser's checks and handshake have led to something."""
        self.paths[leg] = path
        self.happen(AddressLatched(leg, path.remote))

    def path(self, leg: LegId) -> WebRtcPath | None:
        """Return what `shaken` was told, or the switch itself when it took the row up."""
        return self.paths.get(leg)

    def adopt(self, leg: LegId, address: tuple[str, int], path: WebRtcPath | None = None) -> bool:
        """Go on with a row that is there."""
        self._adopted.add(leg)
        if path is not None:
            self.paths[leg] = path
        return self.leases.get(leg) == address[1]

    def disown(self) -> None:
        """Close what nobody has gone on with."""
        for leg in self.leases.keys() - self._adopted:
            self.close(leg)

    async def closed(self, leg: LegId) -> LegStatistics:
        """Forget the row; return what the test chose, else zeros."""
        self.close(leg)
        return self._statistics.get(leg, LegStatistics(mode="relay", mode_reason="a fake relays everything"))

    async def events(self) -> AsyncIterator[MediaEvent]:
        """Yield what `happen` was given."""
        while True:
            yield await self._events.get()
