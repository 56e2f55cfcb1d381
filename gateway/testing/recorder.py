"""The recorder in virtual time: the real one, with its files, in the loop of the test.

recorder = VirtualRecorder(plane.rings, tmp_path)
async with application_board(plane=plane, recorder=recorder) as house:
...
await recorder.idle()
pcm = recorder.heard("f00d...", "name.wav")      int16 [n, channels]
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.media.ring import Rings
from gateway.recording.destinations import Endpoints
from gateway.recording.port import News, Order, order_as_map
from gateway.recording.process import DRAIN_S, Recorder
from gateway.recording.shelf import Shelf
from gateway.recording.wav import HEADER_BYTES

__all__ = ["VirtualRecorder", "read_channels"]


class VirtualRecorder:
    """`gateway.switch.recordings.Recorder` without a process."""

    def __init__(self, rings: Rings, folder: Path) -> None:
        self.rings: Final = rings
        self.shelf: Final = Shelf(folder)
        self.orders: Final[list[Order]] = []
        self._news: Final[asyncio.Queue[News]] = asyncio.Queue()
        self._recorder: Final = Recorder(rings, self.shelf, Endpoints(), self._news.put_nowait)
        self._loop: Final = asyncio.get_running_loop()

    def begin(self, order: Order) -> None:
        """Begin."""
        self.orders.append(order)
        self._recorder.obey({"record": order_as_map(order)}, self._loop.time())

    def end(self, recording: str) -> None:
        """End."""
        self._recorder.obey({"stop": recording}, self._loop.time())

    async def news(self) -> AsyncIterator[News]:
        """Yield what becomes of them."""
        while True:
            yield await self._news.get()

    async def run(self) -> None:
        """Drain the rings until cancelled."""
        while True:
            self._recorder.drain(self._loop.time())
            await asyncio.sleep(DRAIN_S)

    def heard(self, number: int = 0) -> NDArray[np.int16]:
        """Return what the file of an order holds, int16 [n, channels]; WAV alone."""
        order = self.orders[number]
        return read_channels(self.shelf.place(order.application, order.name), order.channels)


def read_channels(path: Path, channels: int) -> NDArray[np.int16]:
    """Return what a WAV file of `gateway.recording.wav` says that it holds, int16 [n, channels]."""
    data = path.read_bytes()
    n_bytes = int.from_bytes(data[HEADER_BYTES - 4 : HEADER_BYTES], "little")
    sound = data[HEADER_BYTES : HEADER_BYTES + n_bytes]
    assert len(sound) == n_bytes, f"{path.name} says {n_bytes} bytes and has {len(sound)}"
    return np.frombuffer(sound, "<i2").reshape(-1, channels)
