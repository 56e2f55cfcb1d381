"""How many calls does one core carry?  A ramp to the last clean number of calls, ours and the peer's in turn."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from gateway.lab.bench.load import LoadReport, Phones
from gateway.lab.bench.servers import (
    PAYLOAD_TYPES,
    MediaServer,
    Rtpengine,
    TandemMedia,
    cpu_seconds,
    rtpengine_installed,
)

__all__ = ["BridgeBench", "Ramp", "Step"]

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_SETTLE_S: Final = 1.0
_FIRST: Final = 200
_GROWTH: Final = 1.3
_PRECISION: Final = 0.03
_TRIES: Final = 2
"""A step that is not clean is tried again: the machine may have been busy with something else."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number of calls, carried for a while."""

    calls: int
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
        """Return the most calls that were carried cleanly."""
        return max((step.calls for step in self.steps if step.clean), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the ramp for a JSON document."""
        return {
            "server": self.server,
            "capacity": self.capacity,
            "steps": [asdict(step) for step in self.steps],
        }


class BridgeBench:
    """`codecs` of the two legs; `seconds` a step."""

    def __init__(
        self,
        codecs: tuple[str, str],
        *,
        seconds: float,
        force_tick: bool,
        progress: Callable[[str, Step], None],
    ) -> None:
        self._codecs = codecs
        self._seconds = seconds
        self._force_tick = force_tick
        self._progress = progress

    def run(self, *, rounds: int, peer: bool) -> dict[str, Any]:
        """Alternate ours and the peer's ramps `rounds` times; returns the JSON document."""
        self._stay_on_the_load_core()
        ramps: list[Ramp] = []
        for _ in range(rounds):
            ramps.append(self._ramp(TandemMedia(SERVER_CORE, force_tick=self._force_tick)))
            if peer and rtpengine_installed():
                ramps.append(self._ramp(Rtpengine(SERVER_CORE)))
        return self._document(ramps)

    def _stay_on_the_load_core(self) -> None:
        """Keep to our core, ahead of others; not in real time: the kernel stops whoever never sleeps."""
        os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -20)

    def _document(self, ramps: list[Ramp]) -> dict[str, Any]:
        ours = [ramp.capacity for ramp in ramps if ramp.server == "tandem"]
        peer = max((ramp.capacity for ramp in ramps if ramp.server != "tandem"), default=0)
        capacity = statistics.median(ours)
        return {
            "bench": "bridge",
            "codecs": list(self._codecs),
            "path": "tick" if self._force_tick else "relay",
            "machine": machine(),
            "calls": capacity,
            "legs": 2 * capacity,
            "peer_calls": peer or None,
            "ratio": round(capacity / peer, 2) if peer else None,
            "ramps": [ramp.as_json() for ramp in ramps],
        }

    def _ramp(self, server: MediaServer) -> Ramp:
        ramp = Ramp(server.name)
        with server:
            for calls in search(lambda calls: self._try(server, ramp, calls)):
                del calls
        return ramp

    def _try(self, server: MediaServer, ramp: Ramp, calls: int) -> bool:
        for _ in range(_TRIES):
            step = self._step(server, calls)
            ramp.steps.append(step)
            self._progress(server.name, step)
            if step.clean:
                return True
        return False

    def _step(self, server: MediaServer, calls: int) -> Step:
        phones = Phones(2 * calls)
        try:
            pairs = list(zip(phones.ports[::2], phones.ports[1::2], strict=True))
            ports = [port for pair in server.bridge(self._codecs, pairs) for port in pair]
            types = [PAYLOAD_TYPES[codec] for codec in self._codecs] * calls
            before, began = cpu_seconds(server.pid), time.monotonic()
            report = phones.run(
                [("127.0.0.1", port) for port in ports], types, seconds=self._seconds, settle_s=_SETTLE_S
            )
            used, took = cpu_seconds(server.pid) - before, time.monotonic() - began
        finally:
            server.clear()
            phones.close()
        packets = 2 * calls * 50 * took
        return Step(calls, report.clean, report.verdict, 1e6 * used / packets, 100 * used / took, report)


def search(carries: Callable[[int], bool]) -> Iterator[int]:
    """Grow the number of calls until one is not carried, then halve the interval; yields each number tried."""
    low, high = 0, _FIRST
    while carries(high):
        yield high
        low, high = high, int(high * _GROWTH)
    while high - low > max(10, _PRECISION * high):
        middle = (low + high) // 2
        yield middle
        low, high = (middle, high) if carries(middle) else (low, middle)


def machine() -> dict[str, Any]:
    """Say what machine a figure comes from."""
    cpu = platform.processor()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
