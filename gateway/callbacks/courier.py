"""Delivers one letter to an application: to its primary URL or its fallback, and tells of every attempt.

Blocking callbacks and the outbox share one courier, so that what either of them learns about a server, both know:
three failed DiCEs spare the next ICE its five seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from gateway import failpoints
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


@dataclass(frozen=True, slots=True)
class _Errand:
    """A letter, whom it is for, and what is a good answer."""

    application: Application
    letter: Letter
    accept: Accept | None


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
        self,
        application: Application,
        letter: Letter,
        *,
        url: str | None = None,
        accept: Accept | None = None,
    ) -> bytes:
        """Deliver a letter and return the body of the answer.

        url: where the letter's own callout wants it, with no fallback; None = the application's URLs.
        accept: raises GatewayError about an answer that is none.

        Raises NoCallback, CallbackFailed.
        """
        errand = _Errand(application, letter, accept)
        primary = url or application.callback
        if not primary:
            raise NoCallback(f"application {application.key} has no callback URL")
        try:
            if url or not application.fallback:
                return await self._attempt(errand, primary)
            return await self._with_fallback(errand, primary=primary, fallback=application.fallback)
        except NotDelivered as error:
            raise CallbackFailed(error.reason, refusal=error.refusal) from error

    async def _with_fallback(self, errand: _Errand, *, primary: str, fallback: str) -> bytes:
        failover = self._failover(errand.application, primary)
        if failover.route(self._clock.now()) is Route.FALLBACK_ONLY:
            return await self._attempt(errand, fallback)
        try:
            answer = await self._attempt(errand, primary)
        except NotDelivered as first:
            self._primary_failed(errand.application, failover)
            return await self._second_attempt(errand, fallback, after=first)
        except BaseException:
            failover.abandoned()
            raise
        self._primary_succeeded(errand.application, failover)
        return answer

    async def _second_attempt(self, errand: _Errand, fallback: str, *, after: NotDelivered) -> bytes:
        """Ask the fallback.  If it fails too, an answer of the first that made no sense is still worth telling."""
        try:
            return await self._attempt(errand, fallback)
        except NotDelivered as second:
            second.refusal = second.refusal or after.refusal
            raise

    async def _attempt(self, errand: _Errand, url: str) -> bytes:
        """Make one attempt at one URL, and tell of it.  Raises NotDelivered."""
        began_at = self._clock.now()
        facts = {
            "call": errand.letter.call,
            "application": errand.application.key,
            "callback": errand.letter.event,
            "url": shown(url),
        }
        self._under_way += 1
        try:
            answer = await self._post(errand, url)
        except NotDelivered as error:
            self.counters[error.failure] += 1
            failed = {"failure": error.failure.value, "reason": error.reason}
            log.warning("callback.failed", **facts, **failed, took_ms=self._took_ms(began_at))
            raise
        finally:
            self._under_way -= 1
        self.counters[_DELIVERED] += 1
        log.debug("callback.delivered", **facts, took_ms=self._took_ms(began_at), answer_bytes=len(answer))
        return answer

    async def _post(self, errand: _Errand, url: str) -> bytes:
        target = target_of(url)
        headers = envelope(errand.letter, errand.application, target, wall=self._clock.wall())
        failpoints.passing("callback.asking")
        answer = await self._client.post(target, body=errand.letter.body, headers=headers)
        failpoints.passing("callback.answered")
        if errand.accept is not None:
            _judge(answer, errand.accept)
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
        raise NotDelivered(
            Failure.INVALID, f"the answer is not valid: {refusal}", refusal=refusal
        ) from refusal
