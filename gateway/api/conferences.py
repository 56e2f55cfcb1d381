"""Conferences: who is in one, and what may be done to its members (section 5.4).

A conference's id is whatever an application likes, a slash included, and node's client does not encode one.  So `DELETE
/conferences/id/a/b` may mean the member `b` of `a`, or all of `a/b`.  A member is looked for first: nobody names a
conference after a callId.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from gateway.api.admission import Protected, Visitor
from gateway.api.calls import CallKey
from gateway.api.schema import REFUSALS
from gateway.api.wire import ConferenceResponse, ParticipantRequest, ParticipantResponse
from gateway.ids import CallId
from gateway.switch.steering import ParticipantCommand, UnknownConference

__all__ = ["router"]

router: Final = APIRouter(
    route_class=Protected, prefix="/calling/v1/conferences/id", tags=["conferences"], responses=REFUSALS
)

ConferenceKey = Annotated[str, Path(alias="conferenceId", max_length=128)]


@router.get("/{conferenceId:path}", operation_id="getConference")
async def get_conference(conference: ConferenceKey, visit: Visitor) -> ConferenceResponse:
    """Return who is in a conference."""
    members = visit.platform.calls.conference(visit.key, conference)
    return ConferenceResponse(participants=[ParticipantResponse.of(each) for each in members])


@router.patch("/{conferenceId:path}/{callId}", operation_id="manageParticipant", response_class=Response)
async def manage_participant(
    conference: ConferenceKey, call: CallKey, order: ParticipantRequest, visit: Visitor
) -> Response:
    """Mute a member or put it on hold, or take that back."""
    command = ParticipantCommand(order.command)
    visit.platform.calls.command(visit.key, conference, CallId(call), command, moh=order.moh)
    return Response()


@router.delete("/{conferenceId:path}/{callId}", operation_id="kickParticipant", response_class=Response)
async def kick(conference: ConferenceKey, call: CallKey, visit: Visitor) -> Response:
    """Remove a member, whose call ends."""
    try:
        visit.platform.calls.kick(visit.key, conference, CallId(call))
    except UnknownConference:
        visit.platform.calls.kick_all(visit.key, f"{conference}/{call}")
    return Response()


@router.delete("/{conferenceId:path}", operation_id="kickAll", response_class=Response)
async def kick_all(conference: ConferenceKey, visit: Visitor) -> Response:
    """Remove everybody from a conference."""
    visit.platform.calls.kick_all(visit.key, conference)
    return Response()
