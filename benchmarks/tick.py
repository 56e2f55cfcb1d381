"""A tick: 10 ms of n legs decoded, mixed and encoded."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, timed
from gateway.testing.plane_bench import PlaneBench


def measure() -> Iterator[Figure]:
    """An empty tick, two-party bridges, and one room."""
    for legs, room_of in ((0, 2), (128, 2), (1024, 2), (1024, 1024)):
        bench = PlaneBench(capacity=max(legs, 1))
        phones = [bench.leg(str(i), codec=("pcmu", "pcma")[i % 2], force_tick=True) for i in range(legs)]
        for i, phone in enumerate(phones):
            bench.join(str(i // room_of), phone)
        bench.run(0.05)
        clock = {"now": bench.now}

        def tick(bench: PlaneBench = bench, clock: dict[str, float] = clock) -> None:
            clock["now"] += 0.01
            for _ in bench.plane.tick(clock["now"], clock["now"]):
                pass

        yield timed("tick", f"{legs} legs in rooms of {room_of}", tick)
