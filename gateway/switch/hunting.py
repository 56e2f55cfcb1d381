"""One number, several trunks, several servers each: asked one after another until one takes the call.

The order is that of the trunks (priority, weight, health), within a trunk that of RFC 3263.  On goes the search
after silence, a connection that fails, or a 5xx: those say something of the server.  A 4xx or 6xx says
something of the number or the person, and no other carrier would know better; a redirection is not followed.

Every try is a call of its own, with a new branch, Call-ID and tags.  RFC 3263 section 4.3 asks for the new
branch only, but a server that was given up may still be at it, and two carriers that meet at one exchange
would take the second INVITE for a loop of the first (482).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import LocalError, Overload
from gateway.sip.events import EndCause
from gateway.sip.flow import Flow
from gateway.switch.causes import ENDINGS, Ending
from gateway.switch.routing import Trunk
from gateway.switch.trunk_health import HealthInput
from gateway.switch.trunk_load import Permit
from gateway.switch.world import World

__all__ = ["Attempt", "Hunt", "lesson_of", "tries_on"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One server of one trunk, with a place for the call."""

    trunk: Trunk
    flow: Flow
    permit: Permit


class Hunt:
    """The search for somebody who takes a call."""

    def __init__(self, world: World, trunks: Sequence[Trunk]) -> None:
        self._world: Final = world
        self._servers: Final = self._walk(trunks)
        self.failures: Final[list[Ending]] = []
        """Why trunks were not even asked."""

    async def next(self) -> Attempt | None:
        """Return the next server to ask; None if there is none."""
        async for trunk, flow in self._servers:
            try:
                permit = self._world.trunks.admit(trunk, self._world.clock.now())
            except Overload as error:
                self._fail("trunk_full", error)
                continue
            return Attempt(trunk, flow, permit)
        return None

    def learn(self, attempt: Attempt, learnt: HealthInput, cause: EndCause | None = None) -> None:
        """Remember how a server was, and log it if that is news."""
        world = self._world
        world.trunks.learn(
            attempt.trunk.name,
            attempt.flow,
            learnt,
            now=world.clock.now(),
            reason=cause.reason if cause else "",
            retry_after_s=cause.retry_after_s if cause else None,
        )
        world.log_trunks()

    async def _walk(self, trunks: Sequence[Trunk]) -> AsyncIterator[tuple[Trunk, Flow]]:
        world = self._world
        for trunk in world.trunks.in_order(trunks, now=world.clock.now(), pick=world.ids.number):
            try:
                flows = await world.signalling.flows_to(trunk.uri)
            except LocalError as error:
                self._fail("trunk_down", error)
                continue
            usable = world.trunks.usable(trunk.name, flows, now=world.clock.now())
            if not usable:
                self.failures.append(ENDINGS["trunk_busy"])
            for flow in usable:
                yield trunk, flow

    def _fail(self, name: str, error: Exception) -> None:
        self.failures.append(replace(ENDINGS[name], text=str(error)))


def tries_on(cause: EndCause, *, alerted: bool) -> bool:
    """Tell whether a failed call is worth offering to the next server; `alerted`: it had been ringing."""
    if cause.by == "timeout":
        return not alerted
    return cause.by == "transport" or (cause.status is not None and 500 <= cause.status < 600)


def lesson_of(cause: EndCause, *, alerted: bool) -> HealthInput:
    """Return what the end of an unanswered call says of the server that it went to."""
    if cause.by == "transport" or (cause.by == "timeout" and not alerted):
        return HealthInput.SILENT
    return HealthInput.OVERLOADED if cause.status == 503 else HealthInput.ANSWERED
