"""What phones do in mid-call, for every codec: jump in time, change the packet length, pause, begin anew, hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.media.commands import CodecOptions
from gateway.testing.audio import level_dbov, tone
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream

Signal = NDArray[np.int16]


def call(kind: str) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a = codec_leg(bench, "a", kind, force_tick=True)
    b = bench.leg("b", options=CodecOptions(conceal=False))
    bench.join("room", a, b)
    return bench, a, b


def hum(leg: BenchLeg, seconds: float) -> list[bytes]:
    """Return a tone as the frames of one stream."""
    sound = tone(200, duration_ms=1000 * seconds, level_dbov=-20)
    return leg.coding.encode(sound)


def say(leg: BenchLeg, frames: list[bytes], *, start_s: float = 0.0, ptime_ms: int | None = None) -> None:
    per_packet = max((ptime_ms or leg.state.ptime_ms) // leg.coding.facts.frame_ms, 1)
    leg.send_frames(frames, per_packet=per_packet, start_s=start_s)


def halves(leg: BenchLeg) -> tuple[list[bytes], list[bytes]]:
    """Return a tone of 2.4 s in two halves of one stream."""
    frames = hum(leg, 2.4)
    return frames[: len(frames) // 2], frames[len(frames) // 2 :]


def edge(pcm: Signal) -> float:
    """Return the sharpest third difference against the level; a tone that is cut at its peak has 2."""
    signal = pcm.astype(np.float64)
    sharp = np.sqrt(np.convolve(np.diff(signal, 3) ** 2, np.ones(16) / 16, "same"))
    return float(sharp.max() / np.abs(signal).mean())


@pytest.mark.parametrize("jump", [800_000, -800_000, 37, 8000 + 13])
@pytest.mark.parametrize("kind", KINDS)
def test_a_jump_in_time_is_bridged_without_a_click(kind: str, jump: int) -> None:
    bench, a, b = call(kind)
    first, second = halves(a)
    say(a, first)
    a.timestamp += jump
    say(a, second, start_s=1.2)

    bench.run(2.3)

    assert edge(b.heard()[3000:17000]) < 0.8
    assert level_dbov(b.heard()[12000:17000]) == pytest.approx(-20, abs=3)
    assert_one_stream(b.audio)


@pytest.mark.parametrize("kind", KINDS)
def test_a_jump_in_sequence_is_no_break(kind: str) -> None:
    bench, a, b = call(kind)
    first, second = halves(a)
    say(a, first)
    a.sequence += 20_000
    say(a, second, start_s=1.2)

    bench.run(2.3)

    assert edge(b.heard()[3000:17000]) < 0.8
    assert a.statistics.concealed_ms <= 2 * a.state.ptime_ms


@pytest.mark.parametrize("kind", KINDS)
def test_packets_may_change_their_length_in_mid_call(kind: str) -> None:
    bench, a, b = call(kind)
    frames = hum(a, 2.4)
    quarter = len(frames) // 4
    for i, ptime_ms in enumerate((20, 60, 30, 60)):
        say(a, frames[i * quarter : (i + 1) * quarter], ptime_ms=ptime_ms, start_s=0.6 * i)

    bench.run(2.3)

    assert edge(b.heard()[3000:17000]) < 0.8
    assert bench.verdicts["drop_foreign_payload"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_held_leg_is_silent_and_comes_back(kind: str) -> None:
    bench, a, b = call(kind)
    say(a, hum(a, 3.0))

    bench.run(1.0)
    bench.change(a, receiving=False)
    bench.run(1.0)
    bench.change(a, receiving=True)
    bench.run(0.9)

    heard = b.heard()
    assert level_dbov(heard[8800:15500]) < -70
    assert level_dbov(heard[17000:22000]) == pytest.approx(-20, abs=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_may_change_its_codec_in_mid_call(kind: str) -> None:
    bench = PlaneBench()
    a = codec_leg(bench, "a", kind, force_tick=True)
    bench.change(a, receive={**a.state.receive, 0: "pcmu", 8: "pcma"})
    b = bench.leg("b", options=CodecOptions(conceal=False))
    bench.join("room", a, b)
    say(a, hum(a, 1.2))
    law = bench.leg("law", codec="pcma")
    payloads = law.coding.encode(tone(200, duration_ms=1200, level_dbov=-20))

    a.talk([b"".join(payloads[i : i + 2]) for i in range(0, 120, 2)], codec="pcma", start_s=1.2)
    bench.run(2.3)

    assert edge(b.heard()[3000:17000]) < 0.8
    assert level_dbov(b.heard()[12000:17000]) == pytest.approx(-20, abs=1)
