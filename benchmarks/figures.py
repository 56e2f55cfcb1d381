"""How a unit of work is timed: rounds of CPU time, the median and the best of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Figure", "timed"]

_ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Figure:
    """What one unit of work costs."""

    name: str
    unit: str
    """What is done once, in words."""
    us_p50: float
    us_best: float


def timed(
    name: str, unit: str, work: Callable[[], object], *, seconds: float = 0.3, per_call: int = 1
) -> Figure:
    """Time `work`, which does the unit `per_call` times."""
    started = time.process_time_ns()
    work()
    once = max(time.process_time_ns() - started, 1000)
    n = max(1, int(seconds * 1e9 / _ROUNDS / once))
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time_ns()
        for _ in range(n):
            work()
        rounds.append((time.process_time_ns() - started) / n / per_call / 1000)
    return Figure(name, unit, round(statistics.median(rounds), 3), round(min(rounds), 3))
