"""F00-F06, both modes: what the fixed-point codec of before 2016-06-08 made of them."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

pytestmark = pytest.mark.vectors

_FILES = [f"F0{number}" for number in range(7)]
_SAMPLE_MS = 300
"""How much of each file the twin does unless `slow` is asked for."""


def _samples(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)


@pytest.mark.parametrize("name", _FILES)
def test_kernel_encodes_as_the_standard(name, mode_ms, standard_vector):
    frames = encode_frames(_samples(standard_vector(f"{name}.INP")), "ilbc", mode_ms=mode_ms)

    assert b"".join(frames) == standard_vector(f"{name}.BIT{mode_ms}")


@pytest.mark.parametrize("name", _FILES)
def test_kernel_decodes_as_the_standard(name, mode_ms, standard_vector, frames_of):
    samples = decode_frames(frames_of(standard_vector(f"{name}.BIT{mode_ms}"), mode_ms), "ilbc")

    assert samples.tobytes() == standard_vector(f"{name}.OUT{mode_ms}")


@pytest.mark.parametrize("name", _FILES)
def test_twin_begins_to_encode_as_the_standard(name, mode_ms, standard_vector):
    samples = _samples(standard_vector(f"{name}.INP"))[: 8 * _SAMPLE_MS]

    frames = encode_frames(samples, "ilbc", mode_ms=mode_ms, implementation="reference")

    encoded = b"".join(frames)
    assert encoded == standard_vector(f"{name}.BIT{mode_ms}")[: len(encoded)]


@pytest.mark.parametrize("name", _FILES)
def test_twin_begins_to_decode_as_the_standard(name, mode_ms, standard_vector, frames_of):
    frames = frames_of(standard_vector(f"{name}.BIT{mode_ms}"), mode_ms)[: _SAMPLE_MS // mode_ms]

    samples = decode_frames(frames, "ilbc", implementation="reference")

    assert samples.tobytes() == standard_vector(f"{name}.OUT{mode_ms}")[: samples.nbytes]


@pytest.mark.slow
@pytest.mark.parametrize("name", _FILES)
def test_twin_encodes_as_the_standard(name, mode_ms, standard_vector):
    samples = _samples(standard_vector(f"{name}.INP"))

    frames = encode_frames(samples, "ilbc", mode_ms=mode_ms, implementation="reference")

    assert b"".join(frames) == standard_vector(f"{name}.BIT{mode_ms}")


@pytest.mark.slow
@pytest.mark.parametrize("name", _FILES)
def test_twin_decodes_as_the_standard(name, mode_ms, standard_vector, frames_of):
    frames = frames_of(standard_vector(f"{name}.BIT{mode_ms}"), mode_ms)

    samples = decode_frames(frames, "ilbc", implementation="reference")

    assert samples.tobytes() == standard_vector(f"{name}.OUT{mode_ms}")
