"""A real media plane behind the switch, in virtual time: calls of a test have audio.

It is `gateway.switch.ports.MediaPort` over a `Plane`: ports are numbers, packets are handed over by `speak` and come
out of `ears`.  The plane ticks every 10 ms of virtual time for as long as there is a row, so a test that waits for
timers does not pay for silence.  A thousand calls are two thousand rows of one plane.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.ids import LegId, SeededIds
from gateway.media.commands import RoomState, RowState, WebRtcPath
from gateway.media.events import MediaEvent
from gateway.media.plane import TICK_S, Plane
from gateway.media.ring import Rings
from gateway.media.statistics import LegStatistics
from gateway.media.table import pack_address
from gateway.testing.plane_packet import Packet

__all__ = ["PlanePort", "Talker"]


class PlanePort:
    """A media plane with ports 20000, 20002, ... at `address`."""

    def __init__(self, *, address: str, capacity: int = 64, seed: int = 1) -> None:
        self.rings: Final = Rings.private()
        """What clips come by."""
        self.plane: Final = Plane(capacity, SeededIds(seed), rings=self.rings)
        self.leases: Final[dict[LegId, int]] = {}
        self.rows: Final[dict[LegId, RowState]] = {}
        self.ears: Final[dict[tuple[str, int], list[Packet]]] = {}
        """What was sent to each address."""
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._next_port = 20_000
        self._row_at: dict[int, int] = {}
        self._leg_at: dict[int, LegId] = {}
        self._events: asyncio.Queue[MediaEvent] = asyncio.Queue()
        self._ticking: asyncio.TimerHandle | None = None

    @property
    def quiet(self) -> bool:
        """Nothing is leased and no row is left."""
        return not self.leases and not self.plane.legs

    async def open(self, leg: LegId) -> tuple[str, int]:
        """Lease the next port."""
        port, self._next_port = self._next_port, self._next_port + 2
        self.leases[leg] = port
        row = self.plane.open(leg, rtp_fd=port, rtcp_fd=port + 1)
        self._row_at[port], self._leg_at[row] = row, leg
        if self._ticking is None:
            self._ticking = self._loop.call_later(TICK_S, self._tick)
        return self._address, port

    def set(self, row: RowState) -> None:
        """Give the row its state."""
        self.rows[row.leg] = row
        self.plane.apply(row, self._loop.time())

    def press(self, leg: LegId, digit: str, duration_ms: int) -> None:
        """Press a key."""
        self.plane.press(leg, digit, duration_ms, self._loop.time())

    def set_room(self, room: RoomState) -> None:
        """Mix a room so."""
        self.plane.apply_room(room)

    def close(self, leg: LegId) -> None:
        """Free the row."""
        port = self.leases.pop(leg, None)
        self.rows.pop(leg, None)
        if port is not None:
            del self._row_at[port]
        if leg in self.plane.legs:
            self.plane.close(leg, self._loop.time())
            self._tell()

    async def listed(self) -> None:
        """Know at once which rows there are."""

    def path(self, leg: LegId) -> None:
        """Know of no browser."""

    def adopt(self, leg: LegId, address: tuple[str, int], path: WebRtcPath | None = None) -> bool:
        """Go on with a row that is there."""
        return leg in self.leases and address[1] == self.leases[leg]

    def disown(self) -> None:
        """Leave what is there; tests look at it."""

    async def closed(self, leg: LegId) -> LegStatistics:
        """Free the row; return its counters."""
        statistics = self.plane.statistics(leg)
        self.close(leg)
        return statistics

    async def events(self) -> AsyncIterator[MediaEvent]:
        """Yield what the plane tells."""
        while True:
            yield await self._events.get()

    def speak(self, source: tuple[str, int], port: int, packet: bytes) -> None:
        """Let a packet arrive at one of our ports; nobody listens at a port that was given back."""
        row = self._row_at.get(port)
        if row is None:
            return
        sends, _ = self.plane.arrive(
            np.array([row], np.int32),
            pack_address(source)[None],
            np.frombuffer(packet, np.uint8)[None],
            np.array([len(packet)], np.int32),
            np.array([self._loop.time()]),
        )
        self._deliver(sends)

    def _tick(self) -> None:
        now = self._loop.time()
        for sends, rtcp in self.plane.tick(now, now):
            if not rtcp:
                self._deliver(sends)
        self._tell()
        self._ticking = self._loop.call_later(TICK_S, self._tick) if self.plane.legs else None

    def _tell(self) -> None:
        for event in self.plane.events():
            self._events.put_nowait(event)

    def _deliver(self, sends: NDArray[Any]) -> None:
        for send in sends:
            state = self.rows.get(self._leg_at[int(send["row"])])
            if state is not None and state.remote is not None:
                data = send["data"][: send["bytes"]].tobytes()
                self.ears.setdefault(state.remote, []).append(Packet.read(self._loop.time(), data))


class Talker:
    """A phone's mouth: says payloads of 20 ms, one every 20 ms, from `source` to a port of the plane."""

    def __init__(self, port: PlanePort, source: tuple[str, int], *, payload_type: int, ssrc: int) -> None:
        self._port = port
        self._source = source
        self._payload_type = payload_type
        self._ssrc = ssrc

    async def say(self, payloads: list[bytes], *, to: int) -> None:
        """Say them all, in time."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for i, payload in enumerate(payloads):
            await asyncio.sleep(start + 0.02 * i - loop.time())
            packet = Packet(
                start + 0.02 * i, self._payload_type, i, 160 * i, self._ssrc, payload, marker=i == 0
            )
            self._port.speak(self._source, to, packet.to_bytes())
