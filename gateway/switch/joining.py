"""Who takes whose place in a conversation: transfers, and calls that replace a party (RFC 5589, RFC 3891).

What may be done stands in `transfer`; this does it to a call's legs.  Between the two calls of an attended
transfer a leg changes its owner: its row, its port and its session go on as they are, only their events go to
the other call from then on.  So nothing is renegotiated, and the parties hear each other at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from gateway.errors import PeerError
from gateway.ids import CallId, RoomId
from gateway.sip.events import ReferReceived, SessionId, SessionOffered
from gateway.switch.causes import ENDINGS, Ending
from gateway.switch.dialling import Dialler
from gateway.switch.legs import Leg
from gateway.switch.midcall import MidCall
from gateway.switch.origins import origin_of
from gateway.switch.transfer import LET_GO, Transfer, may_replace, may_transfer
from gateway.switch.world import CallOver, EndWanted, Happening, World

__all__ = ["Conversation", "Joining"]


class Conversation(Protocol):
    """A call, as much of it as joining needs."""

    @property
    def id(self) -> CallId:
        """For the log."""
        ...

    @property
    def room(self) -> RoomId:
        """Where its parties hear each other."""
        ...

    @property
    def answered(self) -> bool:
        """Whether anybody talks yet."""
        ...

    def tell(self, happening: Happening) -> None:
        """Put something into its inbox."""
        ...

    def next(self, deadline: float, late: Callable[[], Ending]) -> Awaitable[Happening]:
        """Return the next thing in its inbox, or raise CallOver."""
        ...

    def close_legs(self, legs: Iterable[Leg]) -> Awaitable[None]:
        """Close rows."""
        ...

    def give(self, near: str, *, user: str | None) -> Leg | None:
        """Give its far end away."""
        ...

    def moved(self, leg: Leg) -> list[Happening]:
        """Return what a leg that was given away has in its inbox."""
        ...


class Joining:
    """Moves the parties of one call."""

    def __init__(
        self,
        call: Conversation,
        world: World,
        legs: dict[str, Leg],
        dialler: Dialler,
        midcall: MidCall,
        find: Callable[[str], Conversation | None],
    ) -> None:
        """`find` returns the call that owns a session."""
        self._call: Final = call
        self._world: Final = world
        self._legs: Final = legs
        self._dialler: Final = dialler
        self._midcall: Final = midcall
        self._find: Final = find

    async def transfer(self, refer: ReferReceived, transferor: Leg) -> None:
        """Do what a REFER asks for, if its sender may ask for it.

        Raises:
            CallOver: with nobody left to talk to.
        """
        call, others = self._call, self._midcall.others(transferor)
        if not may_transfer(transferor) or len(others) != 1:
            status = 488 if may_transfer(transferor) else 403
            self._world.signalling.refuse_refer(refer.session, status=status)
            return
        (transferee,) = others
        self._world.log.info("call.transferring", call=call.id, leg=transferor.id, attended=refer.attended)
        other = None if refer.replaces is None else self._find(refer.replaces)
        if other is not None and refer.replaces is not None:
            joined = self._take(refer, refer.replaces, transferor, other)
        else:
            joined = await self._blind(refer, transferor, transferee)
        if joined is not None:
            transferor.leaving = True
            transferor.place(None)
            for party in (transferee, joined):
                party.listen(None)
                party.place(call.room)
        kept = (transferor, transferee, joined)
        await call.close_legs([leg for leg in self._legs.values() if leg not in kept])
        if transferor.ended is not None:
            await call.close_legs([transferor])

    async def replace(self, offered: SessionOffered, replaced: Leg) -> None:
        """Let a new call take the place of one party, if it may."""
        signalling, origin = self._world.signalling, origin_of(offered, self._world)
        if not may_replace(origin.caller, replaced) or replaced.leaving:
            signalling.reject(offered.session, status=403)
            return
        try:
            leg = await self._dialler.open_offered(offered, origin)
        except CallOver as over:
            signalling.reject(offered.session, status=over.ending.status)
            return
        try:
            said = leg.offer() if offered.sdp is None else leg.answer(offered.sdp)
        except PeerError as error:
            signalling.reject(offered.session, status=error.status)
            await self._call.close_legs([leg])
            return
        for party in self._midcall.others(replaced):
            self._introduce(offered.session, party)
        signalling.answer(offered.session, sdp=said)
        leg.answered_at = self._world.clock.now()
        leg.place(replaced.room, source=replaced.source)
        replaced.place(None)
        self.let_go(replaced)
        self._world.log.info("call.replaced", call=self._call.id, leg=replaced.id, by=leg.id)

    def give(self, near: str, *, user: str | None) -> Leg | None:
        """Hand the far end of `near`'s leg over to another call; None unless it is `user`'s and has one.

        The call that gives ends.
        """
        leg = self._legs.get(near)
        if leg is None or leg.user is None or leg.user != user or not self._call.answered:
            return None
        others = self._midcall.others(leg)
        if len(others) != 1:
            return None
        (far,) = others
        for key in [key for key, each in self._legs.items() if each is far]:
            del self._legs[key]
        self._call.tell(EndWanted(ENDINGS["transferred"]))
        return far

    def let_go(self, leg: Leg) -> None:
        """Hang up a party without ending the call."""
        leg.leaving = True
        assert leg.session is not None  # a party has one
        self._world.signalling.hang_up(leg.session, cause=LET_GO)

    def _introduce(self, session: SessionId, party: Leg) -> None:
        """Say to a party and to whoever has come that they speak with each other."""
        assert party.session is not None  # a party has one
        self._world.signalling.introduce(session, party.session)

    async def _blind(self, refer: ReferReceived, transferor: Leg, transferee: Leg) -> Leg | None:
        transfer = Transfer(
            refer,
            transferor,
            transferee,
            self._world,
            self._dialler,
            self._call.next,
            self._midcall.handle,
        )
        return await transfer.run()

    def _take(self, refer: ReferReceived, near: str, transferor: Leg, other: Conversation) -> Leg | None:
        """Take over the far end of the other call of an attended transfer; None if it has none for us."""
        signalling = self._world.signalling
        far = other.give(near, user=transferor.user)
        if far is None or far.session is None:
            signalling.refuse_refer(refer.session, status=403)
            return None
        signalling.accept_refer(refer.session)
        signalling.notify_refer(refer.session, status=200)
        for party in self._midcall.others(transferor):
            self._introduce(far.session, party)
        self._dialler.enter(far, far.id)
        self._dialler.enter(far, far.session)
        for happening in other.moved(far):
            self._call.tell(happening)
        return far
