"""What happens to every request before the router sees it, and to every failure after.

- The path is made the one that we serve (`gateway.api.paths`); what the client wrote is kept, because that is what it
  signed.
- A body longer than the limit is refused as soon as that is known, without being read to its end.
- Any body of the API is JSON whatever its header says: the .NET clients send none, and nothing else is understood.
- An exception that nobody expected becomes the document of section 3 with a reference, and a line in the log with the
  same reference.  It never becomes half an answer: if one has begun, the connection is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import faults
from gateway.api.paths import canonical
from gateway.ids import IdSource
from gateway.switch.ports import EventLog

__all__ = ["Doorway", "Original", "original"]

_KEY: Final = "tandem.original"
_JSON: Final = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Original:
    """What a client wrote, to the character: the material of its signature."""

    method: str
    path: str
    """As it stood in the request line, percent-encoding and all."""
    query: str
    """What stood behind `?`."""
    content_type: str
    """Empty when there was no such header."""


def original(request: Request) -> Original:
    """Return what the client wrote."""
    written: Original = request.scope[_KEY]
    return written


class Doorway:
    """An ASGI middleware around the router.

    body_bytes: the longest body that is read.
    """

    def __init__(self, app: ASGIApp, *, body_bytes: int, ids: IdSource, log: EventLog) -> None:
        self._app = app
        self._body_bytes = body_bytes
        self._ids = ids
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(_tidied(scope), _Bounded(receive, self._body_bytes), answer)
        except Exception:
            reference = self._ids.token(16)
            self._log.exception("api.failed", reference=reference, path=scope["path"])
            if answer.begun:
                raise
            fault = faults.internal()
            response = JSONResponse(faults.body_of(fault, reference), fault.status)
            await response(scope, receive, send)


class _Answer:
    """Passes an answer on and remembers that it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


class _Bounded:
    """Receives a body as long as it is not too long."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise faults.Fault(41300, "Body too large")
        return message


def _tidied(scope: Scope) -> Scope:
    """Return the scope as the router is to see it, with what the client wrote beside it."""
    written = Original(
        method=scope["method"],
        path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        content_type=Headers(scope=scope).get("content-type", ""),
    )
    headers = [pair for pair in scope["headers"] if pair[0] != _JSON[0]]
    return {**scope, "path": canonical(scope["path"]), "headers": [*headers, _JSON], _KEY: written}
