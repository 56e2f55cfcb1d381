from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.lab.samples import speech
from gateway.lab.synthesis import main, synthesise, write


def test_the_shipped_file_is_what_the_synthesiser_writes(tmp_path: Path):
    write(tmp_path / "again.wav")

    assert (tmp_path / "again.wav").read_bytes() == (
        resources.files("gateway.lab") / "speech.wav"
    ).read_bytes()


def test_another_seed_breathes_otherwise():
    assert synthesise(seed=1) != synthesise(seed=2)


def test_the_command_writes_one_file(tmp_path: Path):
    assert main([str(tmp_path / "out.wav")]) == 0
    assert (tmp_path / "out.wav").exists()

    with pytest.raises(LocalError, match="usage"):
        main([])


def test_the_sample_lasts_four_to_six_seconds_with_its_peak_at_minus_six_db():
    pcm = speech()

    assert pcm.dtype == np.int16
    assert 4 <= len(pcm) / 8000 <= 6
    assert np.abs(pcm.astype(int)).max() == pytest.approx(32768 / 2, rel=0.01)


def test_its_loudness_moves_at_the_rate_of_syllables():
    frames = speech().astype(float)[: len(speech()) // 80 * 80].reshape(-1, 80)
    envelope = np.sqrt((frames**2).mean(axis=1))
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)), 4096))
    rate_hz = np.fft.rfftfreq(4096, 0.01)

    strongest = rate_hz[rate_hz > 1][np.argmax(spectrum[rate_hz > 1])]

    assert 3 <= strongest <= 6


def test_it_has_voiced_and_unvoiced_sounds_and_pauses():
    frames = speech().astype(float)[: len(speech()) // 160 * 160].reshape(-1, 160)
    loud = (frames**2).mean(axis=1) > 300**2
    crossings = (np.diff(np.signbit(frames), axis=1) != 0).mean(axis=1)

    assert (crossings[loud] < 0.15).mean() > 0.3  # vowels
    assert (crossings[loud] > 0.4).mean() > 0.05  # sibilants
    assert 0.05 < (~loud).mean() < 0.4  # breath


@pytest.mark.parametrize("second", [0, 1, 2, 3, 4])
def test_no_second_of_it_fits_anywhere_else(second: int):
    pcm = speech().astype(float)
    piece = pcm[second * 8000 : second * 8000 + 8000]
    windows = np.lib.stride_tricks.sliding_window_view(pcm, len(piece))[::4]
    likeness = np.abs(windows @ piece) / np.sqrt((windows**2).sum(axis=1) * (piece @ piece))

    elsewhere = np.abs(np.arange(len(likeness)) * 4 - second * 8000) > 20

    assert likeness[elsewhere].max() < 0.5
