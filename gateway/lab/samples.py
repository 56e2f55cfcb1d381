"""Audio that lies in files: the shipped speech sample, and WAV in and out as mono int16.

Everything a test call says and hears is 8 kHz mono.  A file of another rate is resampled here, once and
whole, in the frequency domain; nothing in a live call uses this.
"""

from __future__ import annotations

import math
import wave
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from gateway.errors import LocalError
from gateway.lab.wav import parse_wav_untrusted

__all__ = ["RATE_HZ", "Pcm", "read_wav", "resample", "speech", "write_wav"]

RATE_HZ = 8000

Pcm = npt.NDArray[np.int16]
"""Samples, int16 [n]."""

_GUARD_S = 0.05
"""Silence around a signal that is resampled, so that its end does not ring into its beginning."""


def speech() -> Pcm:
    """Return the shipped sample: five seconds of synthetic speech, 8 kHz, peak -6 dB of full scale."""
    with resources.files("gateway.lab").joinpath("speech.wav").open("rb") as file:
        return _read(file, "speech.wav", RATE_HZ)


def read_wav(path: Path | str, *, rate_hz: int = RATE_HZ) -> Pcm:
    """Read a WAV file (integers, floating point or G.711; channels are averaged) as mono at `rate_hz`.

    Raises LocalError, with the path, if the file cannot be opened or is not such a WAV file.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, str(path), rate_hz)
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror or error}") from error


def write_wav(path: Path | str, pcm: Pcm, *, rate_hz: int = RATE_HZ) -> None:
    """Write mono int16 samples as a WAV file. Raises LocalError if the path cannot be written."""
    try:
        with open(path, "wb") as file, wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(rate_hz)
            writer.writeframes(np.asarray(pcm, dtype="<i2").tobytes())
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror or error}") from error


def resample(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """Return `pcm` at another rate: int16 [n] -> int16 [ceil(n * to / from)].

    The spectrum is cut (or continued with zeros) at the lower of the two Nyquist frequencies, with a
    raised-cosine slope over the last 5 % below it, and transformed back: X_to[k] = X_from[k] * slope[k].
    Phase is linear and no delay is added.  The length is padded to a multiple of `from / gcd`, so the ratio
    of the rates is exact.
    """
    if from_hz == to_hz or not len(pcm):
        return np.array(pcm, dtype=np.int16)
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    guard = -(-int(_GUARD_S * from_hz) // down) * down
    blocks = -(-len(pcm) // down)
    padded = np.zeros(blocks * down + guard)
    padded[: len(pcm)] = pcm
    n_out = len(padded) // down * up
    spectrum = np.fft.rfft(padded)
    bins = min(len(spectrum), n_out // 2 + 1)
    edge = max(bins // 20, 1)
    spectrum = spectrum[:bins]
    spectrum[-edge:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, edge + 1) / edge)
    out = np.fft.irfft(spectrum, n_out) * (up / down)
    wanted = -(-len(pcm) * up // down)
    return np.clip(np.rint(out[:wanted]), -32768, 32767).astype(np.int16)


def _read(file: IO[bytes], name: str, rate_hz: int) -> Pcm:
    mono, rate = parse_wav_untrusted(file.read(), name)
    return resample(np.clip(np.rint(mono), -32768, 32767).astype(np.int16), rate, rate_hz)
