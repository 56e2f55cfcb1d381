"""The C kernels and their twins give the same bits, whatever comes in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecodecs import decode_frames, encode_frames

_N_BYTES = {20: 38, 30: 50}


@st.composite
def _streams(draw, mode_ms: int) -> list[bytes | None]:
    """Any bytes as frames, with the empty-frame bit mostly 0, and gaps."""
    n_bytes = _N_BYTES[mode_ms]
    usable = st.binary(min_size=n_bytes, max_size=n_bytes).map(
        lambda data: data[:-1] + bytes([data[-1] & 0xFE])
    )
    anything = st.binary(min_size=n_bytes, max_size=n_bytes)
    return draw(
        st.lists(st.one_of(usable, usable, usable, anything, st.sampled_from([None, b""])), max_size=12)
    )


def _both(frames: list[bytes | None], mode_ms: int) -> tuple[np.ndarray, np.ndarray]:
    return (
        decode_frames(frames, "ilbc", mode_ms=mode_ms),
        decode_frames(frames, "ilbc", mode_ms=mode_ms, implementation="reference"),
    )


def test_signal_is_encoded_alike(signal, mode_ms):
    native = encode_frames(signal, "ilbc", mode_ms=mode_ms)

    assert native == encode_frames(signal, "ilbc", mode_ms=mode_ms, implementation="reference")


@pytest.mark.parametrize("lost", [(0,), (4, 5), (2, 4, 6, 7, 8, 9, 10), tuple(range(3, 12))])
def test_signal_with_losses_is_decoded_alike(signal, lost, mode_ms):
    frames = encode_frames(signal, "ilbc", mode_ms=mode_ms)
    gappy = [None if i in lost else frame for i, frame in enumerate(frames)]

    native, reference = _both(gappy, mode_ms)

    assert native.tolist() == reference.tolist()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), mode_ms=st.sampled_from([20, 30]))
def test_any_bytes_are_decoded_alike(data, mode_ms):
    native, reference = _both(data.draw(_streams(mode_ms)), mode_ms)

    assert native.tolist() == reference.tolist()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    peak=st.sampled_from([1, 30, 900, 5000, 32767]),
    mode_ms=st.sampled_from([20, 30]),
)
def test_any_samples_are_encoded_alike(seed, peak, mode_ms):
    pcm = np.random.default_rng(seed).integers(-peak, peak + 1, 960).astype(np.int16)

    native = encode_frames(pcm, "ilbc", mode_ms=mode_ms)

    assert native == encode_frames(pcm, "ilbc", mode_ms=mode_ms, implementation="reference")


@settings(max_examples=20, deadline=None)
@given(flips=st.lists(st.integers(0, 6 * 400 - 1), max_size=12), mode_ms=st.sampled_from([20, 30]))
def test_damaged_frames_are_decoded_alike(flips, mode_ms):
    t = np.arange(6 * 240)
    pcm = (9000 * np.sin(t / 11) * np.sin(t / 150)).astype(np.int16)
    frames = [bytearray(frame) for frame in encode_frames(pcm, "ilbc", mode_ms=mode_ms)]
    for flip in flips:
        frame = frames[flip // 400 % len(frames)]
        frame[flip // 8 % len(frame)] ^= 1 << flip % 8

    native, reference = _both([bytes(frame) for frame in frames], mode_ms)

    assert native.tolist() == reference.tolist()
