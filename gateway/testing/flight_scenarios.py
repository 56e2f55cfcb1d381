"""Calls over bad networks, drawn by number: their codecs, what happens in them, and what the network does to each leg.

Each is a call of two or three legs in a room of its own, three seconds long: they speak, press keys, are muted and
held, leave the relay and come back, go away for a while; one is a source now and then.  The same number is the same
call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gateway.ids import RoomId
from gateway.testing.audio import speech
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.netem import Bernoulli, GilbertElliott, Netem
from gateway.testing.plane_bench import BenchLeg, PlaneBench

__all__ = ["CALL_S", "begin_call", "play"]

CALL_S: Final = 3.0

_CHANGES: Final[Sequence[dict[str, Any]]] = (
    {"force_tick": True},
    {"force_tick": False},
    {"muted": True},
    {"muted": False},
    {"hold": "music"},
    {"hold": None},
    {"deaf": True, "gain_in_db": 6.0},
    {"deaf": False, "gain_out_db": -6.0},
    {"receiving": False},
    {"receiving": True},
    {"room": None},
    {"ptime_ms": 60},
)


def begin_call(bench: PlaneBench, number: int) -> list[tuple[float, Callable[[], None]]]:
    """Open the legs of a call and let them speak; returns what will happen to them, and after how many seconds."""
    chance = np.random.default_rng(number)
    legs = [_leg(bench, f"{number}-{i}", chance) for i in range(int(chance.integers(2, 4)))]
    room = RoomId(f"room-{number}")
    bench.join(room, *legs)
    if chance.random() < 0.2:
        bench.source(f"{number}-music", "music", room)
    for leg in legs:
        _speak(leg, chance)
    happenings = [_happening(leg, room, chance) for leg in legs for _ in range(int(chance.integers(0, 3)))]
    return sorted(happenings, key=lambda happening: happening[0])


def _leg(bench: PlaneBench, name: str, chance: np.random.Generator) -> BenchLeg:
    kind = KINDS[int(chance.integers(len(KINDS)))]
    return codec_leg(bench, name, kind, force_tick=bool(chance.random() < 0.3))


def _speak(leg: BenchLeg, chance: np.random.Generator) -> None:
    begin = int(chance.integers(0, 8000))
    pcm = speech()[begin : begin + round((CALL_S - 0.3) * 8000)]
    leg.say(pcm, ptime_ms=60 if leg.state.options.mode_ms == 30 else 20, impair=_network(chance, 200))
    if chance.random() < 0.5:
        leg.press(
            "0123456789*#"[int(chance.integers(12))],
            start_s=float(chance.random()) * 2,
            impair=_network(chance, 20),
        )


def _network(chance: np.random.Generator, n: int) -> Callable[[int], Sequence[float]]:
    loss = float(chance.random()) * 0.15
    net: Netem[int] = Netem(
        int(chance.integers(2**31)),
        latency_ms=float(chance.random()) * 50,
        jitter_ms=float(chance.random()) * 60,
        loss=Bernoulli(loss) if chance.random() < 0.5 else GilbertElliott.of(loss, burst=4),
        duplicate=float(chance.random()) * 0.05,
        reorder=float(chance.random()) * 0.05,
        jitter_reorders=bool(chance.random() < 0.5),
    )
    train = net.schedule(np.arange(n, dtype=np.float64) * 0.02)
    delays: dict[int, list[float]] = {}
    for i, at in zip(train.index.tolist(), train.time_s.tolist(), strict=True):
        delays.setdefault(i, []).append(at - 0.02 * i)
    return lambda i: delays.get(i, ())


def _happening(leg: BenchLeg, room: RoomId, chance: np.random.Generator) -> tuple[float, Callable[[], None]]:
    changes = {"room": room} | _CHANGES[int(chance.integers(len(_CHANGES)))]
    return float(chance.random()) * (CALL_S - 0.5), lambda: leg.bench.change(leg, **changes)


def play(bench: PlaneBench, numbers: Sequence[int]) -> None:
    """Let calls happen, all at once, from now to their end."""
    start = bench.now
    happenings = [happening for number in numbers for happening in begin_call(bench, number)]
    for at, happen in sorted(happenings, key=lambda happening: happening[0]):
        bench.run(start + at - bench.now)
        happen()
    bench.run(start + CALL_S - bench.now)
