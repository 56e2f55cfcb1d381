"""Making legs: a port and a row for each, and for outgoing ones the places to ring and what they are told.

Calls and transfers dial alike; what differs is on whose behalf.  A destination has been routed already:
here nothing decides who may call whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import LocalError, Overload
from gateway.ids import LegId
from gateway.sip.headers import NameAddr
from gateway.sip.identity import CallerId, shown_to_carrier, shown_to_phone
from gateway.switch.causes import ENDINGS
from gateway.switch.legs import Leg, Side, local_media
from gateway.switch.ringing import Branches, Target, address_of
from gateway.switch.routing import ToTrunk, ToUser
from gateway.switch.world import CallOver, World

__all__ = ["Dialler", "Errand"]


@dataclass(frozen=True, slots=True)
class Errand:
    """What every branch of a call is told."""

    caller: CallerId
    max_forwards: int
    headers: tuple[tuple[str, str], ...] = ()


class Dialler:
    """Opens the legs of one call."""

    def __init__(self, world: World, legs: dict[str, Leg], own: Callable[[str], None]) -> None:
        """`legs` is the call's, by row and by session; `own` is told each of both."""
        self._world: Final = world
        self._legs: Final = legs
        self._own: Final = own

    async def open(self, side: Side, peer: str, codecs: Sequence[str], *, trunk: bool = False) -> Leg:
        """Lease a port for a new leg to a user or a trunk; raises CallOver when there is none."""
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
            ),
            started=world.clock.now(),
            force_tick=world.settings.force_tick,
        )
        self._legs[row] = leg
        self._own(row)
        return leg

    def enter(self, leg: Leg, session: str) -> None:
        """Make `session` the leg's, so that its events come to this call."""
        self._legs[session] = leg
        self._own(session)

    async def targets(self, destination: ToUser | ToTrunk, *, preferred: Sequence[str]) -> tuple[Target, ...]:
        """Return every place to ring; raises CallOver if there is none.

        `preferred` are the codecs of whoever waits: those first, so that packets can be relayed.
        """
        ours, signalling = self._world.settings.codecs, self._world.signalling
        if isinstance(destination, ToTrunk):
            trunk = destination.trunk
            uri = replace(trunk.uri, user=destination.number)
            try:
                flow = await signalling.flow_to(trunk.uri)
            except LocalError as error:
                raise CallOver(replace(ENDINGS["trunk_down"], text=str(error))) from error
            codecs = tuple(name for name in trunk.codecs if name in ours) or ours
            to = NameAddr(None, uri)
            return (Target(uri, flow, to, trunk.name, codecs, trunk=True, credentials=trunk.credentials),)
        codecs = tuple(dict.fromkeys((*preferred, *ours)))
        name = destination.name
        bindings = signalling.bindings(name)
        if not bindings:
            raise CallOver(ENDINGS["unregistered"])
        return tuple(
            Target(each.contact, each.flow, address_of(name, each.flow), name, codecs, routes=each.path)
            for each in bindings
        )

    async def start(self, branches: Branches, target: Target, errand: Errand) -> None:
        """Open a row for one branch and call it."""
        try:
            leg = await self.open(Side.CALLEE, target.peer, target.codecs, trunk=target.trunk)
        except CallOver as over:
            branches.fail(over.ending)
            return
        leg.user = None if target.trunk else target.peer
        leg.identity = CallerId(target.to.uri.user or target.peer)
        host, headers = target.flow.local[0], list(errand.headers)
        if target.trunk:
            from_, identity = shown_to_carrier(errand.caller, host)
            headers += identity
        else:
            from_ = shown_to_phone(errand.caller, host)
        session = branches.start(leg, target, from_=from_, headers=headers, max_forwards=errand.max_forwards)
        if session is not None:
            self.enter(leg, session)
