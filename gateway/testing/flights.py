"""Flights on the laboratory bench: a bench whose plane is recorded, and a witness who keeps all that a replay shows."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.ids import LegId, SeededIds
from gateway.media.commands import RowState
from gateway.media.flight import RecordedPlane, flight_memory
from gateway.media.flight_log import Flight, Record, read_ring, select
from gateway.media.plane import TICK_S
from gateway.media.reenact import Reenactment
from gateway.testing.plane_bench import PlaneBench

__all__ = ["InterruptedBench", "Seen", "recorded_bench", "reenact", "ring_of"]


@dataclass
class Seen:
    """What a replay showed."""

    said: dict[LegId, list[bytes]] = field(default_factory=dict)
    heard: dict[LegId, list[bytes]] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)

    def on_said(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        self.said.setdefault(leg, []).append(packet)

    def on_heard(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        self.heard.setdefault(leg, []).append(packet)

    def on_told(self, now: float, event: Mapping[str, Any]) -> None:
        self.events.append(event)


class InterruptedBench(PlaneBench):
    """A bench on which packets come in the midst of a tick, as they do to a live plane: 0.2 ms a stage."""

    def _tick(self) -> None:
        self._next_tick += TICK_S
        began = self.now
        for sends, rtcp in self.plane.tick(began, began):
            self._deliver(sends, rtcp=rtcp)
            self.now += 0.0002
            while self._post and self._post[0][0] <= self.now:
                self._arrive(*heapq.heappop(self._post)[2:])
        self.events += self.plane.events()


def recorded_bench(
    *,
    capacity: int = 64,
    seed: int = 1,
    ring_bytes: int = 1 << 24,
    memory: memoryview | None = None,
) -> PlaneBench:
    """Return a bench with a recorded plane, in `memory` if it is given; `ring_of` reads it."""
    bench = InterruptedBench(capacity, seed)
    flight = flight_memory(capacity, ring_bytes) if memory is None else memory
    bench.plane = RecordedPlane(capacity, SeededIds(seed), flight=flight)
    return bench


def ring_of(bench: PlaneBench) -> list[Record]:
    """Return what the bench's recorder holds."""
    assert isinstance(bench.plane, RecordedPlane)
    return read_ring(bench.plane.flight)


def reenact(bench: PlaneBench, leg: str | None = None) -> tuple[Reenactment, Seen, Flight]:
    """Replay what the bench's recorder has of a leg, or of all."""
    flight = select(ring_of(bench), None if leg is None else LegId(leg))
    seen = Seen()
    reenactment = Reenactment(bench.plane.table.capacity, seen)
    for record in flight.records:
        reenactment.take(record)
    reenactment.end()
    return reenactment, seen, flight
