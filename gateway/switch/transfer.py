"""Transfers: who may ask for one, and how it goes (RFC 3515, RFC 5589, RFC 3891).

The policy is short.  Whoever transfers is a user of this switch, known by password or by registration, and
the new call is made on that user's account, by the same routing as if the user had dialled.  A carrier's leg
transfers nothing: its address can be forged, and the bill would be ours.  Only the user part of the target
counts; hosts that a phone writes there are never called.  An attended transfer joins two calls of the same
user.  A call may be taken over (INVITE with Replaces) by the user whose leg it is, or by the carrier it came
from.

The transferor is out of the conversation while the transfer is tried, its far end hears music.  When that
succeeds the transferor is told and let go; when it fails, everything is as it was.  A transferor that hangs
up in between has made its transfer anyway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.sip.events import (
    EndCause,
    ReferReceived,
    SessionAnswered,
    SessionEnded,
    SessionProgressed,
)
from gateway.sip.identity import CallerId
from gateway.switch.causes import ELSEWHERE, ENDINGS, Ending, hung_up_by
from gateway.switch.dialling import Dialler
from gateway.switch.legs import Leg
from gateway.switch.ringing import Branches
from gateway.switch.routing import Caller, ToTrunk, ToUser, route
from gateway.switch.search import Errand
from gateway.switch.world import CallOver, Happening, PatienceOver, World

__all__ = ["LET_GO", "Transfer", "may_replace", "may_transfer"]

_MAX_FORWARDS: Final = 70
_MUSIC: Final = "music"
LET_GO: Final = EndCause(None, "transferred", "local")
"""Why a transferor, or whoever was replaced, is hung up."""


def may_transfer(transferor: Leg) -> bool:
    """Tell whether this leg's party may have its far end transferred."""
    return transferor.user is not None and not transferor.trunk


def may_replace(caller: Caller, leg: Leg) -> bool:
    """Tell whether an INVITE of this caller may take the place of `leg`."""
    if caller.user is not None:
        return caller.user == leg.user
    return caller.trunk is not None and leg.trunk and leg.peer == caller.trunk


@dataclass(slots=True)
class Transfer:
    """One blind transfer while it is tried."""

    refer: ReferReceived
    transferor: Leg
    transferee: Leg
    world: World
    dialler: Dialler
    next: Callable[[float, Callable[[], Ending]], Awaitable[Happening]]
    """The call's inbox: the next thing that happens, or CallOver."""
    handle: Callable[[Happening], None]
    """What the call does with whatever is not about the transfer."""

    async def run(self) -> Leg | None:
        """Try it; return the new leg, in nobody's room yet, or None after everything is as it was.

        Raises:
            CallOver: the far end hung up, or the transfer failed and the transferor is gone as well.
        """
        signalling, session = self.world.signalling, self.refer.session
        room = self.transferor.room
        signalling.accept_refer(session)
        self.transferor.place(None)
        self.transferee.listen(_MUSIC)
        try:
            winner = await self._dial()
        except CallOver:
            signalling.notify_refer(session, status=487)
            raise
        except _Failed as failed:
            signalling.notify_refer(session, status=failed.ending.status, reason=failed.ending.text)
            if self.transferor.ended is not None:
                raise CallOver(failed.ending) from None
            self._introduce(self.transferor)
            self.transferor.place(room)
            self.transferee.listen(None)
            return None
        signalling.notify_refer(session, status=200)
        self._introduce(winner)
        self.transferee.listen(None)
        return winner

    def _introduce(self, party: Leg) -> None:
        """Say who speaks with the transferee now."""
        assert party.session is not None  # a party has one
        assert self.transferee.session is not None
        self.world.signalling.introduce(party.session, self.transferee.session)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        """Return what the new call says beside its own: who asked for it, and in whose name it is made."""
        assert self.transferee.session is not None  # a party has one
        by = self.refer.referred_by
        referred = () if by is None else (("Referred-By", by),)
        return (*referred, *self.world.signalling.introduction(self.transferee.session))

    async def _dial(self) -> Leg:
        destination = route(
            self.refer.target.uri.user or "",
            caller=Caller(user=self.transferor.user),
            table=self.world.settings.table,
        )
        if not isinstance(destination, ToUser | ToTrunk):
            raise _Failed(getattr(destination, "ending", ENDINGS["no_transfer"]))
        branches = Branches(self.world)
        errand = Errand(
            self.transferee.identity or CallerId(self.transferee.peer), _MAX_FORWARDS, self._headers()
        )
        known = self.transferee.codec
        try:
            preferred = () if known is None else (known,)
            await self.dialler.dial(branches, destination, errand, preferred=preferred)
        except CallOver as over:
            raise _Failed(over.ending) from over
        return await self._ring(branches)

    async def _ring(self, branches: Branches) -> Leg:
        """Wait for the first branch that answers."""
        deadline = self.world.clock.now() + self.world.settings.ring_timeout_s
        try:
            while branches:
                winner = await self._hear(branches, await self.next(deadline, lambda: branches.timeout))
                if winner is not None:
                    branches.cancel(ELSEWHERE)
                    return winner
        except CallOver as over:
            branches.cancel(over.ending.cause)
            if self.world.clock.now() < deadline:
                raise
            raise _Failed(over.ending) from over
        raise _Failed(branches.best_failure)

    async def _hear(self, branches: Branches, happening: Happening) -> Leg | None:
        match happening:
            case SessionEnded(session=session, cause=cause) if session == self.transferee.session:
                raise CallOver(hung_up_by(self.transferee.side, cause))
            case SessionProgressed(session=session) if session in branches:
                leg = branches[session]
                if not leg.alerted:
                    leg.alerted = True
                    self.world.signalling.notify_refer(self.refer.session, status=180)
            case SessionAnswered(session=session, sdp=sdp) if session in branches:
                self.dialler.answered()
                return branches.answered(session, sdp)
            case SessionEnded(session=session, cause=cause) if session in branches:
                leg = branches[session]
                branches.lost(session, cause)
                await self.dialler.lost(session, cause, alerted=leg.alerted)
            case PatienceOver():
                await self.dialler.patience_over()
            case SessionEnded():
                pass  # the transferor has gone, and its transfer goes on
            case _:
                self.handle(happening)
        return None


class _Failed(Exception):
    """The transfer came to nothing."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
