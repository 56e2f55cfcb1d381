"""Who is let in: every route of the Calling and Configuration API asks here before anybody reads its body.

`Protected` is the kind of route that all of them are: it admits the request (authentication, then the application's
rate) and only then lets FastAPI parse and validate, so that a stranger learns nothing from our parser.  A handler
gets a `Visit`: whose request it is, and the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from gateway.api import faults
from gateway.api.authentication import Authenticator
from gateway.api.platform import Platform
from gateway.api.rates import Rates
from gateway.svaml.errors import SvamlError
from gateway.svaml.forwarded import forwardable
from gateway.svaml.load import load
from gateway.switch.records import Application
from gateway.switch.steering import Pairs

__all__ = ["Document", "Protected", "Reception", "Visit", "Visitor", "platform_of"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who may ask."""

    application: Application
    platform: Platform
    forwarded: Pairs
    """`X-CB-*` headers, which go with the callbacks about a call that this request begins (section 5.1)."""

    @property
    def key(self) -> str:
        """Return the application's key as the directory has it."""
        return self.application.key


class Reception:
    """Admits requests: knows who asked how often and which signatures were used."""

    def __init__(self, platform: Platform) -> None:
        settings = platform.settings
        self.platform = platform
        self._authenticator = Authenticator(
            platform.directory, platform.clock, window_s=settings.timestamp_window_s
        )
        self._rates = Rates(settings.requests_per_s, burst=settings.request_burst)

    async def admit(self, request: Request) -> Visit:
        """Return the visit of an application that may ask now.

        Raises:
            Fault: it may not.
        """
        application = await self._authenticator.authenticate(request)
        if wait_s := self._rates.wait_s(application.key, self.platform.clock.now()):
            raise faults.too_many(wait_s)
        _demand_json(await request.body())
        return Visit(application, self.platform, forwardable(request.headers.items()))


class Protected(APIRoute):
    """A route for applications only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler with admission before it."""
        handle = super().get_route_handler()

        async def admitted(request: Request) -> Response:
            request.state.visit = await request.app.state.reception.admit(request)
            return await handle(request)

        return admitted


async def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


async def _document(request: Request) -> bytes:
    """Return a body that another package reads; an empty one is an empty object."""
    return await request.body() or b"{}"


def _demand_json(body: bytes) -> None:
    """Refuse what no reader of ours shall see: not JSON, too deep, numbers that are none.

    Raises:
        Fault: the body is such (40002).
    """
    try:
        load(body)
    except SvamlError as error:
        raise faults.malformed(f"Bad request: {error.reason}") from None


def platform_of(request: Request) -> Platform:
    """Return the platform, for the few routes that everybody may ask."""
    reception: Reception = request.app.state.reception
    return reception.platform


Visitor = Annotated[Visit, Depends(_visit)]
Document = Annotated[bytes, Depends(_document)]
