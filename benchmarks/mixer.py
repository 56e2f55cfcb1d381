"""The mixer: what a member of a room costs in a tick of 10 ms, level and gate included; encoding once for many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure, timed
from gateway.testing.codec_legs import codec_leg
from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_signals import noise, talk
from gateway.testing.plane_bench import PlaneBench

_LISTENERS = 200


def measure() -> Iterator[Figure]:
    """Rooms where all talk and where few do; then a room of G.729."""
    gated = {"gate_from": 5, "loudest": 8, "loudest_from": 25}
    yield _mixing("1,000 in a room, all talk", [1000], 1000)
    yield _mixing("rooms of 3, all talk", [3] * 300, 900)
    yield _mixing("rooms of 2, all talk", [2] * 500, 1000)
    yield _mixing("1,000 in a gated room, 3 talk", [1000], 3, **gated)
    yield _mixing("... with automatic gain", [1000], 3, auto_gain=True, **gated)
    yield _encoding("in a tick of G.729, all hear the same", 0.0)
    yield _encoding("in a tick of G.729, each its own", 0.005)


def _mixing(unit: str, sizes: list[int], talkers: int, **room: int | bool) -> Figure:
    bench, n = MixBench(sizes, **room), sum(sizes)
    said = noise(n, seconds=0.01, dbov=-55)
    said[:talkers] = noise(talkers, seconds=0.01, dbov=-20)
    mix = bench.prepared(said, np.zeros_like(said), np.arange(n, dtype=np.int32))
    for _ in range(10):
        mix()
    return timed("mixer", unit, mix, per_call=n)


def _encoding(unit: str, gain_db: float) -> Figure:
    """One of many listeners of a room with one talker; a gain of a hair keeps its encoder its own."""
    bench = PlaneBench(capacity=_LISTENERS)
    legs = [codec_leg(bench, str(i), "g729") for i in range(_LISTENERS)]
    bench.join("room", *legs)
    for leg in legs:
        bench.change(leg, gain_out_db=gain_db)
    legs[0].say(talk(seconds=1))
    bench.run(0.8)
    clock = {"now": bench.now}

    def tick() -> None:
        clock["now"] += 0.01
        for _ in bench.plane.tick(clock["now"], clock["now"]):
            pass

    return timed("listener", unit, tick, per_call=_LISTENERS)
