"""Keys that are pressed for a phone (RFC 4733), beside audio that is relayed or mixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gateway.errors import LocalError, Overload
from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.media.snapshot import COLUMNS
from gateway.testing.audio import speech
from gateway.testing.flights import recorded_bench, reenact
from gateway.testing.plane_bench import BenchLeg, PlaneBench

_KEYS = "0123456789*#ABCD"


@pytest.fixture(params=["relay", "tick"])
def call(request: pytest.FixtureRequest) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=request.param == "tick"), bench.leg("b")
    bench.join("room", a, b)
    return bench, a, b


def press(bench: PlaneBench, leg: BenchLeg, keys: str, duration_ms: int = 160) -> None:
    for key in keys:
        bench.plane.press(leg.state.leg, key, duration_ms, bench.now)


def keys_in(leg: BenchLeg) -> str:
    """Return the keys that a phone makes of the events it received: one a timestamp that ends."""
    ended = {packet.timestamp: packet.payload[0] for packet in leg.events if packet.payload[1] & 0x80}
    return "".join(_KEYS[code] for code in ended.values())


def test_keys_that_are_pressed_at_once_are_heard_one_after_another(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    press(bench, b, _KEYS)
    bench.run(5.0)

    assert keys_in(b) == _KEYS
    assert keys_in(a) == a.digits == b.digits == ""
    assert len(b.events) == 16 * (8 + 2)


def test_keys_amid_speech_do_not_disturb_the_stream(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    for key in "159#":
        a.say(speech()[:8000])
        bench.run(0.4)
        press(bench, b, key)
        bench.run(0.6)

    assert keys_in(b) == "159#"
    assert len({packet.ssrc for packet in b.received}) == 1
    numbers = [packet.sequence for packet in b.received]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    times = [packet.timestamp for packet in b.audio]
    assert times == sorted(times)


def test_a_key_that_the_other_party_sends_as_events_too_is_heard_once(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    press(bench, b, "7")
    a.press("7")
    bench.run(1.0)
    assert keys_in(b) == "7"
    press(bench, b, "8")
    bench.run(1.0)
    assert keys_in(b) == "78"


def test_a_phone_that_agreed_on_no_events_gets_none(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, _, b = call
    bench.change(b, event_send_pt=None)
    press(bench, b, "1")
    bench.run(1.0)
    bench.change(b, event_send_pt=101)
    bench.run(1.0)
    assert b.events == []


@pytest.mark.parametrize("key", ["", "55", "x", "!"])
def test_what_is_no_key_is_refused(call: tuple[PlaneBench, BenchLeg, BenchLeg], key: str) -> None:
    bench, _, b = call
    with pytest.raises(LocalError, match="no key"):
        bench.plane.press(b.state.leg, key, 160, bench.now)


def test_a_seventeenth_key_is_refused(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, _, b = call
    press(bench, b, _KEYS)
    with pytest.raises(Overload):
        press(bench, b, "1")


def test_a_leg_that_moves_takes_its_keys_along() -> None:
    bench = PlaneBench()
    leg = bench.leg("b")
    press(bench, leg, "12")
    bench.run(0.15)
    still = bench.plane.snapshot([LegId("b")])
    there = Plane(8, SeededIds(2))
    there.restore(still, bench.now)
    bench.crash(there, down_s=0.0)
    bench.run(1.0)

    assert keys_in(leg) == "12"
    numbers = [packet.sequence for packet in leg.received]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_snapshot_with_more_keys_than_may_wait_is_refused() -> None:
    bench = PlaneBench()
    bench.leg("b")
    still = bench.plane.snapshot([LegId("b")])
    image = still.rows[0].image
    broken = bytes(np.full(len(image.columns[COLUMNS.index("presses")]), 255, np.uint8))
    columns = tuple(
        broken if name == "presses" else part for name, part in zip(COLUMNS, image.columns, strict=True)
    )
    row = replace(still.rows[0], image=replace(image, columns=columns))
    with pytest.raises(ValueError, match="more keys"):
        Plane(8, SeededIds(2)).restore(replace(still, rows=(row,)), bench.now)


def test_a_flight_with_keys_is_the_same_again() -> None:
    bench = recorded_bench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.say(speech()[:24000])
    bench.run(0.5)
    press(bench, b, "42#")
    bench.run(12.0)
    press(bench, a, "7")
    bench.run(3.0)

    reenactment, seen, _ = reenact(bench)
    assert reenactment.differences == []
    assert keys_in(b) == "42#"
    assert len(seen.heard[LegId("b")]) == len(b.received)
