"""A flight had again: what everybody said and heard, what was told, and whether it was as it had been."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.errors import BadMessage, LocalError
from gateway.ids import LegId
from gateway.lab.replay.file import FlightFile
from gateway.lab.replay.tape import Tape
from gateway.media.commands import RowState
from gateway.media.flight import Kind
from gateway.media.reenact import Difference, Reenactment
from gateway.media.statistics import LegStatistics, statistics_as_map

__all__ = ["LegAgain", "Replay", "replay", "replay_as_map"]

_MOST_PACKETS: Final = 1_000_000
"""What is kept of the wire: some five hours of a leg, or half an hour of ten."""
_MOST_S: Final = 6 * 3600.0

Progress = Callable[[float], None]
"""Told the seconds that have been had again."""


@dataclass(slots=True)
class LegAgain:
    """One leg."""

    said: Tape = field(default_factory=Tape)
    """What its phone sent."""
    heard: Tape = field(default_factory=Tape)
    """What its phone was sent."""
    statistics: LegStatistics = field(default_factory=LegStatistics)


@dataclass(slots=True)
class Replay:
    """What became of a flight."""

    duration_s: float
    took_s: float
    legs: Mapping[LegId, LegAgain]
    events: Sequence[tuple[float, Mapping[str, Any]]]
    """Seconds from the record's begin, and what was told."""
    compared: int
    """How many digests, rows and events were compared."""
    differences: Sequence[tuple[float, Difference]]

    def pcm(self, tape: Tape) -> NDArray[np.int16]:
        """Return a tape as long as the flight."""
        return tape.pcm(self.duration_s)


class _Booth:
    """Notes what it sees."""

    def __init__(self) -> None:
        self.legs: dict[LegId, LegAgain] = {}
        self.events: list[tuple[float, Mapping[str, Any]]] = []
        self.reenactment: Reenactment
        self._packets = 0

    def on_said(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        if state is not None:
            self._note(self._leg(leg).said, now, packet, state.receive, state.options.mode_ms)

    def on_heard(self, leg: LegId, state: RowState | None, now: float, packet: bytes) -> None:
        if state is not None:
            formats = {state.send_pt: state.send_codec}
            self._note(self._leg(leg).heard, now, packet, formats, state.options.mode_ms)

    def on_told(self, now: float, event: Mapping[str, Any]) -> None:
        self.events.append((self._since(now), event))

    def _note(self, tape: Tape, now: float, packet: bytes, formats: Mapping[int, str], mode_ms: int) -> None:
        self._packets += 1
        if self._packets > _MOST_PACKETS:
            raise LocalError(f"the flight has more than {_MOST_PACKETS} packets")
        tape.add(self._since(now), packet, formats, mode_ms)

    def _leg(self, leg: LegId) -> LegAgain:
        return self.legs.setdefault(leg, LegAgain())

    def _since(self, now: float) -> float:
        return now - (self.reenactment.began or 0.0)


def replay(flight: FlightFile, progress: Progress = lambda done_s: None) -> Replay:
    """Have a flight again.

    Raises:
        LocalError: the file is not what it says.
    """
    booth, began = _Booth(), time.perf_counter()
    reenactment = booth.reenactment = Reenactment(flight.capacity, booth)
    try:
        for record in flight.records():
            reenactment.take(record)
            if record.kind == Kind.DIGESTS:
                progress(reenactment.now - (reenactment.began or reenactment.now))
        reenactment.end()
    except BadMessage as error:
        raise LocalError(f"{flight.path} is damaged: {error}") from error
    for leg, statistics in reenactment.statistics.items():
        booth.legs.setdefault(leg, LegAgain()).statistics = statistics
    start = reenactment.began or 0.0
    duration_s = reenactment.now - start
    if not 0.0 <= duration_s <= _MOST_S:
        raise LocalError(f"{flight.path} is damaged: it lasts {duration_s:.0f} s")
    return Replay(
        duration_s=duration_s,
        took_s=time.perf_counter() - began,
        legs=booth.legs,
        events=booth.events,
        compared=reenactment.compared,
        differences=[(difference.at - start, difference) for difference in reenactment.differences],
    )


def replay_as_map(outcome: Replay) -> dict[str, Any]:
    """Return what became of a flight as plain maps, lists, numbers and strings."""
    return {
        "duration_s": round(outcome.duration_s, 3),
        "took_s": round(outcome.took_s, 3),
        "identical": not outcome.differences,
        "compared": outcome.compared,
        "differences": [
            {"at_s": round(at, 3), "leg": each.leg, "what": each.what} for at, each in outcome.differences
        ],
        "legs": {
            leg: {
                "said": {"packets": again.said.packets, "codecs": again.said.codecs},
                "heard": {"packets": again.heard.packets, "codecs": again.heard.codecs},
                "statistics": statistics_as_map(again.statistics),
            }
            for leg, again in outcome.legs.items()
        },
        "events": [{"at_s": round(at, 3), **event} for at, event in outcome.events],
    }
