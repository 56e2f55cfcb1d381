"""The switch's side of the sockets to the media workers: a `MediaPort` that survives the other ends.

A thin rim around `media_placement`, which decides what is said to whom: here are connections, futures and a timer.
The sockets belong to the supervisor, so connecting works even while no media process is there; a connection becomes
good with the peer's hello and its list of rows, and then everything is said again (`media_wire` has the words).

A hello with an older epoch comes from a media process that has served a switch before us, one that died.

While a worker is away, states are kept and opens wait a few seconds.  Nothing grows: a peer that does not read
loses the connection, and events that the switch does not take drop the oldest.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from gateway.errors import BadMessage, Overload
from gateway.ids import LegId
from gateway.media.commands import RoomState, RowState, WebRtcPath
from gateway.media.events import AddressLatched, MediaEvent, RowClosed, RtpTimedOut, WorkerLost, WorkerReady
from gateway.media.statistics import LegStatistics, statistics_from_map
from gateway.transport.dtls import Certificate
from gateway.transport.media_leg import PortOpened, PortRefused
from gateway.transport.media_loads import CLEARLY
from gateway.transport.media_placement import OPEN_S, SEATS, Placement
from gateway.transport.media_wire import PROTOCOL, Message, frame, read_frame
from gateway.transport.reconnecting import FIRST_PAUSE_S, connected
from gateway.transport.webrtc import WebRtcLegs

__all__ = ["MediaClient"]

_UNSENT_BYTES: Final = 4 << 20
_EVENTS: Final = 4096
_LISTED_S: Final = 3.0


class MediaClient:
    """The media workers as the switch sees them; `run` keeps the connections."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        epoch: int,
        announced: str | None = None,
        open_timeout_s: float = OPEN_S,
        clearly: float = CLEARLY,
        seats: int = SEATS,
        certificate: Certificate | None = None,
    ) -> None:
        """`paths` are the workers' Unix sockets; `epoch` fences out a switch that was replaced.

        `announced` is the address to write into SDP; None takes what a media process says.  `clearly` and `seats`
        steer where legs are placed: see `Placement`.  `certificate` is shown to browsers; there are none without.
        """
        self._paths = paths
        self._epoch = epoch
        self._placement = Placement(
            len(paths), announced=announced, open_s=open_timeout_s, clearly=clearly, seats=seats
        )
        self.counters: Final[Counter[str]] = self._placement.counters
        self._browsers = None if certificate is None else WebRtcLegs(certificate)
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._opening: dict[LegId, asyncio.Future[tuple[str, int]]] = {}
        self._asked: dict[int, tuple[int, asyncio.Future[LegStatistics]]] = {}
        self._closing: dict[LegId, tuple[int, asyncio.Future[LegStatistics]]] = {}
        """Legs whose last counters are waited for."""
        self._questions = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._settling: asyncio.Handle | None = None
        self._events: deque[MediaEvent] = deque(maxlen=_EVENTS)
        self._wake = asyncio.Event()
        self._connected = asyncio.Event()

    @property
    def ready(self) -> bool:
        """A media process is there and knows its rows."""
        return self._placement.ready

    @property
    def figures(self) -> Mapping[int, Mapping[str, Any]]:
        """What each worker has last told of itself: `media_health.Health.as_map`."""
        return self._placement.figures

    async def connected(self) -> None:
        """Return when every worker has been there at once."""
        await self._connected.wait()

    def census(self) -> dict[str, int]:
        """Return what is held: all zero when there are no calls."""
        return self._placement.census() | {"asked": len(self._asked), "closing": len(self._closing)}

    async def open(self, leg: LegId) -> tuple[str, int]:
        """Lease a port; see `MediaPort.open`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, int]] = loop.create_future()
        self._placement.open(leg, loop.time())
        self._opening[leg] = answer
        self._settle_soon()
        try:
            return await answer
        except asyncio.CancelledError:
            self.close(leg)
            raise
        finally:
            del self._opening[leg]

    def set(self, row: RowState) -> None:
        """Remember the state and say it; see `MediaPort.set`."""
        if self._browsers is not None:
            row = self._browsers.dress(row, asyncio.get_running_loop().time())
        self._placement.set(row)
        self._settle_soon()

    def set_room(self, room: RoomState) -> None:
        """Remember how a room is mixed and say it; see `MediaPort.set_room`."""
        self._placement.set_room(room)
        self._settle_soon()

    def press(self, leg: LegId, digit: str, duration_ms: int) -> None:
        """Have a key pressed where the leg is; see `MediaPort.press`."""
        self._settle()
        worker = self._placement.worker_of(leg)
        if worker in self._writers:
            self._send(worker, {"press": leg, "digit": digit, "ms": duration_ms})

    def close(self, leg: LegId) -> None:
        """Forget the leg and say so; see `MediaPort.close`."""
        if self._browsers is not None:
            self._browsers.close(leg)
        self._placement.close(leg)
        self._settle_soon()

    async def listed(self) -> None:
        """Wait until every worker has listed its rows, but not for long; see `MediaPort.listed`."""
        try:
            async with asyncio.timeout(_LISTED_S):
                await self.connected()
        except TimeoutError:
            self.counters["media.not_listed"] += 1

    def path(self, leg: LegId) -> WebRtcPath | None:
        """Return what a browser's checks and handshake have led to; see `MediaPort.path`."""
        return None if self._browsers is None else self._browsers.path(leg)

    def adopt(self, leg: LegId, address: tuple[str, int], path: WebRtcPath | None = None) -> bool:
        """Go on with a row of a switch before us; see `MediaPort.adopt`."""
        if path is not None and self._browsers is not None:
            self._browsers.inherit(leg, path)
        return self._placement.adopt(leg, address)

    def disown(self) -> None:
        """Close what is left of a switch before us; see `MediaPort.disown`."""
        self._placement.disown()
        self._settle_soon()

    async def closed(self, leg: LegId) -> LegStatistics:
        """Forget the leg and return what its worker says last of it; zeros when that one is away."""
        worker = self._placement.worker_of(leg)
        last: asyncio.Future[LegStatistics] = asyncio.get_running_loop().create_future()
        self._closing[leg] = worker, last
        self.close(leg)
        try:
            return await last if worker in self._writers else LegStatistics()
        finally:
            del self._closing[leg]

    def _ask(self, leg: LegId) -> asyncio.Future[LegStatistics]:
        """Ask for a leg's counters where it is."""
        worker = self._placement.worker_of(leg)
        self._questions += 1
        question = self._questions
        answer: asyncio.Future[LegStatistics] = asyncio.get_running_loop().create_future()
        self._asked[question] = worker, answer
        answer.add_done_callback(lambda _: self._asked.pop(question, None))
        self._send(worker, {"statistics": leg, "id": question})
        return answer

    async def events(self) -> AsyncIterator[MediaEvent]:
        """Yield what media tells, to one reader."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def run(self) -> None:
        """Keep all connections until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for worker, path in enumerate(self._paths):
                    tasks.create_task(self._keep_connected(worker, path), name=f"media {worker + 1}")
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    async def _keep_connected(self, worker: int, path: str) -> None:
        def failed() -> None:
            self.counters["media.connect_failed"] += 1

        while True:
            reader, writer = await connected(path, failed)
            try:
                await self._converse(worker, reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                self.counters["media.disconnected"] += 1
            except (BadMessage, KeyError, TypeError, ValueError):
                self.counters["media.not_understood"] += 1
                await asyncio.sleep(FIRST_PAUSE_S)  # whoever this is will say the same again at once
            finally:
                self._disconnect(worker, writer)

    async def _converse(
        self, worker: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(frame({"hello": PROTOCOL, "epoch": self._epoch, "who": "switch"}))
        hello = await read_frame(reader)
        if hello["hello"] != PROTOCOL:
            raise BadMessage(f"the media process speaks version {hello['hello']}")
        listing = frozenset(LegId(leg) for leg in (await read_frame(reader))["rows"])
        self._writers[worker] = writer
        now = asyncio.get_running_loop().time()
        self._placement.joined(worker, listing, now, inherited=int(hello["epoch"]) < self._epoch)
        self._settle()
        if self._placement.complete:
            self._connected.set()
        self._tell(WorkerReady())
        while True:
            self._hear(worker, await read_frame(reader))

    def _hear(self, worker: int, message: Message) -> None:
        if "statistics" in message and "id" in message:
            if (asked := self._asked.get(message["id"])) is not None:
                _told(asked[1], statistics_from_map(message["statistics"]))
            return
        if "edge" in message:
            self._hear_browser(message)
        else:
            self._placement.receive(worker, message, asyncio.get_running_loop().time())
        self._settle_soon()

    def _hear_browser(self, message: Message) -> None:
        if self._browsers is not None:
            host, port = message["from"]
            now = asyncio.get_running_loop().time()
            self._browsers.receive(LegId(message["edge"]), (str(host), int(port)), message["data"], now)

    def _settle_browsers(self) -> None:
        """Pass on what browsers' checks and handshakes have led to."""
        if self._browsers is None:
            return
        for leg, to, data in self._browsers.transmit():
            answer = {"edge": leg, "to": list(to), "data": data, "lease": self._browsers.lease(leg, to)}
            self._send(self._placement.worker_of(leg), answer)
        for row in self._browsers.rows():
            self._placement.set(row)
            if row.remote is not None:
                self._tell(AddressLatched(row.leg, row.remote))
        for leg in self._browsers.doubted():
            if self._placement.worker_of(leg) in self._writers:
                self._ask(leg).add_done_callback(partial(self._counted, leg))
        for leg, reason in self._browsers.silent():
            self.counters["media.browser_lost"] += 1
            self._tell(RtpTimedOut(leg, reason))

    def _counted(self, leg: LegId, told: asyncio.Future[LegStatistics]) -> None:
        """Let a doubted browser's packets count, unless its worker has gone and nobody has counted them."""
        if (
            self._browsers is not None
            and not told.cancelled()
            and self._placement.worker_of(leg) in self._writers
        ):
            now = asyncio.get_running_loop().time()
            self._browsers.counted(leg, told.result().packets_received, now)
            self._settle()

    def _settle_soon(self) -> None:
        """Settle once for all that happens in this turn of the loop: a row that changes often is said once."""
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        """Send what there is to say, take what happened, and set the alarm: after the deeds of the placement."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._settle_browsers()
        for worker, said in groupby(self._placement.transmit(), key=itemgetter(0)):
            self._send(worker, *(message for _, message in said))
        for event in self._placement.events():
            match event:
                case PortOpened(leg, address):
                    if (waiting := self._opening.get(leg)) is not None and not waiting.done():
                        waiting.set_result(address)
                case PortRefused(leg, reason):
                    if (waiting := self._opening.get(leg)) is not None and not waiting.done():
                        waiting.set_exception(Overload(reason))
                case RowClosed(leg, statistics) if leg in self._closing:
                    _told(self._closing[leg][1], statistics)
                case _:
                    self._tell(event)
        theirs = None if self._browsers is None else self._browsers.next_deadline()
        deadlines = [each for each in (self._placement.next_deadline(), theirs) if each is not None]
        self._set_alarm(min(deadlines, default=None))

    def _set_alarm(self, deadline: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = None if deadline is None else loop.call_at(deadline, self._alarm_rings)

    def _alarm_rings(self) -> None:
        self._alarm = None
        now = asyncio.get_running_loop().time()
        self._placement.deadline_reached(now)
        if self._browsers is not None:
            self._browsers.deadline_reached(now)
        self._settle()

    def _tell(self, event: MediaEvent) -> None:
        if len(self._events) == _EVENTS:
            self.counters["media.event_dropped"] += 1
        self._events.append(event)
        self._wake.set()

    def _send(self, worker: int, *messages: Message) -> None:
        writer = self._writers.get(worker)
        if writer is None:
            return  # said again with everything else
        if writer.transport.get_write_buffer_size() > _UNSENT_BYTES:
            self.counters["media.does_not_read"] += 1
            writer.transport.abort()
            return
        writer.write(b"".join(frame(message) for message in messages))

    def _disconnect(self, worker: int, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        if self._writers.pop(worker, None) is None:
            return
        self._placement.lost(worker)
        for asked_worker, asked in (*self._asked.values(), *self._closing.values()):
            if asked_worker == worker:
                _told(asked, LegStatistics())
        self._tell(WorkerLost())


def _told(waiting: asyncio.Future[LegStatistics], statistics: LegStatistics) -> None:
    """Tell whoever still waits for a leg's counters."""
    if not waiting.done():
        waiting.set_result(statistics)
