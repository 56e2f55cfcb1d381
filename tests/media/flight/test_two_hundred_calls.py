"""Calls over bad networks are recorded together, and each is had again alone: every packet, count and event of it."""

from __future__ import annotations

import pytest

from gateway.media.events import event_as_map
from gateway.testing.flight_scenarios import play
from gateway.testing.flights import Seen, recorded_bench, reenact
from gateway.testing.plane_bench import PlaneBench

_CALLS_A_PLANE = 10


def lived(bench: PlaneBench, leg: str) -> tuple[list[bytes], int]:
    """Return what a leg's phone was sent, and how many events spoke of it."""
    received = [packet.to_bytes() for packet in bench.legs[leg].received]  # type: ignore[index]
    events = [event_as_map(event) for event in bench.events]  # type: ignore[arg-type]
    return received, sum(event.get("leg") == leg for event in events)


def replayed(seen: Seen, leg: str) -> tuple[list[bytes], int]:
    return seen.heard.get(leg, []), sum(event.get("leg") == leg for event in seen.events)  # type: ignore[call-overload]


def had_again(first: int, seed: int) -> None:
    bench = recorded_bench(seed=seed)
    numbers = range(first, first + _CALLS_A_PLANE)
    play(bench, numbers)

    for number in numbers:
        again, seen, flight = reenact(bench, f"{number}-0")
        assert again.differences == []
        assert {leg.split("-")[0] for leg in flight.legs} == {str(number)}
        for leg in flight.legs:
            assert again.statistics[leg] == bench.plane.statistics(leg)
        for leg in bench.legs.keys() & set(flight.legs):
            assert replayed(seen, leg) == lived(bench, leg)


@pytest.mark.parametrize("first", range(0, 20, _CALLS_A_PLANE))
def test_a_call_out_of_ten_is_had_again(first: int) -> None:
    had_again(first, seed=first)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, _CALLS_A_PLANE))
def test_two_hundred_calls_are_had_again(first: int) -> None:
    had_again(first, seed=1000 + first)
