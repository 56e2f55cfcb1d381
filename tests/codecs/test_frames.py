from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecodecs import CodecError, decode_frames, encode_frames


def test_frames_are_ten_milliseconds_each(law, implementation):
    frames = encode_frames(np.zeros(240, np.int16), law, implementation=implementation)

    assert [len(frame) for frame in frames] == [80, 80, 80]


def test_samples_after_the_last_whole_frame_make_a_short_one(law, implementation):
    pcm = np.arange(100, dtype=np.int16)

    frames = encode_frames(pcm, law, implementation=implementation)

    assert [len(frame) for frame in frames] == [80, 20]
    assert decode_frames(frames, law, implementation=implementation).size == 100


def test_no_samples_are_no_frames_and_no_frames_no_samples(law, implementation):
    assert encode_frames(np.zeros(0, np.int16), law, implementation=implementation) == []

    assert decode_frames([], law, implementation=implementation).shape == (0,)


@pytest.mark.parametrize("absent", [None, b""])
def test_absent_frame_is_as_much_silence(absent, law, implementation):
    loud = bytes(80)

    pcm = decode_frames([loud, absent, loud], law, implementation=implementation).reshape(3, 80)

    assert [bool(frame.any()) for frame in pcm] == [True, False, True]


@given(data=st.binary(max_size=400))
def test_any_bytes_decode_alike_with_both_implementations(data):
    frames = [data[at : at + 80] for at in range(0, len(data), 80)]

    for law in ("pcmu", "pcma"):
        native = decode_frames(frames, law, implementation="native")
        assert native.tolist() == decode_frames(frames, law, implementation="reference").tolist()


@pytest.mark.parametrize("n_bytes", [79, 81, 160])
def test_frame_of_a_wrong_length_is_named(n_bytes, law, implementation):
    frames = [bytes(80), bytes(n_bytes), bytes(80)]

    with pytest.raises(CodecError, match=f"frame 1: {n_bytes} bytes, but a {law} frame has 80") as raised:
        decode_frames(frames, law, implementation=implementation)

    assert raised.value.frame == 1


def test_last_frame_may_be_short_but_not_long():
    with pytest.raises(CodecError, match="frame 1: 81 bytes"):
        decode_frames([bytes(80), bytes(81)], "pcmu")


def test_frame_that_is_not_bytes_is_named():
    with pytest.raises(CodecError, match="frame 2: a str; bytes are needed, or None for a lost frame"):
        decode_frames([None, bytes(80), "hello"], "pcmu")


@pytest.mark.parametrize(
    ("pcm", "described"),
    [
        (np.zeros(80), r"float64 \[80\]; int16 \[80\]"),
        (np.zeros((2, 80), np.int16), r"int16 \[2, 80\]; int16 \[160\]"),
        (np.zeros(80, ">i2"), r">i2 \[80\]|>i2"),
        ([0, 0], r"a list; int16 \[2\]"),
    ],
)
def test_samples_of_another_type_or_shape_are_refused(pcm, described):
    with pytest.raises(CodecError, match=f"pcm is ({described})"):
        encode_frames(pcm, "pcmu")
