"""The switch: takes calls in, gives each its task and its exception wall, and hands every event to its call.

Admission comes first: while as many calls are up as there may be, or the switch is shutting down, a new one
is refused with 503 and a Retry-After that is spread over some seconds, before anything is allocated for it.
What is begun is finished: events of calls that are up are never refused.

A fault in one call ends that call.  It is logged with its traceback; the others do not notice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from gateway.errors import LocalError, Overload
from gateway.ids import CallId
from gateway.media.events import ActiveSpeaker, MediaEvent, RoomLevels, WorkerLost, WorkerReady
from gateway.sip.events import (
    BindingChanged,
    Event,
    PingAnswered,
    Registered,
    RegistrationFailed,
    SessionId,
    SessionOffered,
)
from gateway.switch.adoption import Inheritance
from gateway.switch.arrivals import Arrival
from gateway.switch.calls import Call, Story
from gateway.switch.causes import ENDINGS, Ending
from gateway.switch.ownership import story_of
from gateway.switch.trunk_keeper import TrunkKeeper
from gateway.switch.world import EndWanted, World

__all__ = ["Switch"]


class Switch:
    """All calls of one process; `run` is its life."""

    def __init__(self, world: World) -> None:
        self._world: Final = world
        self._keeper: Final = TrunkKeeper(world, world.settings.table.trunks)
        self._calls: dict[CallId, Call] = {}
        self._owners: dict[str, Call] = {}
        """By SIP session and by row of the media plane."""
        self._owned: defaultdict[CallId, set[str]] = defaultdict(set)
        """The same the other way round; what was given to another call meanwhile may still stand here."""
        self._tasks: dict[CallId, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        """Where the tasks of calls live; None = the switch does not run."""
        self._draining = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.media_ready = True
        """Whether a media process is there, as far as it has told."""

    @property
    def calls(self) -> int:
        """How many calls are up or being set up."""
        return len(self._calls)

    @property
    def draining(self) -> bool:
        """Whether new calls are refused because the switch is shutting down."""
        return self._draining

    def census(self) -> dict[str, int]:
        """Return what is held: all zero when nobody calls."""
        return {"calls": len(self._calls), "owners": len(self._owners), "tasks": len(self._tasks)}

    async def run(self) -> None:
        """Serve until the signalling port ends or the task is cancelled; calls end with it."""
        async with asyncio.TaskGroup() as tasks:
            self._group = tasks
            await self._take_up()
            background = [tasks.create_task(self._hear_media()), tasks.create_task(self._keeper.run())]
            async for event in self._world.signalling.events():
                self._hear(event)
            for task in background:
                task.cancel()

    async def _take_up(self) -> None:
        """Go on with the calls of a process before us, or end them."""
        for call in await Inheritance(self._world).calls(self._own, self._owners.get):
            self._start(call)
        self._world.media.disown()

    def drain(self) -> None:
        """Refuse new calls from now on, and leave registrars, so that carriers call elsewhere."""
        self._draining = True
        self._keeper.leave()

    async def quiet(self) -> None:
        """Return when no call is left."""
        await self._quiet.wait()

    def end_all(self, ending: Ending = ENDINGS["shutdown"]) -> None:
        """Hang up every call."""
        for call in self._calls.values():
            self._tell(call, EndWanted(ending))

    # Calls that an application begins.

    def admit(self) -> None:
        """See that there is room for another call.

        Raises:
            Overload: as many are up as may be, or the switch is shutting down.
        """
        if (refusal := self._refusal()) is not None:
            raise Overload(refusal.text)

    def begin(self, call: CallId, story: Story) -> None:
        """Give a call that nobody makes its task.

        Raises:
            LocalError: the switch does not run.
        """
        self._start(Call(call, self._world, self._own, self._owners.get, story=story))

    def end(self, call: CallId, wish: EndWanted) -> None:
        """Let a call end; one that is not there is no error."""
        if (found := self._calls.get(call)) is not None:
            self._tell(found, wish)

    # Events.

    def _hear(self, event: Event) -> None:
        match event:
            case SessionOffered():
                self._offered(event)
            case BindingChanged(user=user, expires_s=expires_s, flow=flow):
                self._world.log.info(
                    "user.registered" if expires_s else "user.unregistered",
                    user=user,
                    source=f"{flow.transport}:{flow.remote[0]}",
                    expires_s=expires_s,
                )
            case PingAnswered() | Registered() | RegistrationFailed():
                self._keeper.hear(event)
            case _:
                if (call := self._owners.get(event.session)) is not None:
                    self._tell(call, event)

    async def _hear_media(self) -> None:
        async for event in self._world.media.events():
            match event:
                case WorkerLost():
                    self.media_ready = False
                    self._world.log.warning("media.lost", calls=self.calls)
                case WorkerReady():
                    self.media_ready = True
                    self._world.log.info("media.ready", calls=self.calls)
                case ActiveSpeaker() | RoomLevels():
                    pass  # a call does not ask for them
                case _:
                    if (call := self._owners.get(event.leg)) is not None:
                        self._tell(call, event)

    def _offered(self, offered: SessionOffered) -> None:
        if (refusal := self._refusal()) is not None:
            self._refuse(offered.session, refusal)
            return
        if offered.replaces is not None and (replaced := self._owners.get(offered.replaces)) is not None:
            self._tell(replaced, offered)
            return
        world, call = self._world, CallId(self._world.ids.token())
        arrival = Arrival(offered, world)
        story = story_of(call, arrival, world)
        self._start(Call(call, world, self._own, self._owners.get, arrival=arrival, story=story))

    def _own(self, key: str, call: Call) -> None:
        """Have the events of a session or a row go to a call."""
        self._owners[key] = call
        self._owned[call.id].add(key)

    def _start(self, call: Call) -> None:
        if self._group is None:
            raise LocalError("the switch does not run")
        self._calls[call.id] = call
        self._quiet.clear()
        self._tasks[call.id] = self._group.create_task(self._live(call), name=f"call {call.id}")

    def _refusal(self) -> Ending | None:
        """Return why no call can be taken now; None = it can."""
        if self._draining:
            return ENDINGS["draining"]
        return ENDINGS["overload"] if len(self._calls) >= self._world.settings.max_calls else None

    def _refuse(self, session: SessionId, ending: Ending) -> None:
        self._world.log.info("call.refused", status=ending.status, cause=ending.text)
        headers = ending.headers(self._world.settings.host, self._world.ids)
        self._world.signalling.reject(session, status=ending.status, headers=headers)

    async def _live(self, call: Call) -> None:
        """Run one call behind its exception wall."""
        try:
            await call.run()
        except Exception:
            self._world.log.exception("call.crashed", call=call.id)
        finally:
            self._forget(call)

    def _forget(self, call: Call) -> None:
        for key in self._owned.pop(call.id, ()):
            if self._owners.get(key) is call:
                del self._owners[key]
        del self._calls[call.id], self._tasks[call.id]
        if not self._calls:
            self._quiet.set()

    def _tell(self, call: Call, happening: Event | MediaEvent | EndWanted) -> None:
        try:
            call.tell(happening)
        except Overload as error:
            self._world.log.warning("call.flooded", call=call.id, reason=str(error))
            self._tasks[call.id].cancel()
