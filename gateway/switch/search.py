"""A call on its way out through trunks: who is asked now, when patience ends, and who is asked next.

`hunting` says in which order servers come and what a failure means; this lets the branches of one call follow it.
A server that says nothing at all, not even 100, is given `patience_s` and no more: Timer B would let the caller
wait half a minute for what the next server may do at once.  The last one has all the time there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Final, Protocol

from gateway.sip.events import EndCause, SessionId
from gateway.sip.headers import NameAddr
from gateway.sip.identity import CallerId
from gateway.switch.causes import ENDINGS
from gateway.switch.hunting import Attempt, Hunt, lesson_of, tries_on
from gateway.switch.ringing import Branches, Target
from gateway.switch.routing import ToTrunk
from gateway.switch.trunk_health import HealthInput
from gateway.switch.trunk_identity import presented
from gateway.switch.trunk_load import Permit
from gateway.switch.world import World

__all__ = ["Errand", "Search", "Starter"]


@dataclass(frozen=True, slots=True)
class Errand:
    """What every branch of a call is told."""

    caller: CallerId
    max_forwards: int
    headers: tuple[tuple[str, str], ...] = ()


class Starter(Protocol):
    """Whoever opens legs."""

    async def start(
        self, branches: Branches, target: Target, errand: Errand, *, permit: Permit | None = None
    ) -> SessionId | None:
        """Open a row for one branch and call it; None if that failed already."""
        ...


class Search:
    """One call's way through the servers of trunks."""

    def __init__(
        self, world: World, starter: Starter, branches: Branches, to: ToTrunk, errand: Errand
    ) -> None:
        self._world: Final = world
        self._starter: Final = starter
        self._branches: Final = branches
        self._number: Final = to.number
        self._errand: Final = errand
        self._hunt: Final = Hunt(world, to.trunks)
        self._asked: tuple[SessionId, Attempt] | None = None
        self.impatient_at = inf
        """Monotonic seconds; by then whoever is asked must have said something."""

    async def begin(self) -> None:
        """Ask the first server."""
        await self._ask(await self._hunt.next())

    async def lost(self, session: SessionId, cause: EndCause, *, alerted: bool) -> None:
        """Learn from a failure, and ask the next server if that is of use."""
        if self._asked is None or self._asked[0] != session:
            return
        self._hunt.learn(self._asked[1], lesson_of(cause, alerted=alerted), cause)
        self._rest()
        if tries_on(cause, alerted=alerted):
            await self._ask(await self._hunt.next())

    async def patience_over(self) -> None:
        """Give up a server that has said nothing, if there is another one."""
        self.impatient_at = inf
        if self._asked is None:
            return
        session, attempt = self._asked
        if self._world.signalling.heard(session):
            return
        if (following := await self._hunt.next()) is not None:
            self._hunt.learn(attempt, HealthInput.SILENT)
            if session in self._branches:
                self._branches.give_up(session, ENDINGS["lost"])
            await self._ask(following)

    def answered(self) -> None:
        """Learn from an answer."""
        if self._asked is not None:
            self._hunt.learn(self._asked[1], HealthInput.ANSWERED)
        self._rest()

    async def _ask(self, attempt: Attempt | None) -> None:
        """Call one server; on to the next for as long as not even that can be begun."""
        while attempt is not None:
            target = self._target(attempt)
            session = await self._starter.start(self._branches, target, self._errand, permit=attempt.permit)
            if session is not None:
                self._asked = session, attempt
                self.impatient_at = self._world.clock.now() + attempt.trunk.patience_s
                self._world.log.info("trunk.asked", trunk=attempt.trunk.name, peer=target.flow.remote[0])
                return
            attempt = await self._hunt.next()
        for ending in self._hunt.failures:
            self._branches.fail(ending)

    def _target(self, attempt: Attempt) -> Target:
        trunk, ours = attempt.trunk, self._world.settings.codecs
        uri = replace(trunk.uri, user=trunk.numbers.dialled(self._number))
        from_, headers = presented(
            self._errand.caller, trunk.presentation, trunk.numbers, attempt.flow.local[0]
        )
        return Target(
            uri,
            attempt.flow,
            NameAddr(None, uri),
            trunk.name,
            tuple(name for name in trunk.codecs if name in ours) or ours,
            trunk=True,
            credentials=trunk.credentials,
            from_=from_,
            headers=tuple(headers),
        )

    def _rest(self) -> None:
        self._asked, self.impatient_at = None, inf
