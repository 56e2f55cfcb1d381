"""Keys that are heard as tones: a bank of detectors over rows (ITU-T Q.23, Q.24).

A key is one of four low tones together with one of four high ones.  Every 10 ms each row's last 20 ms are seen
through a Hann window at the eight frequencies, by one matrix product for all rows, and judged:

* level: each tone above the floor; twist: the high tone not much louder than the low one, nor much softer;
* frequency: the phase that a tone gains between two looks tells its distance from the nominal one;
* purity: what the two tones explain of all there is.  Speech has harmonics and noise beside them, keys have not.

Hann windows that overlap by half add up to one, so the amplitudes of all looks, in units of the loudest, add up to
how long the tones lasted, wherever they began: that is how 40 ms are told from 23 ms at looks 10 ms apart.

Figures of Q.24, Annex A (AT&T): -25 to 0 dBm0 a tone, twist -8 to +4 dB, 1.5 % counts and 3.5 % does not,
40 ms counts and 23 ms does not, 40 ms of pause part two keys and 10 ms of interruption do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOOK_MS", "LOOK_SAMPLES", "DtmfDetector", "KeyTone"]

RATE_HZ: Final = 8000
LOOK_SAMPLES: Final = 80
LOOK_MS: Final = 10

_KEYS: Final = "123A456B789C*0#D"
_TONES_HZ: Final = np.array((697, 770, 852, 941, 1209, 1336, 1477, 1633), np.float64)
_LOOKS_A_SECOND: Final = RATE_HZ / LOOK_SAMPLES

_FULL_DBM0: Final = 3.14
"""The level of a sine that just reaches full scale (ITU-T G.711 section 5)."""
_FLOOR_DBM0: Final = -34.0
_MOST_TWIST_DB: Final = 6.0
_MOST_REVERSE_TWIST_DB: Final = 10.0
_MOST_OFFSET: Final = 0.025
"""Of a tone's frequency: halfway between what must count and what must not."""
_PURE: Final = 0.8
_WIDEST_BINS: Final = 0.6
"""How far from the nominal frequency a tone's loss of level is made good."""
_LEAST_LOOKS: Final = 3.15
"""The length that makes a key, in looks of 10 ms."""
_LEAST_JUDGED: Final = 2
"""So many looks must have shown the key."""
_PAUSE_LOOKS: Final = 4
"""So many looks in a row without the key end it."""

_WINDOW: Final = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * LOOK_SAMPLES) / (2 * LOOK_SAMPLES))
_BANK: Final = (
    _WINDOW[:, None] * np.exp(-2j * np.pi * np.arange(2 * LOOK_SAMPLES)[:, None] * _TONES_HZ / RATE_HZ)
).astype(np.complex64) * np.float32(2 / _WINDOW.sum() / 32768)
"""Samples to the complex amplitudes of the tones, full scale 1; complex64 [160, 8]."""
_ENERGY: Final = (_WINDOW**2 * 2 / (_WINDOW**2).sum() / 32768**2).astype(np.float32)
"""Squared samples to the sum of squared amplitudes of whatever sines there are."""
_GAINED: Final = np.exp(-2j * np.pi * _TONES_HZ / _LOOKS_A_SECOND).astype(np.complex64)
"""Takes away the phase that a nominal tone gains between two looks."""

_STATE: Final = np.dtype(
    [
        ("key", np.int8),
        ("told", np.bool_),
        ("judged", np.uint16),
        ("gap", np.uint8),
        ("sum", np.float32),
        ("peak", np.float32),
        ("begun", np.int64),
    ]
)


@dataclass(frozen=True, slots=True)
class KeyTone:
    """A key began or ended."""

    row: int
    key: str
    """`0-9 * # A-D`."""
    at_ms: int
    """Media time of the look that showed it, in milliseconds since the row was cleared."""
    duration_ms: int | None = None
    """How long it lasted; None = it has just begun."""


class DtmfDetector:
    """Detectors for `capacity` rows."""

    def __init__(self, capacity: int) -> None:
        self._tail = np.zeros((capacity, LOOK_SAMPLES), np.int16)
        self._before = np.zeros((capacity, _TONES_HZ.size), np.complex64)
        self._looks = np.zeros(capacity, np.int64)
        self._state = np.zeros(capacity, _STATE)
        self._state["key"] = -1

    def clear(self, row: int) -> None:
        """Forget what a row has heard."""
        self._tail[row] = self._before[row] = self._looks[row] = 0
        self._state[row] = np.zeros((), _STATE)
        self._state["key"][row] = -1

    def hear(self, rows: NDArray[np.int32], pcm: NDArray[np.int16]) -> list[KeyTone]:
        """Hear the next 10 ms of some rows and return what began and what ended.

        rows int32 [n], each once; pcm int16 [n, 80] at 8 kHz.
        """
        heard = np.concatenate((self._tail[rows], pcm), axis=1).astype(np.float32)
        seen = heard @ _BANK
        keys, levels = _judge(seen, self._before[rows], np.square(heard) @ _ENERGY)
        self._looks[rows] += 1
        tones = self._follow(rows, keys, levels, np.abs(self._before[rows]))
        self._tail[rows] = pcm
        self._before[rows] = seen
        return tones

    def _follow(
        self,
        rows: NDArray[np.int32],
        keys: NDArray[np.int64],
        levels: NDArray[np.float32],
        before: NDArray[np.float32],
    ) -> list[KeyTone]:
        """Carry the keys of one look, -1 = none, into the rows' states."""
        state = self._state[rows]
        same = (keys >= 0) & (keys == state["key"])
        state["gap"] = np.where(same, 0, np.minimum(state["gap"] + 1, 255))
        ended = (state["key"] >= 0) & (((keys >= 0) & ~same) | (state["gap"] >= _PAUSE_LOOKS))
        tones = [self._ended(rows[i], state[i]) for i in np.flatnonzero(ended & state["told"])]
        state[ended] = np.zeros((), _STATE)
        state["key"][ended] = -1
        begins = (keys >= 0) & (state["key"] < 0)
        state["key"][begins] = keys[begins]
        state["sum"][begins] = _amplitude(before, keys)[begins]
        state["begun"][begins] = self._looks[rows][begins]
        active = state["key"] >= 0
        amplitude = np.where(active, _amplitude(levels, state["key"]), 0)
        state["sum"] += amplitude
        state["peak"] = np.maximum(state["peak"], amplitude)
        state["judged"] += (keys >= 0) & (keys == state["key"])
        long_enough = state["sum"] >= _LEAST_LOOKS * state["peak"]
        news = active & ~state["told"] & long_enough & (state["judged"] >= _LEAST_JUDGED)
        state["told"] |= news
        self._state[rows] = state
        tones += [
            KeyTone(int(rows[i]), _KEYS[state["key"][i]], int(state["begun"][i]) * LOOK_MS)
            for i in np.flatnonzero(news)
        ]
        return tones

    def _ended(self, row: np.int32, state: Any) -> KeyTone:
        duration_ms = round(float(state["sum"]) / float(state["peak"]) * LOOK_MS)
        return KeyTone(int(row), _KEYS[state["key"]], int(self._looks[row]) * LOOK_MS, duration_ms)


def _judge(
    seen: NDArray[np.complex64], before: NDArray[np.complex64], energy: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the key that each row shows, -1 = none, int64 [n], and the tones' amplitudes, float32 [n, 8]."""
    offset_hz = np.angle(seen * before.conj() * _GAINED) / (2 * math.pi) * _LOOKS_A_SECOND
    levels = np.abs(seen)
    at = np.arange(len(seen))
    low, high = levels[:, :4].argmax(axis=1), 4 + levels[:, 4:].argmax(axis=1)
    lows = levels[at, low] / _response(offset_hz[at, low])
    highs = levels[at, high] / _response(offset_hz[at, high])
    nearness = np.maximum(
        np.abs(offset_hz[at, low]) / _TONES_HZ[low], np.abs(offset_hz[at, high]) / _TONES_HZ[high]
    )
    is_key = (
        (np.minimum(lows, highs) > _ratio(_FLOOR_DBM0 - _FULL_DBM0))
        & (highs < lows * _ratio(_MOST_TWIST_DB))
        & (lows < highs * _ratio(_MOST_REVERSE_TWIST_DB))
        & (nearness < _MOST_OFFSET)
        & (lows**2 + highs**2 > _PURE * energy)
    )
    return np.where(is_key, 4 * low + high - 4, -1), levels


def _amplitude(levels: NDArray[np.float32], keys: NDArray[Any]) -> NDArray[np.float32]:
    """Return the amplitude of the key's softer tone: the one that says when it ends; float32 [n]."""
    at, low, high = np.arange(len(levels)), np.maximum(keys, 0) // 4, 4 + np.maximum(keys, 0) % 4
    softer: NDArray[np.float32] = np.minimum(levels[at, low], levels[at, high])
    return softer


def _response(offset_hz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the window leaves of a tone so far from where it is looked for."""
    bins = np.minimum(np.abs(offset_hz) * (2 * LOOK_SAMPLES / RATE_HZ), _WIDEST_BINS)
    response: NDArray[np.float32] = np.sinc(bins) / (1 - bins**2)
    return response


def _ratio(decibels: float) -> float:
    return math.pow(10, decibels / 20)
