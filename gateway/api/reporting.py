"""Reporting: what a user's calls came to, the platform's counters and services, the time (section 10).

Services and the time are told to everybody, as they always were: a monitor has no key, and a client with a wrong clock
cannot sign.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request

from gateway.api import faults
from gateway.api.admission import Protected, Visit, Visitor, platform_of
from gateway.api.moments import DAY_S, Span, span
from gateway.api.schema import REFUSALS, UNPROTECTED
from gateway.api.wire import CounterResponse, ServiceResponse, TimestampResponse, UserCallsResponse
from gateway.api.wire.base import AnyCase
from gateway.svaml.events import iso_time
from gateway.switch.numbers import e164
from gateway.switch.records import Identity, IdentityType

__all__ = ["open_router", "router"]

router: Final = APIRouter(route_class=Protected, tags=["reporting"], responses=REFUSALS)
open_router: Final = APIRouter(tags=["reporting"], responses=REFUSALS)

LONGEST_S: Final = 31 * DAY_S
"""The longest month; the documents say 30 days."""
_DOMAINS: Final = {"data": "mxp", "mxp": "mxp", "pstn": "pstn"}
_NUMBERS: Final = frozenset({"number", "did"})
SERVICES: Final = frozenset({"calling", "rtpproxy"})
"""What may be asked for; one process answers for both, and knows whether there is a media process."""

Start = Annotated[str | None, Query(alias="_start", max_length=40)]
Stop = Annotated[str | None, Query(alias="_stop", max_length=40)]
Word = Annotated[str, Path(max_length=40)]
Kind = Annotated[Literal["number", "username", "email", "did", "sip"], AnyCase, Path()]
Domain = Annotated[Literal["data", "mxp", "pstn"], AnyCase, Path()]
Endpoint = Annotated[str, Path(max_length=255)]


@router.get("/v1/users/{type}/{endpoint}/calls", operation_id="userCalls")
async def user_calls(
    type: Kind,  # noqa: A002 - the wire's word
    endpoint: Endpoint,
    visit: Visitor,
    start: Start = None,
    stop: Stop = None,
) -> UserCallsResponse:
    """Say what a user's calls to other app clients came to."""
    return await _usage(visit, _identity(type, endpoint), "data", start, stop)


@router.get("/v1/users/{type}/{endpoint}/calls/{domain}", operation_id="userCallsOfDomain")
async def user_calls_of_domain(
    type: Kind,  # noqa: A002 - the wire's word
    endpoint: Endpoint,
    domain: Domain,
    visit: Visitor,
    start: Start = None,
    stop: Stop = None,
) -> UserCallsResponse:
    """Say what a user's calls that ended in one domain came to: `data` (app clients) or `pstn` (phones)."""
    return await _usage(visit, _identity(type, endpoint), domain, start, stop)


@router.get("/v1/counters/{id}", operation_id="getCounter")
async def get_counter(id: Word, visit: Visitor) -> CounterResponse:  # noqa: A002 - the wire's word
    """Return a counter, e.g. `currentcalls`: the application's own calls that are up."""
    counted = await visit.platform.reports.counter(id, visit.key)
    if counted is None:
        raise faults.not_found("Counter")
    value, modified = counted
    return CounterResponse(value=value, modified=iso_time(modified))


@open_router.get("/v1/services/{id}", operation_id="getService", openapi_extra=UNPROTECTED)
async def get_service(id: Word, request: Request) -> ServiceResponse:  # noqa: A002 - the wire's word
    """Say whether a service works: `calling` or `rtpproxy`."""
    if id.casefold() not in SERVICES:
        raise faults.not_found("Service")
    return ServiceResponse(status="up" if request.app.state.status.ready else "down")


@open_router.get("/v1/timestamp", operation_id="getTimestamp", openapi_extra=UNPROTECTED)
async def get_timestamp(request: Request) -> TimestampResponse:
    """Return the time here."""
    return TimestampResponse(timestamp=iso_time(platform_of(request).clock.wall()))


async def _usage(
    visit: Visit, identity: Identity, domain: str, start: str | None, stop: str | None
) -> UserCallsResponse:
    now = visit.platform.clock.wall()
    asked = span(start, stop, default=Span(now - 30 * DAY_S, now), longest_s=LONGEST_S)
    usage = await visit.platform.reports.usage(visit.key, identity, asked.start, asked.stop, _DOMAINS[domain])
    return UserCallsResponse(
        success=usage.success, duration=usage.duration_s, failed=usage.failed, start=iso_time(asked.start)
    )


def _identity(kind: str, endpoint: str) -> Identity:
    """Return whose calls are asked for; a number may be written as people write it."""
    written = (e164(endpoint) or endpoint) if kind in _NUMBERS else endpoint
    return Identity(IdentityType(kind), written)
