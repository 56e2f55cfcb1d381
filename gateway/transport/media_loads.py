"""How much each media worker has to do, and so which one gets the next leg.

A worker reports once a second what share of a core its packets and ticks take, and whether it refuses new legs
(`media_health`).  What was placed since the last report is guessed.  The next leg goes where the last one went, as
long as no other worker has clearly less to do: so the two legs of a call mostly meet without a move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["CLEARLY", "Loads"]

CLEARLY: Final = 0.02
"""Of a core: what forty legs are taken to cost."""
_LEG_LOAD: Final = 0.0005
"""What a leg that was placed since the worker's last report is taken to cost, as a share of a core."""
_CROWDED: Final = 0.6
"""A worker with so much to do takes no more people into a room that may sit elsewhere."""


@dataclass(slots=True)
class _Worker:
    present: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)
    placed: int = 0
    """Legs placed since its last report."""


class Loads:
    """The workers' loads, as far as they have told."""

    def __init__(self, workers: int, *, clearly: float) -> None:
        """`clearly`: the difference of load for which the next leg goes to another worker than the last."""
        self._workers = [_Worker() for _ in range(workers)]
        self._clearly = clearly
        self._last_placed = 0

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def present(self) -> tuple[int, ...]:
        """Return the workers that are there."""
        return tuple(number for number, worker in enumerate(self._workers) if worker.present)

    @property
    def figures(self) -> Mapping[int, Mapping[str, Any]]:
        """Return what each worker that is there has last told of itself."""
        return {number: one.figures for number, one in enumerate(self._workers) if one.figures}

    def came(self, worker: int) -> None:
        """Note that a worker is there."""
        self._workers[worker] = _Worker(present=True)

    def left(self, worker: int) -> None:
        """Note that a worker is gone."""
        self._workers[worker] = _Worker()

    def reported(self, worker: int, figures: Mapping[str, Any]) -> None:
        """Take a worker's report."""
        self._workers[worker].figures = figures
        self._workers[worker].placed = 0

    def of(self, worker: int) -> float:
        """Return a worker's load, as a share of a core."""
        one = self._workers[worker]
        return float(one.figures.get("busy", 0.0)) + one.placed * _LEG_LOAD

    def crowded(self, worker: int) -> bool:
        """Say whether people had better sit elsewhere."""
        return self._refuses(worker) or self.of(worker) >= _CROWDED

    def choose(self, refused_by: frozenset[int] = frozenset()) -> int:
        """Return the worker for the next leg."""

        def cost(number: int) -> tuple[bool, bool, bool, float]:
            away = not self._workers[number].present
            return number in refused_by, away, self._refuses(number), self.of(number)

        best, last = min(range(len(self._workers)), key=cost), self._last_placed
        if cost(last)[:3] == cost(best)[:3] and cost(last)[3] <= cost(best)[3] + self._clearly:
            best = last
        self._last_placed = best
        self._workers[best].placed += 1
        return best

    def _refuses(self, worker: int) -> bool:
        return self._workers[worker].figures.get("refusal") is not None
