"""How many calls a second does one core set up and end?  Ramps to the last rate at which no call failed.

Each rate is offered for some seconds; it is carried if every call was completed, none failed, the rate was kept and
setting up took at most 100 ms for 99 of 100.  A rate that is not carried is tried again, since the machine may have
been busy with something else.  Kamailio, where it is installed, takes the same calls in the same run.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE, search
from gateway.lab.bench.machine import machine
from gateway.lab.bench.signalling_load import Calls, offer
from gateway.lab.bench.signalling_servers import (
    KamailioProxy,
    SignallingServer,
    TandemSwitch,
    free_port,
    kamailio_installed,
)

__all__ = ["SignallingStep", "measure_signalling"]

_FIRST: Final = 40
_TRIES: Final = 2
_SETUP_MS: Final = 100.0
_SLACK_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class SignallingStep:
    """One rate, offered for a while."""

    rate_per_s: int
    clean: bool
    cpu_ms_per_call: dict[str, float]
    """CPU of each process of the server."""
    calls: Calls

    @property
    def cpu_percent(self) -> float:
        """How much of a core the server used."""
        return sum(self.cpu_ms_per_call.values()) * self.calls.offered / self.calls.seconds / 10


@dataclass(slots=True)
class _Ramp:
    server: str
    steps: list[SignallingStep] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        return max((step.rate_per_s for step in self.steps if step.clean), default=0)


def measure_signalling(
    *, seconds: float, rounds: int, peer: bool, progress: Callable[[str, SignallingStep], None]
) -> dict[str, Any]:
    """Ramp ours, and Kamailio with `peer`, in turn; returns the JSON document.

    Raises:
        LocalError: SIPp is not installed, or something did not start.
    """
    callee_port = free_port()
    servers: list[Callable[[], SignallingServer]] = [lambda: TandemSwitch(SERVER_CORE, callee_port)]
    if peer and kamailio_installed():
        servers.append(lambda: KamailioProxy(SERVER_CORE, callee_port))
    ramps: list[_Ramp] = []
    for _ in range(rounds):
        for make in servers:
            with make() as server:
                ramps.append(_Ramp(server.name))
                _ramp(server, ramps[-1], callee_port, seconds, progress)
    return _document(ramps)


def _ramp(
    server: SignallingServer,
    ramp: _Ramp,
    callee_port: int,
    seconds: float,
    progress: Callable[[str, SignallingStep], None],
) -> None:
    def carries(rate_per_s: int) -> bool:
        for _ in range(_TRIES):
            ramp.steps.append(step(server, callee_port, rate_per_s, seconds))
            progress(server.name, ramp.steps[-1])
            if ramp.steps[-1].clean:
                return True
        return False

    for _ in search(carries, _FIRST):
        pass  # the steps are in the ramp


def step(server: SignallingServer, callee_port: int, rate_per_s: int, seconds: float) -> SignallingStep:
    """Offer one rate to a server that runs."""
    before = server.cpu_s()
    calls = offer(server.port, callee_port, rate_per_s=rate_per_s, seconds=seconds, core=LOAD_CORE)
    used = {name: 1000 * (cpu_s - before[name]) / calls.offered for name, cpu_s in server.cpu_s().items()}
    clean = (
        calls.completed == calls.offered
        and calls.failed == 0
        and calls.setup_ms_p99 <= _SETUP_MS
        and calls.seconds <= 1.05 * seconds + _SLACK_S
    )
    return SignallingStep(rate_per_s, clean, {name: round(ms, 3) for name, ms in used.items()}, calls)


def _document(ramps: Sequence[_Ramp]) -> dict[str, Any]:
    ours = [ramp.capacity for ramp in ramps if ramp.server == "tandem"]
    peers = [ramp for ramp in ramps if ramp.server != "tandem"]
    best = max((ramp.capacity for ramp in peers), default=0)
    capacity = statistics.median(ours)
    return {
        "bench": "signalling",
        "work": "whole calls with a password",
        "unit": "calls/s",
        "machine": machine(),
        "capacity": capacity,
        "peer": peers[0].server if peers else None,
        "peer_capacity": best or None,
        "ratio": round(capacity / best, 3) if best else None,
        "ramps": [
            {
                "server": ramp.server,
                "capacity": ramp.capacity,
                "steps": [asdict(step) | {"cpu_percent": round(step.cpu_percent)} for step in ramp.steps],
            }
            for ramp in ramps
        ],
    }
