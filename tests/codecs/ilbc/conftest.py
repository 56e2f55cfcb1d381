"""Signals, vectors and loss patterns for iLBC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicecodecs.arrays import Int16Array

_TESTS = Path(__file__).parents[2]
_STANDARD = _TESTS.parents[1] / "shared" / "vectors" / "ilbc"


@pytest.fixture(params=[20, 30], ids=["20ms", "30ms"])
def mode_ms(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def frames_of() -> Callable[[bytes, int], list[bytes]]:
    """Cut a bit stream into frames."""

    def cut(stream: bytes, mode_ms: int) -> list[bytes]:
        step = 38 if mode_ms == 20 else 50
        return [stream[at : at + step] for at in range(0, len(stream), step)]

    return cut


@pytest.fixture
def standard_vector() -> Callable[[str], bytes]:
    """Read one file of the conformance data F00-F06."""
    if not _STANDARD.is_dir():
        pytest.skip("the standards' conformance data is not in ../shared/vectors")
    return lambda name: (_STANDARD / name).read_bytes()


@pytest.fixture
def own_vector() -> Callable[[str], bytes]:
    """Read one file of tests/vectors/ilbc."""
    return lambda name: (_TESTS / "vectors" / "ilbc" / name).read_bytes()


def _clipped(signal: np.ndarray) -> Int16Array:
    return np.clip(signal, -32768, 32767).astype(np.int16)


_SIGNALS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "silence": lambda t: 0 * t,
    "full negative": lambda t: 0 * t - 32768,
    "faint noise": lambda t: np.random.default_rng(1).integers(-2, 3, t.size),
    "noise": lambda t: np.random.default_rng(2).normal(0, 3000, t.size),
    "full-scale noise": lambda t: np.random.default_rng(3).integers(-32768, 32768, t.size),
    "tone": lambda t: 20000 * np.sin(2 * np.pi * 440 * t / 8000),
    "tone at 3.9 kHz": lambda t: 32767 * np.sin(2 * np.pi * 3900 * t / 8000),
    "square wave": lambda t: np.where(t // 31 % 2, 32767, -32768),
    "Nyquist": lambda t: np.where(t % 2, 32767, -32768),
    "clipped tones": lambda t: 90000 * np.sin(t / 9.3) * np.sin(t / 300),
    "impulses": lambda t: np.where(t % 171 == 0, 32767, 0),
    "bursts": lambda t: np.random.default_rng(4).integers(-32768, 32768, t.size) * (t // 400 % 3 == 0),
}


@pytest.fixture(params=_SIGNALS)
def signal(request: pytest.FixtureRequest) -> Int16Array:
    """0.36 s of one kind: 18 frames of 20 ms, 12 of 30."""
    return _clipped(_SIGNALS[request.param](np.arange(2880)))
