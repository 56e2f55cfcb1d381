"""Calls: what is known of one, what one shall do now, what a customer thought of one (sections 5.2, 5.3, 5.8)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Response

from gateway.api import faults
from gateway.api.admission import Document, Protected, Visitor
from gateway.api.schema import REFUSALS, json_body
from gateway.api.wire import CallReport, CallResponse
from gateway.errors import GatewayError
from gateway.ids import CallId
from gateway.switch.steering import Ear, UnknownCall

__all__ = ["CallKey", "router"]

router: Final = APIRouter(route_class=Protected, tags=["calls"], responses=REFUSALS)

CallKey = Annotated[str, Path(alias="callId", max_length=255)]
Leg = Annotated[Literal["caller", "callee", "both"], Path(alias="callLeg")]
_SVAML: Final = json_body("SVAML: instructions and an action", {"type": "object"}, required=False)


@router.get("/calling/v1/calls/id/{callId}", operation_id="getCall")
async def get_call(call: CallKey, visit: Visitor) -> CallResponse:
    """Return what is known of a call, ongoing or finished."""
    record = await visit.platform.calls.find(visit.key, CallId(call))
    return CallResponse.of(
        record, at=visit.platform.clock.wall(), with_from=visit.platform.settings.call_from
    )


@router.patch(
    "/calling/v1/calls/id/{callId}",
    operation_id="manageCall",
    response_class=Response,
    openapi_extra=_SVAML,
)
async def manage_call(call: CallKey, document: Document, visit: Visitor) -> Response:
    """Give a call under way something to do."""
    return await _manage(visit, call, document, Ear.CALLER)


@router.patch(
    "/calling/v1/calls/id/{callId}/leg/{callLeg}",
    operation_id="manageCallLeg",
    response_class=Response,
    openapi_extra=_SVAML,
)
async def manage_leg(call: CallKey, leg: Leg, document: Document, visit: Visitor) -> Response:
    """Give a call under way something to do that one side hears, or both."""
    return await _manage(visit, call, document, Ear(leg))


@router.post(
    "/calling/v1/callreport/callId/{callId}",
    operation_id="reportCall",
    status_code=201,
    response_class=Response,
)
async def report_call(call: CallKey, report: CallReport, visit: Visitor) -> Response:
    """Put into a call's record how it was in the customer's eyes."""
    await visit.platform.calls.find(visit.key, CallId(call))
    await visit.platform.book.report(call, report.status, report.details)
    return Response(status_code=201)


async def _manage(visit: Visitor, call: str, document: bytes, ear: Ear) -> Response:
    try:
        await visit.platform.calls.manage(visit.key, CallId(call), document, ear=ear)
    except UnknownCall:
        raise
    except GatewayError as error:
        raise faults.unusable(str(error)) from error
    return Response()
