"""A bad network, to order: latency, jitter, loss, duplicates and disorder, the same for the same seed.

It is sans-IO like the engines that it stands between: `send` puts a packet in at `now`, `next_deadline`
says when the next one comes out, `deliver` takes out what is due.  Time is whatever the caller says it is,
so a test of an hour of loss takes no time.  `Netem.schedule` is the same network for whole arrays of
packets, for tests of the media plane.

Loss is an object: `Bernoulli(0.05)` loses each packet by itself, `GilbertElliott` loses in bursts, as radio
and full queues do (two states, good and bad, with a loss rate each; E. N. Gilbert 1960, E. O. Elliott
1963).

Packets overtake each other only by `reorder`: a delayed packet waits `reorder_ms` longer and later ones
pass it. Jitter alone keeps the order, as a queue does, unless `jitter_reorders`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Bernoulli", "Delivery", "GilbertElliott", "Loss", "Netem", "NoLoss"]

P = TypeVar("P")
_Times = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]
_Indices = npt.NDArray[np.int64]


class Loss(Protocol):
    """Which packets never arrive; keeps its state from call to call."""

    def lost(self, n: int, chance: np.random.Generator) -> _Flags:
        """Return bool [n]: True for each of the next `n` packets that is lost."""
        ...


class NoLoss:
    """Every packet arrives."""

    def lost(self, n: int, chance: np.random.Generator) -> _Flags:
        """Return bool [n], all False."""
        return np.zeros(n, np.bool_)


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Each packet is lost by itself with this probability (0-1)."""

    probability: float

    def lost(self, n: int, chance: np.random.Generator) -> _Flags:
        """Return bool [n] of independent draws."""
        flags: _Flags = chance.random(n) < self.probability
        return flags


@dataclass(slots=True)
class GilbertElliott:
    """Loss in bursts: a chain of a good and a bad state, each with its loss rate.

    The chain steps once a packet, then the packet is drawn.  The share of the bad state is p / (p + r), the
    mean stay in it 1 / r packets.
    """

    to_bad: float
    """p: probability of going from good to bad at a packet."""
    to_good: float
    """r: probability of going from bad to good."""
    loss_bad: float = 1.0
    loss_good: float = 0.0
    bad: bool = False
    """The present state."""

    @classmethod
    def of(cls, loss: float, *, burst: float) -> GilbertElliott:
        """Return the chain with mean loss `loss` (0-1, below 1) in bursts of `burst` packets on average."""
        to_good = 1 / burst
        return cls(to_bad=to_good * loss / (1 - loss), to_good=to_good)

    def lost(self, n: int, chance: np.random.Generator) -> _Flags:
        """Return bool [n]; the chain goes on where it stopped."""
        steps, draws = chance.random((2, n))
        flags = np.zeros(n, np.bool_)
        for i in range(n):
            self.bad = steps[i] >= self.to_good if self.bad else steps[i] < self.to_bad
            flags[i] = draws[i] < (self.loss_bad if self.bad else self.loss_good)
        return flags


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrives of a train of packets, in the order of arrival; both arrays [n arrivals]."""

    index: _Indices
    """Which packet of the train it is: a lost one is absent, a duplicate occurs twice."""
    time_s: _Times
    """When it arrives, ascending."""


class Netem(Generic[P]):
    """One direction of a network path with its own seed; packets are of any type and pass unchanged.

    Args:
        seed: the same seed and the same calls give the same network.
        latency_ms: the delay of every packet.
        jitter_ms: added delay, uniform in 0 <= x < jitter_ms.
        loss: `Bernoulli`, `GilbertElliott` or another `Loss`; the object belongs to this network alone.
        duplicate: probability (0-1) that a copy comes `duplicate_ms` after the packet.
        reorder: probability that a packet waits `reorder_ms` longer, so that those behind it pass.
        jitter_reorders: let jitter alone change the order, like a path over several links.
    """

    def __init__(
        self,
        seed: int,
        *,
        latency_ms: float = 0.0,
        jitter_ms: float = 0.0,
        loss: Loss | None = None,
        duplicate: float = 0.0,
        duplicate_ms: float = 1.0,
        reorder: float = 0.0,
        reorder_ms: float = 30.0,
        jitter_reorders: bool = False,
    ) -> None:
        self._chance = np.random.default_rng(seed)
        self._loss: Loss = loss or NoLoss()
        self._latency_s, self._jitter_s = latency_ms / 1000, jitter_ms / 1000
        self._duplicate, self._duplicate_s = duplicate, duplicate_ms / 1000
        self._reorder, self._reorder_s = reorder, reorder_ms / 1000
        self._keeps_order = not jitter_reorders
        self._flying: list[tuple[float, int, P]] = []
        self._count = 0
        self._last = float("-inf")

    def send(self, packet: P, now: float) -> None:
        """Put one packet in at `now` (seconds); it may come out once, twice or never."""
        for _, time_s in zip(*self._fate(np.array([now])), strict=True):
            self._count += 1
            heapq.heappush(self._flying, (float(time_s), self._count, packet))

    def next_deadline(self) -> float | None:
        """Return when the next packet comes out, None if none is under way."""
        return self._flying[0][0] if self._flying else None

    def deliver(self, now: float) -> list[P]:
        """Take out every packet that is due at `now`, in order of arrival."""
        due = []
        while self._flying and self._flying[0][0] <= now:
            due.append(heapq.heappop(self._flying)[2])
        return due

    def schedule(self, sent_s: _Times) -> Delivery:
        """Send a whole train: `sent_s` float64 [n], ascending seconds; returns all that arrives."""
        index, time_s = self._fate(np.asarray(sent_s, np.float64))
        order = np.argsort(time_s, kind="stable")
        return Delivery(index[order], time_s[order])

    def _fate(self, sent_s: _Times) -> tuple[_Indices, _Times]:
        """Return the index and arrival of every copy that arrives, duplicates last."""
        n = len(sent_s)
        jitter, twice, late = self._chance.random((3, n))
        arrives = sent_s + self._latency_s + self._jitter_s * jitter
        if self._keeps_order and n:
            arrives = np.maximum.accumulate(np.maximum(arrives, self._last))
            self._last = float(arrives[-1])
        arrives = arrives + np.where(late < self._reorder, self._reorder_s, 0.0)
        kept = np.flatnonzero(~self._loss.lost(n, self._chance))
        copied = kept[twice[kept] < self._duplicate]
        times = np.concatenate((arrives[kept], arrives[copied] + self._duplicate_s))
        return np.concatenate((kept, copied)), times
