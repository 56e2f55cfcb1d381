"""The tick: what is not relayed is decoded, mixed and encoded, 10 ms at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.errors import LocalError
from gateway.media.sources import loop_of
from gateway.testing.audio import align, speech, tone, tone_level
from gateway.testing.numbered import units_heard
from gateway.testing.plane_bench import BenchLeg, PlaneBench, decoded
from gateway.testing.rtp_stream import assert_one_stream, steps

Signal = NDArray[np.int16]


def said(leg: BenchLeg) -> Signal:
    """Return what a leg's packets decode to."""
    return np.concatenate([decoded(packet) for packet in leg.sent])


def heard_from(leg: BenchLeg, other: Signal) -> Signal:
    """Return what a leg heard from where `other` begins, as long as `other` or as long as it lasts."""
    heard = leg.heard()
    return heard[align(heard, other) :][: other.size]


def bridge(bench: PlaneBench, codec_a: str, codec_b: str, **changes: object) -> tuple[BenchLeg, BenchLeg]:
    a = bench.leg("a", codec=codec_a, force_tick=True, **changes)
    b = bench.leg("b", codec=codec_b)
    bench.join("room", a, b)
    return a, b


@pytest.mark.parametrize(("codec_a", "codec_b"), [("pcmu", "pcmu"), ("pcma", "pcma"), ("pcmu", "pcma")])
def test_the_tick_gives_the_samples_that_the_relay_gives(codec_a: str, codec_b: str) -> None:
    ears = []
    for force_tick in (False, True):
        bench = PlaneBench()
        a, b = bench.leg("a", codec=codec_a, force_tick=force_tick), bench.leg("b", codec=codec_b)
        bench.join("room", a, b)
        a.say(speech()[:16000])
        bench.run(2.5)
        ears.append(b.heard())

    relayed, ticked = ears
    delay = align(ticked, relayed)
    assert relayed.size == 16000
    assert np.array_equal(ticked[delay : delay + relayed.size], relayed)


@pytest.mark.parametrize("ptime_b", [10, 20, 30, 40, 60])
@pytest.mark.parametrize("ptime_a", [10, 20, 30, 40, 60])
def test_any_packet_length_meets_any_other(ptime_a: int, ptime_b: int) -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", ptime_ms=ptime_a, force_tick=True), bench.leg("b", ptime_ms=ptime_b)
    bench.join("room", a, b)

    a.count(0, 120, ptime_ms=ptime_a)
    bench.run(1.5)

    numbers = [u.number for u in units_heard(b.audio)]
    start = numbers.index(0)
    assert numbers[start : start + 120] == list(range(120))
    assert {len(p.payload) for p in b.audio} == {8 * ptime_b}
    assert (steps(b.audio) == [1, 8 * ptime_b]).all()


@pytest.mark.parametrize("phase_ms", range(20))
def test_the_tick_adds_40_ms_at_most(phase_ms: int) -> None:
    """From the arrival of a packet to the departure of the last of its samples."""
    bench = PlaneBench()
    a, b = bridge(bench, "pcmu", "pcmu")

    a.count(0, 100, start_s=phase_ms / 1000)
    bench.run(1.3)

    arrived = {2 * i + half: packet.at for i, packet in enumerate(a.sent) for half in range(2)}
    delays = [u.at - arrived[u.number] for u in units_heard(b.audio) if u.number is not None]
    assert len(delays) == 100
    assert max(delays) <= 0.040 + 1e-9


def test_three_in_a_room_hear_each_other_and_not_themselves() -> None:
    bench = PlaneBench()
    legs = [bench.leg(name, codec="pcma") for name in "abc"]
    bench.join("room", *legs)
    for leg, hz in zip(legs, (440, 1000, 2100), strict=True):
        leg.say(tone(hz, duration_ms=1000))

    bench.run(1.0)

    for i, leg in enumerate(legs):
        levels = [tone_level(leg.heard()[1600:6400], hz) for hz in (440, 1000, 2100)]
        assert levels[i] < -60
        assert all(level == pytest.approx(-16, abs=0.5) for j, level in enumerate(levels) if j != i)


def test_a_room_is_the_sum_of_the_others_limited_once() -> None:
    """Against numpy: sums in wide integers, one limit, then the law's own rounding."""
    bench = PlaneBench()
    legs = [bench.leg(name, codec="pcmu") for name in "abcd"]
    bench.join("room", *legs)
    noise = np.random.default_rng(1).integers(-32768, 32768, (4, 8000)).astype(np.int16)
    for leg, pcm in zip(legs, noise, strict=True):
        leg.say(pcm)

    bench.run(1.2)

    spoken = np.array([said(leg) for leg in legs])
    for i, leg in enumerate(legs):
        mix = np.clip(spoken.sum(0, dtype=np.int64) - spoken[i], -32768, 32767).astype(np.int16)
        listener = PlaneBench().leg("model")
        listener.say(mix)
        expected = said(listener)
        assert np.array_equal(heard_from(leg, expected), expected)


def test_loud_parties_that_cancel_are_not_limited_on_the_way() -> None:
    bench = PlaneBench()
    a, b, c, d = (bench.leg(name, codec="pcma") for name in "abcd")
    bench.join("room", a, b, c, d)
    loud = np.full(4000, 32000, np.int16)
    a.say(loud)
    b.say(loud)
    c.say(-loud)

    bench.run(0.4)

    assert np.array_equal(d.heard()[1600:2400], decoded(a.sent[0])[:80].repeat(10))


def test_who_hears_whom_does_not_depend_on_who_came_first() -> None:
    ears = []
    for order in ("abc", "bca"):
        bench = PlaneBench()
        legs = {name: bench.leg(name) for name in order}
        bench.join("room", *(legs[name] for name in order))
        for n, name in enumerate("abc"):
            legs[name].say(speech()[4000 * n :][:8000])
        bench.run(1.1)
        ears.append([legs[name].heard() for name in "abc"])

    assert all(np.array_equal(x, y) for x, y in zip(*ears, strict=True))


def test_two_rooms_hear_nothing_of_each_other() -> None:
    bench = PlaneBench()
    legs = [bench.leg(f"{name}{i}", force_tick=True) for name in "xy" for i in range(2)]
    bench.join("x", *legs[:2])
    bench.join("y", *legs[2:])

    legs[0].count(0, 100)
    legs[2].count(1000, 1100)
    bench.run(1.1)

    assert {u.number for u in units_heard(legs[1].audio)} == {None, *range(100)}
    assert {u.number for u in units_heard(legs[3].audio)} == {None, *range(1000, 1100)}
    assert {u.number for u in units_heard(legs[0].audio)} == {None}


def test_rooms_that_come_and_go_never_share_a_number() -> None:
    bench = PlaneBench()
    legs = [bench.leg(f"{name}{i}", force_tick=True) for name in "xyz" for i in range(2)]
    bench.join("x", *legs[:2])
    bench.join("y", *legs[2:4])
    for leg in legs[:2]:
        bench.change(leg, room=None)

    bench.join("z", *legs[4:])
    legs[2].count(0, 100)
    legs[4].count(1000, 1100)
    bench.run(1.1)

    assert {u.number for u in units_heard(legs[3].audio)} == {None, *range(100)}
    assert {u.number for u in units_heard(legs[5].audio)} == {None, *range(1000, 1100)}


def test_a_lonely_listener_hears_silence_every_20_ms() -> None:
    """Nothing for 30 s makes a carrier hang up."""
    bench = PlaneBench()
    a = bench.leg("a", codec="pcma")
    bench.join("room", a)

    a.say(speech()[:8000])
    bench.run(2.0)

    assert len(a.audio) == 100
    assert not decoded(a.audio[50]).astype(np.int32)[np.abs(decoded(a.audio[50])) > 8].any()
    assert (steps(a.audio) == [1, 160]).all()


@pytest.mark.parametrize("force_tick", [False, True])
def test_an_echo_hears_itself(force_tick: bool) -> None:
    bench = PlaneBench()
    a = bench.leg("a", source="echo", force_tick=force_tick)

    a.say(speech()[:16000])
    bench.run(2.3)

    assert np.array_equal(heard_from(a, said(a)), said(a))
    assert a.statistics.mode == ("tick" if force_tick else "relay")
    assert_one_stream(a.audio)


@pytest.mark.parametrize("source", ["tone:440", "tone:1234", "music", "silence"])
def test_a_leg_hears_its_source_from_the_start_without_a_seam(source: str) -> None:
    bench = PlaneBench()
    a = bench.leg("a", source=source)
    loop = loop_of(source)

    bench.run(1.5 + loop.size / 8000 if loop.size < 20000 else 3.0)

    listener = PlaneBench().leg("model")
    listener.say(np.tile(loop, 200)[: a.heard().size])
    assert np.array_equal(a.heard(), said(listener))


def test_a_source_in_a_room_is_heard_by_all_beside_the_others() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    bench.source("music", "tone:440", "room")
    a.say(tone(1000, duration_ms=1000))

    bench.run(1.0)

    assert tone_level(b.heard()[1600:6400], 440) == pytest.approx(-15, abs=1)
    assert tone_level(b.heard()[1600:6400], 1000) == pytest.approx(-16, abs=0.5)
    assert tone_level(a.heard()[1600:6400], 1000) < -60


@pytest.mark.parametrize("source", ["tone:abc", "tone:4000", "tone:0", "music:1", "noise", ""])
def test_a_source_that_does_not_exist_is_refused_by_name(source: str) -> None:
    bench = PlaneBench()

    a = bench.leg("a")
    with pytest.raises(LocalError, match="tone"):
        bench.change(a, source=source)
    bench.run(0.5)
    assert len(a.audio) == 25
