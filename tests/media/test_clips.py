"""Clips: what another process makes and a row hears, through a real plane in virtual time."""

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.media.events import SourceEnded, event_as_map, event_from_map
from gateway.media.flight import RecordedPlane, flight_memory
from gateway.media.plane import Plane
from gateway.media.sources import clip_name
from gateway.testing.audio import tone, tone_level
from gateway.testing.flights import recorded_bench, reenact
from gateway.testing.plane_bench import PlaneBench


def begun(bench, pcm, *, ring=3, ended=True):
    """Write what a ring holds; return the name of the clip."""
    generation = bench.rings.open(ring)
    bench.rings.write(ring, pcm)
    if ended:
        bench.rings.end(ring)
    return clip_name(ring, generation)


def ended(bench):
    return [event for event in bench.events if isinstance(event, SourceEnded)]


def test_a_leg_hears_its_clip_whole_and_once():
    bench = PlaneBench()
    alice = bench.leg("alice")
    said = tone(500, duration_ms=500)

    bench.change(alice, hold=begun(bench, said))
    bench.run(seconds=1.0)

    heard = alice.heard()
    error = heard[: said.size].astype(int) - said
    assert np.sum(said.astype(float) ** 2) / np.sum(error.astype(float) ** 2) > 10**3.3  # G.711
    assert np.abs(heard[said.size :]).max() <= 8


def test_the_end_of_a_clip_is_told_in_the_tick_of_its_last_samples():
    bench = PlaneBench()
    alice = bench.leg("alice")
    name = begun(bench, tone(500, duration_ms=505))

    bench.change(alice, hold=name)
    bench.run(seconds=0.49)
    before = ended(bench)
    bench.run(seconds=0.03)

    assert before == []
    assert ended(bench) == [SourceEnded(alice.state.leg, name)]


def test_an_end_is_told_once():
    bench = PlaneBench()
    alice = bench.leg("alice")

    bench.change(alice, hold=begun(bench, tone(500, duration_ms=50)))
    bench.run(seconds=0.2)
    bench.change(alice, muted=True)
    bench.run(seconds=0.2)

    assert len(ended(bench)) == 1


def test_what_is_not_there_yet_is_silence_and_nothing_is_lost_by_it():
    bench = PlaneBench()
    alice = bench.leg("alice")
    name = begun(bench, tone(500, duration_ms=100), ended=False)

    bench.change(alice, hold=name)
    bench.run(seconds=0.3)
    bench.rings.write(3, tone(900, duration_ms=100))
    bench.rings.end(3)
    bench.run(seconds=0.3)

    heard = alice.heard()
    assert tone_level(heard[:800], 500) > -20
    assert np.abs(heard[960:2240]).max() <= 8
    assert tone_level(heard[2400:3200], 900) > -20
    assert bench.rings.starved(3) == pytest.approx(20, abs=2)
    assert len(ended(bench)) == 1


def test_a_clip_in_a_room_is_heard_by_all():
    bench = PlaneBench()
    alice, bob = bench.leg("alice"), bench.leg("bob")
    bench.join("room", alice, bob)

    bench.source("announcement", begun(bench, tone(500, duration_ms=400)), "room")
    bench.run(seconds=0.6)

    for listener in (alice, bob):
        assert tone_level(listener.heard()[800:2400], 500) > -25


def test_the_time_of_a_clip_passes_for_a_leg_to_which_nothing_is_sent():
    bench = PlaneBench()
    alice = bench.leg("alice", sending=False)

    bench.change(alice, hold=begun(bench, tone(500, duration_ms=200)))
    bench.run(seconds=0.3)

    assert alice.received == []
    assert len(ended(bench)) == 1


def test_a_clip_whose_ring_carries_another_one_is_over_and_takes_nothing_of_it():
    bench = PlaneBench()
    alice = bench.leg("alice")
    old = begun(bench, tone(500, duration_ms=200))
    begun(bench, tone(900, duration_ms=200))

    bench.change(alice, hold=old)
    bench.run(seconds=0.3)

    assert np.abs(alice.heard()).max() <= 8
    assert bench.rings.position(3) == 0
    assert [event.source for event in ended(bench)] == [old]


def test_a_plane_that_takes_over_plays_on_where_the_one_before_has_stopped():
    memory = memoryview(bytearray(16 << 20))
    bench = PlaneBench(capacity=8, memory=memory)
    alice = bench.leg("alice")
    clip = begun(bench, tone(500, duration_ms=800))
    bench.change(alice, hold=clip)
    bench.run(seconds=0.4)
    read = bench.rings.position(3)

    bench.crash(Plane(8, SeededIds(9), memory, rings=bench.rings), down_s=0.3)
    bench.plane.adopt(alice.state.leg, rtp_fd=1, rtcp_fd=2, now=bench.now)
    bench.change(alice)
    bench.run(seconds=0.6)

    assert read == pytest.approx(3200, abs=80)
    assert bench.rings.position(3) == 6400
    assert len(ended(bench)) == 1


def test_a_clip_of_a_plane_without_rings_is_over_at_once():
    bench = PlaneBench()
    bench.plane = Plane(4, SeededIds(2))
    alice = bench.leg("alice")

    bench.change(alice, hold="clip:3:1")
    bench.run(seconds=0.1)

    assert len(ended(bench)) == 1


@pytest.mark.parametrize("source", ["clip:", "clip:3", "clip:x:1", "clip:3:x", "clip:-1:1", "clip:65536:1"])
def test_what_is_no_clip_is_refused(source):
    bench = PlaneBench()
    alice = bench.leg("alice")

    with pytest.raises(LocalError, match="a clip has a ring and a generation"):
        bench.change(alice, hold=source)


def test_the_end_of_a_clip_travels():
    event = SourceEnded("leg", "clip:3:1")

    assert event_from_map(event_as_map(event)) == event


def test_a_replay_has_no_clips_and_says_so():
    bench = recorded_bench()
    bench.plane = RecordedPlane(8, SeededIds(1), flight=flight_memory(8, 1 << 20), rings=bench.rings)
    alice, _bob = bench.leg("alice"), bench.leg("bob")

    bench.change(alice, hold=begun(bench, tone(500, duration_ms=500)))
    bench.run(seconds=1.5)
    again, _, _ = reenact(bench)

    assert [difference.leg for difference in again.differences] == [alice.state.leg]
