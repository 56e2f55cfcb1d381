"""The story of a call of an application: it is written down, steered, and written down to its end.

What may be told of a call is complete before it begins, so a record is there whatever becomes of the call, and it is
closed together with the application's last notification after everything of the call has been hung up.
"""

from __future__ import annotations

from typing import Final

from gateway.ids import CallId
from gateway.sip.identity import CallerId
from gateway.switch.applications import Applications
from gateway.switch.calls import Call
from gateway.switch.causes import Ending
from gateway.switch.keeping import KeptStory
from gateway.switch.ledger import Ledger
from gateway.switch.records import CallRecord, Identity
from gateway.switch.steered import Steered
from gateway.switch.steering import Callout
from gateway.switch.world import World

__all__ = ["ApplicationStory"]


class ApplicationStory:
    """`gateway.switch.calls.Story` of one application's call."""

    def __init__(
        self,
        world: World,
        applications: Applications,
        record: CallRecord,
        *,
        dialled: Identity,
        origin: CallerId | None = None,
        callout: Callout | None = None,
        resumed: KeptStory | None = None,
    ) -> None:
        """`record` is what is known at the start; that of a callout is in the book already.

        `origin` is who calls, as far as that may be shown; None = the application.
        `resumed` is what a process before us has noted of it.
        """
        self._world: Final = world
        self._applications: Final = applications
        self._ledger: Final = Ledger(record, applications.book)
        self._dialled: Final = dialled
        self._origin: Final = origin
        self._callout: Final = callout
        self._resumed: Final = resumed
        self._steered: Steered | None = None
        self._reached = resumed is None or resumed.reached
        if resumed is not None and resumed.answered_at is not None:
            self._ledger.answered(resumed.answered_at)

    @property
    def kept(self) -> KeptStory:
        """What another process would need to go on with it."""
        known = self._resumed or KeptStory(self._dialled, self._origin, self._callout)
        return known if self._steered is None else self._steered.kept(known)

    async def live(self, call: Call) -> None:
        """Let the call be steered."""
        applications = self._applications
        steered = Steered(
            call,
            applications,
            self._ledger,
            dialled=self._dialled,
            origin=self._origin,
            callout=self._callout,
        )
        applications.live[call.id] = self._steered = steered
        try:
            if self._resumed is None:
                await steered.begin()
                await applications.steering.steer(steered)
            else:
                steered.take_up(self._resumed)
                await applications.steering.resume(steered)
        finally:
            steered.tape.stop()
            steered.leave()
            self._reached = steered.reached

    async def over(self, ending: Ending) -> None:
        """Write the record of the whole call, and what its application is told."""
        applications = self._applications
        applications.live.pop(CallId(self._ledger.record.call), None)
        record = self._ledger.close(ending, self._world.clock.wall(), reached=self._reached)
        words = applications.steering.last_words(record, self._callout)
        await applications.book.finish(record, *words)
