"""Mute, deaf, gain, hold and coach: what a command asks is heard, without a click, and by nobody else."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.media.commands import RoomState, room_as_map, room_from_map, row_as_map, row_from_map
from gateway.testing.audio import tone, tone_level
from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_signals import roughness
from gateway.testing.plane_bench import PlaneBench

_HZ = (440, 1000, 2100)


def three(**changes):
    """Return a room of three that each say a tone of their own, the first with `changes`."""
    bench = PlaneBench()
    legs = [bench.leg(name, **(changes if name == "a" else {})) for name in "abc"]
    bench.join("room", *legs)
    for leg, hz in zip(legs, _HZ, strict=True):
        leg.say(tone(hz, duration_ms=3000))
    return bench, legs


def heard(leg, *, start_s=0.5, stop_s=1.0):
    """Return the levels of the three tones that a leg hears."""
    pcm = leg.heard()[round(start_s * 8000) : round(stop_s * 8000)]
    return [round(tone_level(pcm, hz)) for hz in _HZ]


def test_a_muted_leg_is_heard_by_nobody_and_hears_all():
    bench, (a, b, c) = three(muted=True)

    bench.run(1)

    assert heard(a)[1:] == [-16, -16]
    assert max(heard(b)[0], heard(c)[0]) < -60


def test_a_deaf_leg_is_heard_and_hears_nothing():
    bench, (a, b, _) = three(deaf=True)

    bench.run(1)

    assert max(heard(a)) < -60
    assert heard(b)[0] == -16


@pytest.mark.parametrize("gain_db", [-20, -6.5, 6, 12])
def test_a_gain_is_heard_in_decibels(gain_db):
    bench, (a, b, c) = three(gain_in_db=gain_db, gain_out_db=-6)

    bench.run(1)

    assert tone_level(b.heard()[4000:8000], 440) == pytest.approx(-16 + gain_db, abs=0.5)
    assert heard(c)[1] == -16
    assert heard(a)[1:] == [-22, -22]


@pytest.mark.parametrize("gain_db", [-61, 24.1, 1000, float("nan")])
def test_a_gain_out_of_bounds_is_refused_by_name(gain_db):
    bench = PlaneBench()
    leg = bench.leg("a")

    with pytest.raises(LocalError, match=r"leg a: a gain of .* dB is not within -60 to 24"):
        bench.change(leg, gain_in_db=gain_db)


def test_on_hold_a_leg_hears_music_and_is_not_heard():
    bench, (a, b, c) = three()
    bench.run(1)
    bench.change(a, hold="tone:700")
    bench.run(1)
    bench.change(a, hold=None)
    bench.run(1)

    assert max(heard(a, start_s=1.2, stop_s=1.9)[1:]) < -45
    assert tone_level(a.heard()[9600:15200], 700) == pytest.approx(-15, abs=1)
    assert max(heard(b, start_s=1.2, stop_s=1.9)[0], heard(c, start_s=1.2, stop_s=1.9)[0]) < -60
    assert heard(b, start_s=1.2, stop_s=1.9)[2] == -16
    assert heard(a, start_s=2.2, stop_s=2.9)[1:] == [-16, -16]


def test_a_coach_is_heard_by_one_and_hears_all():
    bench, (supervisor, agent, customer) = three(coach=LegId("b"))

    bench.run(1)

    assert heard(supervisor)[1:] == [-16, -16]
    assert heard(agent)[0] == heard(agent)[2] == -16
    assert heard(customer)[0] < -60
    assert heard(customer)[1] == -16


def test_a_coach_whose_agent_is_not_there_is_heard_by_nobody():
    """A whisper must never reach the customer, in whatever order the legs come and go."""
    bench, (_, agent, customer) = three(coach=LegId("b"))
    bench.run(1)

    bench.change(agent, room=None)
    customer.received.clear()
    bench.run(0.5)

    assert heard(customer, start_s=0, stop_s=0.5)[0] < -60
    assert heard(customer, start_s=0, stop_s=0.5)[2] < -60


def test_a_coach_of_a_leg_that_never_was_is_heard_by_nobody():
    bench, (a, b, c) = three(coach=LegId("nobody"))

    bench.run(1)

    assert max(heard(b)[0], heard(c)[0]) < -60
    assert heard(a)[1:] == [-16, -16]


def test_a_coach_alone_with_somebody_else_is_not_relayed_to_them():
    bench = PlaneBench()
    supervisor, customer = bench.leg("a", coach=LegId("b")), bench.leg("c")
    bench.join("room", supervisor, customer)
    supervisor.say(tone(440, duration_ms=1000))

    bench.run(1)

    assert tone_level(customer.heard()[1600:], 440) < -60
    assert supervisor.statistics.mode_reason == "decoded: this leg is heard by one alone"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"muted": True}, "silent: this leg is muted or on hold with music"),
        ({"hold": "music"}, "silent: this leg is muted or on hold with music"),
        ({"gain_in_db": 3.0}, "decoded: a gain is set"),
    ],
)
def test_a_relayed_call_comes_to_the_mixer_and_says_why(changes, words):
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.say(tone(440, duration_ms=2000))
    bench.run(0.5)
    assert a.statistics.mode == "relay"

    bench.change(a, **changes)
    bench.run(0.5)

    assert (a.statistics.mode, a.statistics.mode_reason) == ("tick", words)


@pytest.mark.parametrize(
    ("wish", "value"),
    [("muted", 1), ("deaf", 1), ("gain_in", 16000), ("gain_out", 100), ("aside", 1), ("switched", 1)],
)
def test_no_change_clicks(wish, value):
    """The slope of what is heard never jumps by more than that of the two signals."""
    n = 8000
    said = np.stack(
        [tone(300, duration_ms=1000, level_dbov=-30), tone(370, duration_ms=1000, level_dbov=-30)]
    )
    music = tone(170, duration_ms=1000, level_dbov=-20)
    bench, heard = MixBench([2]), []
    for start in range(0, n, 80):
        unit = slice(start, start + 80)
        bench.rows[wish][0] = value if 2000 <= start < 6000 else 4096 if wish.startswith("gain") else 0
        heard.append(bench.tick(np.ascontiguousarray(said[:, unit]), np.stack([music[unit]] * 2)))
    ears = np.concatenate(heard, axis=1)

    most = 4 * roughness(said[0]) + 4 * roughness(music)
    assert roughness(ears[0]) <= most
    assert roughness(ears[1]) <= most


def test_commands_travel():
    bench = PlaneBench()
    row = replace(
        bench.leg("a").state,
        muted=True,
        deaf=True,
        gain_in_db=-3.5,
        gain_out_db=6.0,
        hold="music",
        coach=LegId("b"),
    )
    room = RoomState(LegId("r"), 3, gate_from=0, loudest=4, auto_gain=True, tell_speaker=True)

    assert row_from_map(row_as_map(row)) == row
    assert room_from_map(room_as_map(room) | {"unheard_of": 1}) == room


@pytest.mark.parametrize(
    "changes", [{"loudest": 65}, {"loudest": -1}, {"loudest_margin_db": -1}, {"loudest_margin_db": 21}]
)
def test_a_room_state_out_of_bounds_is_refused_by_name(changes):
    with pytest.raises(LocalError, match="room r: "):
        PlaneBench().plane.apply_room(RoomState("r", 1, **changes))
