"""What one whole call costs the switch process: `python -m benchmarks callpath [--calls N] [--profile] [--json]`.

A call is INVITE, 401, ACK, INVITE with a password, 180, 200, ACK, BYE and 200 on the caller's side and the same without
the password on the callee's; it has two legs with descriptions and rows, is a call of an application that has no
callback, leaves its record in a database on disk, its lines in the log and its notes in memory.  Everything is what
`gateway.service` puts together but the sockets, whose place `callpath_parties` takes, and media (`FakeMediaPort`).

CPU time is counted, of the thread that serves calls and, apart, of the others (the one that writes to the database).
`--profile` says in which part of the program it goes; a profiler slows small functions down most, so its shares are
put on the time that was taken without it.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog

from benchmarks.callpath_parties import CALLEE, PASSWORD, SWITCH, Parties
from gateway.application import open_applications
from gateway.clock import SystemClock
from gateway.config import load
from gateway.endpoint_settings import endpoint_config
from gateway.ids import SystemIds
from gateway.lab.bench.machine import machine
from gateway.observe import configure
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import Event
from gateway.sip.flow import Datagram, Flow
from gateway.sip.uri import Uri
from gateway.switch.routing import RoutingTable
from gateway.switch.switch import Switch
from gateway.switch.world import Settings, World
from gateway.testing.fake_media import FakeMediaPort
from gateway.transport.call_memory import SlotMemory
from gateway.transport.signalling import Signalling
from gateway.transport.sip_driver import EndpointDriver
from gateway.trunk_settings import DoorKeeper, trunk_of

__all__ = ["CallCost", "main", "measure"]

_Result = TypeVar("_Result")
_AT_A_TIME: Final = 4
"""Calls under way at any time."""
_WARM: Final = 50
_ROUNDS: Final = 5
_MEMORY_BYTES: Final = 4 << 20
_PARTS: Final = (
    ("gateway/sip", "sip"),
    ("gateway/sdp", "sdp"),
    ("gateway/switch", "switch"),
    ("gateway/svaml", "svaml"),
    ("gateway/store", "store"),
    ("gateway/transport", "transport"),
    ("gateway/observe", "log"),
    ("structlog", "log"),
    ("json", "log"),
    ("asyncio", "asyncio"),
    ("selectors", "asyncio"),
    ("benchmarks", "the parties"),
    ("gateway/testing", "the parties"),
)
"""By what a file's path has in it; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """Microseconds of CPU for each call, the median of some rounds."""

    us: float
    """Of the thread that serves calls, without what the parties take."""
    us_best: float
    us_beside: float
    """Of other threads: who writes to the database."""
    messages: float
    """How many SIP messages the switch read and wrote."""
    parts: dict[str, float]
    """`us` by part of the program, where that was asked for."""


class _Cable:
    """A `Rim` without sockets: what the endpoint says is heard by the parties in the next turn, and so back."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint: Final = endpoint
        self._driver: Final = EndpointDriver(endpoint, self._send)
        self._loop: Final = asyncio.get_running_loop()
        self._said: deque[Datagram] = deque()
        self.parties: Final = Parties(self._receive)

    def do(self, operation: Callable[[float], _Result]) -> _Result:
        return self._driver.do(operation)

    async def flow_to(self, uri: Uri) -> Flow:
        return (await self.flows_to(uri))[0]

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        return [Flow("udp", SWITCH, CALLEE)]

    def events(self) -> AsyncIterator[Event]:
        return self._driver.events()

    def close(self) -> None:
        self._driver.close()

    def _send(self, datagram: Datagram) -> None:
        if not self._said:
            self._loop.call_soon(self._deliver)
        self._said.append(datagram)

    def _deliver(self) -> None:
        said, self._said = self._said, deque()
        for datagram in said:
            self.parties.hear(datagram.data, datagram.flow.remote)

    def _receive(self, data: bytes, flow: Flow) -> None:
        self._driver.receive(data, flow)
        self._driver.work()


@asynccontextmanager
async def _switch(directory: Path) -> AsyncIterator[Parties]:
    """Run a switch as `gateway.service` builds it; give its callers and callees."""
    (directory / "tandem.toml").write_text(
        f'[[users]]\nname = "alice"\npassword = "{PASSWORD}"\n'
        f'[[trunks]]\nname = "callee"\nuri = "sip:{CALLEE[0]}:{CALLEE[1]};transport=udp"\n'
        'codecs = ["PCMU"]\nping_s = 0\n'
    )
    config = load(directory / "tandem.toml", directory / "data")
    ids, clock, log = SystemIds(), SystemClock(), structlog.get_logger().bind()
    doors = await DoorKeeper(config, log).open()
    async with open_applications(config, log, clock, ids) as layer:
        passwords = layer.store.directory.passwords
        cable = _Cable(Endpoint(endpoint_config(config, doors, passwords, layer.guests), ids))
        table = RoutingTable(
            users=frozenset({"alice"}), trunks=tuple(trunk_of(each) for each in config.trunks)
        )
        world = World(
            Signalling(cable),
            FakeMediaPort(),
            clock,
            ids,
            log,
            Settings(table=table, doors=doors),
            applications=layer.applications,
            memory=SlotMemory(bytearray(_MEMORY_BYTES)),
        )
        switch = Switch(world)
        running = [asyncio.create_task(switch.run()), asyncio.create_task(layer.run())]
        try:
            yield cable.parties
            await switch.quiet()
        finally:
            cable.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _make_calls(parties: Parties, calls: int) -> None:
    """Make so many calls, a few of them at a time."""
    left = iter(range(calls))

    async def one_after_another() -> None:
        for _ in left:
            await parties.call()

    await asyncio.gather(*(one_after_another() for _ in range(_AT_A_TIME)))


async def _timed(parties: Parties, calls: int) -> tuple[float, float, float]:
    """Make calls; return what each cost this thread and others, in us, and how many messages it took."""
    before = time.thread_time_ns(), time.process_time_ns(), parties.cpu_ns, parties.messages
    await _make_calls(parties, calls)
    here, all_threads = time.thread_time_ns() - before[0], time.process_time_ns() - before[1]
    theirs, messages = parties.cpu_ns - before[2], parties.messages - before[3]
    return (here - theirs) / calls / 1000, (all_threads - here) / calls / 1000, messages / calls


async def measure(calls: int, *, profile: bool) -> CallCost:
    """Return what a call costs, in which parts if it is to be profiled."""
    with tempfile.TemporaryDirectory() as directory:
        async with _switch(Path(directory)) as parties:
            await _make_calls(parties, _WARM)
            rounds = sorted([await _timed(parties, calls) for _ in range(_ROUNDS)])
            us, us_beside, messages = rounds[len(rounds) // 2]
            parts: dict[str, float] = {}
            if profile:
                shares = await _shares(parties, calls)
                parts = {part: round(us * share, 1) for part, share in shares.items()}
    return CallCost(round(us, 1), round(rounds[0][0], 1), round(us_beside, 1), round(messages, 2), parts)


async def _shares(parties: Parties, calls: int) -> dict[str, float]:
    """Return the share of each part of the program, the largest first, without that of the parties."""
    profiler = cProfile.Profile()
    profiler.enable()
    await _make_calls(parties, calls)
    profiler.disable()
    taken = _by_part(pstats.Stats(profiler))
    taken.pop("the parties", None)
    total = sum(taken.values())
    return {part: seconds / total for part, seconds in taken.most_common()}


def _by_part(statistics: pstats.Stats) -> Counter[str]:
    """Add up the time of functions by part; what is built in counts to whoever called it."""
    taken: Counter[str] = Counter()
    for (file, _, _), (_, _, own_s, _, callers) in statistics.stats.items():  # type: ignore[attr-defined]  # not in typeshed
        if file == "~":
            for (caller, _, _), (_, _, share_s, _) in callers.items():
                taken[_part(caller)] += share_s
        else:
            taken[_part(file)] += own_s
    return taken


def _part(file: str) -> str:
    return next((part for path, part in _PARTS if path in file), "other")


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What one whole call costs the switch process.")
    parser.add_argument("--calls", type=int, default=200, help="in each round")
    parser.add_argument("--profile", action="store_true", help="say in which part of the program it goes")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    with Path(os.devnull).open("w") as nowhere:
        configure(level="info", form="json", stream=nowhere)
        cost = asyncio.run(measure(options.calls, profile=options.profile))
    if options.json:
        print(json.dumps({"benchmark": "callpath", "machine": machine(), **asdict(cost)}))
        return
    print(f"a call {cost.us:8.1f} us (best {cost.us_best:.1f}), beside it {cost.us_beside:.1f} us")
    print(f"a message {cost.us / cost.messages:5.1f} us, {cost.messages:.1f} of them")
    for part, us in cost.parts.items():
        print(f"  {part:12}{us:8.1f} us")
