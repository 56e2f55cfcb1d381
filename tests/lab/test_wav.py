"""WAV files of every common format, with sizes that lie and headers that are odd."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import LocalError
from gateway.lab.wav import parse_wav_untrusted
from voicecodecs import encode_frames

_PCM = np.array([0, 1000, -32768, 32767, -5], np.int16)


def riff(tag, bits, data, *, channels=1, rate_hz=8000, extensible=False, before=b"", claimed=None):
    """Return a WAV file's bytes."""
    said = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, rate_hz * channels * bits // 8, channels * bits // 8, bits
    )
    if extensible:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        said = b"\xfe\xff" + said[2:] + struct.pack("<HHI", 22, bits, 0) + guid
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(said)) + said
    body += b"data" + struct.pack("<I", len(data) if claimed is None else claimed) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    ("tag", "bits", "data"),
    [
        (1, 16, _PCM.astype("<i2").tobytes()),
        (1, 32, (_PCM.astype("<i4") << 16).tobytes()),
        (3, 32, (_PCM / 32768).astype("<f4").tobytes()),
        (3, 64, (_PCM / 32768).astype("<f8").tobytes()),
    ],
)
def test_integers_and_floating_point_come_to_one_scale(tag, bits, data, extensible):
    samples, rate_hz = parse_wav_untrusted(
        riff(tag, bits, data, extensible=extensible, rate_hz=44100), "a.wav"
    )

    assert (samples.tolist(), rate_hz) == (_PCM.tolist(), 44100)


@pytest.mark.parametrize(("tag", "codec"), [(6, "pcma"), (7, "pcmu")])
def test_the_laws_of_g711_are_samples_too(tag, codec):
    data = b"".join(encode_frames(_PCM, codec))

    samples, _ = parse_wav_untrusted(riff(tag, 8, data), "a.wav")

    assert np.abs(samples - _PCM).max() < 1100


def test_other_chunks_are_passed_over_and_an_odd_one_is_padded():
    before = b"LIST" + struct.pack("<I", 3) + b"abc\0"

    samples, _ = parse_wav_untrusted(riff(1, 16, _PCM.tobytes(), before=before), "a.wav")

    assert samples.tolist() == _PCM.tolist()


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 100])
def test_samples_end_where_the_file_does_whatever_it_claims(claimed):
    samples, _ = parse_wav_untrusted(riff(1, 16, _PCM.tobytes() + b"\1", claimed=claimed), "a.wav")

    assert samples.tolist() == _PCM.tolist()


def test_half_a_frame_of_channels_is_left_out():
    samples, _ = parse_wav_untrusted(riff(1, 16, _PCM.tobytes(), channels=2), "a.wav")

    assert samples.tolist() == [500, -0.5]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (riff(2, 4, b"\0" * 8), "samples of format 2 and 4 bit"),
        (riff(1, 16, b"", channels=0), "0 channels"),
        (riff(1, 16, b"", rate_hz=7), "at 7 Hz"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcddata\0\0\0\0", "its format is cut off"),
        (riff(1, 16, b"")[:36], "ends before its samples"),
        (b"RIFF\0\0\0\0WAVE", "ends before its format"),
        (b"OggS" * 9, "does not begin like one"),
    ],
)
def test_what_is_not_supported_is_said_with_the_name(data, words):
    with pytest.raises(LocalError, match=f"^a.wav .*{words}"):
        parse_wav_untrusted(data, "a.wav")


@given(st.binary(max_size=200), st.integers(0, 60), st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_file_does_more_than_be_refused(junk, at, rest):
    whole = riff(1, 16, _PCM.tobytes())
    for data in (junk, whole[:at] + junk, whole[:at] + rest + whole[at + len(rest) :]):
        try:
            samples, _ = parse_wav_untrusted(data, "a.wav")
        except LocalError:
            continue
        assert np.isfinite(samples).all()
