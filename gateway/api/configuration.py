"""Configuration: an application's numbers and callback URLs (section 5.5).

An application configures itself.  Naming another one's key is refused (40003), and so is a number that another one has
(40001): there are no accounts here that would own several applications.  A number that nobody has may be taken by any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Response

from gateway.api import faults
from gateway.api.admission import Protected, Visit, Visitor
from gateway.api.schema import REFUSALS
from gateway.api.wire import (
    AssignNumbersRequest,
    CallbacksRequest,
    CallbacksResponse,
    NumberResponse,
    NumbersResponse,
    UnassignNumberRequest,
)
from gateway.switch.numbers import e164
from gateway.switch.records import Number

__all__ = ["router"]

router: Final = APIRouter(
    route_class=Protected, prefix="/v1/configuration", tags=["configuration"], responses=REFUSALS
)

ApplicationKey = Annotated[str, Path(alias="applicationkey", max_length=255)]


@router.get("/numbers", operation_id="getNumbers")
async def get_numbers(visit: Visitor) -> NumbersResponse:
    """Return the application's numbers, and those that nobody has."""
    numbers = [each for each in visit.platform.directory.numbers() if _open_to(visit, each)]
    return NumbersResponse(numbers=[NumberResponse.of(each) for each in numbers])


@router.post("/numbers", operation_id="assignNumbers", response_class=Response)
async def assign_numbers(wish: AssignNumbersRequest, visit: Visitor) -> Response:
    """Give numbers to the application: all of them or none."""
    _demand_own(visit, wish.applicationkey)
    numbers = [_owned(visit, each, wish.kind).number for each in wish.numbers]
    await visit.platform.administration.assign(visit.key, numbers, wish.kind)
    return Response()


@router.delete("/numbers", operation_id="unassignNumber", response_class=Response)
async def unassign_number(wish: UnassignNumberRequest, visit: Visitor) -> Response:
    """Take a number from the application."""
    _demand_own(visit, wish.applicationkey)
    number = _owned(visit, wish.number, wish.kind)
    if number.application is None:
        raise faults.invalid("Unable to update numbers: it is not assigned")
    await visit.platform.administration.unassign(visit.key, number.number, wish.kind)
    return Response()


@router.get("/callbacks/applications/{applicationkey}", operation_id="getCallbacks")
async def get_callbacks(application: ApplicationKey, visit: Visitor) -> CallbacksResponse:
    """Return where callbacks go."""
    _demand_own(visit, application)
    return CallbacksResponse.of(visit.application)


@router.post("/callbacks/applications/{applicationkey}", operation_id="setCallbacks", response_class=Response)
async def set_callbacks(application: ApplicationKey, wish: CallbacksRequest, visit: Visitor) -> Response:
    """Say where callbacks shall go from now on."""
    _demand_own(visit, application)
    _demand_urls([wish.url.primary, wish.url.fallback])
    await visit.platform.administration.set_callbacks(
        visit.key, wish.url.primary or None, wish.url.fallback or None
    )
    return Response()


def _demand_own(visit: Visit, key: str | None) -> None:
    if key and key.casefold() != visit.key.casefold():
        raise faults.unusable("Invalid Application Key")


def _demand_urls(urls: Sequence[str | None]) -> None:
    for url in urls:
        if url and not _is_url(url):
            raise faults.invalid("Invalid callback URL: http:// or https:// and a host, please")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none, a bracket that stays open
        return False


def _owned(visit: Visit, written: str, capability: str) -> Number:
    """Return a number that the application has or may take.

    Raises:
        Fault: it is not a number, not ours, or another application's.
    """
    number = visit.platform.directory.number(e164(written) or written, capability)
    if number is None or not _open_to(visit, number):
        raise faults.invalid(f"Unable to update numbers: {written} is not yours")
    return number


def _open_to(visit: Visit, number: Number) -> bool:
    return number.application is None or number.application.casefold() == visit.key.casefold()
