"""Keys as tones, right and wrong in every way that ITU-T Q.24 speaks of, and a detector alone to hear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.media.dtmf_detector import LOOK_SAMPLES, DtmfDetector, KeyTone

__all__ = ["KEYS", "KeySound", "key_sound", "keys_heard", "keys_of_all", "turns"]

KEYS: Final = "123A456B789C*0#D"
_RATE_HZ: Final = 8000
_LOWS_HZ: Final = (697, 770, 852, 941)
_HIGHS_HZ: Final = (1209, 1336, 1477, 1633)
_FULL_DBM0: Final = 3.14


@dataclass(frozen=True, slots=True)
class KeySound:
    """How keys are pressed."""

    tone_ms: float = 50
    pause_ms: float = 50
    level_dbm0: float = -10
    """Of the louder tone."""
    twist_db: float = 0
    """How much louder the high tone is than the low one."""
    low_offset: float = 0
    """Of the low tone's frequency: 0.015 is 1.5 % too high."""
    high_offset: float = 0
    snr_db: float | None = None
    """White noise, against both tones together; None = there is none."""
    interruption_ms: float = 0
    """Silence in the middle of each tone."""
    lead_samples: int = 800
    """Silence before the first key."""


def key_sound(keys: str, sound: KeySound, *, seed: int = 1) -> NDArray[np.int16]:
    """Return the keys one after another, then 200 ms of silence; int16 [n] at 8 kHz."""
    n_tone, n_pause = (round(ms * _RATE_HZ / 1000) for ms in (sound.tone_ms, sound.pause_ms))
    parts = [np.zeros(sound.lead_samples)]
    for key in keys:
        parts += [_tones(key, sound, n_tone), np.zeros(n_pause)]
    wave = np.concatenate([*parts, np.zeros(1600)])
    if sound.snr_db is not None:
        low, high = _amplitudes(sound)
        rms = np.sqrt((low**2 + high**2) / 2) * 10 ** (-sound.snr_db / 20)
        wave += np.random.default_rng(seed).normal(0, rms, wave.size)
    pcm: NDArray[np.int16] = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return pcm


def _amplitudes(sound: KeySound) -> tuple[float, float]:
    loudest = 32768 * 10 ** ((sound.level_dbm0 - _FULL_DBM0) / 20)
    low = loudest * 10 ** (-max(sound.twist_db, 0) / 20)
    return low, loudest * 10 ** (min(sound.twist_db, 0) / 20)


def _tones(key: str, sound: KeySound, n: int) -> NDArray[np.float64]:
    row, column = divmod(KEYS.index(key), 4)
    low, high = _amplitudes(sound)
    at = 2 * np.pi * np.arange(n) / _RATE_HZ
    wave: NDArray[np.float64] = low * np.sin(at * _LOWS_HZ[row] * (1 + sound.low_offset))
    wave += high * np.sin(at * _HIGHS_HZ[column] * (1 + sound.high_offset))
    n_silent = round(sound.interruption_ms * _RATE_HZ / 1000)
    wave[(n - n_silent) // 2 : (n + n_silent) // 2] = 0
    return wave


def turns(pcm: NDArray[np.int16]) -> list[KeyTone]:
    """Return what one detector says to some audio, int16 [n] at 8 kHz."""
    detector, row = DtmfDetector(1), np.zeros(1, np.int32)
    looks = pcm[: pcm.size // LOOK_SAMPLES * LOOK_SAMPLES].reshape(-1, 1, LOOK_SAMPLES)
    return [tone for look in looks for tone in detector.hear(row, look)]


def keys_heard(pcm: NDArray[np.int16]) -> str:
    """Return the keys that one detector hears to their end."""
    return keys_of_all(pcm[None])[0]


def keys_of_all(streams: NDArray[np.int16]) -> list[str]:
    """Return the keys that are heard to their end in each of some streams, int16 [n, samples] at 8 kHz."""
    n = len(streams)
    detector, rows, heard = DtmfDetector(n), np.arange(n, dtype=np.int32), [""] * n
    for at in range(0, streams.shape[1] - LOOK_SAMPLES + 1, LOOK_SAMPLES):
        for tone in detector.hear(rows, streams[:, at : at + LOOK_SAMPLES]):
            if tone.duration_ms is not None:
                heard[tone.row] += tone.key
    return heard
