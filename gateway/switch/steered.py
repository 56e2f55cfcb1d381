"""A call of an application: the verbs by which its steering lives it, done to the legs of a `Call`.

Everything waits in one place (`_hear`), where the call's inbox is read, so
that a hang-up, a key or an order is never missed while a callback is asked or a prompt is played.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final, NoReturn, TypeVar

from gateway.errors import Overload
from gateway.ids import LegId
from gateway.media.answering_machine import Sign, Who
from gateway.media.events import AnswerJudged, BeepHeard, SourceEnded
from gateway.sip.events import EndCause
from gateway.sip.identity import CallerId
from gateway.switch.answerers import Answerer, AnswerNews
from gateway.switch.applications import Applications
from gateway.switch.arrivals import MAX_FORWARDS
from gateway.switch.caller_ids import PRIVATE
from gateway.switch.calls import Call
from gateway.switch.causes import ENDINGS, hung_up_by
from gateway.switch.conferences import Conference, Member
from gateway.switch.keeping import KeptStory
from gateway.switch.keypad import Keypad
from gateway.switch.ledger import Ledger
from gateway.switch.legs import Leg
from gateway.switch.parties import Parties
from gateway.switch.plans import Plan, plan_of
from gateway.switch.prompts import Clip, Recital, Stream, moh_source
from gateway.switch.recordings import CallTape
from gateway.switch.records import Application, CallRecord, Identity
from gateway.switch.routing import ToTrunk, ToUser
from gateway.switch.search import Errand
from gateway.switch.simulated import Simulation
from gateway.switch.speaking import Speaking
from gateway.switch.steering import (
    LONGEST_CALL_S,
    Callout,
    ConferenceWish,
    Dial,
    DigitMode,
    Digits,
    Ear,
    HangupCause,
    Order,
    Pairs,
    Prompt,
    Wish,
)
from gateway.switch.world import CallOver, Happening, Ordered, PatienceOver, WorkDone

__all__ = ["Steered"]

T = TypeVar("T")
_MANY: Final = 64
_BREATH_S: Final = 0.1
"""Between two rounds of what is heard while parked."""
_LOCAL_RING: Final = "ring"
_MOST_DIALS: Final = 16
"""An application that answers every answer with another call would call for ever."""
_GOODBYE: Final = EndCause(None, "", by="remote")
_HANG_UPS: Final = {
    HangupCause.NORMAL: "managed",
    HangupCause.BUSY: "managed_busy",
    HangupCause.CONGESTION: "managed_congestion",
}


class Steered:
    """`gateway.switch.steering.SteeredCall`: what a steering may have a call do."""

    def __init__(
        self,
        call: Call,
        applications: Applications,
        ledger: Ledger,
        *,
        dialled: Identity,
        origin: CallerId | None = None,
        callout: Callout | None = None,
    ) -> None:
        """`origin` is who calls, as far as that may be shown; None = the application."""
        self._call: Final = call
        self._world: Final = call.world
        self._applications: Final = applications
        self._ledger: Final = ledger
        self.dialled: Final = dialled
        self.callout: Final = callout
        self._origin: Final = origin
        self._parties: Final = Parties(call)
        self._member: tuple[Conference, Member] | None = None
        self._keys: Final = Keypad(call.world.clock.now)
        self._parked = False
        self._talking = False
        self._dials = 0
        self._orders: Final[deque[Order]] = deque()
        self._simulation: Simulation | None = None
        self.reached = True
        """Whether the last one that was dialled has answered; a call that dials nobody is where it is."""
        self._ends_at = call.world.clock.now() + call.world.settings.max_call_s
        self._speaking: Final = Speaking(call.world.clock.now, self._hear, self._restore)
        self._answerer: Final = Answerer(call.world.clock.now, self._hear, call.world.settings.answering)
        self.tape: Final = CallTape(applications.recordings, ledger, self._parties, call.world.log)
        call.midcall.on_digit = self._keys.press

    # What is known of it.

    @property
    def record(self) -> CallRecord:
        """What is known by now."""
        return self._ledger.record

    @property
    def application(self) -> Application:
        """Whose call it is."""
        application = self._applications.directory.application(self.record.application)
        assert application is not None  # applications are rotated and changed, never removed
        return application

    @property
    def diverted_by(self) -> str:
        """Who had forwarded the call to us."""
        return "" if self._origin is None else self._origin.diverted_by or ""

    @property
    def connected(self) -> bool:
        """Whether somebody was answered, or has answered."""
        return self.record.answered_at is not None and self.reached

    @property
    def parked(self) -> bool:
        """Whether an order would be obeyed as the answer to the first question would have been."""
        return self._parked

    @property
    def conferring(self) -> bool:
        """Whether it is in a conference."""
        return self._member is not None

    @property
    def _shown(self) -> str:
        """Who the others in a conference see: the number or name of whoever is there."""
        called = self.record.called
        hidden = self.callout is not None and self.record.cli in ("", PRIVATE)
        return called.endpoint if hidden and called is not None else self.record.cli

    def silence(self) -> None:
        """Send no further callbacks."""
        self._ledger.silence()

    def keep_cookies(self, cookies: Pairs) -> None:
        """Replace the cookies."""
        self._ledger.keep_cookies(cookies)

    def add_tags(self, tags: Pairs) -> None:
        """Add tags."""
        self._ledger.add_tags(tags)

    def carry_headers(self, headers: Pairs) -> None:
        """Replace the headers that go with the call."""
        self._ledger.carry_headers(headers)

    # Its life.

    async def begin(self) -> None:
        """Open the caller's leg, if there is one, and see that the call is in the book.

        Raises:
            CallOver: the caller cannot be heard, or has gone already.
        """
        arrival = self._call.arrival
        if arrival is None:
            return
        if arrival.hops_left <= 0:
            raise CallOver(ENDINGS["too_many_hops"])
        self._parties.caller = await arrival.open(self._call.dialler)
        try:
            await self.meanwhile(self._applications.book.begin(self.record))
        except Overload as error:
            raise CallOver(replace(ENDINGS["overload"], text=str(error))) from error

    def kept(self, known: KeptStory) -> KeptStory:
        """Return what another process would need to go on with it."""
        caller, callee = self._parties.caller, self._parties.callee
        member = None if self._member is None else self._member[1]
        return replace(
            known,
            reached=self.reached,
            talking=self._talking and self._simulation is None,
            answered_at=self.record.answered_at,
            ends_at=self._ends_at,
            music=self._call.midcall.music,
            caller=None if caller is None else caller.id,
            callee=None if callee is None else callee.id,
            wish=None if member is None else member.wish,
            muted=member is not None and member.muted,
            held=None if member is None else member.held,
        )

    def take_up(self, kept: KeptStory) -> None:
        """Go on from there: the legs are what they were, so that nobody notices."""
        legs = self._call.legs
        self.reached, self._ends_at = kept.reached, kept.ends_at
        self._call.midcall.music = kept.music
        self._parties.caller = None if kept.caller is None else legs.get(kept.caller)
        self._parties.callee = None if kept.callee is None else legs.get(kept.callee)
        if kept.wish is not None:
            self._keys.gather(kept.wish.digits.max_digits, kept.wish.digits.timeout_s)
            self._member = self._applications.conferences.resume(
                self.record.application,
                kept.wish,
                call=self._call.id,
                cli=self._shown,
                legs=self._parties.there,
                tell=self._call.tell,
                muted=kept.muted,
                held=kept.held,
            )

    def leave(self) -> None:
        """Leave the conference that the parties are in, if they are in one."""
        if self._member is not None:
            member, self._member = self._member, None
            self.tape.room = None
            self._applications.conferences.leave(*member)

    def order(self, order: Order) -> None:
        """Give the call something to do."""
        self._call.tell(Ordered(order))

    # Waiting.

    async def meanwhile(self, work: Coroutine[object, object, T]) -> T:
        """Do something while the call goes on."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._call.tell(WorkDone()))
        try:
            while not task.done():
                await self._hear(self._ends_at)
            return task.result()
        finally:  # whatever ends the call ends the work
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def next(self) -> Wish:
        """Talk on until something concerns the application."""
        self._talk(on=True)
        try:
            return await self._next()
        finally:
            self._talk(on=False)

    def _talk(self, *, on: bool) -> None:
        self._talking = on
        self._call.note()

    async def _next(self) -> Wish:
        if self._simulation is not None:
            await self._converse(self._simulation)
        while True:
            if self._orders:
                return self._orders.popleft()
            if (keys := self._keys.take()) and self._member is not None:
                conference, member = self._member
                if member.wish.digits.mode is DigitMode.DETECT:
                    return Digits(keys, conference.name)
                if member.wish.digits.mode is DigitMode.FORWARD:
                    await self._speaking.send(keys, conference.others(self._call.id))
            await self._hear(self._keys.due_at)

    async def _hear(self, until: float) -> None:
        """Take in the next thing that happens before `until`, or let it be that time.

        Raises:
            CallOver: the call ends.
        """
        happening = await self._call.next_until(min(until, self._ends_at))
        if happening is None and self._world.clock.now() >= self._ends_at:
            raise CallOver(ENDINGS["too_long"])
        if happening is not None:
            await self._take_in(happening)

    async def _take_in(self, happening: Happening) -> None:
        match happening:
            case Ordered(order):
                self._orders.append(order)
            case SourceEnded(source=source):
                self._speaking.ended(source)
            case AnswerJudged() | BeepHeard():
                await self._answerer.take(happening)
            case WorkDone() | PatienceOver():
                pass  # whoever waits sees it by itself
            case _:
                await self._call.hear(happening)
                self.tape.settle()

    # Verbs.

    async def answer(self) -> None:
        """Pick up the caller's leg."""
        if self._parties.caller is not None and not self._call.answered:
            self._call.answer(self._parties.caller)
            self._count_from_now()

    async def dial(self, dial: Dial) -> None:
        """Call somebody; return when that one has answered."""
        self._dials += 1
        if self._dials > _MOST_DIALS:
            self.fail("too_many_dials")
        self.reached = False
        plan = self._plan(dial)
        self._parties.turn()
        for waiting in self._parties.there if self._call.answered else ():
            waiting.listen(dial.ringing or _LOCAL_RING)
        longest_s = self._world.settings.ring_timeout_s
        rings_s = longest_s if dial.timeout_s is None else min(dial.timeout_s, longest_s)
        if isinstance(plan.way, Simulation):
            await self._ring_simulated(plan.way, rings_s)
        else:
            await self._ring(plan.way, plan.caller, dial, rings_s)
        self.reached = True
        self.tape.settle()
        self._count_from_now()
        if dial.max_duration_s is not None:
            self._ends_at = self._world.clock.now() + min(dial.max_duration_s, LONGEST_CALL_S)
        self._call.midcall.music = moh_source(dial.moh) if dial.moh else "music"

    async def who_answered(self) -> AnswerJudged:
        """Return whether the one who has just answered is a person or a machine."""
        callee = self._parties.callee
        if callee is None:  # a test number
            return AnswerJudged(LegId(""), Who.NOTSURE, Sign.NONE, 0)
        return await self._answerer.judged(callee)

    def watch_answerer(self, tell: Callable[[AnswerNews], Awaitable[None]]) -> None:
        """Tell meanwhile whether the one who has just answered is a machine, and when it has beeped."""
        if self._parties.callee is not None:
            self._answerer.watch(self._parties.callee, tell)

    async def connect(self) -> None:
        """Let caller and called party hear each other."""
        match self._parties.there:
            case (caller, callee):
                caller.listen(None)
                await self._call.bridge(caller, callee)
            case (alone,):
                self._call.answer(alone)
                alone.place(None)
            case _:
                pass  # nobody but a test number

    async def join(self, wish: ConferenceWish) -> None:
        """Bring the parties into a conference."""
        self.leave()
        await self.answer()
        self._keys.gather(wish.digits.max_digits, wish.digits.timeout_s)
        self._ledger.joined(wish.conference)
        self._member = self._applications.conferences.join(
            self.record.application,
            wish,
            call=self._call.id,
            cli=self._shown,
            legs=self._parties.there,
            tell=self._call.tell,
            record=self.record,
        )
        self.tape.room = self._member[0]

    async def play(self, prompts: Sequence[Prompt], *, to: Ear = Ear.CALLER) -> None:
        """Play prompts to their end."""
        await self._play(prompts, to)

    async def send_digits(self, digits: str, *, to: Ear = Ear.CALLER) -> None:
        """Send tones."""
        if digits:
            await self._speaking.send(digits, self._parties.hearing(to))

    async def collect(self, *, max_digits: int, timeout_s: float, barge: Sequence[Prompt] = ()) -> str:
        """Return the keys that are pressed."""
        self._keys.gather(max_digits, timeout_s)
        await self._play(barge, Ear.CALLER, enough=lambda: bool(self._keys.pressed))
        self._keys.hurry()
        while (keys := self._keys.take()) is None:
            await self._hear(self._keys.due_at)
        if self._member is not None:
            rule = self._member[1].wish.digits
            self._keys.gather(rule.max_digits, rule.timeout_s)
        return keys

    async def park(self, hold: Sequence[Prompt], *, max_duration_s: float) -> Order | None:
        """Wait for an order."""
        until = self._world.clock.now() + max_duration_s
        self._parked = True
        try:
            while not self._orders and self._world.clock.now() < until:
                await self._play(hold, Ear.CALLER, enough=lambda: bool(self._orders))
                await self._hear(until if not hold else self._world.clock.now() + _BREATH_S)
        finally:
            self._parked = False
        return self._orders.popleft() if self._orders else None

    def hang_up(self, cause: HangupCause = HangupCause.NORMAL) -> NoReturn:
        """End the call."""
        raise CallOver(ENDINGS[_HANG_UPS[cause]])

    def fail(self, reason: str) -> NoReturn:
        """End the call for a reason of ours."""
        raise CallOver(ENDINGS[reason])

    # How they are done.

    def _plan(self, dial: Dial) -> Plan:
        """Decide how somebody is called, and write down what is known by it."""
        plan = plan_of(
            dial,
            application=self.application,
            origin=self._origin,
            table=self._world.settings.table,
            applications=self._applications,
        )
        self._ledger.planned(plan)
        return plan

    async def _ring(self, way: ToUser | ToTrunk, caller: CallerId, dial: Dial, rings_s: float) -> None:
        arrival = self._call.arrival
        hops, passed = (MAX_FORWARDS, ()) if arrival is None else (arrival.hops_left - 1, arrival.passed_on)
        errand = Errand(caller, hops, (*passed, *dial.headers))
        deadline = self._world.clock.now() + rings_s
        callee = await self._call.dial(way, errand, self._parties.caller, deadline=deadline)
        callee.place(None)
        self._parties.callee = callee
        if arrival is None:
            self._call.picked_up(callee)

    async def _ring_simulated(self, simulation: Simulation, rings_s: float) -> None:
        if self._call.arrival is not None and simulation.rings_s:
            self._call.arrival.ring()
        await self._speaking.pause(min(simulation.rings_s, rings_s))
        if rings_s < simulation.rings_s:
            raise CallOver(ENDINGS["no_answer"])
        if simulation.refusal is not None:
            raise CallOver(simulation.refusal)
        self._simulation = simulation
        if self._call.arrival is None:
            self._call.picked_up(None)

    async def _converse(self, simulation: Simulation) -> NoReturn:
        """Let a test number say what it has to say, and hang up."""
        self._keys.gather(_MANY, 0.0)

        def stopped() -> bool:
            return simulation.until is not None and simulation.until in self._keys.pressed

        for _ in range(simulation.prompts):
            if not stopped():
                await self._play([simulation.prompt], Ear.BOTH, enough=stopped)
        await self._speaking.play(Clip("music", simulation.speaks_s), self._parties.there)
        raise CallOver(hung_up_by("callee", _GOODBYE))

    async def _play(
        self, prompts: Sequence[Prompt], to: Ear, *, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Play prompts as one, to their end or until it is enough."""
        if not prompts or enough():
            return
        recital = Recital(
            prompts,
            listeners=len(self._parties.hearing(to)),
            owner=self.record.application,
            call=self._call.id,
            changed=lambda: self._call.tell(WorkDone()),
        )
        async with AsyncExitStack() as until_heard:
            preparing = self._applications.prompter.prepare(recital)
            prepared = await self.meanwhile(until_heard.enter_async_context(preparing))
            hearing = self._parties.hearing(to)
            if isinstance(prepared, Stream):
                await self._speaking.follow(prepared, hearing, enough=enough)
            elif prepared.duration_s > 0:
                await self._speaking.play(prepared, hearing, enough=enough)

    def _restore(self, legs: Sequence[Leg]) -> None:
        """Let parties hear again what they heard before something was played to them."""
        for leg in legs:
            if leg.id in self._call.legs:
                leg.listen(None)
        if self._member is not None:
            self._member[0].settle()

    def _count_from_now(self) -> None:
        """Take it that somebody talks: from now on the call has a duration and a price."""
        if self._ledger.answered(self._world.clock.wall()):
            self._ends_at = self._world.clock.now() + min(LONGEST_CALL_S, self._world.settings.max_call_s)
