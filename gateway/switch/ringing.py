"""The outgoing branches of a call: every phone rings, the first answer wins (RFC 3261 section 16.7).

A branch is a leg with a row and an INVITE of its own.  It leaves the set by answering, by failing, or by
being told that the call was completed elsewhere; what remains of a set that nobody answered is the best of
the failures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import GatewayError, PeerError
from gateway.sip.authentication import Credentials
from gateway.sip.events import EndCause, SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.uri import Uri
from gateway.switch.causes import ENDINGS, Ending, best_of, ending_of
from gateway.switch.encryption import warn_of_keys
from gateway.switch.legs import Leg
from gateway.switch.world import World

__all__ = ["Branches", "Target", "address_of"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where one branch goes."""

    uri: Uri
    flow: Flow
    to: NameAddr
    peer: str
    """For logs."""
    codecs: tuple[str, ...]
    """In the order to offer them."""
    trunk: bool = False
    credentials: Credentials | None = None
    from_: NameAddr | None = None
    """Who calls, as a trunk wants to be told; None = as a phone may see it."""
    headers: tuple[tuple[str, str], ...] = ()
    """What goes with that."""
    routes: tuple[str, ...] = ()
    """Proxies on the way, as the binding's Path named them (RFC 3327)."""
    webrtc: bool = False
    """It is called as a browser is."""


def address_of(name: str, flow: Flow) -> NameAddr:
    """Name a user of this switch as seen on a flow."""
    return NameAddr(None, Uri("sip", name, flow.local[0]))


class Branches:
    """The legs that may still answer, and why the others will not."""

    def __init__(self, world: World) -> None:
        self._world: Final = world
        self._ringing: dict[SessionId, Leg] = {}
        self._failures: list[Ending] = []

    def __bool__(self) -> bool:
        return bool(self._ringing)

    def __contains__(self, session: object) -> bool:
        return session in self._ringing

    def __getitem__(self, session: SessionId) -> Leg:
        return self._ringing[session]

    @property
    def best_failure(self) -> Ending:
        """Return what the caller is told when no branch is left."""
        return best_of(self._failures) if self._failures else ENDINGS["unregistered"]

    @property
    def timeout(self) -> Ending:
        """Return what the caller is told when it rang for too long."""
        return ENDINGS["no_answer" if any(leg.alerted for leg in self._ringing.values()) else "lost"]

    def start(
        self,
        leg: Leg,
        target: Target,
        *,
        from_: NameAddr,
        headers: Sequence[tuple[str, str]] = (),
        max_forwards: int,
    ) -> SessionId | None:
        """Send the INVITE; None if it could not be sent, which is a failure like any other."""
        try:
            session = self._world.signalling.invite(
                target=target.uri,
                flow=target.flow,
                from_=from_,
                to=target.to,
                sdp=leg.offer(),
                headers=[*(("Route", route) for route in target.routes), *headers],
                credentials=target.credentials,
                max_forwards=max_forwards,
            )
        except GatewayError as error:
            self.fail(replace(ENDINGS["trunk_down" if target.trunk else "unreachable"], text=str(error)))
            return None
        leg.session, leg.trunk = session, target.trunk
        warn_of_keys(self._world.log, leg, target.flow)
        self._ringing[session] = leg
        return session

    def fail(self, ending: Ending) -> None:
        """Note a branch that could not even begin."""
        self._failures.append(ending)

    def answered(self, session: SessionId, sdp: bytes | None) -> Leg | None:
        """Take a branch's answer; None (and it is hung up) if its media is of no use, else the winner."""
        leg = self._ringing.pop(session)
        try:
            if sdp is not None:
                leg.take_answer(sdp)
            text = ENDINGS["no_media_answer"].text
        except PeerError as error:
            leg.negotiated, text = None, str(error)
        if leg.negotiated is None:
            ending = replace(ENDINGS["no_media_answer"], text=text, by="callee")
            self._failures.append(ending)
            self._hang_up(leg, ending.cause)
            return None
        leg.answered_at = self._world.clock.now()
        return leg

    def lost(self, session: SessionId, cause: EndCause) -> None:
        """Note why a branch failed; one that says 6xx speaks for the user, so the others stop."""
        leg = self._ringing.pop(session)
        leg.vacate()
        ending = ending_of(cause, trunk=leg.trunk, alerted=leg.alerted)
        self._failures.append(ending)
        if ending.status >= 600:
            self.cancel(ending.cause)

    def forgive(self) -> None:
        """Take the last failure back: the same phone is asked again in another way."""
        self._failures.pop()

    def give_up(self, session: SessionId, ending: Ending) -> None:
        """Stop one branch: somebody else is asked in its place."""
        self._failures.append(ending)
        self._hang_up(self._ringing.pop(session), ending.cause)

    def cancel(self, cause: EndCause) -> None:
        """Stop every branch that still rings."""
        while self._ringing:
            _, leg = self._ringing.popitem()
            self._hang_up(leg, cause)

    def _hang_up(self, leg: Leg, cause: EndCause) -> None:
        assert leg.session is not None  # a branch has begun
        leg.ended = cause
        leg.vacate()
        self._world.signalling.hang_up(leg.session, cause=cause)
