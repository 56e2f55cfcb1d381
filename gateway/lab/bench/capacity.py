"""How much does one core carry?  Ramps to the last clean number of units, ours and the peer's in turn.

A step that is not clean is tried again: the machine may have been busy with something else.  One in which the load
itself came late says nothing about the server and does not count as a try.  The document has every step; the verdict
is the median of our ramps against the best of the peer's.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.lab.bench.load import LoadReport, Phones
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import MediaServer, cpu_seconds
from gateway.lab.bench.work import Work

__all__ = ["LOAD_CORE", "SERVER_CORE", "CapacityBench", "Ramp", "Step", "search"]

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_SETTLE_S: Final = 1.0
_FIRST: Final = 200
_GROWTH: Final = 1.3
_KNOWN_SHARE: Final = 0.7
_PRECISION: Final = 0.03
_TRIES: Final = 2
_VOID_TRIES: Final = 3
"""A load that is late each time is at its own end, and so is the search."""
_PACKETS_PER_SECOND: Final = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One number of units, carried for a while."""

    n: int
    clean: bool
    verdict: str
    cpu_us_per_packet: float
    """CPU of the server for each packet in and out."""
    cpu_percent: float
    load: LoadReport


@dataclass(slots=True)
class Ramp:
    """The search for one server's capacity."""

    server: str
    steps: list[Step] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        """Return the most units that were carried cleanly."""
        return max((step.n for step in self.steps if step.clean), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the ramp for a JSON document."""
        return {
            "server": self.server,
            "capacity": self.capacity,
            "steps": [asdict(step) for step in self.steps],
        }


class CapacityBench:
    """`work` for `seconds` a step; `progress` hears of every step and of the server that took it."""

    def __init__(self, work: Work, *, seconds: float, progress: Callable[[str, Step], None]) -> None:
        self._work = work
        self._seconds = seconds
        self._progress = progress

    def run(self, servers: Sequence[Callable[[], MediaServer]], *, rounds: int) -> dict[str, Any]:
        """Ramp each of `servers` (ours first) in turn, `rounds` times; returns the JSON document."""
        _stay_on_the_load_core()
        ramps: list[Ramp] = []
        for _ in range(rounds):
            for make in servers:
                server = make()
                ramps.append(self._ramp(server, first=_first(server.name, ramps)))
        return self._document(ramps)

    def _document(self, ramps: list[Ramp]) -> dict[str, Any]:
        ours = [ramp.capacity for ramp in ramps if ramp.server == "tandem"]
        peers = [ramp for ramp in ramps if ramp.server != "tandem"]
        best = max((ramp.capacity for ramp in peers), default=0)
        capacity = statistics.median(ours)
        return {
            "work": self._work.title,
            "unit": self._work.unit,
            "machine": machine(),
            "capacity": capacity,
            "legs": self._work.phones(int(capacity)),
            "peer": peers[0].server if peers else None,
            "peer_capacity": best or None,
            "ratio": round(capacity / best, 2) if best else None,
            "ramps": [ramp.as_json() for ramp in ramps],
        }

    def _ramp(self, server: MediaServer, *, first: int) -> Ramp:
        ramp = Ramp(server.name)
        with server:
            for _ in search(lambda n: self._carries(server, ramp, n), first):
                pass  # the steps are in the ramp
        return ramp

    def _carries(self, server: MediaServer, ramp: Ramp, n: int) -> bool:
        tries, void = _TRIES, _VOID_TRIES
        while tries:
            step = self._step(server, n)
            ramp.steps.append(step)
            self._progress(server.name, step)
            if step.clean:
                return True
            if void and step.load.void:
                void -= 1
            else:
                tries -= 1
        return False

    def _step(self, server: MediaServer, n: int) -> Step:
        phones = Phones(self._work.phones(n))
        try:
            targets = [("127.0.0.1", port) for port in self._work.set_up(server, phones.ports)]
            before, began = cpu_seconds(server.pid), time.monotonic()
            report = phones.run(targets, self._work.codecs, seconds=self._seconds, settle_s=_SETTLE_S)
            used, took = cpu_seconds(server.pid) - before, time.monotonic() - began
        finally:
            server.clear()
            phones.close()
        packets = len(targets) * _PACKETS_PER_SECOND * took
        return Step(n, report.clean, report.verdict, 1e6 * used / packets, 100 * used / took, report)


def _first(server: str, ramps: Sequence[Ramp]) -> int:
    """Return where to begin: well below what the server carried in an earlier round, to save its small steps."""
    carried = [ramp.capacity for ramp in ramps if ramp.server == server]
    return max(_FIRST, int(_KNOWN_SHARE * min(carried, default=0)))


def search(carries: Callable[[int], bool], first: int = _FIRST) -> Iterator[int]:
    """Grow from `first` until a number is not carried, then halve the interval; yields each number tried."""
    low, high = 0, first
    while carries(high):
        yield high
        low, high = high, int(high * _GROWTH)
    while high - low > max(10, _PRECISION * high):
        middle = (low + high) // 2
        yield middle
        low, high = (middle, high) if carries(middle) else (low, middle)


def _stay_on_the_load_core() -> None:
    """Keep to our core, ahead of others; not in real time: the kernel stops whoever never sleeps."""
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
