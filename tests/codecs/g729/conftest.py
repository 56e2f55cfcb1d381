"""Signals, vectors and loss patterns for G.729."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicecodecs.arrays import Int16Array

_TESTS = Path(__file__).parents[2]
_STANDARD = _TESTS.parents[1] / "shared" / "vectors"
_SYNC, _ONE, _ERASED = 0x6B21, 0x81, 0


def _frame(sync: int, bits: list[int]) -> bytes | None:
    """With bits a frame is erased when any of them is; without bits when its sync word is not the good one."""
    if _ERASED in bits or (not bits and sync != _SYNC):
        return None
    word = int("".join("1" if bit == _ONE else "0" for bit in bits) or "0", 2)
    return word.to_bytes(len(bits) // 8, "big")


def _serial_frames(path: Path) -> list[bytes | None]:
    """Read the ITU's serial format: per frame a sync word, the number of bits, and a word for each bit."""
    words = np.fromfile(path, "<u2").tolist()
    frames = []
    at = 0
    while at < len(words):
        sync, n_bits = words[at : at + 2]
        frames.append(_frame(sync, words[at + 2 : at + 2 + n_bits]))
        at += 2 + n_bits
    return frames


def _standard(name: str) -> Path:
    if not _STANDARD.is_dir():
        pytest.skip("the standards' conformance data is not in ../shared/vectors")
    return _STANDARD / name


@pytest.fixture
def standard_frames() -> Callable[[str], list[bytes | None]]:
    """Read the frames of one file of the conformance data."""
    return lambda name: _serial_frames(_standard(name))


@pytest.fixture
def standard_pcm() -> Callable[[str], Int16Array]:
    """Read the samples of one file of the conformance data."""
    return lambda name: np.fromfile(_standard(name), "<i2").astype(np.int16)


_N_SAMPLES = 80 * 40
_T = np.arange(_N_SAMPLES)


def _pulse_train() -> np.ndarray:
    """Grow slowly, with a little noise: raises the taming flag, which no vector of the standard does."""
    return (_T % 57 == 0) * np.minimum(32767, 60 * _T) + np.random.default_rng(1).normal(0, 20, _N_SAMPLES)


_SIGNALS: dict[str, Callable[[], np.ndarray]] = {
    "silence": lambda: 0 * _T,
    "offset": lambda: 0 * _T + 12000,
    "full negative": lambda: 0 * _T - 32768,
    "faint noise": lambda: np.random.default_rng(2).integers(-2, 3, _N_SAMPLES),
    "full-scale noise": lambda: np.random.default_rng(3).integers(-32768, 32768, _N_SAMPLES),
    "bursts": lambda: np.random.default_rng(4).normal(0, 6000, _N_SAMPLES) * (_T // 900 % 3 == 0),
    "full-scale sine at 133 Hz": lambda: 32767 * np.sin(2 * np.pi * 133 * _T / 8000),
    "square wave": lambda: np.where(_T // 40 % 2, 32767, -32768),
    "short square wave": lambda: np.where(_T // 9 % 2, 32767, -32768),
    "impulses": lambda: np.where(_T % 333 == 0, -32768, 0),
    "pulse train": _pulse_train,
}


@pytest.fixture(params=_SIGNALS)
def signal(request: pytest.FixtureRequest) -> Int16Array:
    """0.4 s of one kind: 40 frames."""
    return np.clip(_SIGNALS[request.param](), -32768, 32767).astype(np.int16)
