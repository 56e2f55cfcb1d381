"""Flights taken from real media processes while they go on: what sockets and a real clock did, again to the bit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.lab.replay.file import read_flight, write_flight
from gateway.lab.replay.live import LiveRecorder, live_recorders, take_flight
from gateway.lab.replay.outcome import Replay, replay
from gateway.testing.media_workers import MediaPhone, MediaWorkers, media_workers

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory without a file is Linux's")


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_MEDIA_FLIGHT_MB", "4")


async def a_conversation(house: MediaWorkers, *, force_tick: bool) -> list[MediaPhone]:
    """Let three people talk for three seconds; two of them were elsewhere before, one by the other process."""
    phones = [await house.phone(name, source="tone:440") for name in "abc"]
    a, b, c = phones
    with a.speaking(), b.speaking(), c.speaking():
        await b.hears(20)
        house.join("room", a, b, force_tick=force_tick)
        await b.hears(60)
        house.join("room", c)
        await c.hears(60)
    return phones


def recorders_of(house: MediaWorkers) -> list[LiveRecorder]:
    return [each for each in live_recorders() if each.pid in house.pids.values()]


def had_again(recorders: list[LiveRecorder], path: Path) -> Replay:
    flight, capacity = take_flight(LegId("a"), recorders)
    write_flight(path, flight, leg=LegId("a"), capacity=capacity)
    return replay(read_flight(path))


@pytest.mark.parametrize("force_tick", [False, True], ids=["relay", "tick"])
def test_what_real_sockets_brought_is_had_again(tmp_path: Path, *, force_tick: bool) -> None:
    async def scenario() -> tuple[list[MediaPhone], list[LiveRecorder]]:
        async with media_workers(tmp_path) as house:
            phones = await a_conversation(house, force_tick=force_tick)
            return phones, recorders_of(house)

    phones, recorders = asyncio.run(scenario())
    outcome = had_again(recorders, tmp_path / "a.flight")

    assert outcome.differences == []
    assert set(outcome.legs) == {"a", "b", "c"}
    assert outcome.compared > 6
    assert outcome.took_s < outcome.duration_s
    for phone in phones:
        assert outcome.legs[phone.state.leg].heard.packets > 20


def test_a_leg_that_no_recorder_has_is_said_so(tmp_path: Path) -> None:
    async def scenario() -> list[LiveRecorder]:
        async with media_workers(tmp_path) as house:
            await house.phone("somebody")
            return recorders_of(house)

    recorders = asyncio.run(scenario())
    with pytest.raises(LocalError, match="has anything of leg nobody"):
        take_flight(LegId("nobody"), recorders)


def test_a_machine_without_recorders_is_told_how_to_have_one(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="flight_mb = 64"):
        live_recorders(tmp_path)
