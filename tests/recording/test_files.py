"""Files of sound that are playable at every moment."""

import io
import os
import resource
import signal
import subprocess
import sys
import wave

import numpy as np
import pytest

from gateway.recording.formats import open_file
from gateway.recording.naming import FORMATS
from gateway.recording.wav import HEADER_BYTES, WavFile
from gateway.speech.audio import decode_untrusted
from gateway.testing.audio import tone

SECOND = 8000

VICTIM = """
import sys
import numpy as np
from pathlib import Path
from gateway.recording.formats import open_file
from gateway.recording.naming import FORMATS
from gateway.testing.audio import tone

files = [open_file(Path(sys.argv[1], f"a.{kind}"), kind, 1) for kind in FORMATS]
for piece in np.split(tone(440, duration_ms=4000), 40):
    for file in files:
        file.write(piece[:, None])
print("written", flush=True)
sys.stdin.read()
"""
"""Writes four seconds of each format in pieces of a tenth, and then lives until it is killed."""


def noise(n, channels, seed=1):
    return np.random.default_rng(seed).integers(-32768, 32768, (n, channels), np.int16)


def read(path):
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


def test_a_wav_file_holds_what_was_written(tmp_path):
    file = WavFile(tmp_path / "a.wav", 2)
    pcm = noise(1000, 2)

    for piece in np.split(pcm, 10):
        file.write(piece)
        assert read(tmp_path / "a.wav").shape[0] == file.n_frames
    file.close()

    assert np.array_equal(read(tmp_path / "a.wav"), pcm)


def test_a_wav_file_takes_the_place_of_another(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x" * 1000)
    file = WavFile(tmp_path / "a.wav", 1)
    file.write(noise(10, 1))
    file.close()

    assert (tmp_path / "a.wav").stat().st_size == HEADER_BYTES + 20


def test_a_wav_file_is_gone_on_with_where_it_ends(tmp_path):
    first, second = noise(100, 2), noise(50, 2, seed=2)
    WavFile(tmp_path / "a.wav", 2).write(first)  # its writer was killed
    with (tmp_path / "a.wav").open("ab") as torn:
        torn.write(b"xyz")

    file = WavFile(tmp_path / "a.wav", 2, resume=True)
    file.write(second)
    file.close()

    assert np.array_equal(read(tmp_path / "a.wav"), np.concatenate([first, second]))


def test_a_writer_that_is_killed_leaves_files_that_play(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout.readline() == b"written\n"
        victim.send_signal(signal.SIGKILL)

    for kind in FORMATS:
        heard = decode_untrusted((tmp_path / f"a.{kind}").read_bytes())
        assert 3.4 * SECOND <= heard.size <= 4.1 * SECOND
        assert is_tone(heard[SECOND : 3 * SECOND], 440)


def is_tone(signal_, hertz):
    """Say whether a signal is a tone and, 30 dB below it, nothing else."""
    spectrum = np.abs(np.fft.rfft(signal_ * np.hanning(signal_.size))) ** 2
    at = round(hertz * signal_.size / SECOND)
    within = spectrum[at - 4 : at + 5].sum()
    return within > 1000 * (spectrum.sum() - within)


@pytest.mark.parametrize("kind", FORMATS)
def test_two_channels_stay_apart(kind, tmp_path):
    file = open_file(tmp_path / f"a.{kind}", kind, 2)
    left, right = tone(440, duration_ms=2000), np.zeros(2 * SECOND, np.int16)
    file.write(np.stack([left, right], axis=1))
    file.close()

    mono = decode_untrusted((tmp_path / f"a.{kind}").read_bytes())  # both channels averaged

    expected = np.sqrt(np.mean((left / 65536) ** 2))
    assert np.sqrt(np.mean(mono[4000:12000] ** 2)) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("kind", ["mp3", "ogg"])
def test_an_encoded_file_is_gone_on_with(kind, tmp_path):
    path = tmp_path / f"a.{kind}"
    for resume in (False, True):
        file = open_file(path, kind, 1, resume=resume)
        file.write(tone(440, duration_ms=2000)[:, None])
        file.close()

    assert decode_untrusted(path.read_bytes()).size == pytest.approx(
        4 * SECOND, rel=0.1
    )  # each encoder has a delay


def test_a_full_disk_is_an_error_and_what_fitted_is_in_the_file(tmp_path):
    file = WavFile(tmp_path / "a.wav", 2)
    pcm = noise(1000, 2)
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HEADER_BYTES + 4 * 600 + 1, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            file.write(pcm)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.close()

    assert np.array_equal(read(tmp_path / "a.wav"), pcm[:600])


def test_what_is_written_is_the_kernels_at_once(tmp_path):
    file = WavFile(tmp_path / "a.wav", 1)
    file.write(noise(10, 1))

    assert os.stat(tmp_path / "a.wav").st_size == HEADER_BYTES + 20
    with wave.open(io.BytesIO((tmp_path / "a.wav").read_bytes())) as other:
        assert other.getnframes() == 10
    file.close()
