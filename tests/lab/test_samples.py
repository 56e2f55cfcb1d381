import wave
from pathlib import Path

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.lab.measures import align, correlation, snr_db
from gateway.lab.samples import read_wav, resample, speech, write_wav


def write_raw(path: Path, data: bytes, *, channels: int = 1, width: int = 2, rate_hz: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(data)
    return path


def test_what_is_written_is_read_again(tmp_path: Path):
    write_wav(tmp_path / "a.wav", speech())

    assert np.array_equal(read_wav(tmp_path / "a.wav"), speech())


@pytest.mark.parametrize(
    ("width", "data"),
    [
        (1, bytes([128, 255, 0])),
        (2, np.array([0, 32512, -32768], "<i2").tobytes()),
        (3, b"\0\0\0" + b"\0\0\x7f" + b"\0\0\x80"),
        (4, np.array([0, 32512 << 16, -(1 << 31)], "<i4").tobytes()),
    ],
)
def test_every_sample_width_comes_to_the_same_scale(tmp_path: Path, width: int, data: bytes):
    path = write_raw(tmp_path / "a.wav", data, width=width)

    assert read_wav(path).tolist() == [0, 32512, -32768]


def test_channels_are_averaged(tmp_path: Path):
    path = write_raw(tmp_path / "a.wav", np.array([100, 300, -20, 20], "<i2").tobytes(), channels=2)

    assert read_wav(path).tolist() == [200, 0]


@pytest.mark.parametrize("rate_hz", [11025, 16000, 22050, 44100, 48000])
def test_another_rate_is_brought_to_8_khz_without_delay(tmp_path: Path, rate_hz: int):
    write_wav(tmp_path / "a.wav", resample(speech(), 8000, rate_hz), rate_hz=rate_hz)

    heard = read_wav(tmp_path / "a.wav")

    assert abs(len(heard) - len(speech())) <= 1
    assert align(heard, speech()) == 0
    assert correlation(heard, speech(), 0) > 0.99


def test_resampling_keeps_a_tone_in_the_band_and_removes_one_above_it():
    n = np.arange(48000)
    inside = np.rint(8000 * np.sin(2 * np.pi * 1000 / 48000 * n)).astype(np.int16)
    above = np.rint(8000 * np.sin(2 * np.pi * 6000 / 48000 * n)).astype(np.int16)

    expected = np.rint(8000 * np.sin(2 * np.pi * 1000 / 8000 * np.arange(8000))).astype(np.int16)

    assert snr_db(resample(inside, 48000, 8000)[200:-200], expected[200:-200], 0) > 50
    assert np.abs(resample(above, 48000, 8000)[200:-200].astype(int)).max() < 20


def test_the_same_rate_is_a_copy():
    pcm = speech()

    assert np.array_equal(resample(pcm, 8000, 8000), pcm)
    assert resample(pcm, 8000, 8000) is not pcm


@pytest.mark.parametrize("data", [b"", b"RIFF", b"not a wave file at all, only text", bytes(range(256))])
def test_a_foreign_file_is_refused_with_its_name(tmp_path: Path, data: bytes):
    (tmp_path / "odd.wav").write_bytes(data)

    with pytest.raises(LocalError, match=r"odd\.wav is not a WAV file"):
        read_wav(tmp_path / "odd.wav")


def test_a_missing_file_and_an_unwritable_path_are_said_plainly(tmp_path: Path):
    with pytest.raises(LocalError, match=r"cannot read .*none\.wav: No such file"):
        read_wav(tmp_path / "none.wav")
    with pytest.raises(LocalError, match=r"cannot write .*out\.wav: No such file"):
        write_wav(tmp_path / "no" / "out.wav", speech())


def test_a_file_that_ends_too_early_gives_what_is_there(tmp_path: Path):
    write_wav(tmp_path / "a.wav", speech())
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[:1043])

    assert np.array_equal(read_wav(tmp_path / "cut.wav"), speech()[:499])
