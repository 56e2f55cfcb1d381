"""The life of one call, as a story: offered, routed, media open, ringing, answered, bridged, ended.

A call is one task.  Everything that happens to it (SIP events of its sessions, media events of its rows, a
wish to end it) arrives in one inbox, in order, and the story awaits the next of them with a deadline: there
is no state in which a call can wait for ever.  The story ends by raising `CallOver`, from wherever it is;
what is then still up is hung up, every row is closed, and each leg leaves its canonical line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NoReturn, assert_never

from gateway.errors import Overload, PeerError
from gateway.ids import CallId, RoomId
from gateway.media.events import RtpTimedOut
from gateway.media.statistics import LegStatistics
from gateway.sip.events import (
    EndCause,
    ReferralOver,
    ReferReceived,
    SessionAnswered,
    SessionEnded,
    SessionOffered,
    SessionProgressed,
)
from gateway.sip.identity import PASSED_ON
from gateway.switch.causes import ELSEWHERE, ENDINGS, Ending, hung_up_by, refused_offer
from gateway.switch.dialling import Dialler
from gateway.switch.early import EarlyMedia
from gateway.switch.encryption import warn_of_keys
from gateway.switch.joining import Joining
from gateway.switch.legs import Leg
from gateway.switch.midcall import MidCall
from gateway.switch.origins import origin_of
from gateway.switch.ringing import Branches
from gateway.switch.routing import (
    Destination,
    Refused,
    ToApplication,
    ToBuiltIn,
    ToRoom,
    ToTrunk,
    ToUser,
    route,
)
from gateway.switch.search import Errand
from gateway.switch.world import CallOver, EndWanted, Happening, PatienceOver, World

__all__ = ["Call"]

_INBOX: Final = 256
_STATISTICS_S: Final = 1.0
_MAX_FORWARDS: Final = 70


class Call:
    """One call: an offered session, the legs made for it, and the story that `run` lives."""

    def __init__(
        self,
        call: CallId,
        offered: SessionOffered,
        world: World,
        own: Callable[[str, Call], None],
        find: Callable[[str], Call | None],
    ) -> None:
        """`own` is told each session and row that is this call's, so that their events come here.

        `find` returns the call that owns a session.
        """
        self.id: Final = call
        self.room: Final = RoomId(call)
        self._world = world
        self._offered = offered
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue(_INBOX)
        self._legs: dict[str, Leg] = {}
        self._midcall = MidCall(call, world, self._legs)
        self._branches = Branches(world)
        self._early = EarlyMedia(call, self.room, world, offered)
        self._dialler = Dialler(world, self._legs, lambda key: own(key, self))
        self._origin: Final = origin_of(offered, world)
        self.caller_id: Final = self._origin.caller_id
        """Who calls, as applications and called parties are told."""
        self._started = world.clock.now()
        self._answered = False
        self._caller_gone: EndCause | None = None
        self._ending = ENDINGS["crashed"]
        self._joining = Joining(self, world, self._legs, self._dialler, self._midcall, find)
        own(offered.session, self)

    def tell(self, happening: Happening) -> None:
        """Put something into the call's inbox.

        Raises:
            Overload: more has happened than the call could read; it is not worth saving.
        """
        try:
            self._inbox.put_nowait(happening)
        except asyncio.QueueFull:
            raise Overload(f"call {self.id}: {_INBOX} events unread") from None

    @property
    def answered(self) -> bool:
        """Whether the caller was answered."""
        return self._answered

    def give(self, near: str, *, user: str | None) -> Leg | None:
        """Hand the far end of `near`'s leg, which must be `user`'s, over to another call; this one ends."""
        return self._joining.give(near, user=user)

    async def run(self) -> None:
        """Live the call; returns when nothing of it is left."""
        self._world.log.info("call.offered", call=self.id, **self._facts())
        try:
            await self._story()
        except CallOver as over:
            self._ending = over.ending
        except asyncio.CancelledError:
            self._ending = ENDINGS["shutdown"]
            raise
        finally:
            await self._close()

    async def _story(self) -> NoReturn:
        destination = self._route()
        match destination:
            case Refused(ending):
                raise CallOver(ending)
            case ToApplication():
                raise CallOver(ENDINGS["no_application"])
            case ToBuiltIn(source):
                caller = await self._open_caller()
                caller.place(None, source=source)
                self._answer(caller)
            case ToRoom(room):
                caller = await self._open_caller()
                caller.place(room)
                self._answer(caller)
            case ToUser() | ToTrunk():
                caller = await self._open_caller()
                await self._dial(destination, caller)
                await self._bridge(caller, await self._ring(caller))
            case _:
                assert_never(destination)
        await self._talk()

    # Offered and routed.

    def _facts(self) -> dict[str, object]:
        offered = self._offered
        return {
            "user": self._origin.caller.user,
            "trunk": self._origin.caller.trunk,
            "dialled": self._origin.dialled,
            "source": f"{offered.flow.transport}:{offered.flow.remote[0]}",
        }

    def _route(self) -> Destination:
        if self._hops_left() <= 0:
            return Refused(ENDINGS["too_many_hops"])
        origin = self._origin
        return route(origin.dialled, caller=origin.caller, table=self._world.settings.table)

    def _hops_left(self) -> int:
        """Return Max-Forwards (RFC 3261 section 20.22): we are a hop, or two of us would loop for ever."""
        text = self._offered.request.headers.get("Max-Forwards") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else _MAX_FORWARDS

    async def _open_caller(self) -> Leg:
        """Open the caller's row and see that there is a codec, before anybody else is disturbed."""
        offered = self._offered
        leg = await self._dialler.open_offered(offered, self._origin)
        if offered.sdp is not None:
            try:
                leg.consider(offered.sdp)
            except PeerError as error:
                raise CallOver(refused_offer(error)) from error
        return leg

    # Ringing.

    async def _dial(self, destination: ToUser | ToTrunk, caller: Leg) -> None:
        offered = self._offered
        passed = tuple(pair for pair in offered.request.headers if pair[0] in PASSED_ON)
        errand = Errand(self.caller_id, self._hops_left() - 1, passed)
        theirs = () if offered.sdp is None else caller.consider(offered.sdp)
        await self._dialler.dial(self._branches, destination, errand, preferred=theirs)

    async def _ring(self, caller: Leg) -> Leg:
        """Wait until one branch answers and return its leg.

        Raises:
            CallOver: the caller gave up, nobody answered in time, or the last branch was refused.
        """
        branches = self._branches
        deadline = self._world.clock.now() + self._world.settings.ring_timeout_s
        while branches:
            happening = await self.next(deadline, lambda: branches.timeout)
            match happening:
                case SessionEnded(session=session, cause=cause) if session == caller.session:
                    raise CallOver(ENDINGS["cancelled" if cause.by == "remote" else "caller_lost"])
                case SessionProgressed(session=session) if session in branches:
                    self._early.progressed(caller, branches[session], happening)
                case SessionAnswered(session=session, sdp=sdp) if session in branches:
                    self._dialler.answered()
                    if (winner := branches.answered(session, sdp)) is not None:
                        return winner
                case SessionEnded(session=session, cause=cause) if session in branches:
                    leg = branches[session]
                    self._early.over(leg)
                    branches.lost(session, cause)
                    await self._dialler.lost(session, cause, alerted=leg.alerted)
                case PatienceOver():
                    await self._dialler.patience_over()
                case _:
                    self._midcall.handle(happening)
        raise CallOver(branches.best_failure)

    # Answered and bridged.

    async def _bridge(self, caller: Leg, winner: Leg) -> None:
        self._branches.cancel(ELSEWHERE)
        winner.place(self.room)
        caller.place(self.room)
        self._answer(caller, like=winner.codec)
        await self.close_legs(leg for leg in self._legs.values() if leg not in (caller, winner))

    def _answer(self, caller: Leg, *, like: str | None = None) -> None:
        """Send the 200: our answer, the one that early media had already, or our offer if there was none."""
        if self._offered.sdp is None:
            said = caller.offer(first=like)
        elif caller.negotiated is None:
            said = caller.answer(self._offered.sdp, like=like)
        else:
            said = caller.said
        self._world.signalling.answer(self._offered.session, sdp=said)
        self._answered = True
        warn_of_keys(self._world.log, caller, self._offered.flow)
        caller.answered_at = self._world.clock.now()
        self._world.log.info("call.answered", call=self.id, codec=caller.codec, other_codec=like)

    async def _talk(self) -> NoReturn:
        """Stay until one side hangs up, falls silent or has talked for too long."""
        deadline = self._world.clock.now() + self._world.settings.max_call_s
        while True:
            happening = await self.next(deadline, lambda: ENDINGS["too_long"])
            match happening:
                case SessionEnded(session=session, cause=cause) if session in self._legs:
                    leg = self._legs[session]
                    if not leg.leaving:
                        raise CallOver(hung_up_by(leg.side, cause))
                    await self.close_legs([leg])
                case RtpTimedOut(leg=row) if row in self._legs and not self._legs[row].leaving:
                    raise CallOver(ENDINGS["silent"])
                case ReferReceived(session=session) if session in self._legs:
                    await self._joining.transfer(happening, self._legs[session])
                case ReferralOver(session=session) if session in self._legs:
                    if self._legs[session].leaving:  # else its transfer failed, and it talks on
                        self._joining.let_go(self._legs[session])
                case SessionOffered(replaces=replaced) if replaced in self._legs:
                    await self._joining.replace(happening, self._legs[replaced])
                case _:
                    self._midcall.handle(happening)

    def moved(self, leg: Leg) -> list[Happening]:
        """Return, and forget, what has happened to a leg that was given away and was not read yet."""
        waiting = [self._inbox.get_nowait() for _ in range(self._inbox.qsize())]
        gone = [each for each in waiting if _subject(each) in (leg.id, leg.session)]
        for happening in waiting:
            if happening not in gone:
                self._inbox.put_nowait(happening)
        return gone

    # The inbox.

    async def next(self, deadline: float, late: Callable[[], Ending]) -> Happening:
        """Return the next thing that happens.

        Raises:
            CallOver: with `late()` at the deadline, or because somebody wants the end.
        """
        until = min(deadline, self._dialler.impatient_at)
        try:
            async with asyncio.timeout(until - self._world.clock.now()):
                happening = await self._inbox.get()
        except TimeoutError:
            if until < deadline:
                return PatienceOver()
            raise CallOver(late()) from None
        if isinstance(happening, EndWanted):
            raise CallOver(happening.ending)
        if isinstance(happening, SessionEnded):
            self._note_end(happening)
        elif isinstance(happening, SessionOffered) and not self._answered:
            self._world.signalling.reject(happening.session, status=486)  # it rings: nobody can be replaced
        return happening

    def _note_end(self, ended: SessionEnded) -> None:
        if ended.session == self._offered.session:
            self._caller_gone = ended.cause
        if (leg := self._legs.get(ended.session)) is not None:
            leg.ended = ended.cause

    # Ended.

    async def _close(self) -> None:
        """Hang up what is up, close every row, and say in one line each what has been."""
        signalling, ending = self._world.signalling, self._ending
        while not self._inbox.empty():  # an end that crossed ours is the peer's
            if isinstance(happening := self._inbox.get_nowait(), SessionEnded):
                self._note_end(happening)
        if self._caller_gone is None and not self._answered:
            headers = ending.headers(self._world.settings.host, self._world.ids)
            status = ending.status if ending.status >= 300 else 480
            signalling.reject(self._offered.session, status=status, headers=headers)
        self._branches.cancel(ending.cause)
        for leg in dict.fromkeys(self._legs.values()):
            if leg.session is not None and leg.ended is None:
                signalling.hang_up(leg.session, cause=ending.cause)
        await self.close_legs(self._legs.values())
        self._world.log.info("call.ended", call=self.id, **self._facts(), **self._outcome())

    async def close_legs(self, legs: Iterable[Leg]) -> None:
        """Close the rows of some legs and say in one line each what they were."""
        over = set(legs)
        for key in [key for key, leg in self._legs.items() if leg in over]:
            del self._legs[key]
        await asyncio.gather(*(self._close_leg(leg) for leg in over))

    async def _close_leg(self, leg: Leg) -> None:
        statistics = LegStatistics()
        try:
            async with asyncio.timeout(_STATISTICS_S):
                statistics = await self._world.media.statistics(leg.id)
        except TimeoutError:
            pass  # a line without counters is better than none
        finally:
            leg.close()
        now = self._world.clock.now()
        cause = leg.ended or self._ending.cause
        self._world.log.info(
            "leg.ended",
            call=self.id,
            **leg.canonical(statistics, now=now),
            status=cause.status,
            cause=cause.reason,
            q850=cause.q850,
        )

    def _outcome(self) -> dict[str, object]:
        ending = self._ending
        return {
            "answered": self._answered,
            "status": ending.status,
            "cause": ending.text,
            "q850": ending.q850,
            "by": str(ending.by),
            "lasted_s": round(self._world.clock.now() - self._started, 3),
        }


def _subject(happening: Happening) -> str | None:
    """Return the session or row that something happened to."""
    return getattr(happening, "session", None) or getattr(happening, "leg", None)
