"""The server of an application's owner, as SVAML and the outbox see it: `gateway.svaml.ports.Backend` over HTTP.

An application may have so many blocking callbacks under way at a time.  Beyond that a question waits for its turn, as
long as it would wait for an answer: a server that has become slow must not collect thousands of connections, and one
application's server must not use up the descriptors of all.  The outbox has its own, smaller limit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from gateway.callbacks.client import PATIENCE_S
from gateway.callbacks.courier import Courier
from gateway.callbacks.letter import Letter, letter_of, written
from gateway.ids import IdSource
from gateway.svaml.ports import Accept, CallbackFailed, Headers, NoCallback
from gateway.switch.records import Application, Notification

__all__ = ["QUESTIONS", "HttpBackend"]

QUESTIONS: Final = 64
"""Blocking callbacks of one application at a time."""
_ID_BYTES: Final = 16


class HttpBackend:
    """Asks and tells applications.

    find: returns the application of a key, e.g. `Directory.application`.
    patience_s: how long a question waits for its turn.

    `counters` counts attempts by what came of them, and as `crowded` the questions whose turn never came.
    """

    def __init__(
        self,
        courier: Courier,
        find: Callable[[str], Application | None],
        ids: IdSource,
        *,
        questions: int = QUESTIONS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._courier = courier
        self._find = find
        self._ids = ids
        self._questions = questions
        self._patience_s = patience_s
        self._turns: dict[str, asyncio.Semaphore] = {}

    @property
    def counters(self) -> Counter[str]:
        """Attempts by what came of them."""
        return self._courier.counters

    def census(self) -> Mapping[str, float]:
        """Return what is under way now."""
        return self._courier.census()

    async def ask(
        self,
        application: Application,
        event: str,
        body: Mapping[str, object],
        *,
        call: str,
        url: str | None = None,
        forwarded: Headers = (),
        accept: Accept | None = None,
    ) -> bytes:
        letter = Letter(
            id=self._ids.token(_ID_BYTES), event=event, call=call, body=written(body), forwarded=forwarded
        )
        async with self._turn(application):
            return await self._courier.deliver(application, letter, url=url, accept=accept)

    async def deliver(self, notification: Notification) -> None:
        """Deliver an item of the outbox.  Raises NoCallback, CallbackFailed."""
        application = self._find(notification.application)
        if application is None:
            raise NoCallback(f"application {notification.application} is gone")
        await self._courier.deliver(application, letter_of(notification), url=notification.url)

    @asynccontextmanager
    async def _turn(self, application: Application) -> AsyncIterator[None]:
        turns = self._turns.setdefault(application.key.lower(), asyncio.Semaphore(self._questions))
        try:
            async with asyncio.timeout(self._patience_s):
                await turns.acquire()
        except TimeoutError:
            self.counters["crowded"] += 1
            raise CallbackFailed(
                f"{self._questions} callbacks of the application wait for an answer"
            ) from None
        try:
            yield
        finally:
            turns.release()
