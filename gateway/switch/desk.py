"""The desk at which an API asks for things: callouts, calls by their id, conferences by their name.

It implements `gateway.switch.steering.Calls`.  What is asked for is checked before anything is begun, and a callout is
in the book before its id is given away: whoever has an id gets an answer about it, whatever happens to this process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from gateway.errors import LocalError, Overload
from gateway.ids import CallId
from gateway.switch.admission import check_credit, check_destination
from gateway.switch.applications import Applications
from gateway.switch.caller_ids import PRIVATE, caller_id, shown_as
from gateway.switch.causes import ENDINGS
from gateway.switch.domains import domain_of, kind_of
from gateway.switch.numbers import e164
from gateway.switch.records import Application, CallKind, CallRecord, Identity, IdentityType
from gateway.switch.remembered import remember
from gateway.switch.simulated import simulation_of
from gateway.switch.steering import (
    Callout,
    Ear,
    NotManageable,
    Order,
    Participant,
    ParticipantCommand,
    UnknownCall,
)
from gateway.switch.stories import ApplicationStory
from gateway.switch.world import EndWanted, World

__all__ = ["Begins", "Desk"]

_ID_BYTES: Final = 16


class Begins(Protocol):
    """The switch, as much of it as the desk needs."""

    def admit(self) -> None:
        """See that there is room for another call; raises Overload."""
        ...

    def begin(self, call: CallId, story: ApplicationStory) -> None:
        """Give a call that nobody makes its task."""
        ...

    def end(self, call: CallId, wish: EndWanted) -> None:
        """Let a call end; one that is not there is no error."""
        ...


class Desk:
    """`gateway.switch.steering.Calls` of one process."""

    def __init__(self, world: World, applications: Applications, switch: Begins) -> None:
        self._world: Final = world
        self._applications: Final = applications
        self._switch: Final = switch

    # Callouts.

    async def callout(self, request: Callout) -> CallId:
        """Begin a call; its record is durable when this returns."""
        application = self._application(request.application)
        request = replace(request, to=_checked(request.to, application))
        check_credit(application)
        self._switch.admit()
        try:
            self._applications.allowances.take(application, self._world.clock.now())
        except Overload:
            self._applications.counters["callouts_refused"] += 1
            raise
        call = CallId(self._world.ids.token(_ID_BYTES))
        record = self._record_of(call, request)
        await self._applications.book.begin(record)
        self._applications.book.keep(call, remember(request))
        dialled = request.to or Identity(IdentityType.NUMBER, "")
        self._switch.begin(
            call, ApplicationStory(self._world, self._applications, record, dialled=dialled, callout=request)
        )
        self._applications.counters["callouts"] += 1
        return call

    async def abandon(self, application: str, call: CallId) -> None:
        """Stop a callout whose client went away."""
        if (story := self._applications.live.get(call)) is not None and _owns(application, story.record):
            self._switch.end(call, EndWanted(ENDINGS["abandoned"]))

    def _record_of(self, call: CallId, request: Callout) -> CallRecord:
        to, directory = request.to, self._applications.directory
        rate = None
        if to is not None and to.type is IdentityType.NUMBER and simulation_of(to.endpoint) is None:
            rate = directory.rate(to.endpoint)
        shown = caller_id(
            request.cli or None, origin=None, application=request.application, directory=directory
        )
        return CallRecord(
            call=call,
            application=request.application,
            started_at=self._world.clock.wall(),
            kind=CallKind.PHONE_TERMINATED if to is None else kind_of(to),
            user=to.endpoint if to is not None and to.type is IdentityType.USERNAME else "",
            called=to,
            cli=shown_as(shown) if request.cli else PRIVATE,
            domain="" if to is None else domain_of(to),
            conference=request.conference.conference if request.conference is not None else "",
            custom=request.custom,
            rate=None if rate is None else rate.per_minute,
        )

    # Calls.

    async def find(self, application: str, call: CallId) -> CallRecord:
        """Return a call that is up, or was."""
        story = self._applications.live.get(call)
        record = await self._applications.book.find(call) if story is None else story.record
        if record is None or not _owns(application, record):
            raise UnknownCall(f"there is no call {call}")
        return record

    async def manage(self, application: str, call: CallId, document: bytes, *, ear: Ear = Ear.CALLER) -> None:
        """Give a call under way something to do."""
        story = self._applications.live.get(call)
        if story is None or not _owns(application, story.record):
            raise UnknownCall(f"there is no call {call} under way")
        understood = self._applications.steering.read_order(story, document)
        if understood is None:
            self._switch.end(call, EndWanted(ENDINGS["managed"]))
        elif not story.connected and not story.parked:
            raise NotManageable("nobody has answered the call yet")
        else:
            story.order(Order(understood, ear))

    def ongoing(self, application: str | None = None) -> Sequence[CallRecord]:
        """Return the calls that are up."""
        records = [story.record for story in self._applications.live.values()]
        return [record for record in records if application is None or _owns(application, record)]

    # Conferences.

    def conference(self, application: str, conference: str) -> tuple[Participant, ...]:
        """Return who is in a conference."""
        return self._applications.conferences.participants(application, conference)

    def command(
        self,
        application: str,
        conference: str,
        call: CallId,
        command: ParticipantCommand,
        *,
        moh: str | None = None,
    ) -> None:
        """Do something to a member."""
        self._applications.conferences.command(application, conference, call, command, moh=moh)

    def kick(self, application: str, conference: str, call: CallId) -> None:
        """Remove a member, whose call ends."""
        self._applications.conferences.kick(application, conference, call)

    def kick_all(self, application: str, conference: str) -> None:
        """Remove everybody."""
        self._applications.conferences.kick(application, conference)

    def counters(self) -> Mapping[str, int]:
        """Return what has been counted since the start, and how much there is."""
        now = {"calls": len(self._applications.live), "conferences": len(self._applications.conferences)}
        return self._applications.counters | now

    def _application(self, key: str) -> Application:
        application = self._applications.directory.application(key)
        if application is None:
            raise LocalError(f"there is no application {key}")
        return application


def _owns(application: str, record: CallRecord) -> bool:
    return record.application.lower() == application.lower()


def _checked(to: Identity | None, application: Application) -> Identity | None:
    """Return a destination in its one form.

    Raises:
        LocalError: it is none.
        Forbidden: the application may not call it.
    """
    if to is None:
        return None
    if to.type in (IdentityType.USERNAME, IdentityType.SIP):
        return to
    if to.type not in (IdentityType.NUMBER, IdentityType.DID):
        raise LocalError(f"a call cannot go to a {to.type}")
    number = e164(to.endpoint)
    if number is None:
        raise LocalError(f"{to.endpoint!r} is no telephone number")
    if simulation_of(number) is None:
        check_destination(application, number)
    return Identity(IdentityType.NUMBER, number)
