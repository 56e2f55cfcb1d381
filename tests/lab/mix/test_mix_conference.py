"""An offline conference: the live plane's bits, at the times that the scenario says."""

import numpy as np
import pytest

from gateway.lab.mix.conference import Conference
from gateway.lab.mix.demo import demo
from gateway.lab.mix.report import reports_of
from gateway.lab.mix.scenario import scenario_of
from gateway.media.commands import CodecOptions
from gateway.testing.audio import align, correlation, speech, tone, tone_level
from gateway.testing.plane_bench import PlaneBench

_HZ = {"anna": 440, "ben": 1000, "carla": 2100}


def conference(*, seconds=3.0, seed=1, **changes):
    """Run three parties who each say a tone; `changes` are more keys of some of them."""
    parties = [{"name": name} | changes.get(name, {}) for name in _HZ]
    voices = {name: tone(hz, duration_ms=1000 * seconds) for name, hz in _HZ.items()}
    scenario = scenario_of({"party": parties, "duration_s": seconds, "seed": seed})
    return Conference(scenario, voices).run()


def level(outcome, listener, of, start_s, stop_s):
    return tone_level(outcome.parties[listener].pcm[round(start_s * 8000) : round(stop_s * 8000)], _HZ[of])


def test_it_is_the_live_plane_bit_for_bit():
    voices = {name: np.roll(speech(), 9000 * i)[:24000] for i, name in enumerate(_HZ)}
    scenario = scenario_of({"party": [{"name": name, "talk_s": 0.005} for name in voices], "duration_s": 3.5})
    outcome = Conference(scenario, voices).run()

    bench = PlaneBench()
    legs = [bench.leg(name, options=CodecOptions()) for name in voices]
    bench.join("room", *legs)
    for leg, pcm in zip(legs, voices.values(), strict=True):
        leg.say(pcm, start_s=0.025)
    bench.run(3.5)

    for leg, heard in zip(legs, outcome.parties.values(), strict=True):
        live = leg.heard()
        assert heard.pcm.any()
        assert np.array_equal(heard.pcm, live)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    lossy = {"loss": 0.1, "jitter_ms": 30, "codec": "g729"}
    first, again, other = (conference(seed=seed, anna=lossy).parties["ben"].pcm for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "line",
    [
        {"codec": "pcma"},
        {"codec": "g729"},
        {"codec": "g729", "annexb": True},
        {"codec": "ilbc"},
        {"codec": "ilbc", "ptime_ms": 30},
        {"ptime_ms": 60},
        {"drift_ppm": 200},
    ],
)
def test_every_line_is_heard_and_hears(line):
    said = speech()
    parties = [{"name": "anna"} | line, {"name": "ben"}]
    outcome = Conference(scenario_of({"party": parties}), {"anna": said, "ben": np.roll(said, 11000)}).run()

    for name, other in (("anna", "ben"), ("ben", "anna")):
        heard = outcome.parties[name].pcm
        voice = outcome.parties[other].said
        assert correlation(heard, voice, align(heard, voice, max_delay=2000)) > 0.8


def test_whoever_joins_and_leaves_is_heard_from_then_to_then():
    outcome = conference(anna={"join_s": 1, "leave_s": 2})

    assert level(outcome, "ben", "anna", 0.1, 0.9) < -60
    assert level(outcome, "ben", "anna", 1.2, 1.9) == pytest.approx(-16, abs=1)
    assert level(outcome, "ben", "anna", 2.1, 2.9) < -60
    assert level(outcome, "anna", "ben", 1.2, 1.9) == pytest.approx(-16, abs=1)
    assert not outcome.parties["anna"].pcm[:7800].any()


def test_changes_come_when_the_scenario_says():
    changes = [{"at_s": 1, "muted": True}, {"at_s": 2, "muted": False, "gain_in_db": -10}]
    outcome = conference(anna={"changes": changes})

    assert level(outcome, "ben", "anna", 0.2, 0.9) == pytest.approx(-16, abs=1)
    assert level(outcome, "ben", "anna", 1.2, 1.9) < -60
    assert level(outcome, "ben", "anna", 2.2, 2.9) == pytest.approx(-26, abs=1)


def test_hold_and_coach_end_with_an_empty_name():
    hold = [{"at_s": 1, "hold": "tone:700"}, {"at_s": 2, "hold": ""}]
    coach = [{"at_s": 1, "coach": "ben"}, {"at_s": 2, "coach": ""}]
    outcome = conference(ben={"changes": hold}, anna={"changes": coach})

    held = outcome.parties["ben"].pcm
    assert tone_level(held[9600:15200], 700) == pytest.approx(-15, abs=1)
    assert level(outcome, "carla", "anna", 1.2, 1.9) < -60
    assert level(outcome, "carla", "anna", 2.2, 2.9) == pytest.approx(-16, abs=1)
    assert level(outcome, "ben", "carla", 2.2, 2.9) == pytest.approx(-16, abs=1)


def test_a_source_of_the_switch_is_heard_by_all():
    keys = {"party": [{"name": "anna"}, {"name": "ring", "source": "tone:440"}], "duration_s": 1}

    outcome = Conference(scenario_of(keys), {}).run()

    assert level(outcome, "anna", "anna", 0.2, 0.9) == pytest.approx(-15, abs=1)


def test_loss_is_in_the_report():
    outcome = conference(anna={"loss": 0.1})

    anna, ben, _ = reports_of(outcome)
    assert 5 <= anna.packets_lost <= 30
    assert ben.packets_lost == 0
    assert anna.packets_sent == 150


def test_the_demo_has_turns_that_are_told():
    scenario, voices = demo()

    outcome = Conference(scenario, voices).run()

    assert {name for _, name in outcome.speakers} >= {"anna", "ben", "carla"}
    assert len(outcome.levels) == 100
