"""What rows hear or say that no person says: tones, keys, ringing, music, silence, and clips.

All but clips are loops of PCM read by position, made here from integers and a table of one sine period: the same
samples on every machine.  A clip, `clip:RING:GENERATION`, is made by another process and comes by a ring of shared
memory (`gateway.media.ring`) in that one use of it; its position lies there too.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError

__all__ = ["CLIP", "Sources", "clip_name", "generation_of", "loop_of", "ring_of"]

RATE_HZ: Final = 8000
_SINE: Final = np.array(
    [round(32767 * math.sin(2 * math.pi * i / RATE_HZ)) for i in range(RATE_HZ)], np.int64
)
"""One period of a sine in 1/8000 steps: a tone of whole hertz is this table read in steps."""
_TONE_PEAK: Final = 8231  # -12 dBFS

_RING_HZ: Final = 425
"""Ringing as most of Europe knows it (ITU-T E.180 supplement 2): a second of tone in five."""
_KEYS: Final = "123A456B789C*0#D"
_ROWS_HZ: Final = (697, 770, 852, 941)
_COLUMNS_HZ: Final = (1209, 1336, 1477, 1633)
"""The two tones of a key (ITU-T Q.23), by its place among four times four."""
_KEY_PEAKS: Final = (7336, 9235)
"""-13 dBFS for the low tone and -11 for the high one, which suffers more on its way (ITU-T Q.24)."""

# A slow, quiet progression: four bars of arpeggiated chords, two seconds a bar.  Frequencies in hertz.
_BARS: Final = ((262, 330, 392, 494), (220, 262, 330, 392), (175, 220, 262, 330), (196, 247, 294, 349))
_NOTE_SAMPLES: Final = 2000


CLIP: Final = 1 << 40
"""Sources with numbers from here on are clips: their ring in the lowest bits, its generation above."""
_RING_BITS: Final = 16
_GENERATION_MASK: Final = (1 << 24) - 1


def clip_name(ring: int, generation: int) -> str:
    """Return the name of the source that plays what a ring carries in that use of it."""
    return f"clip:{ring}:{generation}"


def ring_of(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rings of clips, int64 [n]."""
    return numbers & ((1 << _RING_BITS) - 1)


def generation_of(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which uses of their rings clips are, int64 [n]; modulo 2^24, which no switch lives to see."""
    return numbers >> _RING_BITS & _GENERATION_MASK


def _clip_number(source: str) -> int:
    ring, separator, generation = source.removeprefix("clip:").partition(":")
    if not (separator and ring.isdecimal() and generation.isdecimal() and int(ring) < 1 << _RING_BITS):
        raise LocalError(f"source {source!r}: a clip has a ring and a generation")
    return CLIP | (int(generation) & _GENERATION_MASK) << _RING_BITS | int(ring)


def _tone(hertz: int, n_samples: int, peak: int) -> NDArray[np.int64]:
    phase = (np.arange(n_samples) * hertz) % RATE_HZ
    return _SINE[phase] * peak >> 15


def _note(hertz: int, n_samples: int) -> NDArray[np.int64]:
    """A plucked note: three partials under an envelope that rises in 10 ms and falls to nothing."""
    partials = (
        _tone(hertz, n_samples, 3200) + _tone(2 * hertz, n_samples, 1100) + _tone(3 * hertz, n_samples, 500)
    )
    at = np.arange(n_samples)
    envelope = np.minimum(at * 32768 // 80, (n_samples - at) * 32768 // n_samples)
    return partials * np.minimum(envelope, 32768) >> 15


def _music() -> NDArray[np.int16]:
    n_bar = 8 * _NOTE_SAMPLES
    song = np.zeros(len(_BARS) * n_bar, np.int64)
    for bar, chord in enumerate(_BARS):
        for step, index in enumerate((0, 1, 2, 3, 2, 1, 2, 1)):
            start = bar * n_bar + step * _NOTE_SAMPLES
            length = min(3 * _NOTE_SAMPLES, song.size - start)
            song[start : start + length] += _note(chord[index], 3 * _NOTE_SAMPLES)[:length]
        song[bar * n_bar : (bar + 1) * n_bar] += _note(chord[0] // 2, n_bar) >> 1
    return np.clip(song, -32768, 32767).astype(np.int16)


def _ring() -> NDArray[np.int16]:
    cycle = np.zeros(5 * RATE_HZ, np.int16)
    cycle[:RATE_HZ] = _tone(_RING_HZ, RATE_HZ, _TONE_PEAK)
    return cycle


def _key(key: str) -> NDArray[np.int16]:
    row, column = divmod(_KEYS.index(key), 4)
    low, high = _KEY_PEAKS
    both = _tone(_ROWS_HZ[row], RATE_HZ, low) + _tone(_COLUMNS_HZ[column], RATE_HZ, high)
    return both.astype(np.int16)


def loop_of(source: str) -> NDArray[np.int16]:
    """Return the samples that a source repeats for ever, int16 [n] at 8 kHz.

    Raises:
        LocalError: a source that does not exist.
    """
    name, _, argument = source.partition(":")
    if name == "tone":
        if not (argument or "440").isdecimal() or not 20 <= int(argument or 440) <= 3900:
            raise LocalError(f"source {source!r}: a tone has 20 to 3900 Hz")
        return _tone(int(argument or 440), RATE_HZ, _TONE_PEAK).astype(np.int16)
    if name == "dtmf" and len(argument) == 1 and argument in _KEYS:
        return _key(argument)
    if name == "ring" and not argument:
        return _ring()
    if name == "music" and not argument:
        return _music()
    if name == "silence" and not argument:
        return np.zeros(_native.UNIT_SAMPLES, np.int16)
    raise LocalError(
        f"source {source!r}: there are tone:HZ, dtmf:KEY, ring, music, silence, echo, tap and clip"
    )


class Sources:
    """All loops in one array, so that many rows read theirs at once."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._pcm = np.zeros(0, np.int16)
        self._start = np.zeros(0, np.int64)
        self._length = np.zeros(0, np.int64)

    def number(self, source: str) -> int:
        """Return the number of a source: of a loop, made on first use, or of a clip, at least `CLIP`.

        Raises:
            LocalError: a source that does not exist.
        """
        if source.startswith("clip:"):
            return _clip_number(source)
        if source not in self._names:
            loop = loop_of(source)
            self._start = np.append(self._start, self._pcm.size)
            self._length = np.append(self._length, loop.size)
            self._pcm = np.concatenate([self._pcm, loop])
            self._names[source] = len(self._names)
        return self._names[source]

    def read(self, numbers: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return the next unit of some loops: numbers int64 [n], positions int64 [n] in samples -> int16 [n, 80]."""
        offsets = (positions[:, None] + np.arange(_native.UNIT_SAMPLES)) % self._length[numbers][:, None]
        return self._pcm[self._start[numbers][:, None] + offsets]
