"""What rows say and hear goes into rings, tick by tick, and nothing else changes by it."""

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.media.commands import row_as_map, row_from_map
from gateway.media.ring import UNIT
from gateway.testing.audio import tone, tone_level
from gateway.testing.plane_bench import PlaneBench

HEARD, SAID = 4, 5
TICKS = 151
"""In 1.5 s, both ends counted."""
BOTH = (HEARD, SAID)


def bridge(**changes):
    """Return two phones in a room that say a tone each for two seconds."""
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    bench.change(a, **changes)
    for leg, hertz in ((a, 440), (b, 1000)):
        leg.say(tone(hertz, duration_ms=2000))
    return bench, a, b


def taken(bench, ring):
    return bench.rings.read(ring, 16_384)


def test_a_recorded_call_gives_what_its_party_says_and_hears_in_the_same_time():
    bench, _, _ = bridge(recording=BOTH)

    bench.run(1.5)

    heard, said = taken(bench, HEARD), taken(bench, SAID)
    assert heard.size == said.size == TICKS * UNIT
    assert round(tone_level(said[4000:], 440)) == round(tone_level(heard[4000:], 1000)) == -16
    assert tone_level(said[4000:], 1000) < -60
    assert tone_level(heard[4000:], 440) < -60


def test_what_is_heard_is_what_the_other_one_says_bit_for_bit():
    bench, _, b = bridge(recording=BOTH)
    bench.change(b, recording=(6, 7))

    bench.run(1.5)

    assert np.array_equal(taken(bench, HEARD), taken(bench, 7))
    assert np.array_equal(taken(bench, SAID), taken(bench, 6))


def test_a_call_is_not_relayed_while_it_is_recorded():
    bench, a, _ = bridge()
    bench.run(0.5)
    relayed = bench.plane.statistics(LegId("a")).mode_reason

    bench.change(a, recording=BOTH)
    bench.run(0.5)
    recorded = bench.plane.statistics(LegId("a")).mode_reason
    bench.change(a, recording=None)
    bench.run(3.0)

    assert relayed == bench.plane.statistics(LegId("a")).mode_reason == "relayed: the same codec on both legs"
    assert recorded == "decoded: it is recorded"


def test_nothing_comes_before_or_after():
    bench, a, _ = bridge()

    bench.run(0.5)
    bench.change(a, recording=BOTH)
    bench.run(0.5)
    bench.change(a, recording=None)
    bench.run(0.5)

    assert bench.rings.available(HEARD) == bench.rings.available(SAID) == 4000


def test_a_party_that_is_alone_is_recorded_too():
    bench = PlaneBench()
    alone = bench.leg("a", recording=BOTH)
    alone.say(tone(440, duration_ms=1000))

    bench.run(0.9)

    assert round(tone_level(taken(bench, SAID)[4000:], 440)) == -16
    assert not taken(bench, HEARD).any()


def test_a_party_is_recorded_with_what_is_played_to_it():
    bench, _a, _ = bridge(recording=BOTH, hold="tone:700")

    bench.run(0.9)

    assert tone_level(taken(bench, HEARD)[4000:], 700) > -20
    assert round(tone_level(taken(bench, SAID)[4000:], 440)) == -16


def test_a_call_on_hold_goes_on_in_silence():
    bench, a, _ = bridge(recording=BOTH)
    bench.run(0.5)
    bench.change(a, sending=False, receiving=False)
    bench.run(0.5)

    assert bench.rings.available(HEARD) == bench.rings.available(SAID) == 101 * UNIT


def test_a_tap_that_is_recorded_gives_the_mix_of_its_room():
    bench, _, _ = bridge()
    bench.source("tap", "tap", "room", recording=(HEARD, -1))
    heard = []
    for _ in range(80):
        bench.run(0.01)
        heard.append(bench.plane.taps()[1][0])

    assert np.array_equal(taken(bench, HEARD)[UNIT:], np.concatenate(heard))  # the first run has two ticks


def test_nobody_hears_a_difference():
    ears = []
    for recording in (None, BOTH):
        bench, a, b = bridge(force_tick=True, recording=recording)
        bench.run(1.5)
        ears.append([a.heard(), b.heard()])

    for without, with_ in zip(*ears, strict=True):
        assert np.array_equal(without, with_)


def test_a_ring_that_is_not_there_is_refused():
    bench, a, _ = bridge()

    with pytest.raises(LocalError, match="there are no rings"):
        bench.change(a, recording=(HEARD, 16))


def test_the_rings_travel_with_the_command():
    _bench, a, _ = bridge(recording=BOTH)

    assert row_from_map(row_as_map(a.state)).recording == BOTH
    assert row_from_map({**row_as_map(a.state), "recording": None}).recording is None
