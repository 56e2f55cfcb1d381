"""Ten times as many calls as can be carried, for a minute: what is completed, what the calls that were up lose.

Capacity is measured first (or given), then calls are set up to the echo that talk all the time and are renegotiated
every other second.  Then SIPp offers ten times the capacity, and after that half of it.  Goodput is what the callee
saw from INVITE to BYE; recovery is the time until the last refusal, or the last setup of more than 100 ms.

    python -m benchmarks overload [--seconds 60] [--times 10] [--capacity N] [--out FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

from gateway.ids import SystemIds
from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE, search
from gateway.lab.bench.machine import machine
from gateway.lab.bench.signalling import step
from gateway.lab.bench.signalling_load import REFUSED, Sipp
from gateway.lab.bench.signalling_servers import CALLEE_HOST, NUMBER, PASSWORD, TandemSwitch, free_port
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import OfferAnswered, SessionAnswered
from gateway.sip.settings import EndpointConfig
from gateway.testing.capture import missing
from gateway.testing.phone import Phone, PhoneCall, port_in
from gateway.testing.rtp_peer import RtpMouth
from gateway.transport.sip_rim import SipRim

__all__ = ["main"]

HOST: Final = "127.0.0.1"
GOODPUT_SHARE: Final = 0.8
RECOVERED_S: Final = 5.0
_LATE_MS: Final = 100.0
_AFTERMATH_S: Final = 10.0
_CAPACITY_STEP_S: Final = 4.0
_PACKET_S: Final = 0.02
_RENEGOTIATED_S: Final = 2.0


class Voices:
    """RTP of all calls that are up, on one socket: a packet to each every 20 ms, and the numbers of what comes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((HOST, 0))
        self._socket.settimeout(0.2)
        self._over = threading.Event()
        self._mouths: dict[int, RtpMouth] = {}
        self.heard: dict[int, list[int]] = defaultdict(list)
        """Sequence numbers by the port that they came from."""
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._speak, self._listen)]

    @property
    def port(self) -> int:
        """Where everybody listens."""
        return int(self._socket.getsockname()[1])

    def talk_to(self, port: int) -> None:
        """Speak to one more."""
        self._mouths = {**self._mouths, port: RtpMouth(ssrc=port)}

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _speak(self) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            for port, mouth in self._mouths.items():
                self._socket.sendto(mouth.say(bytes(160)).to_bytes(), (HOST, port))
            due += _PACKET_S

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                data, (_, port) = self._socket.recvfrom(2048)
            except (TimeoutError, ConnectionError):
                continue
            self.heard[port].append(int.from_bytes(data[2:4]))


class Established:
    """Calls that were up before, and have to lose nothing."""

    def __init__(self, server: TandemSwitch, n_calls: int) -> None:
        self._server = server
        self._n_calls = n_calls
        self._calls: list[PhoneCall] = []
        self._ports: list[int] = []
        self._stack = AsyncExitStack()
        self.renegotiated_ms: list[float] = []

    async def __aenter__(self) -> Self:
        self._voices = self._stack.enter_context(Voices())
        config = EndpointConfig(trusted_sources=frozenset({HOST}), contact_user="alice")
        rim = await self._stack.enter_async_context(SipRim(Endpoint(config, SystemIds())))
        phone = Phone(
            "alice",
            rim,
            server=f"{HOST}:{self._server.port}",
            host=HOST,
            password=PASSWORD,
            rtp_port=self._voices.port,
        )
        await self._stack.enter_async_context(phone.running())
        for _ in range(self._n_calls):
            call = await phone.call("echo")
            self._ports.append(port_in((await call.expect(SessionAnswered)).sdp))
            self._calls.append(call)
            self._voices.talk_to(self._ports[-1])
        self._background = asyncio.create_task(self._renegotiate(phone))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._background.cancel()
        for call in self._calls:
            call.hang_up()
        for call in self._calls:
            await call.ended()
        await self._stack.aclose()

    def report(self) -> dict[str, Any]:
        """Return what they have lost so far."""
        heard = [self._voices.heard[port] for port in self._ports]
        return {
            "calls": len(self._calls),
            "packets_heard": sum(map(len, heard)),
            "packets_missing": sum(map(missing, heard)),
            "least_heard": min(map(len, heard)),
            "renegotiated": len(self.renegotiated_ms),
            "renegotiation_failed": self._background.done(),
            "renegotiation_ms_max": round(max(self.renegotiated_ms, default=math.nan), 1),
        }

    async def _renegotiate(self, phone: Phone) -> None:
        """Send each call a re-INVITE every other second; a refusal or an end is an AssertionError."""
        version = 1
        while True:
            version += 1
            for call in self._calls:
                await asyncio.sleep(_RENEGOTIATED_S / len(self._calls))
                began = time.monotonic()
                call.reoffer(phone.sdp(version=version))
                await call.expect(OfferAnswered)
                self.renegotiated_ms.append(1000 * (time.monotonic() - began))


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of a rate of calls."""

    rate_per_s: float
    seconds: float
    offered: int
    completed: int
    refused: int
    failed: int
    goodput_per_s: float
    """In the time for which calls were offered."""


def capacity_of(server: TandemSwitch, callee_port: int) -> int:
    """Return the most calls a second that are all completed."""
    found = [0]

    def carries(rate_per_s: int) -> bool:
        if step(server, callee_port, rate_per_s, _CAPACITY_STEP_S).clean:
            found.append(rate_per_s)
            return True
        return False

    for _ in search(carries, 40):
        pass
    return max(found)


def storm(server: TandemSwitch, callee_port: int, rate_per_s: float, seconds: float) -> tuple[Storm, float]:
    """Offer calls; return what came of them, and for how long there was something wrong since the beginning."""
    n = round(rate_per_s * seconds)
    target = (f"{HOST}:{server.port}", "-s", NUMBER, "-au", "alice", "-ap", PASSWORD)
    pace = ("-r", f"{rate_per_s:g}", "-m", str(n), "-d", "0")
    with (
        Sipp("callee", (), host=CALLEE_HOST, port=callee_port, core=LOAD_CORE) as callee,
        Sipp("caller", (*target, *pace), host=HOST, port=free_port(), core=LOAD_CORE) as caller,
    ):
        began = time.time()
        caller.wait(seconds + 90.0)
        callee.finish(2.0)
        completed = callee.counted("SuccessfulCall")
        within = [count for at, count in callee.timeline("SuccessfulCall") if at <= began + seconds + 0.5]
        outcome = Storm(
            rate_per_s=rate_per_s,
            seconds=seconds,
            offered=n,
            completed=completed,
            refused=caller.counted(REFUSED),
            failed=caller.counted("FailedCall"),
            goodput_per_s=round(max(within, default=0) / seconds, 1),
        )
        wrong = [after_s for after_s, took_ms in caller.times_ms() if took_ms > _LATE_MS]
        wrong += [at - began for (_, before), (at, now) in pairwise(caller.timeline(REFUSED)) if now > before]
        return outcome, max(wrong, default=0.0)


async def measure(seconds: float, times: float, n_calls: int, capacity: int | None) -> dict[str, Any]:
    """Run it all and return the document."""
    callee_port = free_port()
    with TandemSwitch(SERVER_CORE, callee_port) as server:
        if capacity is None:
            capacity = await asyncio.to_thread(capacity_of, server, callee_port)
        async with Established(server, n_calls) as established:
            overload, _ = await asyncio.to_thread(storm, server, callee_port, times * capacity, seconds)
            up = established.report()
            after, recovered_s = await asyncio.to_thread(
                storm, server, callee_port, 0.5 * capacity, _AFTERMATH_S
            )
        share = overload.goodput_per_s / capacity
        return {
            "bench": "overload",
            "machine": machine(),
            "capacity_per_s": capacity,
            "times": times,
            "overload": asdict(overload),
            "goodput_share": round(share, 3),
            "established": up,
            "aftermath": asdict(after),
            "recovered_s": round(recovered_s, 1),
            "passed": {
                "goodput": share >= GOODPUT_SHARE,
                "nothing_lost": up["packets_missing"] == 0 and not up["renegotiation_failed"],
                "recovery": recovered_s <= RECOVERED_S and after.failed == 0,
            },
        }


def main(arguments: Sequence[str]) -> None:
    """Measure and print, or write to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=10.0)
    parser.add_argument("--calls", type=int, default=20, help="calls that are up before")
    parser.add_argument("--capacity", type=int, help="calls a second; measured if left out")
    parser.add_argument("--out", type=Path, help="write the JSON document there, too")
    told = parser.parse_args(arguments)
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    document = asyncio.run(measure(told.seconds, told.times, told.calls, told.capacity))
    if told.out is not None:
        told.out.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1))
