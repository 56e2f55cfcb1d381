"""The server itself: takes every POST, checks its signature, answers, and hands what happened to whoever shows it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.errors import LocalError
from gateway.lab.listening.answers import Answer, Answers
from gateway.signing import Accepted, Holder, Refusal, Signable, verify

__all__ = ["Heard", "Owner", "listening"]

_BODY_BYTES: Final = 1024 * 1024
_IDS_KEPT: Final = 10_000
_SHUTDOWN_S: Final = 1.0
_HELLO: Final = "This is `tandem listen`. Callbacks are POSTed here.\n"

Find = Callable[[str], Holder | None]


@dataclass(frozen=True, slots=True)
class Owner:
    """An application whose signatures can be checked."""

    key: str
    secret: str
    basic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One callback, and what was done about it."""

    number: int
    at: float
    """Unix seconds."""
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    event: Mapping[str, object] | None
    """The body as an object; None = it is none."""
    verdict: Accepted | Refusal | None
    """What its signature says; None = nobody here knows the secret of its key."""
    again: bool
    """Its `ce-id` was here before."""
    answer: Answer | None
    problem: str = ""
    """Why there was no answer."""

    @property
    def name(self) -> str:
        """The event's name, empty if it has none."""
        return "" if self.event is None else str(self.event.get("event", ""))

    @property
    def call(self) -> str:
        """The call's id, empty if it has none."""
        return "" if self.event is None else str(self.event.get("callid", ""))


@asynccontextmanager
async def listening(
    host: str, port: int, answers: Answers, find: Find, told: Callable[[Heard], None]
) -> AsyncIterator[int]:
    """Listen, and give the port.

    port: 0 = any that is free.
    find: returns the holder of a key, with whose secret its signature is checked.

    Raises LocalError if the port cannot be had.
    """
    application = web.Application(client_max_size=_BODY_BYTES)
    application.router.add_post("/{path:.*}", _Desk(answers, find, told).take)
    application.router.add_get("/{path:.*}", _say_hello)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise LocalError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _say_hello(_request: web.Request) -> web.Response:
    return web.Response(text=_HELLO)


class _Desk:
    """Where callbacks are taken."""

    def __init__(self, answers: Answers, find: Find, told: Callable[[Heard], None]) -> None:
        self._answers = answers
        self._find = find
        self._told = told
        self._seen: dict[str, None] = {}
        self._n_heard = 0

    async def take(self, request: web.Request) -> web.Response:
        """Answer one callback, and tell of it."""
        body = await request.read()
        event = _event(body)
        answer, problem = self._answer(event)
        self._n_heard += 1
        self._told(
            Heard(
                number=self._n_heard,
                at=time.time(),
                path=request.raw_path,
                headers=tuple(request.headers.items()),
                body=body,
                event=event,
                verdict=self._verdict(request, body),
                again=self._was_here(request.headers.get("ce-id")),
                answer=answer,
                problem=problem,
            )
        )
        if answer is None:
            return web.Response(status=500 if event is not None else 400, text=problem)
        return web.Response() if answer.document is None else web.json_response(answer.document)

    def _answer(self, event: Mapping[str, object] | None) -> tuple[Answer | None, str]:
        if event is None:
            return None, "the body is no JSON object"
        try:
            return self._answers.answer(event), ""
        except LocalError as error:
            return None, str(error)

    def _verdict(self, request: web.Request, body: bytes) -> Accepted | Refusal | None:
        path, _, query = request.raw_path.partition("?")
        signable = Signable(
            method=request.method,
            path=path,
            query=query,
            content_type=request.headers.get("content-type", ""),
            timestamp=request.headers.get("x-timestamp", ""),
            body=body,
        )
        asked: list[Holder | None] = []

        def find(key: str) -> Holder | None:
            asked.append(self._find(key))
            return asked[-1]

        verdict = verify(signable, request.headers.get("authorization"), find, now=time.time())
        return None if asked == [None] else verdict

    def _was_here(self, id: str | None) -> bool:  # noqa: A002 - the header's name
        """Say whether a `ce-id` was seen, and remember it."""
        if id is None:
            return False
        again = id in self._seen
        self._seen[id] = None
        if len(self._seen) > _IDS_KEPT:
            del self._seen[next(iter(self._seen))]
        return again


def _event(body: bytes) -> Mapping[str, object] | None:
    try:
        loaded = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None
