"""The calls of a switch that died: those whose parties talk go on, the others end as calls do.

Every call that was noted (`keeping`) becomes a call again, with its legs, its sessions and its record.  One whose
parties talk and whose rows still run goes on where it was.  Any other is told one thing, that it is over: so its legs
are hung up, its rows closed, its record written and its application told in the one way in which that is ever done.

What the application's document would have done next is not known any more, so a call in the middle of a menu or a
prompt with nobody else there is over, too; two who talk, and members of a conference, notice nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from gateway.errors import GatewayError
from gateway.sip.session_snapshot import SessionSnapshot
from gateway.switch.calls import Call, Story
from gateway.switch.causes import ENDINGS, Ending
from gateway.switch.keeping import KeptCall, KeptLeg, KeptStory, unpacked
from gateway.switch.ports import CallMemory
from gateway.switch.stories import ApplicationStory
from gateway.switch.world import CallOver, World

__all__ = ["Adopts", "Inheritance", "adopt_sessions", "noted"]

_PARTIES: Final = 2


class Adopts(Protocol):
    """The SIP endpoint, as much of it as is needed here."""

    def adopt(self, snapshot: SessionSnapshot, now: float) -> None:
        """Go on with a session.  Raises BadMessage or LocalError if that cannot be."""
        ...


def noted(memory: CallMemory | None) -> tuple[KeptCall, ...]:
    """Return the calls of a process before us, as far as they can be read; the notes of others are erased."""
    if memory is None:
        return ()
    calls = {key: unpacked(note) for key, note in memory.left().items()}
    for key in [key for key, call in calls.items() if call is None]:
        memory.forget(key)
    return tuple(call for call in calls.values() if call is not None)


def adopt_sessions(endpoint: Adopts, calls: Iterable[KeptCall], now: float) -> None:
    """Give an endpoint the sessions of calls; one that cannot be taken up is missed when its call is."""
    for session in (session for call in calls for session in call.sessions):
        with suppress(GatewayError):
            endpoint.adopt(session, now)


class Inheritance:
    """Makes calls of notes.  Their sessions must be in the SIP endpoint already."""

    def __init__(self, world: World) -> None:
        self._world: Final = world

    async def calls(
        self, own: Callable[[str, Call], None], find: Callable[[str], Call | None]
    ) -> tuple[Call, ...]:
        """Return every call that was noted, to be run; `own` and `find` as `Call` wants them."""
        left = noted(self._world.memory)
        if not left:
            return ()
        await self._world.media.listed()
        made = tuple(self._call_of(kept, own, find) for kept in left)
        n_over = sum(isinstance(call.story, _Over) for call in made)
        self._world.log.warning("calls.inherited", calls=len(made) - n_over, ended=n_over)
        return made

    def _call_of(
        self, kept: KeptCall, own: Callable[[str, Call], None], find: Callable[[str], Call | None]
    ) -> Call:
        legs = tuple(leg if self._runs(leg) else replace(leg, negotiated=None) for leg in kept.legs)
        kept = replace(kept, legs=legs)
        story = self._story_of(kept)
        call = Call(kept.id, self._world, own, find, story=story, resumed=kept)
        if not isinstance(story, _Over):
            self._let_go_who_rings(call)
        elif kept.caller is not None:
            self._world.signalling.hang_up(kept.caller.id, cause=ENDINGS["crashed"].cause)
        return call

    def _runs(self, leg: KeptLeg) -> bool:
        """Take a leg's row up; tell whether there are row and session, and a browser's keys."""
        has_row = self._world.media.adopt(leg.id, (leg.local.address, leg.local.rtp_port), leg.path)
        session = leg.session
        has_session = session is None or self._world.signalling.snapshot(session.id) is not None
        return has_row and has_session and leg.can_be_heard

    def _story_of(self, kept: KeptCall) -> Story:
        told = self._application_story(kept)
        if not _goes_on(kept) or (kept.story is not None and told is None):
            return _Over(told)
        if told is not None:
            return told
        began = max(leg.answered_at or 0.0 for leg in kept.legs)
        return _TalksOn(began + self._world.settings.max_call_s)

    def _application_story(self, kept: KeptCall) -> ApplicationStory | None:
        """Return the story of an application's call; None if it is nobody's, or its record is closed."""
        applications, story = self._world.applications, kept.story
        if applications is None or story is None:
            return None
        record = next((each for each in applications.book.ongoing() if each.call == kept.id), None)
        if record is None:
            return None
        return ApplicationStory(
            self._world,
            applications,
            record,
            dialled=story.dialled,
            origin=story.origin,
            callout=story.callout,
            resumed=story,
        )

    def _let_go_who_rings(self, call: Call) -> None:
        """Whoever was being called beside those who talk is called no more."""
        for leg in dict.fromkeys(call.legs.values()):
            if leg.answered_at is None and leg.session is not None:
                call.let_go(leg)


def _goes_on(kept: KeptCall) -> bool:
    """Tell whether a call can do without what its process knew."""
    there = [leg for leg in kept.legs if leg.answered_at is not None and not leg.leaving]
    if not kept.answered or not there or not all(leg.talks for leg in there):
        return False
    story = kept.story
    return story is None or (story.talking and (story.wish is not None or len(there) == _PARTIES))


class _TalksOn:
    """The plain story from its middle on."""

    kept = None

    def __init__(self, deadline: float) -> None:
        self._deadline: Final = deadline

    async def live(self, call: Call) -> None:
        await call.talk(self._deadline)

    async def over(self, ending: Ending) -> None:
        """Leave no record."""


class _Over:
    """The story of a call whose middle is lost."""

    def __init__(self, told: ApplicationStory | None) -> None:
        self._told: Final = told

    @property
    def kept(self) -> KeptStory | None:
        return None if self._told is None else self._told.kept

    async def live(self, call: Call) -> None:
        raise CallOver(ENDINGS["crashed"])

    async def over(self, ending: Ending) -> None:
        if self._told is not None:
            await self._told.over(ending)
