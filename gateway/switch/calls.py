"""The life of one call, as a story: offered, routed, media open, ringing, answered, bridged, ended.

A call is one task.  Everything that happens to it (SIP events of its sessions, media events of its rows, a
wish to end it) arrives in one inbox, in order, and the story awaits the next of them with a deadline: there
is no state in which a call can wait for ever.  The story ends by raising `CallOver`, from wherever it is;
what is then still up is hung up, every row is closed, and each leg leaves its canonical line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, NoReturn, assert_never

from gateway.errors import LocalError, Overload, PeerError
from gateway.ids import CallId, LegId, RoomId
from gateway.media.events import RtpTimedOut
from gateway.media.statistics import LegStatistics
from gateway.sip.events import EndCause, SessionAnswered, SessionEnded, SessionOffered, SessionProgressed
from gateway.sip.headers import NameAddr
from gateway.switch.causes import ELSEWHERE, ENDINGS, Ending, hung_up_by, refused_offer
from gateway.switch.legs import Leg, Side, local_media
from gateway.switch.midcall import MidCall
from gateway.switch.ringing import Branches, Target, address_of
from gateway.switch.routing import (
    Caller,
    Destination,
    Refused,
    ToApplication,
    ToBuiltIn,
    ToRoom,
    ToTrunk,
    ToUser,
    route,
)
from gateway.switch.world import CallOver, EndWanted, Happening, World

__all__ = ["Call"]

_INBOX: Final = 256
_STATISTICS_S: Final = 1.0
_MAX_FORWARDS: Final = 70


class Call:
    """One call: an offered session, the legs made for it, and the story that `run` lives."""

    def __init__(
        self, call: CallId, offered: SessionOffered, world: World, own: Callable[[str, Call], None]
    ) -> None:
        """`own` is told each session and row that is this call's, so that their events come here."""
        self.id: Final = call
        self.room: Final = RoomId(call)
        self._world = world
        self._offered = offered
        self._own = own
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue(_INBOX)
        self._legs: dict[str, Leg] = {}
        self._midcall = MidCall(call, world, self._legs)
        self._branches = Branches(world)
        self._early: Leg | None = None
        """The branch whose early media the caller hears."""
        self._progress_sent: set[int] = set()
        self._started = world.clock.now()
        self._answered = False
        self._caller_gone: EndCause | None = None
        self._ending = ENDINGS["crashed"]
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
                for target in await self._targets(destination, caller):
                    await self._start(target)
                await self._bridge(caller, await self._ring(caller))
            case _:
                assert_never(destination)
        await self._talk()

    # Offered and routed.

    def _facts(self) -> dict[str, object]:
        offered = self._offered
        return {
            "user": offered.user,
            "trunk": self._trunk,
            "dialled": offered.request.uri.user,
            "source": f"{offered.flow.transport}:{offered.flow.remote[0]}",
        }

    @property
    def _trunk(self) -> str | None:
        """The trunk that the call came from, by its source address."""
        offered = self._offered
        return self._world.settings.trunk_sources.get(offered.flow.remote[0]) if offered.trusted else None

    def _route(self) -> Destination:
        offered, settings = self._offered, self._world.settings
        if self._hops_left() <= 0:
            return Refused(ENDINGS["too_many_hops"])
        caller = Caller(user=offered.user, trunk=self._trunk)
        return route(offered.request.uri.user or "", caller=caller, table=settings.table)

    def _hops_left(self) -> int:
        """Return Max-Forwards (RFC 3261 section 20.22): we are a hop, or two of us would loop for ever."""
        text = self._offered.request.headers.get("Max-Forwards") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else _MAX_FORWARDS

    async def _open_caller(self) -> Leg:
        """Open the caller's row and see that there is a codec, before anybody else is disturbed."""
        offered = self._offered
        leg = await self._open(
            Side.CALLER, offered.user or offered.flow.remote[0], self._world.settings.codecs
        )
        leg.session = offered.session
        self._legs[offered.session] = leg
        if offered.sdp is not None:
            try:
                leg.consider(offered.sdp)
            except PeerError as error:
                raise CallOver(refused_offer(error)) from error
        return leg

    async def _open(self, side: Side, peer: str, codecs: Sequence[str]) -> Leg:
        """Lease a port for a new leg; raises CallOver when there is none."""
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
            local=local_media(address, codecs, ids=world.ids),
            started=world.clock.now(),
            force_tick=world.settings.force_tick,
        )
        self._legs[row] = leg
        self._own(row, self)
        return leg

    # Ringing.

    async def _targets(self, destination: ToUser | ToTrunk, caller: Leg) -> tuple[Target, ...]:
        """Return every place to ring; raises CallOver if there is none."""
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
        theirs = () if self._offered.sdp is None else caller.consider(self._offered.sdp)
        codecs = tuple(dict.fromkeys((*theirs, *ours)))  # the caller's first: then packets can be relayed
        name = destination.name
        bindings = signalling.bindings(name)
        if not bindings:
            raise CallOver(ENDINGS["unregistered"])
        return tuple(
            Target(each.contact, each.flow, address_of(name, each.flow), name, codecs) for each in bindings
        )

    async def _start(self, target: Target) -> None:
        """Open a row for one branch and call it."""
        try:
            leg = await self._open(Side.CALLEE, target.peer, target.codecs)
        except CallOver as over:
            self._branches.fail(over.ending)
            return
        caller = self._offered.request.from_
        name = self._offered.user or caller.uri.user or "anonymous"  # who was authenticated, not who it says
        from_ = replace(address_of(name, target.flow), display=caller.display)
        session = self._branches.start(leg, target, from_=from_, max_forwards=self._hops_left() - 1)
        if session is not None:
            self._legs[session] = leg
            self._own(session, self)

    async def _ring(self, caller: Leg) -> Leg:
        """Wait until one branch answers and return its leg.

        Raises:
            CallOver: the caller gave up, nobody answered in time, or the last branch was refused.
        """
        branches = self._branches
        deadline = self._world.clock.now() + self._world.settings.ring_timeout_s
        while branches:
            happening = await self._next(deadline, lambda: branches.timeout)
            match happening:
                case SessionEnded(session=session, cause=cause) if session == caller.session:
                    raise CallOver(ENDINGS["cancelled" if cause.by == "remote" else "caller_lost"])
                case SessionProgressed(session=session) if session in branches:
                    self._progressed(caller, branches[session], happening)
                case SessionAnswered(session=session, sdp=sdp) if session in branches:
                    if (winner := branches.answered(session, sdp)) is not None:
                        return winner
                case SessionEnded(session=session, cause=cause) if session in branches:
                    self._early_media_over(branches[session])
                    branches.lost(session, cause)
                case _:
                    self._midcall.handle(happening)
        raise CallOver(branches.best_failure)

    def _progressed(self, caller: Leg, leg: Leg, progress: SessionProgressed) -> None:
        """Pass ringing on, and the first branch's early media: the SDP decides, not the status (RFC 3960)."""
        leg.alerted = True
        if progress.sdp is not None and self._hear_early(caller, leg, progress.sdp):
            return
        status = 180 if progress.sdp is not None else progress.status
        if status not in self._progress_sent:
            self._progress_sent.add(status)
            self._world.signalling.ring(self._offered.session, status=status)

    def _hear_early(self, caller: Leg, leg: Leg, sdp: bytes) -> bool:
        """Bridge early media; False if the caller cannot hear any, or hears another branch's already."""
        if self._offered.sdp is None or self._early not in (None, leg):
            return False
        try:
            leg.take_answer(sdp)
        except PeerError as error:
            self._world.log.info("leg.early_media_refused", call=self.id, leg=leg.id, reason=str(error))
            return False
        self._early = leg
        leg.place(self.room)
        caller.place(self.room)
        if caller.negotiated is None:
            said = caller.answer(self._offered.sdp, like=leg.codec)
            self._world.signalling.ring(self._offered.session, status=183, sdp=said)
        return True

    def _early_media_over(self, leg: Leg) -> None:
        """Let another branch be heard, if it was this one that the caller heard."""
        if leg is self._early:
            self._early = None
            leg.place(None)

    # Answered and bridged.

    async def _bridge(self, caller: Leg, winner: Leg) -> None:
        self._branches.cancel(ELSEWHERE)
        winner.place(self.room)
        caller.place(self.room)
        self._answer(caller, like=winner.codec)
        await self._close_legs(leg for leg in self._legs.values() if leg not in (caller, winner))

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
        caller.answered_at = self._world.clock.now()
        self._world.log.info("call.answered", call=self.id, codec=caller.codec, other_codec=like)

    async def _talk(self) -> NoReturn:
        """Stay until one side hangs up, falls silent or has talked for too long."""
        deadline = self._world.clock.now() + self._world.settings.max_call_s
        while True:
            happening = await self._next(deadline, lambda: ENDINGS["too_long"])
            match happening:
                case SessionEnded(session=session, cause=cause) if session in self._legs:
                    raise CallOver(hung_up_by(self._legs[session].side, cause))
                case RtpTimedOut():
                    raise CallOver(ENDINGS["silent"])
                case _:
                    self._midcall.handle(happening)

    # The inbox.

    async def _next(self, deadline: float, late: Callable[[], Ending]) -> Happening:
        """Return the next thing that happens.

        Raises:
            CallOver: with `late()` at the deadline, or because somebody wants the end.
        """
        try:
            async with asyncio.timeout(deadline - self._world.clock.now()):
                happening = await self._inbox.get()
        except TimeoutError:
            raise CallOver(late()) from None
        if isinstance(happening, EndWanted):
            raise CallOver(happening.ending)
        if isinstance(happening, SessionEnded):
            self._note_end(happening)
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
        elif self._caller_gone is None:
            signalling.hang_up(self._offered.session, cause=ending.cause)
        self._branches.cancel(ending.cause)
        for leg in set(self._legs.values()):
            if leg.side is Side.CALLEE and leg.session is not None and leg.ended is None:
                signalling.hang_up(leg.session, cause=ending.cause)
        await self._close_legs(self._legs.values())
        self._world.log.info("call.ended", call=self.id, **self._facts(), **self._outcome())

    async def _close_legs(self, legs: Iterable[Leg]) -> None:
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
