"""Vectors of our own making (tests/vectors/g729): whoever has only this checkout can prove bit-exactness."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

_VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "g729" / "generated.json").read_text())
_N_SAMPLES = 80 * 100


def _random(seed):
    """Yield 16-bit integers of a linear congruential generator: the same on every machine."""
    while True:
        seed = (1103515245 * seed + 12345) % 2**31
        yield seed >> 15


def _noise(peak, seed):
    random = _random(seed)
    return [(next(random) - 32768) * peak >> 15 for _ in range(_N_SAMPLES)]


def _resonance(period):
    """Pulses through a resonator, in integers, swelling and fading: a vowel of sorts."""
    y1 = y2 = 0
    samples = []
    for i, noise in enumerate(_noise(60, 7)):
        pulse = 4000 if i % period == 0 else 0
        y1, y2 = (28000 * y1 >> 14) - (15400 * y2 >> 14) + pulse + noise, y1
        samples.append(y1 * min(i % 4000, 1200) // 1200)
    return samples


_SIGNALS = {
    "noise": lambda: _noise(20000, 1),
    "faint noise": lambda: _noise(4, 2),
    "full-scale noise": lambda: _noise(65535, 3),
    "high voice": lambda: _resonance(37),
    "low voice": lambda: _resonance(101),
    "growing pulses": lambda: [x + (20 * i if i % 57 == 0 else 0) for i, x in enumerate(_noise(30, 4))],
    "square wave": lambda: [32767 if i // 40 % 2 else -32768 for i in range(_N_SAMPLES)],
    "speech and pauses": lambda: [
        a if i // 2000 % 2 else b for i, (a, b) in enumerate(zip(_resonance(64), _noise(8, 5), strict=True))
    ],
}


def _signal(name):
    return np.clip(_SIGNALS[name](), -32768, 32767).astype(np.int16)


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:32]


def _coded(name, annexb, implementation, n_frames):
    """Return digests of the frames, what they decode to, and what they do when every seventh is lost."""
    frames = encode_frames(
        _signal(name)[: 80 * n_frames], "g729", annexb=annexb, implementation=implementation
    )
    damaged = [None if i % 7 == 6 else frame for i, frame in enumerate(frames)]
    decoded = [decode_frames(some, "g729", implementation=implementation) for some in (frames, damaged)]
    lengths = bytes(len(frame) for frame in frames)
    return {
        "frames": _digest(lengths + b"".join(frames)),
        "decoded": _digest(decoded[0].astype("<i2").tobytes()),
        "concealed": _digest(decoded[1].astype("<i2").tobytes()),
    }


@pytest.mark.parametrize("annexb", [False, True], ids=["always", "annexb"])
@pytest.mark.parametrize("name", _SIGNALS)
@pytest.mark.parametrize(
    ("implementation", "n_frames"),
    [("native", 100), ("reference", 20), pytest.param("reference", 100, marks=pytest.mark.slow)],
)
def test_generated_signal_codes_as_noted(name, annexb, implementation, n_frames):
    expected = _VECTORS[name]["annexb" if annexb else "always"][str(n_frames)]

    assert _coded(name, annexb, implementation, n_frames) == expected


def test_every_vector_is_tested():
    assert list(_VECTORS) == list(_SIGNALS)
