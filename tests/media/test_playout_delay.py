"""The playout delay: as long as the network asks for, no longer, and never heard to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.media.commands import CodecOptions
from gateway.testing.audio import speech, tone
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.netem import Bernoulli, Netem
from gateway.testing.plane_bench import BenchLeg, PlaneBench

Signal = NDArray[np.int16]

_EAR = {"options": CodecOptions(conceal=False)}


def call(kind: str, **changes: object) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind, force_tick=True, **changes), bench.leg("b", **_EAR)
    bench.join("room", a, b)
    return bench, a, b


def talk(leg: BenchLeg, seconds: float, impair: Callable[[int], Sequence[float]]) -> None:
    """Say the sample of speech again and again, without pauses on the wire."""
    voice = speech()
    sound = np.tile(voice, int(8000 * seconds) // voice.size + 1)[: int(8000 * seconds)]
    leg.say(sound, ptime_ms=leg.state.ptime_ms, impair=impair)


def network(seed: int, n: int, ptime_ms: int, **conditions: object) -> Callable[[int], Sequence[float]]:
    net: Netem[int] = Netem(seed, latency_ms=30, jitter_reorders=True, **conditions)
    train = net.schedule(np.arange(n) * ptime_ms / 1000)
    delays: dict[int, list[float]] = {}
    for i, at in zip(train.index.tolist(), train.time_s.tolist(), strict=True):
        delays.setdefault(i, []).append(at - i * ptime_ms / 1000)
    return lambda i: delays.get(i, [])


def watch(bench: PlaneBench, leg: BenchLeg, seconds: float) -> list[float]:
    """Return the playout delay in ms, every 100 ms."""
    delays = []
    for _ in range(round(seconds * 10)):
        bench.run(0.1)
        delays.append(leg.statistics.playout_delay_ms)
    return delays


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "g729b"])
def test_jitter_of_20_ms_settles_within_3_s_and_conceals_little_more_than_was_lost(
    kind: str, seed: int
) -> None:
    bench, a, _ = call(kind)
    ptime_ms, seconds = a.state.ptime_ms, 20.0
    n = int(1000 * seconds) // ptime_ms
    impair = network(seed, n, ptime_ms, jitter_ms=20.0, loss=Bernoulli(0.03))
    talk(a, seconds, impair)

    delays = watch(bench, a, seconds)

    lost = sum(not impair(i) for i in range(n))
    assert max(delays[30:]) - min(delays[30:]) <= max(20.0, ptime_ms)
    assert max(delays[30:]) <= 20 + 2 * ptime_ms + 10
    assert a.statistics.concealed_ms / (1000 * seconds) <= lost / n + 0.01


@pytest.mark.parametrize("phase_ms", [0, *(pytest.param(ms, marks=pytest.mark.slow) for ms in (6, 12, 18))])
@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_network_costs_30_ms_at_most(kind: str, phase_ms: int) -> None:
    """Beyond the codec's own delay and the packet; 50 with iLBC of 30 ms."""
    bench, a, _ = call(kind)
    a.say(speech()[8000:40000], ptime_ms=a.state.ptime_ms, start_s=phase_ms / 1000)

    assert max(watch(bench, a, 3.5)) <= (50 if kind == "ilbc30" else 30)
    assert a.statistics.packets_late == 0


@pytest.mark.parametrize("phase_ms", [1, *(pytest.param(ms, marks=pytest.mark.slow) for ms in (3, 5, 7, 9))])
def test_a_clean_network_is_waited_for_no_longer_than_a_tick(phase_ms: int) -> None:
    """And 3 ms: for what a busy machine may be late, and lest the delay be changed to and fro."""
    bench, a, _ = call("g729")
    a.say(speech()[8000:40000], ptime_ms=20, start_s=phase_ms / 1000)

    assert watch(bench, a, 3.5)[-1] <= 13
    assert a.statistics.packets_late == 0


def test_a_delay_that_a_stall_left_behind_is_gone_after_some_pauses() -> None:
    """200 ms once; the sample of speech has pauses."""
    bench, a, _ = call("pcmu")
    stall = range(100, 112)
    talk(a, 20.0, lambda i: (max(0.2 - (i - stall.start) * 0.02, 0.0) if i in stall else 0.0,))

    delays = watch(bench, a, 20.0)

    assert max(delays) > 180
    assert delays[-1] < 40


def edge(pcm: Signal) -> float:
    """Return the sharpest third difference against the level: a torn seam in a tone has a large one."""
    signal = pcm.astype(np.float64)
    sharp = np.sqrt(np.convolve(np.diff(signal, 3) ** 2, np.ones(16) / 16, "same"))
    return float(sharp.max() / np.abs(signal).mean())


@pytest.mark.parametrize("ppm", [200, -200])
@pytest.mark.parametrize(
    "kind",
    ["pcmu", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("g729", "ilbc20", "ilbc30"))],
)
def test_a_clock_that_is_200_ppm_off_for_three_minutes_is_not_heard(kind: str, ppm: int) -> None:
    """A tone has no pauses to hide in."""
    bench, a, b = call(kind)
    ptime_ms = a.state.ptime_ms
    early = 0.05 if ppm > 0 else 0.0
    sound = tone(300, duration_ms=180_000, level_dbov=-20)

    a.say(sound, ptime_ms=ptime_ms, impair=lambda i: (early + 0.001 - i * ptime_ms / 1000 * ppm * 1e-6,))
    bench.run(179.0)

    heard = b.heard()[8000:-8000]
    statistics = a.statistics
    moved = statistics.inserted_ms if ppm < 0 else statistics.dropped_ms
    assert 20 <= moved <= 80
    assert edge(heard) < 0.5  # a cut at a peak is 2
    level = np.sqrt((heard[: heard.size // 160 * 160].reshape(-1, 160).astype(np.float64) ** 2).mean(1))
    assert level.min() > 0.3 * np.median(level)


def test_a_fixed_delay_stays_what_it_is() -> None:
    bench, a, _ = call("pcmu", options=CodecOptions(playout_ms=100))
    impair = network(1, 500, 20, jitter_ms=40.0)
    talk(a, 10.0, impair)

    delays = watch(bench, a, 9.9)

    assert min(delays[10:]) >= 90
    assert max(delays[10:]) <= 125
    assert a.statistics.packets_late == 0
