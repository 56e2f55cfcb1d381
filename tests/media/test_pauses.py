"""Discontinuous transmission: a pause on purpose is comfort noise, and no loss; we send none to who takes none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.media.commands import CodecOptions
from gateway.testing.audio import level_dbov, speech, tone
from gateway.testing.codec_legs import codec_leg
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, in_order, signed

Signal = NDArray[np.int16]

_NOISE_PT = 13
_CN = {"receive": {0: "pcmu", _NOISE_PT: "cn"}}


def noise(seconds: float, dbov: float, seed: int = 1) -> Signal:
    chance = np.random.default_rng(seed)
    return (chance.normal(0, 32768 * 10 ** (dbov / 20), int(8000 * seconds))).astype(np.int16)


def speech_and_pause() -> Signal:
    """2 s of speech, 2 s of faint noise, 1 s of speech."""
    return np.concatenate([speech()[8000:24000], noise(2.0, -60), speech()[24000:32000]])


def call(kind_a: str, kind_b: str, **changes: object) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind_a, force_tick=True, **changes), codec_leg(bench, "b", kind_b)
    bench.join("room", a, b)
    return bench, a, b


def concealed_ms(leg: BenchLeg) -> int:
    return 10 * int(leg.bench.plane.table.rows["concealed_units"][leg.row])


def post(leg: BenchLeg, payload_type: int, payload: bytes, *, at_s: float) -> None:
    """Send one packet with the next sequence number and the present timestamp."""
    packet = Packet(0, payload_type, leg.sequence, leg.timestamp, leg.ssrc, payload)
    leg.sequence += 1
    leg.bench.post(leg.bench.now + at_s, leg, packet.to_bytes(), leg.address)


@pytest.mark.parametrize("loss_of", [None, "a descriptor"])
def test_a_g729_pause_sounds_like_its_noise_and_is_no_loss(loss_of: str | None) -> None:
    bench, a, b = call("g729b", "pcmu")
    first_sid = [0]

    def impair(i: int) -> tuple[float, ...]:
        return () if loss_of and i == first_sid[0] else (0.0,)

    frames = a.coding.encode(speech_and_pause())
    silent = [i for i, frame in enumerate(frames) if len(frame) == 2 and i > 200]
    first_sid[0] = len([i for i in range(0, silent[1], 2) if any(frames[i : i + 2])])
    a.send_frames(frames, per_packet=2, impair=impair)
    bench.run(4.9)

    assert len(a.sent) < 200
    assert level_dbov(b.heard()[22000:31000]) == pytest.approx(-60, abs=6)
    assert concealed_ms(a) <= (0 if loss_of is None else 40)


def test_a_pause_towards_g729_goes_unsent_and_the_clock_goes_on() -> None:
    bench, a, b = call("pcmu", "g729b")

    a.say(speech_and_pause())
    bench.run(5.0)

    assert_one_stream(b.audio)
    assert len(b.audio) < 0.75 * 5.0 / 0.02
    packets = in_order(b.audio)
    assert {len(p.payload) for p in packets} <= {2, 10, 12, 20}
    assert all(q.sequence == (p.sequence + 1) % 2**16 for p, q in itertools.pairwise(packets))
    ahead = [signed(p.timestamp - packets[0].timestamp) / 8000 - (p.at - packets[0].at) for p in packets]
    assert max(ahead) - min(ahead) < 0.03


def test_a_talkspurt_begins_with_the_marker_and_a_descriptor_has_none() -> None:
    bench, a, b = call("pcmu", "g729b")

    a.say(speech_and_pause())
    bench.run(5.0)

    packets = in_order(b.audio)
    spurts = [p for p in packets[1:] if p.marker]
    assert spurts
    assert all(len(p.payload) >= 10 for p in spurts)
    for before, packet in itertools.pairwise(packets):
        if len(before.payload) == 2 and len(packet.payload) >= 10:
            assert packet.marker


def test_nobody_is_sent_descriptors_who_takes_none() -> None:
    bench, a, b = call("pcmu", "g729")

    a.say(speech_and_pause())
    bench.run(5.0)

    assert {len(p.payload) for p in b.audio} == {20}
    assert len(b.audio) == 250


@pytest.mark.parametrize("level", [40, 60, 70])
def test_comfort_noise_has_the_level_that_it_was_told(level: int) -> None:
    """RFC 3389: -dBov, and nothing more is sent until speech comes again."""
    bench, a, b = call("pcmu", "pcmu", **_CN)

    a.say(speech()[8000:16000])
    bench.run(1.0)
    post(a, _NOISE_PT, bytes([level]), at_s=0.0)
    bench.run(2.0)

    assert level_dbov(b.heard()[10000:23000]) == pytest.approx(-level, abs=1.5)
    assert concealed_ms(a) <= 20


def test_comfort_noise_has_the_spectrum_that_it_was_told() -> None:
    """One reflection coefficient makes it dark or bright, at the same level."""
    centres = []
    for k in (32, 222):
        bench, a, b = call("pcmu", "pcmu", **_CN)
        a.say(speech()[8000:9600])
        bench.run(0.2)
        post(a, _NOISE_PT, bytes([40, k]), at_s=0.0)
        bench.run(2.0)
        heard = b.heard()[3200:16000].astype(np.float64)
        power = np.abs(np.fft.rfft(heard)) ** 2
        centres.append(float((power * np.arange(power.size)).sum() / power.sum() / power.size))
        assert level_dbov(b.heard()[3200:16000]) == pytest.approx(-40, abs=2)

    assert centres[0] < 0.35
    assert centres[1] > 0.65


@pytest.mark.parametrize("kind", ["pcma", "g729", "ilbc20", "ilbc30"])
def test_any_codec_may_pause_with_comfort_noise(kind: str) -> None:
    """A G.729 phone without Annex B sends it, and others that never agreed on it."""
    bench, a, b = call(kind, "pcmu")

    a.say(speech()[8000:16000], ptime_ms=a.state.ptime_ms)
    bench.run(1.0)
    post(a, _NOISE_PT, bytes([50]), at_s=0.0)
    bench.run(1.0)
    a.timestamp += 8000
    a.say(speech()[16000:24000], ptime_ms=a.state.ptime_ms)
    bench.run(1.2)

    heard = b.heard()
    assert level_dbov(heard[10000:15500]) == pytest.approx(-50, abs=2)
    assert level_dbov(heard[17000:24000]) > -40
    assert a.statistics.inserted_ms <= 30


def test_a_pause_without_a_word_is_silence_and_is_no_loss() -> None:
    """Timestamps go on and sequence numbers do not: it was on purpose, with hindsight."""
    bench, a, b = call("pcmu", "pcmu")

    a.say(tone(400, duration_ms=500))
    bench.run(1.5)
    concealed = concealed_ms(a)
    a.timestamp += 8000
    a.say(tone(400, duration_ms=500))
    bench.run(0.6)

    assert concealed > 900
    assert concealed_ms(a) <= concealed - 900
    assert level_dbov(b.heard()[6000:11000]) < -70


def test_relayed_comfort_noise_keeps_its_payload_and_gets_the_peers_number() -> None:
    bench = PlaneBench()
    a = bench.leg("a", **_CN, options=CodecOptions(noise_pt=13))
    b = bench.leg("b", receive={0: "pcmu", 19: "cn"}, options=CodecOptions(noise_pt=19))
    bench.join("room", a, b)

    a.count(0, 20)
    bench.run(0.2)
    post(a, _NOISE_PT, b"\x42", at_s=0.0)
    bench.run(0.1)

    assert (b.audio[-1].payload_type, b.audio[-1].payload) == (19, b"\x42")
    assert a.statistics.mode == "relay"


def test_comfort_noise_that_was_not_agreed_leaves_no_hole_in_the_numbers() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 20)
    bench.run(0.2)
    post(a, _NOISE_PT, b"\x42", at_s=0.0)
    bench.run(0.2)
    a.timestamp += 1600
    a.count(20, 40)
    bench.run(0.3)

    sequences = [p.sequence for p in b.audio]
    assert sequences == list(range(sequences[0], sequences[0] + 20))
    assert signed(b.audio[10].timestamp - b.audio[9].timestamp) == 160 + 1600
