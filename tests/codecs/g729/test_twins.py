"""The C kernels and the plain-Python twin are equal where no vector of the standard reaches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecodecs import decode_frames, encode_frames

_SPEECH = st.binary(min_size=10, max_size=10)
_SID = st.binary(min_size=2, max_size=2)
_ANY_FRAME = st.one_of(_SPEECH, _SPEECH, _SPEECH, _SID, st.none(), st.just(b""))


def _twice(work, *arguments, **options):
    return [work(*arguments, implementation=name, **options) for name in ("native", "reference")]


@pytest.mark.parametrize("annexb", [False, True])
def test_both_encode_any_signal_alike(annexb, signal):
    native, reference = _twice(encode_frames, signal, "g729", annexb=annexb)

    assert native == reference


@pytest.mark.parametrize("lost", ["none", "every fifth", "runs", "all but the first"])
def test_both_decode_any_signal_alike_whatever_is_lost(lost, signal):
    is_lost = {
        "none": lambda _: False,
        "every fifth": lambda i: i % 5 == 4,
        "runs": lambda i: i // 4 % 3 == 1,
        "all but the first": lambda i: i > 0,
    }[lost]
    frames = [
        None if is_lost(i) else frame for i, frame in enumerate(encode_frames(signal, "g729", annexb=True))
    ]

    native, reference = _twice(decode_frames, frames, "g729")

    assert np.array_equal(native, reference)


@settings(max_examples=40, deadline=None)
@given(frames=st.lists(_ANY_FRAME, max_size=40))
def test_both_decode_any_frames_alike(frames):
    native, reference = _twice(decode_frames, frames, "g729")

    assert np.array_equal(native, reference)


@settings(max_examples=15, deadline=None)
@given(levels=st.lists(st.sampled_from([0, 1, 40, 1000, 12000, 90000]), max_size=12), seed=st.integers(0, 99))
def test_both_encode_noise_of_any_level_alike(levels, seed):
    noise = np.random.default_rng(seed).normal(0, 1, (len(levels), 240)) * np.reshape(levels, (-1, 1))
    pcm = np.clip(noise, -32768, 32767).astype(np.int16).reshape(-1)

    native, reference = _twice(encode_frames, pcm, "g729", annexb=True)

    assert native == reference


def test_lag_of_144_samples_is_143_after_a_lost_frame(implementation):
    """The second subframe reaches 143 2/3, so 144; once lost it grows no more but is limited."""
    first_lag, second_lag = 0xFF, 31
    frame = (first_lag << 54 | second_lag << 24).to_bytes(10, "big")
    frames = [*[bytes(range(k, k + 10)) for k in range(20)], frame, None, None]

    pcm = decode_frames(frames, "g729", implementation=implementation)

    assert np.array_equal(pcm, decode_frames(frames, "g729", implementation="reference"))
