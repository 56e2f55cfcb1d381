"""Conferences of a whole plane: nobody hears itself, everybody else is heard equally late, and it goes on elsewhere."""

import numpy as np
import pytest

from gateway.ids import RoomId, SeededIds
from gateway.media.commands import RoomState
from gateway.media.plane import Plane
from gateway.testing.audio import align, correlation
from gateway.testing.mix_signals import noise, talk
from gateway.testing.plane_bench import PlaneBench

_MEMBERS = 6


def conference(n=_MEMBERS, *, seconds=3.0, codec="pcma", **room):
    """Return a bench with n legs in a room, each saying noise of its own."""
    bench = PlaneBench()
    legs = [bench.leg(f"leg{i}", codec=codec) for i in range(n)]
    bench.plane.apply_room(RoomState(RoomId("room"), 1, **room))
    bench.join("room", *legs)
    voices = noise(n, seconds=seconds, dbov=-26, seed=3)
    for leg, voice in zip(legs, voices, strict=True):
        leg.say(voice)
    return bench, legs, voices


def test_nobody_hears_itself():
    bench, legs, voices = conference(4, seconds=10.0, gate_from=0)

    bench.run(10.2)

    delay = align(legs[0].heard(), voices[1])
    for leg, voice in zip(legs, voices, strict=True):
        assert abs(correlation(leg.heard(), voice, delay)) < 0.01


def test_everybody_else_is_heard_equally_late():
    bench, legs, voices = conference(gate_from=0)

    bench.run(3.2)

    delays = {align(legs[i].heard(), voices[j]) for i in range(_MEMBERS) for j in range(_MEMBERS) if i != j}
    assert len(delays) == 1
    assert 0 < delays.pop() <= 240


def moving(swap_at_s):
    """Run a gated conference with automatic gain; at `swap_at_s` it moves to another plane. Returns what all hear."""
    bench = PlaneBench()
    legs = [bench.leg(f"leg{i}") for i in range(6)]
    room = RoomState(RoomId("room"), 1, loudest=2, loudest_from=4, auto_gain=True)
    bench.plane.apply_room(room)
    bench.join("room", *legs)
    bench.change(legs[5], muted=True, gain_out_db=-3)
    bench.change(legs[4], coach=legs[0].state.leg)
    for i, leg in enumerate(legs):
        leg.say(talk(seconds=3, dbov=-20 - 3 * i, start=5000 * i), start_s=0.3 * i)
    if swap_at_s:
        bench.run(swap_at_s)
        snapshot = bench.plane.snapshot(bench.plane.legs)
        bench.plane = Plane(capacity=30, ids=SeededIds(9))
        bench.plane.restore(snapshot, bench.now)
    bench.run(4 - swap_at_s)
    return [leg.received for leg in legs]


@pytest.mark.parametrize("swap_at_s", [0.72, 2.005])
def test_a_restored_conference_goes_on_to_the_bit(swap_at_s):
    """Gates, hangovers, gains, who is chosen and who coaches whom are in the snapshot."""
    assert moving(swap_at_s) == moving(0)


def test_listeners_of_a_gated_room_share_one_signal():
    bench = PlaneBench()
    legs = [bench.leg(f"leg{i}") for i in range(8)]
    bench.join("room", *legs)
    legs[0].say(talk(seconds=2))

    bench.run(2)

    ears = [leg.heard() for leg in legs[1:]]
    assert ears[0].any()
    assert all(np.array_equal(ear, ears[0]) for ear in ears)
