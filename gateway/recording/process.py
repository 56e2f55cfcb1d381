"""The recorder: a process that turns rings into files, each tenth of a second, and may block at that.

Run as `python -m gateway.recording.process` by the supervisor, which keeps its socket and the rings.  The switch
connects there and says everything again when it has to (`gateway.recording.port`), so a recorder that was killed comes
back within the two seconds that the rings hold, and goes on with its files where they end.  When the switch is gone,
what it has ordered goes on for as long as something comes, and five seconds longer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gateway.config import Config, inherited
from gateway.errors import BadMessage, ConfigError, LocalError
from gateway.media.ring import Rings
from gateway.recording.destinations import Endpoints, Undelivered, deliver
from gateway.recording.formats import open_file
from gateway.recording.naming import destination_of
from gateway.recording.port import (
    Available,
    Failed,
    Finished,
    News,
    Order,
    frame,
    news_as_map,
    order_from_map,
    read_frame,
)
from gateway.recording.shelf import Shelf
from gateway.recording.tape import Tape

__all__ = ["Recorder", "main"]

DRAIN_S: Final = 0.1
_HOPELESS_STATUS: Final = os.EX_CONFIG


class Recorder:
    """All recordings under way; sans socket: orders come in by `obey`, and what happens goes out by `tell`."""

    def __init__(
        self, rings: Rings, shelf: Shelf, endpoints: Endpoints, tell: Callable[[News], None]
    ) -> None:
        self._rings: Final = rings
        self._shelf: Final = shelf
        self._endpoints: Final = endpoints
        self._tell: Final = tell
        self._tapes: Final[dict[str, Tape]] = {}
        self._deliveries: Final[set[asyncio.Task[None]]] = set()

    def obey(self, message: dict[str, Any], now: float) -> None:
        """Do what the switch says.

        Raises:
            TypeError: it is not understood.
        """
        match message:
            case {"record": order}:
                self._begin(order_from_map(order), now)
            case {"stop": recording} if recording in self._tapes:
                self._tapes[recording].end(now)
            case {"stop": recording}:
                self._tell(Finished(str(recording), 0.0, "there is no such recording"))

    def orphan(self) -> None:
        """Take it that the switch is gone."""
        for tape in self._tapes.values():
            tape.orphaned = True

    def drain(self, now: float) -> None:
        """Write what has come, and end what is over."""
        for recording, tape in list(self._tapes.items()):
            tape.drain(now)
            if (reason := tape.over(now)) is not None:
                del self._tapes[recording]
                self._end(tape, reason)

    async def close(self) -> None:
        """End all recordings with what has come by now, and let what is to go elsewhere go there."""
        for tape in self._tapes.values():
            tape.drain(time.monotonic())
            self._end(tape, "the recorder was told to end")
        self._tapes.clear()
        await asyncio.gather(*self._deliveries)

    def _begin(self, order: Order, now: float) -> None:
        if (known := self._tapes.get(order.id)) is not None:
            known.orphaned = False
            return
        try:
            file = open_file(self._path(order), order.format, order.channels, resume=order.resumed)
        except OSError as error:
            self._tell(Finished(order.id, 0.0, "no file"))
            self._tell(Failed(order.id, error.strerror or str(error)))
            return
        self._tapes[order.id] = Tape(order, self._rings, file, now)

    def _end(self, tape: Tape, reason: str) -> None:
        duration_s = round(tape.duration_s, 3)
        tape.close()
        self._tell(Finished(tape.order.id, duration_s, tape.fault or reason, fault=bool(tape.fault)))
        if duration_s == 0:
            self._path(tape.order).unlink(missing_ok=True)
            self._tell(Failed(tape.order.id, "there was nothing to record"))
            return
        task = asyncio.ensure_future(self._deliver(tape.order))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, order: Order) -> None:
        """Bring a file where it is to go, if that is not here."""
        if not order.destination:
            self._tell(Available(order.id, ""))
            return
        path = self._path(order)
        try:
            place = destination_of(order.destination, format=order.format, stem=order.name)
            url = await asyncio.to_thread(deliver, path, place, order.credentials, self._endpoints)
        except (Undelivered, LocalError) as error:
            self._tell(Failed(order.id, f"{error}; it is kept as {path.name}"))
            return
        path.unlink(missing_ok=True)
        self._tell(Available(order.id, url))

    def _path(self, order: Order) -> Path:
        if order.destination:
            return self._shelf.way_out(order.id, order.format)
        return self._shelf.place(order.application, order.name)


class RecorderProcess:
    """The recorder and the switch's connection to it."""

    def __init__(self, rings: Rings, shelf: Shelf, endpoints: Endpoints) -> None:
        self._recorder = Recorder(rings, shelf, endpoints, self._tell)
        self._switch: asyncio.StreamWriter | None = None

    async def run(self, control: socket.socket, stop: asyncio.Event, ready_fd: int | None) -> None:
        """Record until told to stop."""
        serving = asyncio.ensure_future(self._serve(control))
        draining = asyncio.ensure_future(self._drain())
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)
        await stop.wait()
        for task in (serving, draining):
            task.cancel()
        await asyncio.gather(serving, draining, return_exceptions=True)
        await self._recorder.close()

    async def _drain(self) -> None:
        while True:
            self._recorder.drain(time.monotonic())
            await asyncio.sleep(DRAIN_S)

    async def _serve(self, control: socket.socket) -> None:
        """Listen to one switch after another: a new one takes the place of the one before."""
        listening: asyncio.Task[None] | None = None
        try:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(control)
                if listening is not None:
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)
                reader, self._switch = await asyncio.open_unix_connection(sock=connection)
                listening = asyncio.ensure_future(self._listen(reader, self._switch))
        finally:
            if listening is not None:
                listening.cancel()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self._recorder.obey(await read_frame(reader), time.monotonic())
        except (asyncio.IncompleteReadError, BadMessage, TypeError, OSError):
            pass  # it is gone, or might as well be
        finally:
            self._switch = None
            writer.transport.abort()
            self._recorder.orphan()

    def _tell(self, news: News) -> None:
        if self._switch is not None:
            self._switch.write(frame(news_as_map(news)))


async def _run(config: Config) -> None:
    rings = Rings.inherited(int(os.environ["TANDEM_RINGS_FD"]))
    control = socket.socket(fileno=int(os.environ["TANDEM_CONTROL_FD"]))
    control.setblocking(False)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's business
    if lifeline := os.environ.get("TANDEM_LIFELINE_FD"):
        loop.add_reader(int(lifeline), _supervisor_gone, int(lifeline), stop)
    endpoints = Endpoints(config.recording.s3_endpoint or "", config.recording.azure_endpoint or "")
    ready = os.environ.get("TANDEM_READY_FD")
    await RecorderProcess(rings, Shelf.configured(config), endpoints).run(
        control, stop, int(ready) if ready else None
    )


def _supervisor_gone(lifeline: int, stop: asyncio.Event) -> None:
    asyncio.get_running_loop().remove_reader(lifeline)
    stop.set()


def main() -> None:
    """Run the recorder that the environment describes."""
    try:
        config = inherited()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(_HOPELESS_STATUS) from None
    asyncio.run(_run(config))


if __name__ == "__main__":
    main()
