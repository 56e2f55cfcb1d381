"""Whose request this is: the verdict of `gateway.signing`, said as the API says it, and no signed write twice.

What was signed is what the client wrote: `Original` keeps the request line and the Content-Type as they came,
before any alias was resolved.  A request by Basic authentication has no signature and cannot be known again;
whoever fears replays switches Basic off for the application and signs.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from gateway import signing
from gateway.api import faults
from gateway.api.doorway import original
from gateway.api.replays import Replays
from gateway.clock import Clock
from gateway.switch.records import Application
from gateway.switch.stores import Directory

__all__ = ["Authenticator"]

_REPEATABLE: Final = frozenset({"GET", "HEAD"})
"""What changes nothing may be asked again."""


class Authenticator:
    """Judges requests.  window_s: how far a timestamp may be from our time, either way."""

    def __init__(self, directory: Directory, clock: Clock, *, window_s: float) -> None:
        self._directory = directory
        self._clock = clock
        self._window_s = window_s
        self._replays = Replays(keep_s=2 * window_s)

    async def authenticate(self, request: Request) -> Application:
        """Return the application that asks.

        Raises:
            Fault: nobody's request (401), the wrong scheme (403), a write that was done before (401).
        """
        verdict = signing.verify(
            await _signable(request),
            request.headers.get("authorization"),
            self._directory.application,
            now=self._clock.wall(),
            window_s=self._window_s,
        )
        if isinstance(verdict, signing.Refusal):
            raise faults.unauthorised(verdict.code, verdict.message)
        if verdict.signature and request.method not in _REPEATABLE:
            self._remember(verdict.signature)
        application = self._directory.application(verdict.key)
        assert application is not None  # the verdict took it from there, and nothing was awaited since
        return application

    def _remember(self, signature: str) -> None:
        if not self._replays.first_time(signature, self._clock.now()):
            raise faults.unauthorised(40102, "Invalid Signature: this request was made before")


async def _signable(request: Request) -> signing.Signable:
    written = original(request)
    return signing.Signable(
        method=written.method,
        path=written.path,
        query=written.query,
        content_type=written.content_type,
        timestamp=request.headers.get("x-timestamp", ""),
        body=await request.body(),
    )
