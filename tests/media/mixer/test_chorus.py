"""Whoever hears the same has it encoded once, and no phone notices when it begins or ends."""

import numpy as np
import pytest

from gateway.ids import SeededIds
from gateway.media.plane import Plane
from gateway.testing.audio import window_correlations
from gateway.testing.codec_legs import codec_leg
from gateway.testing.mix_signals import talk
from gateway.testing.plane_bench import PlaneBench

_KINDS = ("g729", "g729b", "ilbc20", "ilbc30")


def room_of(kind, *, n=10, seconds=4.0, opened=None):
    """Return a gated room in which the first talks all the time and the third from 2 s on for a second."""
    bench = PlaneBench()
    made = {i: codec_leg(bench, f"leg{i}", kind) for i in opened or range(n)}
    legs = [made[i] for i in range(n)]
    bench.join("room", *legs)
    ptime_ms = legs[0].state.ptime_ms
    legs[0].say(talk(seconds=seconds, dbov=-20), ptime_ms=ptime_ms)
    legs[2].say(talk(seconds=1, dbov=-20, start=9000), start_s=2, ptime_ms=ptime_ms)
    return bench, legs


def heard_alone(kind, leg):
    """Return what that leg of `room_of` hears when it never shares: its own gain is a hair more than one."""
    bench, legs = room_of(kind)
    bench.change(legs[leg], gain_out_db=0.005)
    bench.run(4)
    return legs[leg].heard()


def worst_window(heard, leg):
    """Return how like the worst 100 ms of speech are to what the leg would hear without any codec's loss."""
    bench, legs = room_of("pcma")
    bench.run(4)
    clean = legs[leg].heard()[4000:28000]
    likeness = window_correlations(heard, clean, window_ms=100, max_shift_ms=5)
    loud = np.abs(clean.reshape(-1, 800).astype(np.int32)).max(axis=1) > 2000
    return np.sort(likeness[loud])[: loud.sum() // 10].mean()


def payloads(leg):
    return [packet.payload for packet in leg.audio]


@pytest.mark.parametrize("kind", _KINDS)
def test_after_half_a_second_all_listeners_of_one_phase_get_the_same_packets(kind):
    bench, legs = room_of(kind)

    bench.run(4)

    units = {"ilbc20": 2, "ilbc30": 3}.get(kind, 1)
    rows = {row: [leg for leg in legs[3:] if leg.row % units == row] for row in range(units)}
    for same in rows.values():
        first, *others = (payloads(leg)[60:90] for leg in same)
        assert others
        assert all(other == first for other in others)


@pytest.mark.parametrize("leg", [2, 6])
@pytest.mark.parametrize("kind", _KINDS)
def test_who_joins_a_chorus_hears_as_well_as_alone(kind, leg):
    """The third leg leaves it at 2 s, when it begins to talk, and comes back later."""
    bench, legs = room_of(kind)

    bench.run(4)

    chorus, alone = (worst_window(heard, leg) for heard in (legs[leg].heard(), heard_alone(kind, leg)))
    assert chorus > alone - 0.03


@pytest.mark.parametrize("leg", [1, 6], ids=["leader", "follower"])
@pytest.mark.parametrize("kind", _KINDS)
def test_who_leaves_a_chorus_goes_on_to_the_bit(kind, leg):
    """The silent tenth begins to coach it: from then on it hears the same, but no more as everybody does."""
    outcomes = []
    for leaves in (False, True):
        bench, legs = room_of(kind)
        bench.run(1.505)
        if leaves:
            bench.change(legs[9], coach=legs[leg].state.leg)
        bench.run(1)
        outcomes.append([payloads(each) for each in legs[:9]])

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", _KINDS)
def test_a_leader_that_hangs_up_leaves_its_memory(kind):
    outcomes = []
    for hangs_up in (False, True):
        bench, legs = room_of(kind)
        bench.run(1.505)
        if hangs_up:
            bench.plane.close(legs[1].state.leg, bench.now)
            del bench.legs[legs[1].state.leg]
            codec_leg(bench, "new", kind)  # in the row of the one who left
        bench.run(1)
        outcomes.append([payloads(each) for each in legs[3:]])

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", _KINDS)
def test_a_chorus_goes_on_to_the_bit_in_another_plane(kind):
    outcomes = []
    for moves in (False, True):
        bench, legs = room_of(kind)
        bench.run(1.505)
        if moves:
            snapshot = bench.plane.snapshot(bench.plane.legs)
            bench.plane = Plane(12, SeededIds(4))
            bench.plane.restore(snapshot, bench.now)
        bench.run(2)
        outcomes.append([payloads(leg) for leg in legs])

    assert outcomes[0] == outcomes[1]


def test_it_does_not_matter_which_rows_the_members_have():
    """They come one by one, so that whose memory a chorus has is a question."""
    outcomes = []
    for opened in (range(10), range(9, -1, -1)):
        bench, legs = room_of("g729", opened=opened)
        bench.change(legs[3], gain_out_db=-1)
        bench.run(0.7)
        bench.change(legs[3], gain_out_db=0)
        bench.run(3)
        outcomes.append([payloads(leg) for leg in legs])

    assert outcomes[0] == outcomes[1]
