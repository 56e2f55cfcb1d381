"""Codecs on a bad network: late and lost packets sound like concealment, never like a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.media.commands import CodecOptions
from gateway.testing.audio import gaps, level_dbov, speech, tone
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.frames import decoded_stream
from gateway.testing.netem import Bernoulli, Netem
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench

Signal = NDArray[np.int16]

_EAR = {"codec": "pcma", "options": CodecOptions(conceal=False)}
"""The listener's own coding must not hide anything."""


def said(seconds: float = 5.0) -> Signal:
    return speech()[: int(8000 * seconds)]


def call(kind: str, **changes: object) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind, force_tick=True, **changes), bench.leg("b", **_EAR)
    bench.join("room", a, b)
    return bench, a, b


def through(net: Netem[int], n: int, ptime_ms: int) -> Callable[[int], Sequence[float]]:
    sent = np.arange(n) * ptime_ms / 1000
    train = net.schedule(sent)
    delays: dict[int, list[float]] = {}
    for i, at in zip(train.index.tolist(), train.time_s.tolist(), strict=True):
        delays.setdefault(i, []).append(at - float(sent[i]))
    return lambda i: delays.get(i, [])


def edge(pcm: Signal) -> float:
    """Return how sharp the sharpest edge is: third differences over 2 ms against the level of 40 ms around them.

    Speech has edges of its own; a torn seam has more than any.
    """
    signal = pcm.astype(np.float64)
    sharp = np.sqrt(np.convolve(np.diff(signal, 3) ** 2, np.ones(16) / 16, "same"))
    level = np.convolve(np.abs(signal[: sharp.size]), np.ones(320) / 320, "same") + 50
    return float((sharp / level).max())


def impaired(
    kind: str, seed: int, loss: float, jitter_ms: float
) -> tuple[PlaneBench, BenchLeg, BenchLeg, list[Packet]]:
    """Return a call of 5 s through a bad network, and the packets that were not lost."""
    bench, a, b = call(kind)
    ptime_ms = a.state.ptime_ms
    n = 5000 // ptime_ms
    net: Netem[int] = Netem(
        seed, latency_ms=30, jitter_ms=jitter_ms, loss=Bernoulli(loss), jitter_reorders=True
    )
    impair = through(net, n, ptime_ms)
    a.say(said(), ptime_ms=ptime_ms, impair=impair)
    bench.run(5.3)
    return bench, a, b, [packet for i, packet in enumerate(a.sent) if impair(i)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", [0.03, 0.1])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_jitter_tear_no_seam(kind: str, loss: float, seed: int) -> None:
    _, _, clean, _ = impaired(kind, 0, 0.0, 0.0)
    a, b, came = impaired(kind, seed, loss, 20.0)[1:]

    sharpest = edge(clean.heard())
    if kind not in {"pcmu", "pcma"}:  # their own concealment is all that they promise
        sharpest = max(sharpest, edge(decoded_stream(came, a.coding)))
    assert len(came) < len(a.sent)
    assert edge(b.heard()) < 1.1 * sharpest


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_lost_is_not_silent(kind: str) -> None:
    """One packet of a loud vowel goes missing."""
    bench, a, b = call(kind)
    sound = tone(200, duration_ms=2000)

    a.say(sound, ptime_ms=a.state.ptime_ms, impair=lambda i: () if i == 30 else (0.0,))
    bench.run(1.9)

    assert a.state.ptime_ms == row_of(a)["concealed_units"] * 10
    assert gaps(b.heard()[1600:], sound[1600:14000], minimum_ms=5) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_sender_that_vanishes_fades_away(kind: str) -> None:
    bench, a, b = call(kind)

    a.say(tone(200, duration_ms=1000), ptime_ms=a.state.ptime_ms)
    bench.run(1.5)

    heard = b.heard()
    levels = [level_dbov(heard[i : i + 80]) for i in range(8000, 10400, 80)]
    assert max(levels[18:]) < -70
    assert edge(heard) < 0.5  # cut off at a peak it is 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_network_gives_the_same_bits(kind: str) -> None:
    runs = [impaired(kind, 3, 0.05, 30.0) for _ in range(2)]

    assert runs[0][2].received == runs[1][2].received
    assert runs[0][1].statistics == runs[1][1].statistics


def row_of(leg: BenchLeg) -> NDArray[np.void]:
    return leg.bench.plane.table.rows[leg.row]
