"""Any codec meets any other: of a clean stream the plane makes what the codecs make of it offline, bit for bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

import voicecodecs
from gateway.testing.audio import level_dbov, speech
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.frames import split
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, in_order

Signal = NDArray[np.int16]

_PAIRS = list(itertools.product(KINDS, KINDS))
_UNIT = 80
_START_UNITS = range(16)
"""How many units of silence a listener may have heard before the speaker's first."""


def sentence(seconds: float, start_s: float = 1.0) -> Signal:
    return speech()[int(8000 * start_s) :][: int(8000 * seconds)]


def bridge(kind_a: str, kind_b: str, **changes: object) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind_a, force_tick=True, **changes), codec_leg(bench, "b", kind_b)
    bench.join("room", a, b)
    return bench, a, b


def frames_of(leg: BenchLeg) -> list[bytes]:
    """Return the frames that a leg was sent, in order."""
    return [f for packet in in_order(leg.audio) for f in split(packet.payload, leg.coding.facts)]


def decoded_offline(leg: BenchLeg, frames: list[bytes]) -> Signal:
    """Return frames of a leg as a decoder of its own hears them; G.711 goes through its concealment."""
    coding = leg.coding
    facts = coding.facts
    options = {"conceal": True} if coding.name in {"pcmu", "pcma"} else {}
    options |= {"mode_ms": facts.frame_ms} if coding.name == "ilbc" else {}
    payloads = b"".join(frame.ljust(facts.frame_bytes, b"\0") for frame in frames)
    return (
        voicecodecs.Decoder(coding.name, **options)
        .decode(
            np.zeros(len(frames), np.intp),
            np.frombuffer(payloads, np.uint8).reshape(len(frames), -1),
            np.array([len(frame) for frame in frames], np.int32),
        )
        .reshape(-1)
    )


def is_offline_chain(heard: list[bytes], pcm: Signal, listener: BenchLeg) -> bool:
    """Whether these frames are `pcm` encoded after some units of silence, for as long as it lasts."""
    for units in _START_UNITS:
        expected = listener.coding.encode(np.concatenate([np.zeros(units * _UNIT, np.int16), pcm]))
        spoken = [frame for frame in expected if frame]
        if heard[: len(spoken)] == spoken:
            return True
    return False


@pytest.mark.parametrize(("kind_a", "kind_b"), _PAIRS)
def test_a_clean_call_is_decoded_and_encoded_to_the_bit(kind_a: str, kind_b: str) -> None:
    bench, a, b = bridge(kind_a, kind_b)
    said = sentence(1.8)
    frames = a.coding.encode(said)

    a.send_frames(frames, per_packet=a.state.ptime_ms // a.coding.facts.frame_ms)
    bench.run(2.2)

    assert is_offline_chain(frames_of(b), decoded_offline(a, frames), b)
    assert level_dbov(b.heard()) == pytest.approx(level_dbov(said), abs=3)
    assert_one_stream(b.audio)
    assert a.statistics.inserted_ms == a.statistics.dropped_ms == 0
