"""Legs that come and go for as long as asked: is memory flat, and is every descriptor given back?

A real `tandem serve` takes calls from two phones of the test harness: to the echo, a tone, music and a conference
(one leg each), and from one phone to the other (two legs), every one with audio both ways.  Each round dials a
batch, lets it talk and hangs up.  Memory (RSS) and descriptors of every process are noted each round, when no call
is up; memory is flat when its slope over the second half is below `FLAT_KIB_PER_1000_LEGS`.

    python -m benchmarks soak --minutes 30 [--json] [--workers 2]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from gateway.ids import SystemIds
from gateway.lab.bench.machine import machine
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import SessionAnswered
from gateway.sip.settings import EndpointConfig
from gateway.testing.phone import Phone, PhoneCall, port_in
from gateway.testing.processes import Serving
from gateway.testing.rtp_peer import RtpMouth
from gateway.transport.sip_rim import SipRim

__all__ = ["main"]

DESTINATIONS: Final = ("echo", "tone", "music", "conf-soak", "bob")
LEGS_OF: Final = {"bob": 2}
BATCH: Final = 40
"""Calls a round; one in five of them has two legs."""
TALK_S: Final = 2.0
REST_S: Final = 0.3
"""For the last rows to be closed before what is left is counted."""
QUIET_S: Final = 45.0
"""Longer than SIP remembers a transaction (32 s, RFC 3261 table 4): then nothing may be left of the last round."""
FLAT_KIB_PER_1000_LEGS: Final = 64.0
ENOUGH_LEGS: Final = 5000
"""Fewer say nothing about memory."""
_HOST: Final = "127.0.0.1"
_PACKET_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes held after a round."""

    at_s: float
    legs: int
    """Legs that have come and gone so far."""
    rss_kib: dict[str, int]
    descriptors: dict[str, int]


class Wire:
    """One UDP socket for all calls of a phone: says a packet to each every 20 ms, counts what comes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((_HOST, 0))
        self._socket.settimeout(0.2)
        self._targets: tuple[int, ...] = ()
        self._mouths: dict[int, RtpMouth] = {}
        self._closing = threading.Event()
        self.received = 0
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._speak, self._listen)]

    @property
    def port(self) -> int:
        """Where the phone listens."""
        return int(self._socket.getsockname()[1])

    def talk_to(self, ports: Sequence[int]) -> None:
        """Speak to these ports from now on."""
        self._mouths = {port: RtpMouth(ssrc=port) for port in ports}
        self._targets = tuple(ports)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _speak(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            mouths = self._mouths
            for port in self._targets:
                if (mouth := mouths.get(port)) is not None:
                    self._socket.sendto(mouth.say(bytes(160)).to_bytes(), (_HOST, port))
            due += _PACKET_S

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                self._socket.recv(2048)
                self.received += 1
            except (TimeoutError, ConnectionError):
                continue


@asynccontextmanager
async def caller(name: str, serving: Serving) -> AsyncIterator[tuple[Phone, Wire]]:
    """Give a user's phone and its wire."""
    config = EndpointConfig(trusted_sources=frozenset({_HOST}), contact_user=name)
    with Wire() as wire:
        async with SipRim(Endpoint(config, SystemIds())) as rim:
            password = serving.password(name)
            phone = Phone(
                name, rim, server=serving.address, host=_HOST, password=password, rtp_port=wire.port
            )
            async with phone.running():
                yield phone, wire


class Soak:
    """One run against one switch."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._began = time.monotonic()
        self._legs = 0
        self.samples: list[Sample] = []

    async def run(self, minutes: float) -> None:
        """Come and go until the time is over."""
        async with (
            caller("alice", self._serving) as (alice, wire),
            caller("bob", self._serving) as (bob, bobs),
        ):
            await bob.register()
            answering = asyncio.create_task(self._answer(bob, bobs))
            try:
                await self._round(alice, wire)  # what is made once is made now
                while time.monotonic() - self._began < 60 * minutes:
                    self._note()
                    await self._round(alice, wire)
                await asyncio.sleep(QUIET_S)
                self._note()
            finally:
                answering.cancel()
            self.packets = wire.received + bobs.received

    async def _answer(self, bob: Phone, wire: Wire) -> None:
        ports: list[int] = []
        while True:
            with contextlib.suppress(TimeoutError):
                call = await bob.rung()
                ports = [*ports, port_in(call.offer)][-BATCH:]
                await call.answer()
                wire.talk_to(ports)

    async def _round(self, alice: Phone, wire: Wire) -> None:
        calls = [await self._dial(alice, each) for each in itertools.islice(_destinations(), BATCH)]
        wire.talk_to([port for _, port in calls])
        await asyncio.sleep(TALK_S)
        wire.talk_to(())
        for call, _ in calls:
            call.hang_up()
        for call, _ in calls:
            await call.ended()
        await asyncio.sleep(REST_S)

    async def _dial(self, alice: Phone, destination: str) -> tuple[PhoneCall, int]:
        call = await alice.call(destination)
        answered = await call.expect(SessionAnswered)
        self._legs += LEGS_OF.get(destination, 1)
        return call, port_in(answered.sdp)

    def _note(self) -> None:
        pids = self._pids()
        rss = {name: _rss_kib(pid) for name, pid in pids.items()}
        fds = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items()}
        self.samples.append(Sample(round(time.monotonic() - self._began, 1), self._legs, rss, fds))

    def _pids(self) -> dict[str, int]:
        started = self._serving.events("child.started")
        return {"supervisor": self._serving.pid} | {one["child"]: one["pid"] for one in started}


def _destinations() -> Iterator[str]:
    return itertools.cycle(DESTINATIONS)


def _rss_kib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def judged(samples: Sequence[Sample], packets: int, census: dict[str, int]) -> dict[str, Any]:
    """Return the document: what was held, how memory grew over the second half, and whether that is flat."""
    first, last, second_half = samples[0], samples[-1], samples[len(samples) // 2 :]
    slopes = {name: _slope(second_half, name) for name in first.rss_kib}
    left = {name: last.descriptors[name] - first.descriptors[name] for name in first.descriptors}
    held = {name: count for name, count in census.items() if count and name != "bindings"}
    faults = [f"{count:+} descriptors of {name}" for name, count in left.items() if count]
    faults += [f"{count} {name}" for name, count in held.items()]
    if last.legs >= ENOUGH_LEGS:
        faults += [
            f"{name} grows {slope} KiB in 1,000 legs"
            for name, slope in slopes.items()
            if slope >= FLAT_KIB_PER_1000_LEGS
        ]
    return {
        "bench": "soak",
        "machine": machine(),
        "seconds": last.at_s,
        "legs": last.legs,
        "packets_heard": packets,
        "rss_kib_first": first.rss_kib,
        "rss_kib_last": last.rss_kib,
        "rss_kib_per_1000_legs": slopes,
        "descriptors_left": left,
        "faults": faults,
        "clean": not faults,
        "samples": [asdict(sample) for sample in samples[:: max(1, len(samples) // 60)]],
    }


def _slope(samples: Sequence[Sample], name: str) -> float:
    """Return KiB per 1,000 legs by least squares; 0 for fewer than three samples."""
    if len(samples) < 3:
        return 0.0
    legs = [sample.legs / 1000 for sample in samples]
    return round(statistics.linear_regression(legs, [sample.rss_kib[name] for sample in samples]).slope, 2)


def main(arguments: Sequence[str]) -> None:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        settings = f"workers = {told.workers}"
        with Serving(
            Path(directory) / "switch", media_settings=settings, media_ports=range(20_000, 24_000)
        ) as serving:
            soak = Soak(serving)
            asyncio.run(soak.run(told.minutes))
            document = judged(soak.samples, soak.packets, serving.census())
    if told.json:
        print(json.dumps(document))
        return
    print(
        f"{document['legs']} legs in {document['seconds']:.0f} s, {document['packets_heard']} packets heard"
    )
    for name, slope in document["rss_kib_per_1000_legs"].items():
        left = document["descriptors_left"][name]
        print(
            f"{name:12}{document['rss_kib_last'][name]:9} KiB {slope:+9.2f} KiB/1,000 legs, {left:+} descriptors"
        )
    print("; ".join(document["faults"]) or "clean")
