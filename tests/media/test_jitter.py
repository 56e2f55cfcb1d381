"""The playout slots against a bad network: in order, never twice, and every change of the delay counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gateway.testing.netem import Bernoulli, GilbertElliott, Netem
from gateway.testing.numbered import Heard, moved_ms, units_heard
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import steps

_UNITS = 3000


def through(net: Netem[int], n_packets: int, ptime_ms: int = 20) -> Callable[[int], Sequence[float]]:
    """Return what `net` does to a train of packets as delays for `BenchLeg.talk`."""
    sent = np.arange(n_packets) * ptime_ms / 1000
    train = net.schedule(sent)
    delays: dict[int, list[float]] = {}
    for i, at in zip(train.index.tolist(), train.time_s.tolist(), strict=True):
        delays.setdefault(i, []).append(at - float(sent[i]))
    return lambda i: delays.get(i, [])


def call(impair: Callable[[int], Sequence[float]], units: int = _UNITS) -> tuple[BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, units, impair=impair)
    bench.run(units / 100 + 0.5)
    return a, b


def numbers(heard: list[Heard]) -> list[int]:
    return [u.number for u in heard if u.number is not None]


@pytest.mark.parametrize("seed", range(4))
def test_jitter_and_loss_never_put_audio_out_of_order_or_twice(seed: int) -> None:
    net: Netem[int] = Netem(seed, latency_ms=30, jitter_ms=20, loss=Bernoulli(0.03), jitter_reorders=True)

    impair = through(net, _UNITS // 2)

    _, b = call(impair)

    heard = numbers(units_heard(b.audio))
    arrived = sum(2 * len(impair(i)) for i in range(_UNITS // 2))
    assert heard == sorted(set(heard))
    assert arrived - 10 <= len(heard) <= arrived
    assert (steps(b.audio) == [1, 160]).all()


@pytest.mark.parametrize("seed", range(2))
def test_a_network_of_the_promise_costs_no_more_than_the_wire_lost(seed: int) -> None:
    """reliability.md 21: loss 5 %, duplicates 5 %, reordering 50 ms, jitter 80 ms."""
    net: Netem[int] = Netem(
        seed,
        jitter_ms=80,
        loss=GilbertElliott.of(0.05, burst=2),
        duplicate=0.05,
        reorder=0.05,
        reorder_ms=50,
        jitter_reorders=True,
    )
    impair = through(net, _UNITS)

    _, b = call(impair, 2 * _UNITS)

    heard = numbers(units_heard(b.audio))
    arrived = {2 * i + half for i in range(_UNITS) if impair(i) for half in range(2)}
    late = [n for n in arrived - set(heard) if n > 600]  # once the delay has grown
    assert heard == sorted(set(heard))
    assert len(late) < 0.004 * len(arrived)


@pytest.mark.parametrize("seed", range(4))
def test_every_change_of_the_delay_is_counted(seed: int) -> None:
    net: Netem[int] = Netem(seed, jitter_ms=60, jitter_reorders=True)

    a, b = call(through(net, _UNITS // 2))

    inserted, dropped = moved_ms(units_heard(b.audio))
    assert inserted > 0
    assert (a.statistics.inserted_ms, a.statistics.dropped_ms) == (inserted, dropped)


def test_a_packet_that_comes_late_is_played_and_what_follows_is_later() -> None:
    a, b = call(lambda i: (0.05,) if i >= 50 else (0.0,), 400)

    heard = units_heard(b.audio)
    assert numbers(heard) == list(range(400))
    assert moved_ms(heard) == (40, 0)  # it was 10 ms early
    assert a.statistics.inserted_ms == 40
    assert a.statistics.packets_late >= 1


def test_a_delay_that_is_not_needed_any_more_shrinks_again() -> None:
    a, b = call(lambda i: (0.1,) if i < 50 else (0.0,), 4000)

    heard = units_heard(b.audio)
    last = heard[numbers(heard)[-1]]
    assert moved_ms(heard)[1] == a.statistics.dropped_ms >= 80
    assert last.number is not None
    assert last.at - (1000 + (last.number // 2) * 0.02) < 0.07


@pytest.mark.parametrize("ppm", [1000, -1000])
def test_a_sender_whose_clock_is_off_stays_in_step(ppm: int) -> None:
    a, b = call(lambda i: (max(0.0, 0.001 - i * 0.02 * ppm * 1e-6 + 0.06 * (ppm > 0)),), 6000)

    heard = units_heard(b.audio)
    arrived = {2 * i + half: p.at - i * 0.02 * ppm * 1e-6 for i, p in enumerate(a.sent) for half in range(2)}
    delays = [u.at - arrived[u.number] for u in heard if u.number is not None]
    assert numbers(heard) == sorted(set(numbers(heard)))
    assert len(heard) - len(numbers(heard)) < 60
    assert max(delays[-1000:]) - max(delays[:100]) < 0.04
    assert moved_ms(heard) == (a.statistics.inserted_ms, a.statistics.dropped_ms)


def test_a_packet_that_was_overtaken_is_not_heard_after_what_overtook_it() -> None:
    a, b = call(lambda i: (0.07,) if i == 50 else (0.0,), 300)

    heard = numbers(units_heard(b.audio))
    assert heard == [n for n in range(300) if n not in {100, 101}]
    assert a.statistics.packets_late == 1


def test_a_straggler_of_another_time_does_not_move_the_playout() -> None:
    a, b = call(lambda i: (0.8,) if i == 50 else (0.0,), 300)

    assert numbers(units_heard(b.audio)) == [n for n in range(300) if n not in {100, 101}]
    assert a.statistics.inserted_ms == 0


@pytest.mark.parametrize("stall_ms", [100, 300, 500])
def test_a_stall_of_the_network_loses_nothing_that_there_is_room_for(stall_ms: int) -> None:
    stall = stall_ms / 1000
    a, b = call(lambda i: (max(1.0 + stall - i * 0.02 + i * 1e-6, 0.0),) if i >= 50 else (0.0,), 600)

    heard = units_heard(b.audio)
    assert numbers(heard)[:150] == list(range(150))
    assert moved_ms(heard) == (a.statistics.inserted_ms, a.statistics.dropped_ms)
    assert abs(a.statistics.inserted_ms - stall_ms) <= 20


def test_a_stall_that_is_too_long_costs_what_does_not_fit() -> None:
    a, b = call(lambda i: (max(1.9 - i * 0.02 + i * 1e-6, 0.0),) if i >= 50 else (0.0,), 600)

    heard = units_heard(b.audio)
    assert numbers(heard) == sorted(set(numbers(heard)))
    assert len(set(range(400, 600)) - set(numbers(heard))) < 5
    inserted, dropped = moved_ms(heard)
    assert inserted - dropped == a.statistics.inserted_ms - a.statistics.dropped_ms


@pytest.mark.parametrize("jump", [8000, 80000, -8000, 2**31])
def test_a_jump_of_the_senders_clock_starts_anew_without_a_gap(jump: int) -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 100)
    a.timestamp += jump
    a.count(100, 200, start_s=1.0)
    bench.run(2.3)

    heard = numbers(units_heard(b.audio))
    assert heard[:98] == list(range(98))
    assert heard[-100:] == list(range(100, 200))


def test_audio_off_the_grid_keeps_its_samples() -> None:
    """A sender whose timestamps are not multiples of 10 ms after a jump of its clock."""
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    ramp = [bytes([1 + i % 120]) * 160 for i in range(50)]

    a.talk(ramp[:10])
    a.timestamp += 37
    a.talk(ramp[10:], start_s=0.2)
    bench.run(1.5)

    heard = b"".join(p.payload for p in b.audio)
    assert b"".join(ramp[11:]) in heard


def test_comfort_noise_is_a_sign_of_life_and_no_audio() -> None:
    """RFC 3389 packets in a pause."""
    bench = PlaneBench()
    a = bench.leg("a", receive={0: "pcmu", 13: "cn"}, force_tick=True)
    b = bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 20)
    bench.run(0.3)
    a.send(bytes([0x80, 13]) + bytes([0x04, 0x00]) + bytes(8) + b"\x40")
    bench.run(0.3)

    assert numbers(units_heard(b.audio)) == list(range(20))
    assert bench.verdicts["hold"] == 11
