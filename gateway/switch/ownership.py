"""Whose call it is: which application an INVITE concerns, and where it would go if nobody steered it.

A number that we own belongs to its application, whoever dials it.  Else a call is the affair of whoever makes it: the
application of the user, or the one whose key and secret a SIP server showed.  Calls of nobody's application, and the
built-in destinations (`echo`, `music`...), go as they were dialled and leave no record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.ids import CallId
from gateway.sip.identity import CallerId
from gateway.switch.applications import Applications
from gateway.switch.arrivals import Arrival
from gateway.switch.caller_ids import may_show, shown_as
from gateway.switch.domains import domain_of, kind_of
from gateway.switch.numbers import e164
from gateway.switch.origins import Origin
from gateway.switch.records import Application, CallRecord, Identity, IdentityType
from gateway.switch.routing import BUILT_IN, room_of
from gateway.switch.stories import ApplicationStory
from gateway.switch.world import World

__all__ = ["Claim", "claim_of", "story_of"]


@dataclass(frozen=True, slots=True)
class Claim:
    """An application's call."""

    application: Application
    dialled: Identity
    origination: str
    """Where it comes from: `pstn`, `mxp` (a user) or `sip` (a server of the application)."""


def claim_of(origin: Origin, applications: Applications) -> Claim | None:
    """Return whose call it is; None = nobody's."""
    caller, asked = origin.caller, origin.dialled
    if caller.user is None and caller.trunk is None:
        return None
    key = origin.trunk.application if origin.trunk is not None else ""
    origination = "mxp" if caller.user is not None else "sip" if key else "pstn"
    number = e164(asked)
    if number is not None and (owner := applications.of_number(number)) is not None:
        return Claim(owner, Identity(IdentityType.DID, number), origination)
    if caller.user is not None:
        caller_of = applications.of_user(caller.user)
    else:
        caller_of = applications.directory.application(key) if key else None
    if caller_of is None or asked in BUILT_IN:
        return None
    return Claim(caller_of, _dialled(asked, number, caller_of, applications), origination)


def _dialled(
    asked: str, number: str | None, application: Application, applications: Applications
) -> Identity:
    if applications.directory.user(application.key, asked) is not None:
        return Identity(IdentityType.USERNAME, asked)
    if (room := room_of(asked)) is not None:
        return Identity(IdentityType.CONFERENCE, room)
    if number is not None:
        return Identity(IdentityType.NUMBER, number)
    return Identity(IdentityType.USERNAME, asked)


def story_of(call: CallId, arrival: Arrival, world: World) -> ApplicationStory | None:
    """Return who tells the story of a call that has come in; None = it goes as it was dialled."""
    applications = world.applications
    if applications is None or (claim := claim_of(arrival.origin, applications)) is None:
        return None
    origin = _vouched_for(arrival.origin, claim, applications)
    rate = applications.directory.rate(claim.dialled.endpoint)
    headers = tuple(pair for pair in arrival.offered.request.headers if pair[0].lower().startswith("x-"))
    record = CallRecord(
        call=call,
        application=claim.application.key,
        started_at=world.clock.wall(),
        kind=kind_of(claim.dialled),
        user=arrival.origin.caller.user or "",
        caller=_identity_of(origin, claim),
        called=claim.dialled,
        cli=shown_as(origin),
        domain=domain_of(claim.dialled),
        origination=claim.origination,
        rate=rate.per_minute if rate is not None and claim.dialled.type is IdentityType.NUMBER else None,
        headers=headers,
    )
    return ApplicationStory(world, applications, record, dialled=claim.dialled, origin=origin)


def _vouched_for(origin: Origin, claim: Claim, applications: Applications) -> CallerId:
    """Return who calls; a server of the application may say that it is a number of the application only."""
    caller = origin.caller_id
    if claim.origination != "sip":
        return caller
    number = e164(caller.user)
    directory = applications.directory
    if number is None or not may_show(number, application=claim.application.key, directory=directory):
        return replace(caller, withheld=True)
    return replace(caller, user=number)


def _identity_of(caller: CallerId, claim: Claim) -> Identity | None:
    if not caller.user:
        return None
    if claim.origination == "mxp":
        return Identity(IdentityType.USERNAME, caller.user)
    number = e164(caller.user)
    return Identity(IdentityType.SIP if number is None else IdentityType.NUMBER, number or caller.user)
