"""Rows that go on in another plane as if nothing had happened; the same inputs give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gateway.errors import LocalError, Overload
from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.testing.audio import speech, tone
from gateway.testing.netem import Bernoulli, Netem
from gateway.testing.numbered import units_heard
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream

Scene = Callable[[PlaneBench], None]


def impaired(seed: int, n: int) -> Callable[[int], list[float]]:
    net: Netem[int] = Netem(seed, jitter_ms=30, loss=Bernoulli(0.03), duplicate=0.05, jitter_reorders=True)
    train = net.schedule(np.arange(n) * 0.02)
    delays: dict[int, list[float]] = {}
    for i, at in zip(train.index.tolist(), train.time_s.tolist(), strict=True):
        delays.setdefault(i, []).append(at - 0.02 * i)
    return lambda i: delays.get(i, [])


def a_relayed_call(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b", codec="pcma")
    bench.join("room", a, b)
    a.say(speech()[:24000], impair=impaired(1, 150))
    b.say(speech()[8000:32000], impair=impaired(2, 150))
    a.press("5", start_s=1.45)


def a_decoded_call(bench: PlaneBench) -> None:
    a, b = bench.leg("a", force_tick=True, ptime_ms=30), bench.leg("b", codec="pcma", ptime_ms=40)
    bench.join("room", a, b)
    a.say(speech()[:24000], ptime_ms=30, impair=impaired(1, 150))
    b.say(speech()[8000:32000], impair=impaired(2, 150))
    b.press("7", start_s=1.45)


def a_conference(bench: PlaneBench) -> None:
    legs = [bench.leg(name, codec=codec) for name, codec in (("a", "pcmu"), ("b", "pcma"), ("c", "pcmu"))]
    bench.join("room", *legs)
    bench.source("music", "music", "room")
    for i, leg in enumerate(legs):
        leg.say(speech()[4000 * i :][:24000], impair=impaired(i, 150))


def an_echo_and_a_tone(bench: PlaneBench) -> None:
    a, _ = bench.leg("a", source="echo", force_tick=True), bench.leg("b", source="tone:700")
    a.say(speech()[:24000])


def a_change_back_to_the_relay(bench: PlaneBench) -> None:
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    a.say(tone(400, duration_ms=3000, level_dbov=-20))
    bench.run(0.5)
    bench.change(a, force_tick=False)


_SCENES = [a_relayed_call, a_decoded_call, a_conference, an_echo_and_a_tone, a_change_back_to_the_relay]


def play(scene: Scene, *, swap_at_s: float | None = None) -> PlaneBench:
    """Run a scene for 4 s; at `swap_at_s` everything moves into a fresh plane of another size."""
    bench = PlaneBench()
    scene(bench)
    started = bench.now - 1000.0
    if swap_at_s is not None:
        bench.run(swap_at_s - started)
        snapshot = bench.plane.snapshot(bench.plane.legs)
        bench.plane = Plane(capacity=9, ids=SeededIds(99))
        bench.plane.restore(replace(snapshot, rows=snapshot.rows[::-1]), bench.now)
        started = swap_at_s
    bench.run(4.0 - started)
    return bench


def outcome(bench: PlaneBench) -> list[object]:
    return [
        [(leg.received, leg.reports, leg.statistics, leg.digits) for leg in bench.legs.values()],
        sorted(map(repr, bench.events)),
        bench.verdicts,
    ]


@pytest.mark.parametrize("scene", _SCENES, ids=lambda scene: scene.__name__)
def test_the_same_inputs_give_the_same_bits(scene: Scene) -> None:
    assert outcome(play(scene)) == outcome(play(scene))


@pytest.mark.parametrize("swap_at_s", [0.505, 1.513, 1.52, 2.0])
@pytest.mark.parametrize("scene", _SCENES, ids=lambda scene: scene.__name__)
def test_a_restored_plane_goes_on_to_the_bit(scene: Scene, swap_at_s: float) -> None:
    assert outcome(play(scene, swap_at_s=swap_at_s)) == outcome(play(scene))


def moved(bench: PlaneBench, leg: BenchLeg, plane: Plane) -> None:
    """Move one leg into another plane."""
    snapshot = bench.plane.snapshot([leg.state.leg])
    bench.plane.close(leg.state.leg, bench.now)
    plane.restore(snapshot, bench.now, {leg.state.leg: (5, 6)})


def test_one_leg_moves_alone_and_its_stream_goes_on() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 100)
    bench.run(1.0)

    other = Plane(capacity=4, ids=SeededIds(7))
    moved(bench, b, other)
    assert bench.plane.legs == (a.state.leg,)
    bench.plane = other
    bench.legs = {b.state.leg: b}
    bench.run(1.0)

    assert other.table.rows["rtp_fd"][b.row] == 5
    assert other.table.rows["rtcp_fd"][b.row] == 6
    assert b.statistics.mode_reason == "silent: nobody else is in the room"
    assert_one_stream(b.audio)
    assert {u.number for u in units_heard(b.audio)[100:]} == {None}


def test_two_legs_that_move_one_after_the_other_find_each_other() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 300)
    bench.run(1.0)

    other = Plane(capacity=4, ids=SeededIds(7))
    moved(bench, b, other)
    moved(bench, a, other)
    bench.plane = other
    bench.run(2.0)

    numbers = [u.number for u in units_heard(b.audio) if u.number is not None]
    assert numbers == list(range(300))
    assert a.statistics.mode == "relay"
    assert_one_stream(b.audio)


def test_a_snapshot_of_another_layout_is_refused() -> None:
    bench = PlaneBench()
    bench.leg("a")
    snapshot = replace(bench.plane.snapshot([LegId("a")]), layout="old")

    with pytest.raises(LocalError, match="layout old"):
        Plane(4, SeededIds(1)).restore(snapshot, bench.now)


def test_a_leg_that_is_here_is_not_restored_over() -> None:
    bench = PlaneBench()
    bench.leg("a")

    with pytest.raises(LocalError, match="leg a has a row already"):
        bench.plane.restore(bench.plane.snapshot([LegId("a")]), bench.now)


def test_a_snapshot_that_does_not_fit_takes_no_row() -> None:
    bench = PlaneBench()
    for name in "abc":
        bench.leg(name)
    small = Plane(2, SeededIds(1))

    with pytest.raises(Overload, match="3 rows are needed, 2 are free"):
        small.restore(bench.plane.snapshot(bench.plane.legs), bench.now)
    assert small.legs == ()
