"""An application's server that behaves as a test wants, down to the bytes.

    async with CallbackServer(answer(b'{"action":{"name":"continue"}}')) as server:
        ...  # server.url, server.received, server.connections

What it does with a request is a `Behaviour`: a coroutine that gets the request and the connection, and may answer it,
half answer it, or not at all.  `in_turn` behaves differently each time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

__all__ = [
    "Behaviour",
    "CallbackServer",
    "Received",
    "answer",
    "babble",
    "close_half_way",
    "drip",
    "hang_up",
    "in_turn",
    "never_end",
    "say_nothing",
]


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    method: str
    target: str
    """As it stood in the request line."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"", *, status: int = 200, headers: str = "") -> Behaviour:
    """Answer whole; `headers` are further lines, each with its line end."""

    async def behave(_request: Received, out: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        out.write(head.encode() + body)
        await out.drain()

    return behave


async def say_nothing(_request: Received, _out: asyncio.StreamWriter) -> None:
    """Take the request and be silent for ever."""
    await asyncio.Event().wait()


async def hang_up(_request: Received, out: asyncio.StreamWriter) -> None:
    """Close without an answer."""
    out.close()


async def babble(_request: Received, out: asyncio.StreamWriter) -> None:
    """Answer in no language."""
    out.write(b"\x00\xff\x01SIP/2.0 200 OK\r\nnonsense\r\n\r\n" * 4)
    await out.drain()
    out.close()


async def close_half_way(_request: Received, out: asyncio.StreamWriter) -> None:
    """Promise a thousand bytes and close after twenty."""
    out.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"action":{"name":"c')
    await out.drain()
    out.close()


async def drip(_request: Received, out: asyncio.StreamWriter) -> None:
    """Begin an answer and go on for ever without ending it."""
    out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await asyncio.Event().wait()


async def never_end(_request: Received, out: asyncio.StreamWriter) -> None:
    """Answer without an end, as fast as it is taken."""
    out.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        out.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await out.drain()


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Behave as each of these once, and as the last of them ever after."""
    left = list(behaviours)

    async def behave(request: Received, out: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, out)

    return behave


class CallbackServer:
    """Listens on a free port of loopback; keeps connections open unless its behaviour closes them."""

    def __init__(self, behave: Behaviour, *, path: str = "/calls", tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self.asked = asyncio.Event()
        """A request has come; who waits for another clears it."""
        self.connections = 0
        self.port = 0
        self._path = path
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The callback URL."""
        scheme, host = ("https", "localhost") if self._tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}{self._path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.get_running_loop().create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                request = await _read(reader)
                self.received.append(request)
                self.asked.set()
                await self.behave(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body)
