"""Delivers one letter to an application: to its primary URL or its fallback, and tells of every attempt.

Blocking callbacks and the outbox share one courier, so that what either of them learns about a server, both know:
three failed DiCEs spare the next ICE its five seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

from gateway.callbacks.client import Client, Failure, NotDelivered, shown, target_of
from gateway.callbacks.failover import Failover, Route
from gateway.callbacks.letter import Letter, envelope
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.svaml.ports import Accept, CallbackFailed, NoCallback
from gateway.switch.records import Application

__all__ = ["Courier"]

_DELIVERED: Final = "delivered"

log = structlog.get_logger()


class Courier:
    """Knows of each application how its servers do.

    `counters` counts attempts by what came of them: `delivered` or a `Failure`.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._failovers: dict[str, tuple[str, Failover]] = {}
        self._under_way = 0
        self.counters: Counter[str] = Counter()

    def census(self) -> Mapping[str, float]:
        """Return the attempts under way, and the applications whose primary URL is bypassed."""
        bypassed = sum(failover.bypassed for _, failover in self._failovers.values())
        return {"under_way": self._under_way, "bypassed": bypassed}

    async def deliver(
        self, application: Application, letter: Letter, *, url: str | None = None, accept: Accept | None = None
    ) -> bytes:
        """Deliver a letter and return the body of the answer.

        url: where the letter's own callout wants it, with no fallback; None = the application's URLs.
        accept: raises GatewayError about an answer that is none.

        Raises NoCallback, CallbackFailed.
        """
        primary = url or application.callback
        if not primary:
            raise NoCallback(f"application {application.key} has no callback URL")
        try:
            if url or not application.fallback:
                return await self._attempt(application, letter, primary, accept)
            return await self._with_fallback(application, letter, primary, application.fallback, accept)
        except NotDelivered as error:
            raise CallbackFailed(error.reason, refusal=error.refusal) from error

    async def _with_fallback(
        self, application: Application, letter: Letter, primary: str, fallback: str, accept: Accept | None
    ) -> bytes:
        failover = self._failover(application, primary)
        if failover.route(self._clock.now()) is Route.FALLBACK_ONLY:
            return await self._attempt(application, letter, fallback, accept)
        try:
            answer = await self._attempt(application, letter, primary, accept)
        except NotDelivered as first:
            self._primary_failed(application, failover)
            return await self._second_attempt(application, letter, fallback, accept, first)
        except BaseException:
            failover.abandoned()
            raise
        self._primary_succeeded(application, failover)
        return answer

    async def _second_attempt(
        self,
        application: Application,
        letter: Letter,
        fallback: str,
        accept: Accept | None,
        first: NotDelivered,
    ) -> bytes:
        """Ask the fallback.  If it fails too, an answer of the first that made no sense is still worth telling."""
        try:
            return await self._attempt(application, letter, fallback, accept)
        except NotDelivered as second:
            second.refusal = second.refusal or first.refusal
            raise

    async def _attempt(
        self, application: Application, letter: Letter, url: str, accept: Accept | None
    ) -> bytes:
        began_at = self._clock.now()
        facts = {
            "call": letter.call,
            "application": application.key,
            "callback": letter.event,
            "url": shown(url),
        }
        self._under_way += 1
        try:
            answer = await self._post(application, letter, url, accept)
        except NotDelivered as error:
            self.counters[error.failure] += 1
            log.warning(
                "callback.failed",
                **facts,
                took_ms=self._took_ms(began_at),
                failure=error.failure.value,
                reason=error.reason,
            )
            raise
        finally:
            self._under_way -= 1
        self.counters[_DELIVERED] += 1
        log.debug("callback.delivered", **facts, took_ms=self._took_ms(began_at), answer_bytes=len(answer))
        return answer

    async def _post(self, application: Application, letter: Letter, url: str, accept: Accept | None) -> bytes:
        target = target_of(url)
        headers = envelope(letter, application, target, self._clock.wall())
        answer = await self._client.post(target, body=letter.body, headers=headers)
        if accept is not None:
            _judge(answer, accept)
        return answer

    def _failover(self, application: Application, primary: str) -> Failover:
        """Return the record of the application's primary URL; another URL begins another record."""
        key = application.key.lower()
        url, failover = self._failovers.get(key, ("", Failover()))
        if url != primary:
            failover = Failover()
            self._failovers[key] = (primary, failover)
        return failover

    def _primary_failed(self, application: Application, failover: Failover) -> None:
        before = failover.bypassed
        failover.failed(self._clock.now())
        if failover.bypassed and not before:
            log.warning("callback.primary_bypassed", application=application.key)

    def _primary_succeeded(self, application: Application, failover: Failover) -> None:
        before = failover.bypassed
        failover.succeeded()
        if before:
            log.info("callback.primary_restored", application=application.key)

    def _took_ms(self, began_at: float) -> float:
        return round((self._clock.now() - began_at) * 1000, 1)


def _judge(answer: bytes, accept: Accept) -> None:
    try:
        accept(answer)
    except GatewayError as refusal:
        raise NotDelivered(Failure.INVALID, f"the answer is not valid: {refusal}", refusal=refusal) from refusal
