"""A client of the REST API that needs no socket and writes exactly what it is told to.

The request target goes into the ASGI scope as it is, percent-encoding and all, as uvicorn would put it there; a
real HTTP client would tidy it up first.  Requests are signed unless a test wants something else.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from gateway import signing
from gateway.clock import Clock
from gateway.switch.records import Application

__all__ = ["Answer", "ApiClient", "basic", "exchange"]

Auth = Literal["signed", "basic", "none"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the document."""
        return json.loads(self.body)

    @property
    def code(self) -> int:
        """Return the errorCode of a refusal."""
        code: int = self.json["errorCode"]
        return code


def basic(application: Application) -> str:
    """Return an Authorization header that shows key and secret."""
    return "Basic " + base64.b64encode(f"{application.key}:{application.secret}".encode()).decode()


class ApiClient:
    """One application's client.

    clock: whose time signed requests bear; it is moved on by a millisecond a request, so that no two are the same.
    """

    def __init__(self, app: ASGIApp, application: Application, clock: Clock) -> None:
        self.app = app
        self.application = application
        self._clock = clock
        self._asked = 0

    def ask(
        self,
        method: str,
        target: str,
        document: object = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Auth = "signed",
    ) -> Answer:
        """Ask once.  document: the JSON to send; body: or these bytes."""
        sent = body if body is not None else b"" if document is None else json.dumps(document).encode()
        given = {"content-type": "application/json", **(headers or {})}
        given |= self._authorisation(auth, method, target, sent, given["content-type"])
        return exchange(self.app, method, target, {**given, **(headers or {})}, sent)

    def get(self, target: str, **options: Any) -> Answer:
        """GET."""
        return self.ask("GET", target, **options)

    def post(self, target: str, document: object = None, **options: Any) -> Answer:
        """POST."""
        return self.ask("POST", target, document, **options)

    def patch(self, target: str, document: object = None, **options: Any) -> Answer:
        """PATCH."""
        return self.ask("PATCH", target, document, **options)

    def delete(self, target: str, document: object = None, **options: Any) -> Answer:
        """DELETE."""
        return self.ask("DELETE", target, document, **options)

    def _authorisation(
        self, auth: Auth, method: str, target: str, body: bytes, content_type: str
    ) -> dict[str, str]:
        match auth:
            case "none":
                return {}
            case "basic":
                return {"authorization": basic(self.application)}
            case "signed":
                self._asked += 1
                stamp = signing.timestamp(self._clock.wall() + self._asked / 1000)
                path, _, query = target.partition("?")
                request = signing.Signable(
                    method=method,
                    path=path,
                    query=query,
                    content_type=content_type,
                    timestamp=stamp,
                    body=body,
                )
                header = signing.authorization(self.application.key, self.application.secret, request)
                return {"authorization": header, "x-timestamp": stamp}


def exchange(
    app: ASGIApp,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    leave: bool = False,
) -> Answer:
    """Send one request to an ASGI application and return its answer.

    leave: the client closes its connection as soon as it has sent the request.
    """
    return asyncio.run(_exchange(app, _scope(method, target, headers), body, leave=leave))


async def _exchange(app: ASGIApp, scope: Scope, body: bytes, *, leave: bool) -> Answer:
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    outgoing: list[Message] = []

    async def receive() -> Message:
        if incoming:
            return incoming.pop(0)
        if not leave:
            await asyncio.get_running_loop().create_future()  # a client that stays says nothing more
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outgoing.append(message)

    await app(scope, receive, send)
    start = outgoing[0]
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in outgoing[1:]),
    )


def _scope(method: str, target: str, headers: Mapping[str, str]) -> Scope:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items() if value
        ],
        "client": ("127.0.0.1", 1),
        "server": ("tandem", 80),
        "state": {},
    }
