"""Callouts: calls that an application begins (section 5.1).

A client that goes away before it has the answer does not know the callId and could never end the call; the call is
stopped for it, as well as that can be done.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request

from gateway.api import faults
from gateway.api.admission import Document, Protected, Visitor
from gateway.api.callout_schema import CALLOUT
from gateway.api.schema import REFUSALS
from gateway.api.wire import CalloutResponse
from gateway.svaml.callouts import read_callout
from gateway.svaml.errors import SvamlError

__all__ = ["router"]

router: Final = APIRouter(route_class=Protected, tags=["callouts"], responses=REFUSALS)


@router.post("/calling/v1/callouts", operation_id="callout", openapi_extra=CALLOUT)
async def callout(document: Document, visit: Visitor, request: Request) -> CalloutResponse:
    """Begin a call: to say something, to bring somebody into a conference, or to do what SVAML says."""
    try:
        wish = read_callout(document, application=visit.key, forwarded=visit.forwarded)
    except SvamlError as error:
        raise (faults.malformed if error.missing else faults.invalid)(str(error)) from error
    call = await visit.platform.calls.callout(wish)
    if await request.is_disconnected():
        await visit.platform.calls.abandon(visit.key, call)
    return CalloutResponse(call_id=call)
