"""The switch's side of the socket to the media process: a `MediaPort` that survives the other end.

Frames are a 4-byte big-endian length and a msgpack map.  The socket belongs to the supervisor, so
connecting works even while no media process is there; the connection becomes good with the peer's hello and
its list of rows.  Then everything is said again: rows that nobody here knows are closed, every leg's state
is set, opens that wait are asked once more.  States are absolute and carry a generation, so saying them
twice costs nothing, and a media process that was killed goes on where it was.

A hello with an older epoch comes from a media process that has served a switch before us, one that died.
Its rows are people who still hear each other: they are left alone, and the media process frees them itself
when nobody has taken them up for a minute.

While there is no media process, states are kept and opens wait a few seconds.  Nothing grows: a peer that
does not read loses the connection, and events that the switch does not take drop the oldest.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgpack

from gateway.errors import BadMessage, Overload
from gateway.ids import LegId
from gateway.media.commands import RowState, row_as_map
from gateway.media.events import MediaEvent, WorkerLost, WorkerReady, event_from_map
from gateway.media.statistics import LegStatistics, statistics_from_map

__all__ = ["MAX_FRAME_BYTES", "PROTOCOL", "MediaClient", "frame", "read_frame"]

PROTOCOL: Final = 1
MAX_FRAME_BYTES: Final = 1 << 20
_LENGTH: Final = struct.Struct("!I")
_UNSENT_BYTES: Final = 4 << 20
_OPENINGS: Final = 1000
_EVENTS: Final = 4096
_OPEN_S: Final = 5.0
_RECONNECT_S: Final = (0.05, 1.0)


def frame(message: Mapping[str, Any]) -> bytes:
    """Return one message as it travels."""
    body: bytes = msgpack.packb(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Return the next message.

    Raises:
        BadMessage: it is too long, or no map.
        asyncio.IncompleteReadError: the peer is gone.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise BadMessage(f"a frame of {length} bytes")
    body = await reader.readexactly(length)
    try:
        message = msgpack.unpackb(body, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadMessage(f"a frame that is no msgpack: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("a frame that is no map")
    return message


class MediaClient:
    """The media plane as the switch sees it; `run` keeps the connection."""

    def __init__(
        self, path: str, *, epoch: int, announced: str | None = None, open_timeout_s: float = _OPEN_S
    ) -> None:
        """`path` is the Unix socket; `epoch` fences out a switch that was replaced.

        `announced` is the address to write into SDP; None takes what the media process says.
        """
        self.counters: Final[Counter[str]] = Counter()
        self._path = path
        self._epoch = epoch
        self._announced = announced
        self._open_timeout_s = open_timeout_s
        self._writer: asyncio.StreamWriter | None = None
        self._rows: dict[LegId, RowState] = {}
        self._opened: dict[LegId, tuple[str, int]] = {}
        self._opening: dict[LegId, asyncio.Future[tuple[str, int]]] = {}
        self._asked: dict[int, asyncio.Future[LegStatistics]] = {}
        self._questions = 0
        self._events: deque[MediaEvent] = deque(maxlen=_EVENTS)
        self._wake = asyncio.Event()
        self._connected = asyncio.Event()

    @property
    def ready(self) -> bool:
        """A media process is there and knows every row."""
        return self._writer is not None

    async def connected(self) -> None:
        """Return when a media process is there."""
        await self._connected.wait()

    def census(self) -> dict[str, int]:
        """Return what is held: all zero when there are no calls."""
        return {
            "legs": len(self._opened),
            "rows": len(self._rows),
            "opening": len(self._opening),
            "asked": len(self._asked),
        }

    async def open(self, leg: LegId) -> tuple[str, int]:
        """Lease a port; see `MediaPort.open`."""
        if len(self._opening) >= _OPENINGS:
            raise Overload("too many ports are being asked for")
        answer: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._opening[leg] = answer
        self._send({"open": leg})
        try:
            async with asyncio.timeout(self._open_timeout_s):
                self._opened[leg] = await answer
        except TimeoutError:
            self._send({"close": leg})
            raise Overload("the media process does not answer") from None
        except asyncio.CancelledError:
            self._send({"close": leg})
            raise
        finally:
            del self._opening[leg]
        return self._opened[leg]

    def set(self, row: RowState) -> None:
        """Remember the state and say it; see `MediaPort.set`."""
        self._rows[row.leg] = row
        self._send({"set": row_as_map(row)})

    def close(self, leg: LegId) -> None:
        """Forget the leg and say so; see `MediaPort.close`."""
        self._rows.pop(leg, None)
        self._opened.pop(leg, None)
        self._send({"close": leg})

    async def statistics(self, leg: LegId) -> LegStatistics:
        """Ask for a leg's counters; zeros when the media process is away."""
        if self._writer is None:
            return LegStatistics()
        self._questions += 1
        question = self._questions
        answer: asyncio.Future[LegStatistics] = asyncio.get_running_loop().create_future()
        self._asked[question] = answer
        self._send({"statistics": leg, "id": question})
        try:
            return await answer
        finally:
            self._asked.pop(question, None)

    async def events(self) -> AsyncIterator[MediaEvent]:
        """Yield what media tells, to one reader."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        pause_s, longest_s = _RECONNECT_S
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                self.counters["media.connect_failed"] += 1
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, longest_s)
                continue
            pause_s = _RECONNECT_S[0]
            try:
                await self._converse(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                self.counters["media.disconnected"] += 1
            except (BadMessage, KeyError, TypeError, ValueError):
                self.counters["media.not_understood"] += 1
                await asyncio.sleep(pause_s)  # whoever this is will say the same again at once
            finally:
                self._disconnect(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame({"hello": PROTOCOL, "epoch": self._epoch, "who": "switch"}))
        hello = await read_frame(reader)
        if hello["hello"] != PROTOCOL:
            raise BadMessage(f"the media process speaks version {hello['hello']}")
        listing = await read_frame(reader)
        self._writer = writer
        inherited = int(hello["epoch"]) < self._epoch
        self._say_everything(frozenset(LegId(leg) for leg in listing["rows"]), close_strangers=not inherited)
        self._connected.set()
        self._tell(WorkerReady())
        while True:
            self._hear(await read_frame(reader))

    def _say_everything(self, theirs: frozenset[LegId], *, close_strangers: bool) -> None:
        """Make the media process's rows equal to ours."""
        for leg in theirs - self._opened.keys() - self._opening.keys() if close_strangers else ():
            self._send({"close": leg})
        for leg in (*self._opened, *self._opening):
            if leg not in theirs:
                self._send({"open": leg})
        for row in self._rows.values():
            self._send({"set": row_as_map(row)})

    def _hear(self, message: dict[str, Any]) -> None:
        if "opened" in message:
            address = self._announced or str(message["address"])
            self._take_port(LegId(message["opened"]), (address, int(message["port"])))
        elif "refused" in message:
            waiting = self._opening.get(LegId(message["refused"]))
            if waiting is not None and not waiting.done():
                waiting.set_exception(Overload(str(message["reason"])))
        elif "event" in message:
            event = event_from_map(message)
            if event is not None:
                self._tell(event)
        elif "statistics" in message:
            asked = self._asked.get(message["id"])
            if asked is not None and not asked.done():
                asked.set_result(statistics_from_map(message["statistics"]))

    def _take_port(self, leg: LegId, address: tuple[str, int]) -> None:
        waiting = self._opening.get(leg)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(address)
        elif leg not in self._opened:  # the call gave up while it was being opened
            self._send({"close": leg})
        elif self._opened[leg] != address:  # the peer sends to the old port: this leg is deaf
            self.counters["media.port_moved"] += 1

    def _tell(self, event: MediaEvent) -> None:
        if len(self._events) == _EVENTS:
            self.counters["media.event_dropped"] += 1
        self._events.append(event)
        self._wake.set()

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._writer is None:
            return  # said again with everything else
        if self._writer.transport.get_write_buffer_size() > _UNSENT_BYTES:
            self.counters["media.does_not_read"] += 1
            self._writer.transport.abort()
            return
        self._writer.write(frame(message))

    def _disconnect(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        if self._writer is None:
            return
        self._writer = None
        self._connected.clear()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result(LegStatistics())
        self._tell(WorkerLost())
