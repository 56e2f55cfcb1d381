"""Vectors of our own making (tests/vectors/ilbc/README.md): bit-exactness without the standards' data."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

_LOST = (7, 19, 20, 28, 29, 30, 31, 32, 33)


def test_voice_is_encoded_as_recorded(implementation, mode_ms, own_vector):
    samples = np.frombuffer(own_vector("voice.pcm"), "<i2").astype(np.int16)

    frames = encode_frames(samples, "ilbc", mode_ms=mode_ms, implementation=implementation)

    assert b"".join(frames) == own_vector(f"voice-{mode_ms}.lbc")


@pytest.mark.parametrize(("name", "lost"), [("whole", ()), ("lossy", _LOST)])
def test_voice_is_decoded_as_recorded(name, lost, implementation, mode_ms, own_vector, frames_of):
    frames = frames_of(own_vector(f"voice-{mode_ms}.lbc"), mode_ms)
    arrived = [None if i in lost else frame for i, frame in enumerate(frames)]

    samples = decode_frames(arrived, "ilbc", implementation=implementation)

    assert samples.astype("<i2").tobytes() == own_vector(f"voice-{mode_ms}-{name}.pcm")
