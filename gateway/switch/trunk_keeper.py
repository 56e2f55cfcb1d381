"""Keeping trunks: asking their servers by OPTIONS whether they are there, and registering where one has to.

Both are tasks of the switch's own life, and both tell `Trunks` what came of it.  The engine renews and repeats a
registration by itself, with pauses that grow; the keeper moves it to the next server when one fails that has
neighbours, and begins another one when the connection of the last has ended.

A registration's Contact has a user part that nobody else knows.  A call to it is one of that registration,
whichever trunk shares the carrier's addresses, and the number that was dialled stands in its To.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final

from gateway.errors import LocalError
from gateway.sip.events import PingAnswered, PingId, Registered, RegistrationFailed, RegistrationId
from gateway.sip.flow import Flow
from gateway.switch.routing import Trunk
from gateway.switch.trunk_health import HealthInput
from gateway.switch.trunks import server_of
from gateway.switch.world import World

__all__ = ["TrunkKeeper"]

_AGAIN_S: Final = 30.0
"""Before a name is looked up again that led nowhere, or a connection is made again that has ended."""


class TrunkKeeper:
    """Pings and registrations of all trunks; `run` is its life, `hear` its ears."""

    def __init__(self, world: World, trunks: Iterable[Trunk]) -> None:
        self._world: Final = world
        self._trunks: Final = tuple(trunks)
        self._pings: dict[PingId, tuple[Trunk, Flow]] = {}
        self._answers: dict[RegistrationId, asyncio.Queue[Registered | RegistrationFailed]] = {}
        self._leaving = False

    async def run(self) -> None:
        """Ping and register until cancelled."""
        ids = self._world.ids
        async with asyncio.TaskGroup() as tasks:
            for trunk in self._trunks:
                if trunk.ping_s:
                    first_s = trunk.ping_s * ids.number(1000) / 1000  # or all would be asked in one instant
                    tasks.create_task(self._rounds(trunk, self._ping, first_s, trunk.ping_s))
                if trunk.registers:
                    tasks.create_task(self._rounds(trunk, self._register, 0.0, _AGAIN_S))

    def hear(self, event: PingAnswered | Registered | RegistrationFailed) -> None:
        """Take what came of a ping or a registration."""
        if not isinstance(event, PingAnswered):
            if (answers := self._answers.get(event.registration)) is not None:
                answers.put_nowait(event)
            return
        if (asked := self._pings.pop(event.ping, None)) is None:
            return
        world, (trunk, flow) = self._world, asked
        learnt = HealthInput.ANSWERED if event.alive else HealthInput.SILENT
        if event.retry_after_s is not None and not event.alive:
            learnt = HealthInput.OVERLOADED
        world.trunks.learn(
            trunk.name,
            flow,
            learnt,
            now=world.clock.now(),
            reason=f"{event.status} to OPTIONS",
            retry_after_s=event.retry_after_s,
        )
        world.log_trunks()

    def leave(self) -> None:
        """Unregister everywhere: no new call shall come."""
        self._leaving = True
        for registration in list(self._answers):
            self._world.signalling.unregister(registration)

    # One trunk.

    async def _rounds(
        self, trunk: Trunk, turn: Callable[[Trunk], Awaitable[None]], first_s: float, pause_s: float
    ) -> None:
        """Take one turn after another, behind a wall: a fault costs a turn, and no call."""
        await asyncio.sleep(first_s)
        while not self._leaving:
            try:
                await turn(trunk)
            except Exception:
                self._world.log.exception("trunk.fault_stopped", trunk=trunk.name)
            await asyncio.sleep(pause_s)

    async def _ping(self, trunk: Trunk) -> None:
        """Ask every server of a trunk whether it is there."""
        for flow in await self._servers(trunk):
            ping = self._world.signalling.ping(target=trunk.uri, flow=flow)
            self._pings[ping] = trunk, flow

    async def _register(self, trunk: Trunk) -> None:
        """Stay registered, with one server after another."""
        flows = await self._servers(trunk)
        for flow in flows:
            if not self._leaving:
                await self._stay_registered(trunk, flow, alone=len(flows) == 1)

    async def _stay_registered(self, trunk: Trunk, flow: Flow, *, alone: bool) -> None:
        """Register with one server; return when it is of no use any more."""
        assert trunk.credentials is not None  # the configuration asks for them
        registration = self._world.signalling.register(
            registrar=trunk.uri,
            aor=replace(trunk.uri, user=trunk.credentials.username, parameters=()),
            flow=flow,
            credentials=trunk.credentials,
            contact_user=self._world.trunks.contact(trunk.name, self._world.ids),
        )
        answers = self._answers[registration] = asyncio.Queue()
        try:
            while not self._is_over(trunk, flow, await answers.get(), alone=alone):
                pass
        finally:
            del self._answers[registration]
            self._world.signalling.unregister(registration)

    def _is_over(
        self, trunk: Trunk, flow: Flow, answer: Registered | RegistrationFailed, *, alone: bool
    ) -> bool:
        """Log how a registration goes; True if another server is to be asked instead."""
        world, server = self._world, server_of(flow)
        good = isinstance(answer, Registered)
        world.trunks.registration(trunk.name, good)
        if isinstance(answer, Registered):
            world.log.info("trunk.registered", trunk=trunk.name, server=server, expires_s=answer.expires_s)
            return False
        world.log.warning(
            "trunk.not_registered",
            trunk=trunk.name,
            server=server,
            status=answer.status,
            reason=answer.reason,
        )
        return answer.over or not alone

    async def _servers(self, trunk: Trunk) -> list[Flow]:
        try:
            return list(await self._world.signalling.flows_to(trunk.uri))
        except LocalError as error:
            self._world.log.warning("trunk.not_found", trunk=trunk.name, reason=str(error))
            return []
