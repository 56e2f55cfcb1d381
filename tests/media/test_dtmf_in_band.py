"""Keys that a phone says as tones, through codec, network and plane."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ids import LegId, SeededIds
from gateway.media.commands import row_as_map, row_from_map
from gateway.media.events import DigitHeard, event_as_map, event_from_map
from gateway.media.plane import Plane
from gateway.testing.key_tones import KEYS, KeySound, key_sound
from gateway.testing.plane_bench import BenchLeg, PlaneBench

_PRESSED = KeySound(tone_ms=100, pause_ms=100)


def say_keys(bench: PlaneBench, leg: BenchLeg, keys: str) -> None:
    pcm = key_sound(keys, _PRESSED)
    leg.say(pcm)
    bench.run(pcm.size / 8000 + 0.3)


@pytest.mark.parametrize("codec", ["pcmu", "pcma", "g729"])
def test_tones_of_a_leg_without_events_are_told_once_each(codec: str) -> None:
    bench = PlaneBench()
    leg = bench.leg("a", codec=codec, event_receive_pt=None, in_band=True, force_tick=True)
    bench.join("room", leg, bench.leg("b"))
    say_keys(bench, leg, KEYS)

    assert leg.digits == KEYS
    assert all(event.in_band for event in bench.events if isinstance(event, DigitHeard))


def test_a_leg_alone_that_hears_a_prompt_is_listened_to() -> None:
    bench = PlaneBench()
    leg = bench.leg("a", in_band=True, hold="music")
    say_keys(bench, leg, "42#")
    assert leg.digits == "42#"


def test_nobody_is_listened_to_who_did_not_ask() -> None:
    bench = PlaneBench()
    leg = bench.leg("a", force_tick=True)
    bench.join("room", leg, bench.leg("b"))
    say_keys(bench, leg, "42#")
    assert leg.digits == ""


def test_listening_alone_keeps_no_call_from_being_relayed() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", in_band=True), bench.leg("b")
    bench.join("room", a, b)
    say_keys(bench, a, "1")
    assert a.statistics.mode == "relay"


def test_a_leg_that_moves_is_listened_to_where_it_goes() -> None:
    bench = PlaneBench()
    leg = bench.leg("a", in_band=True, hold="music")
    there = Plane(8, SeededIds(2))
    there.restore(bench.plane.snapshot([LegId("a")]), bench.now)
    bench.crash(there, down_s=0.0)
    say_keys(bench, leg, "7")
    assert leg.digits == "7"


def test_the_wish_and_the_event_travel() -> None:
    bench = PlaneBench()
    state = replace(bench.leg("a").state, in_band=True)
    heard = DigitHeard(LegId("a"), "5", 80, in_band=True)

    assert row_from_map(row_as_map(state)) == state
    assert event_from_map(event_as_map(heard)) == heard
