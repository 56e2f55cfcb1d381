"""The life of one call, as a story: begun, routed, media open, ringing, answered, bridged, ended.

A call is one task.  Everything that happens to it (SIP events of its sessions, media events of its rows, a
wish to end it) arrives in one inbox, in order, and the story awaits the next of them with a deadline: there
is no state in which a call can wait for ever.  The story ends by raising `CallOver`, from wherever it is;
what is then still up is hung up, every row is closed, and each leg leaves its canonical line.

Most calls begin with somebody who calls (an `Arrival`).  A call of an application is told by its steering
(`gateway.switch.steered`) with the same verbs, and may begin with nobody at all: then who is called first is
the first to be there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, NoReturn, Protocol, assert_never

from gateway.errors import Overload
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
from gateway.sip.identity import CallerId
from gateway.switch.arrivals import Arrival
from gateway.switch.causes import ELSEWHERE, ENDINGS, Ending, hung_up_by, silence
from gateway.switch.dialling import Dialler
from gateway.switch.early import EarlyMedia
from gateway.switch.encryption import warn_of_keys
from gateway.switch.joining import Joining
from gateway.switch.keeping import Keeping, KeptCall, KeptStory, leg_of
from gateway.switch.legs import Leg, Side
from gateway.switch.midcall import MidCall
from gateway.switch.ringing import Branches
from gateway.switch.routing import Refused, ToApplication, ToBuiltIn, ToRoom, ToTrunk, ToUser
from gateway.switch.search import Errand
from gateway.switch.world import CallOver, EndWanted, Happening, PatienceOver, World

__all__ = ["Call", "Story"]

_INBOX: Final = 256
_STATISTICS_S: Final = 1.0


class Story(Protocol):
    """Whoever tells what a call does, in place of the plain story of caller and called party."""

    async def live(self, call: Call) -> None:
        """Tell it; returning ends the call."""
        ...

    async def over(self, ending: Ending) -> None:
        """Note how it ended, after all is hung up."""
        ...

    @property
    def kept(self) -> KeptStory | None:
        """What another process would need to go on with it; None = the plain story."""
        ...


class Call:
    """One call: the legs made for it, and the story that `run` lives."""

    def __init__(
        self,
        call: CallId,
        world: World,
        own: Callable[[str, Call], None],
        find: Callable[[str], Call | None],
        *,
        arrival: Arrival | None = None,
        story: Story | None = None,
        resumed: KeptCall | None = None,
    ) -> None:
        """`own` is told each session and row that is this call's, so that their events come here.

        `find` returns the call that owns a session.  `arrival` is who calls; None = the call begins with `story`.
        `resumed` is what a process before us has noted of it: it is up already.
        """
        self.id: Final = call
        self.room: Final = RoomId(call)
        self.world: Final = world
        self.arrival: Final = arrival
        self._told_by: Final = story
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue(_INBOX)
        self.legs: Final[dict[str, Leg]] = {}
        """By row and by session."""
        self.midcall: Final = MidCall(call, world, self.legs)
        self._branches = Branches(world)
        self._early = None if arrival is None else EarlyMedia(call, self.room, world, arrival.offered)
        self._keeping: Final = Keeping(self, lambda: None if story is None else story.kept)
        self._own: Final = own
        self.dialler: Final = Dialler(world, self.legs, self._owns)
        self.started: Final = world.clock.now() if resumed is None else resumed.started
        self._answered = resumed is not None and resumed.answered
        self._resumed: Final = resumed
        self._caller_gone: EndCause | None = None
        self._ending = ENDINGS["crashed"]
        self._joining = Joining(self, world, self.legs, self.dialler, self.midcall, find)
        if arrival is not None:
            self._owns(arrival.session)
        if resumed is not None:
            self._take_up(resumed)

    def _owns(self, key: str) -> None:
        """Have the events of a session or a row come here, and its changes noted."""
        self._own(key, self)
        leg = self.legs.get(key)
        if leg is not None:
            leg.changed = self.note
        if leg is None or (leg.side is Side.CALLER and leg.answered_at is None):
            self._keeping.in_time()
        else:
            self.note()

    def note(self) -> None:
        """Note, when the present turn is over, what a successor of this process would need."""
        self._keeping.soon()

    def _take_up(self, kept: KeptCall) -> None:
        """Go on with the legs that a process before us has noted."""
        for each in kept.legs:
            leg = leg_of(each, self.world)
            self.dialler.enter(leg, leg.id)
            if leg.session is not None:
                self.dialler.enter(leg, leg.session)

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
    def story(self) -> Story | None:
        """Who tells it; None = it goes as it was dialled."""
        return self._told_by

    @property
    def answered(self) -> bool:
        """Whether anybody talks: the caller was answered, or who was called first has answered."""
        return self._answered

    @property
    def caller_id(self) -> CallerId | None:
        """Who calls, as applications and called parties are told; None = nobody does."""
        return None if self.arrival is None else self.arrival.origin.caller_id

    def give(self, near: str, *, user: str | None) -> Leg | None:
        """Hand the far end of `near`'s leg, which must be `user`'s, over to another call; this one ends."""
        return self._joining.give(near, user=user)

    async def run(self) -> None:
        """Live the call; returns when nothing of it is left."""
        if self._resumed is None:
            self.world.log.info("call.offered", call=self.id, **self.facts)
        else:
            self.world.log.info("call.resumed", call=self.id, **self.facts)
        try:
            await self._story()
        except CallOver as over:
            self._ending = over.ending
        except asyncio.CancelledError:
            self._ending = ENDINGS["shutdown"]
            raise
        finally:
            try:
                await self._close()
            finally:  # whatever is wrong with a leg, the call has a record
                self._keeping.forget()
                if self._told_by is not None:
                    await self._told_by.over(self._ending)

    async def _story(self) -> NoReturn:
        if self._told_by is not None:
            await self._told_by.live(self)
            raise CallOver(ENDINGS["hung_up"])
        assert self.arrival is not None  # or there would be a story
        match destination := self.arrival.route():
            case Refused(ending):
                raise CallOver(ending)
            case ToApplication():
                raise CallOver(ENDINGS["no_application"])
            case ToBuiltIn(source):
                caller = await self.arrival.open(self.dialler)
                caller.place(None, source=source)
                self.answer(caller)
            case ToRoom(room):
                caller = await self.arrival.open(self.dialler)
                caller.place(room)
                self.answer(caller)
            case ToUser() | ToTrunk():
                caller = await self.arrival.open(self.dialler)
                errand = Errand(
                    self.arrival.origin.caller_id, self.arrival.hops_left - 1, self.arrival.passed_on
                )
                deadline = self.world.clock.now() + self.world.settings.ring_timeout_s
                await self.bridge(caller, await self.dial(destination, errand, caller, deadline=deadline))
            case _:
                assert_never(destination)
        await self.talk(self.world.clock.now() + self.world.settings.max_call_s)

    @property
    def facts(self) -> Mapping[str, object]:
        """What the log says of where it comes from."""
        if self._resumed is not None:
            return self._resumed.facts
        return {} if self.arrival is None else self.arrival.facts

    # Ringing.

    async def dial(
        self,
        destination: ToUser | ToTrunk,
        errand: Errand,
        caller: Leg | None,
        *,
        deadline: float,
    ) -> Leg:
        """Call somebody, for `caller` if one is there; return the leg that answered first.

        Raises:
            CallOver: the caller gave up, nobody answered by `deadline`, or the last branch was refused.
        """
        self._branches = Branches(self.world)
        theirs = () if caller is None or self.arrival is None else self.arrival.preferred
        await self.dialler.dial(self._branches, destination, errand, preferred=theirs)
        while self._branches:
            happening = await self.next(deadline, lambda: self._branches.timeout)
            if (winner := await self._heard_ringing(happening, caller)) is not None:
                self._branches.cancel(ELSEWHERE)
                return winner
        raise CallOver(self._branches.best_failure)

    async def _heard_ringing(self, happening: Happening, caller: Leg | None) -> Leg | None:
        """Take in what happens while branches ring; the leg of the one that answered."""
        branches = self._branches
        match happening:
            case SessionProgressed(session=session) if session in branches:
                if caller is not None and self._early is not None:
                    self._early.progressed(caller, branches[session], happening)
                else:
                    branches[session].alerted = True
            case SessionAnswered(session=session, sdp=sdp) if session in branches:
                self.dialler.answered()
                return branches.answered(session, sdp)
            case SessionEnded(session=session, cause=cause) if session in branches:
                leg = branches[session]
                if self._early is not None:
                    self._early.over(leg)
                branches.lost(session, cause)
                await self.dialler.lost(session, cause, alerted=leg.alerted)
            case PatienceOver():
                await self.dialler.patience_over()
            case _:
                await self.hear(happening)
        return None

    # Answered and bridged.

    async def bridge(self, caller: Leg, winner: Leg) -> None:
        """Let two parties hear each other, and let everybody else go."""
        winner.place(self.room)
        caller.place(self.room)
        self.answer(caller, like=winner.codec)
        await self.close_legs(leg for leg in self.legs.values() if leg not in (caller, winner))

    def answer(self, caller: Leg, *, like: str | None = None) -> None:
        """Answer the caller, who has not been yet; `like` is the codec of who is talked to."""
        if self.arrival is None or self.arrival.answered:
            return
        self.arrival.answer(caller, like=like)
        self._answered = True
        warn_of_keys(self.world.log, caller, self.arrival.offered.flow)
        caller.answered_at = self.world.clock.now()
        self.note()
        self.world.log.info("call.answered", call=self.id, codec=caller.codec, other_codec=like)

    def picked_up(self, leg: Leg | None) -> None:
        """Take it that the first party of a call without a caller is there; None = one without a phone."""
        self._answered = True
        self.note()
        codec = None if leg is None else leg.codec
        self.world.log.info("call.answered", call=self.id, codec=codec, other_codec=None)

    async def talk(self, deadline: float) -> NoReturn:
        """Stay until one side hangs up, falls silent or has talked until `deadline`, in monotonic seconds."""
        while True:
            await self.hear(await self.next(deadline, lambda: ENDINGS["too_long"]))

    async def hear(self, happening: Happening) -> None:
        """Take in something that happens to parties who are there.

        Raises:
            CallOver: it ends the call.
        """
        match happening:
            case SessionEnded(session=session, cause=cause) if session in self.legs:
                await self._left(self.legs[session], cause)
            case RtpTimedOut(leg=row) if row in self.legs and not self.legs[row].leaving:
                if self._answered:
                    raise CallOver(silence(happening.reason))
            case ReferReceived(session=session) if session in self.legs and self._answered:
                await self._joining.transfer(happening, self.legs[session])
            case ReferralOver(session=session) if session in self.legs:
                if self.legs[session].leaving:  # else its transfer failed, and it talks on
                    self._joining.let_go(self.legs[session])
            case SessionOffered(replaces=replaced) if replaced in self.legs and self._answered:
                await self._joining.replace(happening, self.legs[replaced])
            case _:
                self.midcall.handle(happening)

    async def _left(self, leg: Leg, cause: EndCause) -> None:
        if leg.leaving:
            await self.close_legs([leg])
        elif leg.answered_at is not None:
            raise CallOver(hung_up_by(leg.side, cause))
        elif self.arrival is not None and leg.session == self.arrival.session:
            raise CallOver(ENDINGS["cancelled" if cause.by == "remote" else "caller_lost"])

    def let_go(self, leg: Leg) -> None:
        """Hang up a party whose place somebody else takes; the call goes on."""
        self._joining.let_go(leg)

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
        happening = await self.next_until(deadline)
        if happening is None:
            raise CallOver(late())
        return happening

    async def next_until(self, deadline: float) -> Happening | None:
        """Return the next thing that happens; None at the deadline.

        Raises:
            CallOver: somebody wants the end.
        """
        until = min(deadline, self.dialler.impatient_at)
        try:
            async with asyncio.timeout(until - self.world.clock.now()):
                happening = await self._inbox.get()
        except TimeoutError:
            return PatienceOver() if until < deadline else None
        if isinstance(happening, EndWanted):
            raise CallOver(happening.ending)
        if isinstance(happening, SessionEnded):
            self._note_end(happening)
        elif isinstance(happening, SessionOffered) and not self._answered:
            self.world.signalling.reject(happening.session, status=486)  # it rings: nobody can be replaced
        return happening

    def _note_end(self, ended: SessionEnded) -> None:
        if self.arrival is not None and ended.session == self.arrival.session:
            self._caller_gone = ended.cause
        if (leg := self.legs.get(ended.session)) is not None:
            leg.ended = ended.cause

    # Ended.

    async def _close(self) -> None:
        """Hang up what is up, close every row, and say in one line each what has been."""
        signalling, ending = self.world.signalling, self._ending
        while not self._inbox.empty():  # an end that crossed ours is the peer's
            if isinstance(happening := self._inbox.get_nowait(), SessionEnded):
                self._note_end(happening)
        if self.arrival is not None and self._caller_gone is None and not self.arrival.answered:
            self.arrival.reject(ending)
        self._branches.cancel(ending.cause)
        for leg in dict.fromkeys(self.legs.values()):
            if leg.session is not None and leg.ended is None:
                signalling.hang_up(leg.session, cause=ending.cause)
        self._keeping.forget()
        await self.close_legs(self.legs.values())
        self.world.log.info("call.ended", call=self.id, **self.facts, **self._outcome())

    async def close_legs(self, legs: Iterable[Leg]) -> None:
        """Close the rows of some legs and say in one line each what they were."""
        over = set(legs)
        for key in [key for key, leg in self.legs.items() if leg in over]:
            del self.legs[key]
        await asyncio.gather(*(self._close_leg(leg) for leg in over))

    async def _close_leg(self, leg: Leg) -> None:
        statistics = LegStatistics()
        with suppress(TimeoutError):  # a line without counters is better than none
            async with asyncio.timeout(_STATISTICS_S):
                statistics = await leg.close()
        now = self.world.clock.now()
        cause = leg.ended or self._ending.cause
        self.world.log.info(
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
            "lasted_s": round(self.world.clock.now() - self.started, 3),
        }


def _subject(happening: Happening) -> str | None:
    """Return the session or row that something happened to."""
    return getattr(happening, "session", None) or getattr(happening, "leg", None)
