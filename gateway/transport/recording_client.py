"""The switch's side of the recorder's socket: `gateway.switch.recordings.Recorder` that survives the other end.

The socket is the supervisor's, so connecting works while there is no recorder; whoever comes is told of every recording
that is not over, as one to go on with.  Until then the rings keep what is said for two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.errors import BadMessage
from gateway.recording.port import (
    Available,
    Failed,
    Finished,
    News,
    Order,
    frame,
    news_from_map,
    order_as_map,
    read_frame,
)
from gateway.transport.reconnecting import LONGEST_PAUSE_S, connected

__all__ = ["RecordingClient"]

_UNSENT_BYTES: Final = 1 << 20


class RecordingClient:
    """The recorder as the switch sees it; `run` keeps the connection."""

    def __init__(self, path: str) -> None:
        """`path` is the recorder's Unix socket."""
        self._path: Final = path
        self._orders: Final[dict[str, Order]] = {}
        """What is not over."""
        self._ending: Final[set[str]] = set()
        self._finished: Final[set[str]] = set()
        """Whose files are on their way."""
        self._writer: asyncio.StreamWriter | None = None
        self._news: Final[asyncio.Queue[News]] = asyncio.Queue()

    def begin(self, order: Order) -> None:
        """Order a recording; see `Recorder.begin`."""
        self._say({"record": order_as_map(order)})
        self._orders[order.id] = replace(order, resumed=self._writer is not None)

    def end(self, recording: str) -> None:
        """Let a recording end; see `Recorder.end`."""
        if recording in self._orders:
            self._ending.add(recording)
            self._say({"stop": recording})

    async def news(self) -> AsyncIterator[News]:
        """Yield what becomes of recordings, to one reader."""
        while True:
            yield await self._news.get()

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            reader, writer = await connected(self._path)
            try:
                await self._converse(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass  # it is gone, and another one comes
            except (BadMessage, TypeError):
                await asyncio.sleep(LONGEST_PAUSE_S)  # whoever this is will say the same again at once
            finally:
                self._writer = None
                writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        for recording in list(self._finished):
            self._hear(
                {"failed": recording, "reason": "the recorder was killed while the file was on its way"}
            )
        for order in list(self._orders.values()):
            self._say({"record": order_as_map(order)})
            self._orders[order.id] = replace(order, resumed=True)
        for recording in self._ending:
            self._say({"stop": recording})
        while True:
            self._hear(await read_frame(reader))

    def _hear(self, message: Mapping[str, Any]) -> None:
        news = news_from_map(message)
        match news:
            case Finished(id=recording):
                self._ending.discard(recording)
                self._finished.add(recording)
            case Available(id=recording) | Failed(id=recording):
                self._finished.discard(recording)
                self._orders.pop(recording, None)
            case None:
                return
        self._news.put_nowait(news)

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._writer is None:
            return  # said when somebody is there
        if self._writer.transport.get_write_buffer_size() > _UNSENT_BYTES:
            self._writer.transport.abort()
            return
        self._writer.write(frame(message))
