"""Write this folder's files anew: python tests/vectors/ilbc/make.py (README.md says what they are).

The coded and decoded files come from the twin in plain Python; the tests hold both implementations to them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voicecodecs import decode_frames, encode_frames

_HERE = Path(__file__).parent
_RATE_HZ = 8000
_FORMANTS = ((700, 80), (1220, 100), (2600, 150))
"""Centre and bandwidth in Hz: an open vowel."""
LOST = (7, 19, 20, 28, 29, 30, 31, 32, 33)
"""Frames that did not arrive; there are 57 of 20 ms and 38 of 30 ms."""


def _vowel(n: int, from_hz: float, to_hz: float) -> np.ndarray:
    """A train of pulses through resonators, its pitch gliding."""
    phase = np.cumsum(np.linspace(from_hz, to_hz, n) / _RATE_HZ)
    sound = np.diff(np.floor(phase), prepend=0.0)
    for centre_hz, width_hz in _FORMANTS:
        radius = np.exp(-np.pi * width_hz / _RATE_HZ)
        b, c = 2 * radius * np.cos(2 * np.pi * centre_hz / _RATE_HZ), -(radius**2)
        out = np.zeros(n + 2)
        for i in range(n):
            out[i + 2] = sound[i] + b * out[i + 1] + c * out[i]
        sound = out[2:]
    return sound / np.max(np.abs(sound))


def _signal() -> np.ndarray:
    noise = np.random.default_rng(2026).normal(0, 1, 1600)
    t = np.arange(1600)
    parts = [
        np.zeros(800),
        14000 * _vowel(3200, 110, 155),
        1800 * noise[:800],
        70000 * _vowel(2000, 205, 140),
        3 * noise[800:1600],
        9000 * (np.sin(2 * np.pi * 697 * t / _RATE_HZ) + np.sin(2 * np.pi * 1209 * t / _RATE_HZ)),
    ]
    return np.clip(np.rint(np.concatenate(parts)), -32768, 32767).astype("<i2")


def main() -> None:
    """Write signal, bit streams and decoded samples, whole and with losses."""
    signal = _signal()
    (_HERE / "voice.pcm").write_bytes(signal.tobytes())
    for mode_ms in (20, 30):
        frames = encode_frames(signal.astype(np.int16), "ilbc", mode_ms=mode_ms, implementation="reference")
        gappy = [None if i in LOST else frame for i, frame in enumerate(frames)]
        (_HERE / f"voice-{mode_ms}.lbc").write_bytes(b"".join(frames))
        for name, arrived in (("whole", frames), ("lossy", gappy)):
            heard = decode_frames(arrived, "ilbc", implementation="reference")
            (_HERE / f"voice-{mode_ms}-{name}.pcm").write_bytes(heard.astype("<i2").tobytes())


if __name__ == "__main__":
    main()
