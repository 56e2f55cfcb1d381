"""Taps: rows without a socket that hear a room, for recorders and detectors."""

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.testing.audio import tone, tone_level
from gateway.testing.plane_bench import PlaneBench

_HZ = (440, 1000, 2100)


def tapped(n=3, *, tap=True, **changes):
    """Return a room of n that each say a tone, with a tap in it."""
    bench = PlaneBench()
    legs = [bench.leg(name) for name in "abc"[:n]]
    bench.join("room", *legs)
    if tap:
        bench.source("tap", "tap", "room")
    bench.change(legs[0], **changes)
    for leg, hz in zip(legs, _HZ, strict=False):
        leg.say(tone(hz, duration_ms=2000))
    return bench, legs


def record(bench, seconds):
    """Return what the taps heard, int16 [taps, samples]."""
    heard = []
    for _ in range(round(seconds * 100)):
        bench.run(0.01)
        legs, pcm = bench.plane.taps()
        assert legs == (LegId("tap"),)
        heard.append(pcm)
    return np.concatenate(heard, axis=1)


def test_a_tap_hears_everybody():
    bench, _ = tapped()

    (heard,) = record(bench, 1)

    assert [round(tone_level(heard[4000:], hz)) for hz in _HZ] == [-16, -16, -16]


def test_a_tap_hears_no_whisper_and_nobody_who_is_muted():
    for changes in ({"muted": True}, {"coach": LegId("b")}):
        bench, _ = tapped(**changes)

        (heard,) = record(bench, 1)

        assert tone_level(heard[4000:], 440) < -60
        assert round(tone_level(heard[4000:], 1000)) == -16


def test_a_tap_changes_nothing_for_anybody():
    ears = []
    for tap in (False, True):
        bench, legs = tapped(tap=tap)
        bench.run(1.5)
        ears.append([leg.heard() for leg in legs])

    assert all(np.array_equal(*pair) for pair in zip(*ears, strict=True))


def test_a_tap_of_a_call_of_two_hears_both():
    bench, _ = tapped(2)

    (heard,) = record(bench, 1)

    assert [round(tone_level(heard[4000:], hz)) for hz in _HZ[:2]] == [-16, -16]


def test_a_tap_goes_on_in_another_plane_and_is_gone_when_it_is_closed():
    bench, _ = tapped()
    bench.run(0.5)
    snapshot = bench.plane.snapshot(bench.plane.legs)
    bench.plane = Plane(9, SeededIds(3))
    bench.plane.restore(snapshot, bench.now)

    (heard,) = record(bench, 0.5)
    bench.plane.close(LegId("tap"), bench.now)
    bench.run(0.01)

    assert round(tone_level(heard, 440)) == -16
    assert bench.plane.taps()[0] == ()


def test_a_tap_is_no_phone():
    bench = PlaneBench()
    leg = bench.leg("a")

    with pytest.raises(LocalError, match="leg a: a tap has no socket"):
        bench.change(leg, source="tap")
