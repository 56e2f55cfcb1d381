"""What a phone says: a recording, a tone, what it hears, or nothing.

Every source gives as many samples as it is asked for, always; when it has no more it gives silence and
says so in `finished`.  The microphone is one too, but lives at the rim (`device`).
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from gateway.lab.phone.receiver import Receiver
from gateway.lab.phone.track import WAIT_S, Pcm, Track

__all__ = ["PcmSource", "Playout", "Silence", "Source", "ToneSource"]

_TONE_LEVEL: Final = 8000
_PLAYOUT_S: Final = WAIT_S + 0.040
_MAX_DRIFT_S: Final = 0.100


class Source(Protocol):
    """Sound for the next packet."""

    @property
    def finished(self) -> bool:
        """Whether everything there was has been said; False for sources that have no end."""
        ...

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return int16 [n_samples]."""
        ...


class Silence:
    """Zeros."""

    finished = False

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return int16 [n_samples] of zeros."""
        return np.zeros(n_samples, np.int16)


class PcmSource:
    """A recording, once; with `repeat` over and over."""

    def __init__(self, pcm: Pcm, *, repeat: bool = False) -> None:
        self._pcm, self._at, self._repeat = pcm, 0, repeat and len(pcm) > 0

    @property
    def finished(self) -> bool:
        """Whether all of it has been said."""
        return not self._repeat and self._at >= len(self._pcm)

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return the next int16 [n_samples]."""
        if self._repeat:
            out: Pcm = np.take(self._pcm, np.arange(self._at, self._at + n_samples), mode="wrap")
            self._at = (self._at + n_samples) % len(self._pcm)
            return out
        out = np.zeros(n_samples, np.int16)
        piece = self._pcm[self._at : self._at + n_samples]
        out[: len(piece)] = piece
        self._at += n_samples
        return out


class ToneSource:
    """A sine of `frequency_hz` at about -12 dBFS, without a click where packets meet."""

    finished = False

    def __init__(self, frequency_hz: float, *, rate_hz: int = 8000) -> None:
        self._cycles_per_sample = frequency_hz / rate_hz
        self._at = 0

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return the next int16 [n_samples] of the sine."""
        cycles = self._cycles_per_sample * np.arange(self._at, self._at + n_samples)
        self._at += n_samples
        tone: Pcm = np.rint(_TONE_LEVEL * np.sin(2.0 * np.pi * (cycles % 1.0))).astype(np.int16)
        return tone


class Playout:
    """What is heard, a fixed while after it came: for an echo, and for a loudspeaker.

    The delay covers the wait for reordered packets and 40 ms of jitter.  When the two clocks have drifted
    apart by more than 100 ms it jumps to where it should be.
    """

    finished = False

    def __init__(self, heard: Track, receiver: Receiver) -> None:
        self._heard, self._receiver = heard, receiver
        self._at: int | None = None

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return int16 [n_samples] of what came 80 ms before `now`; silence before anything came."""
        if self._receiver.first_s is None:
            return np.zeros(n_samples, np.int16)
        rate_hz = self._heard.rate_hz
        wanted = round((now - self._receiver.best_origin_s - _PLAYOUT_S) * rate_hz)
        if self._at is None or abs(wanted - self._at) > _MAX_DRIFT_S * rate_hz:
            self._at = wanted
        out = self._heard.read(self._at, n_samples)
        self._at += n_samples
        return out
