"""Making legs: a port and a row for each, and for outgoing ones the places to ring and what they are told.

Phones ring together, servers of trunks are asked one after another (`search`).  Whoever may be a browser or not
(`browsers`) is offered the media of one, and if it refuses those with 488, of the other.

Calls and transfers dial alike; what differs is on whose behalf.  A destination has been routed already:
here nothing decides who may call whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from gateway.errors import Overload
from gateway.ids import LegId
from gateway.sip.events import EndCause, SessionId, SessionOffered
from gateway.sip.identity import CallerId, shown_to_phone
from gateway.sip.registrar import Binding
from gateway.switch.causes import ENDINGS
from gateway.switch.legs import Leg, Side, local_media
from gateway.switch.origins import Origin
from gateway.switch.ringing import Branches, Target, address_of
from gateway.switch.routing import ToTrunk, ToUser
from gateway.switch.search import Errand, Search
from gateway.switch.trunk_load import Permit
from gateway.switch.world import CallOver, World

__all__ = ["Dialler"]

_NOT_ACCEPTABLE: Final = 488


class Dialler:
    """Opens the legs of one call."""

    def __init__(self, world: World, legs: dict[str, Leg], own: Callable[[str], None]) -> None:
        """`legs` is the call's, by row and by session; `own` is told each of both."""
        self._world: Final = world
        self._legs: Final = legs
        self._own: Final = own
        self._search: Search | None = None
        self._undecided: dict[SessionId, tuple[Branches, Target, Errand]] = {}
        """Branches that are asked the other way if they refuse this one."""

    async def open(
        self, side: Side, peer: str, codecs: Sequence[str], *, trunk: bool = False, webrtc: bool = False
    ) -> Leg:
        """Lease a port for a new leg to a user or a trunk; raises CallOver when there is none.

        `webrtc`: it is called as a browser is.
        """
        world, row = self._world, LegId(self._world.ids.token())
        try:
            address = await world.media.open(row)
        except Overload as error:
            raise CallOver(replace(ENDINGS["media_refused"], text=str(error))) from error
        leg = Leg(
            id=row,
            side=side,
            peer=peer,
            media=world.media,
            local=local_media(
                address,
                codecs,
                ids=world.ids,
                annexb=world.settings.annexb,
                srtp=world.settings.encryption.of(peer, trunk=trunk),
                fingerprint=world.settings.encryption.fingerprint,
                webrtc=webrtc,
            ),
            started=world.clock.now(),
            force_tick=world.settings.force_tick,
        )
        self._legs[row] = leg
        self._own(row)
        return leg

    async def open_offered(self, offered: SessionOffered, origin: Origin) -> Leg:
        """Open the leg of somebody who calls.

        Raises:
            CallOver: no port is free, or the trunk that it comes by carries what it may.
        """
        world, permit = self._world, None
        if origin.trunk is not None:
            try:
                permit = world.trunks.admit(origin.trunk, world.clock.now())
            except Overload as error:
                raise CallOver(replace(ENDINGS["trunk_full"], text=str(error))) from error
        caller = origin.caller
        peer = caller.user or caller.trunk or offered.flow.remote[0]
        codecs = (origin.trunk.codecs if origin.trunk else ()) or world.settings.codecs
        wish = world.settings.encryption.wish(caller.user or "")
        webrtc = offered.sdp is None and world.browsers.called(offered.flow, wish)  # then the offer is ours
        try:
            leg = await self.open(Side.CALLER, peer, codecs, trunk=caller.trunk is not None, webrtc=webrtc)
        except BaseException:
            if permit is not None:
                permit.release()
            raise
        leg.session, leg.user, leg.trunk = offered.session, caller.user, caller.trunk is not None
        leg.permit, leg.identity = permit, origin.caller_id
        world.browsers.offered(offered.flow, offered.sdp)
        self.enter(leg, offered.session)
        return leg

    def enter(self, leg: Leg, session: str) -> None:
        """Make `session` the leg's, so that its events come to this call."""
        self._legs[session] = leg
        self._own(session)

    async def dial(
        self, branches: Branches, destination: ToUser | ToTrunk, errand: Errand, *, preferred: Sequence[str]
    ) -> None:
        """Ring every phone of a user, or the first server of a trunk that can be asked.

        `preferred` are the codecs of whoever waits: a phone is offered those first, so that packets can be relayed.
        """
        if isinstance(destination, ToTrunk):
            self._search = Search(self._world, self, branches, destination, errand)
            await self._search.begin()
            return
        name, ours = destination.name, self._world.settings.codecs
        codecs = tuple(dict.fromkeys((*preferred, *ours)))
        for each in self._world.signalling.bindings(name):
            await self._ring(branches, name, each, codecs, errand)

    async def _ring(
        self, branches: Branches, name: str, binding: Binding, codecs: tuple[str, ...], errand: Errand
    ) -> None:
        """Ring one phone of a user."""
        flow, wish = binding.flow, self._world.settings.encryption.wish(name)
        browsers = self._world.browsers
        to, webrtc = address_of(name, flow), browsers.called(flow, wish)
        target = Target(binding.contact, flow, to, name, codecs, routes=binding.path, webrtc=webrtc)
        session = await self.start(branches, target, errand)
        if session is not None and browsers.may_be_either(flow, wish):
            self._undecided[session] = branches, target, errand

    async def _ring_otherwise(self, branches: Branches, target: Target, errand: Errand) -> None:
        """Ring a phone that has refused one kind of media with the other."""
        other = replace(target, webrtc=not target.webrtc)
        self._world.browsers.are(target.flow, webrtc=other.webrtc)
        self._world.log.info("leg.asked_otherwise", peer=target.peer, webrtc=other.webrtc)
        branches.forgive()
        await self.start(branches, other, errand)

    async def start(
        self, branches: Branches, target: Target, errand: Errand, *, permit: Permit | None = None
    ) -> SessionId | None:
        """Open a row for one branch and call it; None if that failed already, and `branches` knows why."""
        try:
            leg = await self.open(
                Side.CALLEE, target.peer, target.codecs, trunk=target.trunk, webrtc=target.webrtc
            )
        except BaseException as error:
            if permit is not None:
                permit.release()
            if not isinstance(error, CallOver):
                raise
            branches.fail(error.ending)
            return None
        leg.permit, leg.user = permit, None if target.trunk else target.peer
        leg.identity = CallerId(target.to.uri.user or target.peer)
        from_ = target.from_ or shown_to_phone(errand.caller, target.flow.local[0])
        session = branches.start(
            leg,
            target,
            from_=from_,
            headers=[*errand.headers, *target.headers],
            max_forwards=errand.max_forwards,
        )
        if session is None:
            leg.vacate()
            return None
        self.enter(leg, session)
        return session

    # What becomes of it.

    @property
    def impatient_at(self) -> float:
        """When whoever is asked must have said something, in monotonic seconds; for ever if nobody is."""
        return inf if self._search is None else self._search.impatient_at

    async def lost(self, session: SessionId, cause: EndCause, *, alerted: bool) -> None:
        """Take it that a branch failed: it may be asked otherwise, or another server in its place."""
        undecided = self._undecided.pop(session, None)
        if undecided is not None and cause.status == _NOT_ACCEPTABLE:
            await self._ring_otherwise(*undecided)
        elif self._search is not None:
            await self._search.lost(session, cause, alerted=alerted)

    async def patience_over(self) -> None:
        """Take it that `impatient_at` has come."""
        if self._search is not None:
            await self._search.patience_over()

    def answered(self) -> None:
        """Take it that somebody answered: the search is over."""
        if self._search is not None:
            self._search.answered()
            self._search = None
