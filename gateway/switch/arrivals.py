"""The INVITE that began a call: who calls whom, what it carries on, and how its session is rung, answered, refused.

A call that an application begins has none: there, nobody waits for a 200.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import PeerError
from gateway.sip.events import SessionId, SessionOffered
from gateway.sip.identity import PASSED_ON
from gateway.switch.causes import ENDINGS, Ending, refused_offer
from gateway.switch.dialling import Dialler
from gateway.switch.legs import Leg
from gateway.switch.origins import Origin, origin_of
from gateway.switch.routing import Destination, Refused, route
from gateway.switch.world import CallOver, World

__all__ = ["MAX_FORWARDS", "Arrival"]

MAX_FORWARDS: Final = 70


class Arrival:
    """An offered session while a call is made of it."""

    def __init__(self, offered: SessionOffered, world: World) -> None:
        self._world: Final = world
        self.offered: Final = offered
        self.origin: Final[Origin] = origin_of(offered, world)
        self.answered = False
        self.preferred: tuple[str, ...] = ()
        """The caller's codecs, once its row is open: who is called for it is offered those first."""

    @property
    def session(self) -> SessionId:
        """The caller's session."""
        return self.offered.session

    @property
    def facts(self) -> dict[str, object]:
        """Return what the log says of where the call comes from."""
        return {
            "user": self.origin.caller.user,
            "trunk": self.origin.caller.trunk,
            "dialled": self.origin.dialled,
            "source": f"{self.offered.flow.transport}:{self.offered.flow.remote[0]}",
        }

    @property
    def hops_left(self) -> int:
        """Max-Forwards (RFC 3261 section 20.22): we are a hop, or two of us would loop for ever."""
        text = self.offered.request.headers.get("Max-Forwards") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else MAX_FORWARDS

    @property
    def passed_on(self) -> tuple[tuple[str, str], ...]:
        """Headers that the called party gets untouched."""
        return tuple(pair for pair in self.offered.request.headers if pair[0] in PASSED_ON)

    def route(self) -> Destination:
        """Return where the call goes."""
        if self.hops_left <= 0:
            return Refused(ENDINGS["too_many_hops"])
        return route(self.origin.dialled, caller=self.origin.caller, table=self._world.settings.table)

    async def open(self, dialler: Dialler) -> Leg:
        """Open the caller's row and see that there is a codec, before anybody else is disturbed."""
        leg = await dialler.open_offered(self.offered, self.origin)
        if self.offered.sdp is not None:
            try:
                self.preferred = leg.consider(self.offered.sdp)
            except PeerError as error:
                raise CallOver(refused_offer(error)) from error
        return leg

    def ring(self, *, status: int = 180, sdp: bytes | None = None) -> None:
        """Let the caller know that something goes on."""
        self._world.signalling.ring(self.session, status=status, sdp=sdp)

    def be_heard(self, caller: Leg) -> None:
        """Let the caller hear us before the answer, if its offer has come (RFC 3960)."""
        if self.offered.sdp is not None and caller.negotiated is None:
            self.ring(status=183, sdp=caller.answer(self.offered.sdp))

    def answer(self, caller: Leg, *, like: str | None = None) -> None:
        """Send the 200: our answer, the one that early media had already, or our offer if there was none."""
        if self.offered.sdp is None:
            said = caller.offer(first=like)
        elif caller.negotiated is None:
            said = caller.answer(self.offered.sdp, like=like)
        else:
            said = caller.said
        self._world.signalling.answer(self.session, sdp=said)
        self.answered = True

    def reject(self, ending: Ending) -> None:
        """Refuse the call."""
        headers = ending.headers(self._world.settings.host, self._world.ids)
        status = ending.status if ending.status >= 300 else 480
        self._world.signalling.reject(self.session, status=status, headers=headers)
