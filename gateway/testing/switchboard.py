"""A whole switch in virtual time: real endpoints, a simulated network, a media plane without media.

    async with switchboard() as board:
        alice, bob = await board.phone("alice"), await board.phone("bob")
        ...
        await board.quiet()

Leaving the block waits until every transaction and timer has run out, and checks that nothing is left anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

from gateway.ids import SeededIds
from gateway.sip.endpoint import Endpoint
from gateway.sip.settings import EndpointConfig
from gateway.switch.adoption import adopt_sessions, noted
from gateway.switch.applications import Applications
from gateway.switch.switch import Switch
from gateway.switch.world import Settings, World
from gateway.testing.fake_media import FakeMediaPort
from gateway.testing.phone import Phone
from gateway.testing.plane_port import PlanePort
from gateway.testing.sip_network import SipNetwork
from gateway.testing.virtual_time import VirtualClock
from gateway.transport.call_memory import SlotMemory
from gateway.transport.signalling import Signalling

__all__ = ["Board", "LogBook", "switchboard"]

SWITCH: Final = "192.0.2.1"
PASSWORD: Final = "secret"
_MEMORY_BYTES: Final = 2 << 20
_QUIET_S: Final = 300
"""Longer than any timer of a transaction or an answer (RFC 3261 table 4)."""


class LogBook:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: Final[list[tuple[str, dict[str, object]]]] = []

    def info(self, event: str, /, **facts: object) -> None:
        """Keep a line."""
        self.lines.append((event, facts))

    def warning(self, event: str, /, **facts: object) -> None:
        """Keep a line."""
        self.lines.append((event, facts))

    def exception(self, event: str, /, **facts: object) -> None:
        """Keep a line, and let the fault be seen by the test."""
        self.lines.append((event, facts))
        raise AssertionError(f"{event}: {facts}")

    def all(self, event: str) -> list[dict[str, object]]:
        """Return the facts of every line of an event."""
        return [facts for name, facts in self.lines if name == event]


class Board:
    """The switch, its phones, and the means to look into both."""

    def __init__(
        self,
        settings: Settings,
        users: Sequence[str],
        trunks: Sequence[str],
        seed: int,
        plane: PlanePort | None,
        applications: Applications | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.network: Final = SipNetwork()
        self.media = FakeMediaPort(address=SWITCH)
        self.plane: Final = plane
        self.log: Final = LogBook()
        self.ids: Final = SeededIds(seed)
        self._config: Final = EndpointConfig(
            users=dict.fromkeys(users, PASSWORD), trusted_sources=frozenset(trunks)
        )
        self.memory = SlotMemory(bytearray(_MEMORY_BYTES))
        self.rim = self.network.attach(Endpoint(self._config, self.ids), SWITCH)
        self.world = World(
            Signalling(self.rim),
            plane or self.media,
            VirtualClock(loop),
            self.ids,
            self.log,
            settings,
            applications=applications,
            memory=self.memory,
        )
        self.switch = Switch(self.world)
        self._stack = AsyncExitStack()
        self._running: list[asyncio.Task[None]] = []
        self._hosts = 10

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the switch, and its successors, while the block runs."""
        self._running.append(asyncio.create_task(self.switch.run()))
        try:
            yield
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def crash(self, *, applications: Applications | None = None) -> None:
        """Kill the switch: it says nothing more to anybody; another one finds its memory and the rows.

        Only with `FakeMediaPort`.  What the dead one does in the tests' loop until it has gone reaches nobody.
        """
        self.rim.close()
        dead, self.media = self._running[-1], self.media.left()
        self.memory = SlotMemory(self.memory.copied())
        endpoint = Endpoint(self._config, self.ids)
        left = noted(self.memory)
        adopt_sessions(endpoint, left, asyncio.get_running_loop().time())
        self.rim = self.network.attach(endpoint, SWITCH)
        self.world = replace(
            self.world,
            signalling=Signalling(self.rim),
            media=self.media,
            applications=applications,
            memory=self.memory,
        )
        self.switch = Switch(self.world)
        dead.cancel()
        await asyncio.gather(dead, return_exceptions=True)
        self._running.append(asyncio.create_task(self.switch.run()))

    async def phone(
        self,
        name: str,
        *,
        password: str | None = PASSWORD,
        registered: bool = True,
        formats: Sequence[int] = (0, 8, 101),
        host: str | None = None,
        transport: str = "udp",
    ) -> Phone:
        """Switch a phone on, and register it; `transport` is `udp` or `ws`."""
        self._hosts += 1
        host = host or _host(self._hosts)
        config = EndpointConfig(contact_user=name, trusted_sources=frozenset({SWITCH}))
        rim = self.network.attach(Endpoint(config, self.ids), host, transport=transport)
        phone = Phone(
            name,
            rim,
            server=SWITCH,
            host=host,
            password=password,
            formats=formats,
            rtp_port=40_000 + self._hosts % 20_000,
        )
        await self._stack.enter_async_context(phone.running())
        if registered and password is not None:
            await phone.register()
        return phone

    async def settle(self, seconds: float = 1.0) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    async def quiet(self) -> None:
        """Wait until every timer of a transaction has run out, and see that nothing is left in the switch."""
        for _ in range(_QUIET_S):
            if not (left := self._left()):
                return
            await asyncio.sleep(1.0)
        raise AssertionError(f"left: {left}\n{self.network.ladder()}")

    def _left(self) -> dict[str, int]:
        media = self.plane or self.media
        census = self.rim.endpoint.census()
        held = {name: census[name] for name in _MUST_END} | self.switch.census()
        held |= {"notes": len(self.memory)}
        held |= {"leases": len(media.leases), "rows": len(media.rows)}
        return {name: n for name, n in held.items() if n}

    async def close(self) -> None:
        """Switch every phone off."""
        await self._stack.aclose()


def _host(number: int) -> str:
    """Return an address of those set aside for examples (RFC 5737) or, when they run out, benchmarks (RFC 2544)."""
    return f"192.0.2.{number}" if number < 255 else f"198.18.{number // 255}.{number % 255}"


_MUST_END: Final = frozenset({"transactions", "dialogs", "sessions"})
"""What a call leaves nothing of; bindings and their timers stay."""


@asynccontextmanager
async def switchboard(
    *,
    settings: Settings | None = None,
    users: Sequence[str] = ("alice", "bob", "carol"),
    trunks: Sequence[str] = (),
    seed: int = 1,
    plane: PlanePort | None = None,
    applications: Applications | None = None,
) -> AsyncIterator[Board]:
    """Run a switch for these users; `settings` without a routing table gets one of the users.

    With a `plane` the calls have real audio; else media is `FakeMediaPort`.  `applications` steer calls.
    """
    settings = settings or Settings()
    if not settings.table.users:
        settings = replace(settings, table=replace(settings.table, users=frozenset(users)))
    board = Board(settings, users, trunks, seed, plane, applications)
    async with board.running():
        try:
            yield board
            await board.quiet()
        finally:
            await board.close()
