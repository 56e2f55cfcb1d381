"""From the relay to the tick and back, a thousand times: the listener's stream must not show it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from gateway.testing.audio import tone
from gateway.testing.numbered import moved_ms, numbered, units_heard
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, in_order, signed


def overtaking(i: int) -> Sequence[float]:
    """Every third packet comes after the next one."""
    return (0.03 if i % 3 == 1 else 0.0,)


def to_and_fro(
    n: int, *, seed: int, least_s: float, most_s: float, impair: object = overtaking
) -> tuple[BenchLeg, BenchLeg]:
    """Change a direction's way n times, each after a time by chance, while numbered audio runs through it."""
    chance = random.Random(seed)
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    waits = [round(chance.uniform(least_s, most_s), 4) for _ in range(n)]
    n_units = round(sum(waits) * 100) + 60
    for first in range(0, n_units, 9000):
        count = min(9000, n_units - first)
        a.count(0, count, start_s=first / 100, impair=impair)
    for i, wait_s in enumerate(waits):
        bench.change(a, force_tick=i % 2 == 0)
        bench.plane.relay_now(a.state.leg, bench.now)
        bench.run(wait_s)
    bench.run(0.5)
    return a, b


def ahead_ms(packets: Sequence[Packet]) -> list[float]:
    """Return how far each packet's timestamp is ahead of the clock, those that were overtaken left out."""
    start, newest, ahead = packets[0], 0, []
    for packet in packets:
        media = signed(packet.timestamp - start.timestamp)
        if media >= newest:
            newest = media
            ahead.append(media / 8 - (packet.at - start.at) * 1000)
    return ahead


@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_changes_leave_one_stream_on_time(seed: int) -> None:
    _, b = to_and_fro(1000, seed=seed, least_s=0.001, most_s=0.12)

    assert_one_stream(b.audio)
    ahead = ahead_ms(b.audio)
    assert min(ahead) >= -40
    assert max(ahead) <= 40


@pytest.mark.parametrize(
    ("relay_s", "tick_s", "phase_s"),
    [
        (0.009, 0.011, 0.025),  # each stay has its packet: two for every one that the speaker says
        (0.0199, 0.0201, 0.004),
        (0.001, 0.039, 0.012),
        (0.035, 0.025, 0.0),
    ],
)
def test_changes_in_step_with_the_packets_do_not_add_up(
    relay_s: float, tick_s: float, phase_s: float
) -> None:
    """The worst rhythms: every change at the same place between two packets."""
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 4000, start_s=phase_s)
    bench.run(0.0095)
    for i in range(1000):
        bench.change(a, force_tick=i % 2 == 0)
        bench.plane.relay_now(a.state.leg, bench.now)
        bench.run(tick_s if i % 2 == 0 else relay_s)

    assert_one_stream(b.audio)
    ahead = ahead_ms(b.audio)
    assert min(ahead) >= -40
    assert max(ahead) <= 40


@pytest.mark.parametrize("seed", range(2))
def test_the_counters_agree_with_the_ear(seed: int) -> None:
    a, b = to_and_fro(800, seed=seed, least_s=0.07, most_s=0.15)

    inserted, dropped = moved_ms(units_heard(b.audio))
    assert inserted > 1000
    assert dropped > 1000
    assert a.statistics.inserted_ms - a.statistics.dropped_ms == inserted - dropped
    assert a.statistics.inserted_ms == pytest.approx(
        inserted, rel=0.01
    )  # some are taken out before they are heard


@pytest.mark.parametrize("seed", range(2))
def test_the_counters_agree_with_the_ear_however_short_the_stay(seed: int) -> None:
    """What was put in and taken out again before anything was sent cannot be heard: the difference is what is left."""
    a, b = to_and_fro(1000, seed=seed, least_s=0.001, most_s=0.08)

    inserted, dropped = moved_ms(units_heard(b.audio))
    assert a.statistics.inserted_ms - a.statistics.dropped_ms == inserted - dropped


def test_each_new_writer_sets_the_marker() -> None:
    _, b = to_and_fro(20, seed=3, least_s=0.2, most_s=0.3, impair=lambda _: (0.0,))

    assert sum(packet.marker for packet in in_order(b.audio)) == 20


def test_going_back_to_the_relay_waits_for_a_pause_in_speech() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    loud, quiet = tone(400, duration_ms=500), tone(400, duration_ms=500, level_dbov=-60)
    for i, pcm in enumerate((loud, loud, quiet)):
        a.say(pcm, start_s=i * 0.5)

    bench.run(0.3)
    bench.change(a, force_tick=False)
    bench.run(0.6)
    during = a.statistics.mode
    bench.run(0.6)

    assert (during, a.statistics.mode) == ("tick", "relay")
    assert_one_stream(b.audio)


def test_a_speaker_who_never_pauses_is_relayed_after_two_seconds() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    a.say(tone(400, duration_ms=4000))

    bench.run(0.5)
    bench.change(a, force_tick=False)
    bench.run(1.9)
    before = a.statistics.mode
    bench.run(0.2)

    assert (before, a.statistics.mode) == ("tick", "relay")


def test_a_sender_that_changes_to_a_codec_the_other_leg_cannot_take_is_decoded() -> None:
    """relay_possible() says no to what arrives: the direction leaves the relay by itself."""
    bench = PlaneBench()
    a, b = bench.leg("a", receive={0: "pcmu", 8: "pcma"}), bench.leg("b")
    bench.join("room", a, b)
    bench.plane.table.rows["send_codec"][b.row] = 99

    a.count(0, 10)
    bench.run(0.3)

    assert a.statistics.mode == "tick"
    assert a.statistics.mode_reason == "decoded: the other leg cannot take what arrives"


def test_a_sender_whose_clock_is_fast_keeps_its_audio_through_a_change_of_mode() -> None:
    """Ten minutes at +400 ppm put its time 240 ms ahead: that is its clock, no reason to drop packets."""
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.talk([numbered(1) * 2] * 31_000, impair=lambda i: (-0.02 * 400e-6 * i,))
    bench.ticking = False
    bench.run(600.0)
    bench.ticking = True
    relayed = len(b.audio)

    bench.change(a, force_tick=True)
    bench.run(0.5)
    bench.change(a, force_tick=False)
    bench.plane.relay_now(a.state.leg, bench.now)
    bench.run(1.0)

    assert relayed > 30_000
    assert a.statistics.dropped_ms <= 60
