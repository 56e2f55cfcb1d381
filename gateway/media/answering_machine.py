"""Who has answered, a person or a machine: a bank of detectors over rows.

A person says a word or two and waits for an answer.  A machine says sentences, and then it beeps.  So what counts is
not what is said but for how long, and what follows:

    nothing is said for a while            machine, `initialsilence`
    a short greeting, and then silence     human, `greeting`
    a greeting that goes on and on         machine, `longgreeting`
    a steady pure tone                     machine, `beep`
    none of it before the time is up       notsure

Every 10 ms of a row leave one number, their level in whole decibels, and every 50 ms all that a row has said so far is
judged anew.  So the floor of noise is that of the whole answer, and what was taken for silence a moment ago becomes the
beginning of a word when the floor turns out to be lower: nothing has to be decided before enough is known.  Levels are
found in a table of energies, in integers.

A beep is looked for in the last 20 ms through a Hann window: one frequency of 350 to 2100 Hz explains nearly all there
is, and stays.  Voices have harmonics, and glide.  A row goes on to listen for it after the verdict, since whoever wants
to leave a message must know when to speak: it is told when it is over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANSWERER", "AnswerDetector", "AnsweringTerms", "Beep", "Sign", "Verdict", "Who"]

RATE_HZ: Final = 8000
UNIT_SAMPLES: Final = 80
_UNIT_MS: Final = 10

_MOST_UNITS: Final = 400
"""So much of an answer is kept; a verdict comes before."""
_LOOK_EVERY: Final = 5
_LONGEST_BEEP_WAIT_UNITS: Final = 6000
"""A machine that has not beeped after a minute does not."""

_QUIETEST_DBOV: Final = -70
_ENERGIES: Final = np.array(
    [round(UNIT_SAMPLES * 32768**2 * math.pow(10, dbov / 10)) for dbov in range(_QUIETEST_DBOV, 1)], np.int64
)
"""The energy of a unit at each whole level; what is below the first has the level 0, that is silence."""
_LEAST_RISE: Final = 6
"""Decibels that a voice is louder than the floor."""
_RISE_SHARE: Final = 3
"""... and at least one part in three of the way from the floor to the loudest."""

_LOWEST_HZ: Final = 350
_HIGHEST_HZ: Final = 2100
_STEP_HZ: Final = 25
_PURE: Final = 0.7
"""What one frequency explains of a beep."""
_MOST_BREAK_UNITS: Final = 3
"""A lost packet does not end a beep."""

_TONES_HZ: Final = np.arange(_LOWEST_HZ, _HIGHEST_HZ + 1, _STEP_HZ)
_AT: Final = np.arange(2 * UNIT_SAMPLES)
_WINDOW: Final = 0.5 - 0.5 * np.cos(np.pi * _AT / UNIT_SAMPLES)
_PHASES: Final = 2 * np.pi * _AT[:, None] * _TONES_HZ / RATE_HZ
_BANK: Final = (
    np.concatenate((np.cos(_PHASES), np.sin(_PHASES)), axis=1)
    * _WINDOW[:, None]
    * (2 / _WINDOW.sum() / 32768)
).astype(np.float32)
"""Samples to the amplitudes of the tones, full scale 1, real parts before imaginary ones; float32 [160, 2 * tones]."""
_ENERGY: Final = (_WINDOW**2 * 2 / (_WINDOW**2).sum() / 32768**2).astype(np.float32)
"""Squared samples to the sum of squared amplitudes of whatever sines there are."""
_FAINTEST: Final = math.pow(10, -45 / 10)
"""Squared amplitude of the softest beep."""


class Who(StrEnum):
    """Who seems to have answered."""

    HUMAN = "human"
    MACHINE = "machine"
    NOTSURE = "notsure"


class Sign(StrEnum):
    """What it was known by."""

    GREETING = "greeting"
    LONGGREETING = "longgreeting"
    INITIALSILENCE = "initialsilence"
    BEEP = "beep"
    NONE = "n/a"


@dataclass(frozen=True, slots=True)
class AnsweringTerms:
    """How long is long, in milliseconds of media time, and how loud is a voice."""

    initial_silence_ms: int = 2500
    """Who says nothing for so long is a machine."""
    longest_greeting_ms: int = 2300
    """Who speaks for longer is a machine."""
    silence_after_ms: int = 700
    """Who has spoken and is silent for so long is a person, who waits."""
    shortest_word_ms: int = 60
    """A noise that is shorter is no voice."""
    longest_wait_ms: int = 3800
    """By then there is a verdict; at most 4000."""
    shortest_beep_ms: int = 160
    quietest_dbov: int = -48
    """What is softer is silence, -70 to 0."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answered a row."""

    row: int
    who: Who
    sign: Sign
    after_ms: int
    """Media time since the row began to be listened to."""


@dataclass(frozen=True, slots=True)
class Beep:
    """A beep is over, and who speaks now is recorded; or none has come in a minute."""

    row: int
    after_ms: int | None
    """Media time since the row began to be listened to; None = none came."""


News: TypeAlias = Verdict | Beep

_TERMS: Final = {field.name: field.name.rpartition("_")[0] for field in fields(AnsweringTerms)}
"""The terms, and what they are called where they are counted in units and levels."""
ANSWERER: Final = np.dtype(
    [
        ("wanted", np.bool_),
        ("judged", np.bool_),
        ("done", np.bool_),
        ("heard", np.int32),
        ("tone", np.int16),
        ("run", np.uint16),
        ("gap", np.uint8),
        ("terms", [(name, np.int16) for name in _TERMS.values()]),
        ("tail", np.int16, UNIT_SAMPLES),
        ("levels", np.uint8, _MOST_UNITS),
    ]
)
"""What is known of a row: is it wanted, was it judged, is there nothing left to hear; units heard; the tone that may be
a beep, for how many units, and how many units ago; the terms; the last unit; the level of each."""

_OUTCOMES: Final[Mapping[int, tuple[Who, Sign]]] = {
    1: (Who.MACHINE, Sign.BEEP),
    2: (Who.MACHINE, Sign.LONGGREETING),
    3: (Who.HUMAN, Sign.GREETING),
    4: (Who.MACHINE, Sign.INITIALSILENCE),
    5: (Who.NOTSURE, Sign.NONE),
}
"""Verdicts by number, the strongest first; 0 is none yet."""


class AnswerDetector:
    """Detectors for the rows of `state`, an array of `ANSWERER`."""

    def __init__(self, state: NDArray[Any]) -> None:
        self._state: Final = state

    def follow(self, row: int, terms: AnsweringTerms | None) -> None:
        """Listen to a row, from now on or still; None = no more."""
        state = self._state
        if terms is None:
            state[row] = np.zeros((), ANSWERER)
        elif not state["wanted"][row]:
            state[row] = np.zeros((), ANSWERER)
            state["wanted"][row] = True
            for name, column in _TERMS.items():
                value = getattr(terms, name)
                counted = value // _UNIT_MS if name.endswith("_ms") else value - _QUIETEST_DBOV
                state["terms"][column][row] = counted

    def hear(self, rows: NDArray[np.int32], pcm: NDArray[np.int16]) -> list[News]:
        """Hear the next 10 ms of some rows and return what was found out.

        rows int32 [n], each once; pcm int16 [n, 80] at 8 kHz.
        """
        active = ~self._state["done"][rows]
        rows, pcm = rows[active], pcm[active]
        if rows.size == 0:
            return []
        self._state["heard"][rows] += 1
        self._note_levels(rows, pcm)
        return [*self._verdicts(rows), *self._beeps(rows, pcm)]

    def _note_levels(self, rows: NDArray[np.int32], pcm: NDArray[np.int16]) -> None:
        at = self._state["heard"][rows] - 1
        kept = at < _MOST_UNITS
        wide = pcm[kept].astype(np.int64)
        energies = np.einsum("ij,ij->i", wide, wide)
        self._state["levels"][rows[kept], at[kept]] = np.searchsorted(_ENERGIES, energies, side="right")

    def _verdicts(self, rows: NDArray[np.int32]) -> list[News]:
        """Judge the rows whose turn it is and that were not judged yet."""
        state = self._state[["judged", "heard", "run", "terms"]][rows]
        due = rows[~state["judged"] & ((state["heard"] % _LOOK_EVERY == 0) | _is_beep(state))]
        if due.size == 0:
            return []
        outcomes = _judge(self._state[due])
        told = [
            Verdict(int(row), *_OUTCOMES[outcome], int(self._state["heard"][row]) * _UNIT_MS)
            for row, outcome in zip(due.tolist(), outcomes.tolist(), strict=True)
            if outcome
        ]
        for verdict in told:
            self._state["judged"][verdict.row] = True
            self._state["done"][verdict.row] = verdict.who is Who.HUMAN
        return list(told)

    def _beeps(self, rows: NDArray[np.int32], pcm: NDArray[np.int16]) -> list[News]:
        """Follow the purest tone of each row, and return the beeps that are over."""
        state = self._state[rows]
        tone, pure = _purest(np.concatenate((state["tail"], pcm), axis=1).astype(np.float32))
        same = pure & ((state["run"] == 0) | (np.abs(tone - state["tone"]) <= 1))
        begins = same & (state["run"] == 0)
        gap = np.where(same, 0, np.minimum(state["gap"] + 1, 255))
        over = (state["run"] > 0) & (gap > _MOST_BREAK_UNITS)
        beeped = over & _is_beep(state)
        late = ~beeped & (state["heard"] >= _LONGEST_BEEP_WAIT_UNITS)
        self._state["tone"][rows[begins]] = tone[begins]
        self._state["run"][rows] = np.where(over, 0, state["run"] + same)
        self._state["gap"][rows] = gap
        self._state["tail"][rows] = pcm
        self._state["done"][rows] |= beeped | late
        return [
            *(Beep(int(rows[i]), int(state["heard"][i]) * _UNIT_MS) for i in np.flatnonzero(beeped)),
            *(Beep(int(rows[i]), None) for i in np.flatnonzero(late)),
        ]


def _purest(heard: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the strongest tone of each row's last 20 ms, int64 [n], and whether it is nearly all there is."""
    parts = np.square(heard @ _BANK)
    powers = parts[:, : _TONES_HZ.size] + parts[:, _TONES_HZ.size :]
    energy = np.square(heard) @ _ENERGY
    tone = powers.argmax(axis=1)
    power = powers[np.arange(len(heard)), tone]
    return tone, (power > _PURE * energy) & (energy > _FAINTEST)


def _is_beep(state: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell whether the tones that the rows hear, or have heard just now, last long enough."""
    long_enough: NDArray[np.bool_] = state["run"] + 1 >= state["terms"]["shortest_beep"]
    return long_enough & (state["run"] > 0)


def _judge(state: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of each row's verdict (`_OUTCOMES`), int64 [n]; ANSWERER [n]."""
    terms, heard = state["terms"], state["heard"]
    spoke, begun, last = _words(state)
    greeting, silence = last - begun + 1, heard - 1 - last
    conditions = (
        _is_beep(state),
        spoke & (greeting > terms["longest_greeting"]),
        spoke & (silence >= terms["silence_after"]),
        ~spoke & (heard >= terms["initial_silence"]),
        heard >= np.minimum(terms["longest_wait"], _MOST_UNITS),
    )
    return np.select(conditions, tuple(_OUTCOMES), default=0)


def _words(state: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return of each row whether it spoke, and the units with which its first word begins and its last one ends."""
    width = int(min(state["heard"].max(), _MOST_UNITS))
    levels = state["levels"][:, :width]
    at = np.arange(width)
    voiced = (_smoothed(levels) > _thresholds(state, levels)[:, None]) & (at < state["heard"][:, None])
    since = at - np.maximum.accumulate(np.where(voiced, -1, at), axis=1)
    shortest = state["terms"]["shortest_word"][:, None]
    word = voiced & (since >= shortest)
    spoke = np.asarray(word.any(axis=1))
    begun: NDArray[np.int64] = word.argmax(axis=1) - state["terms"]["shortest_word"] + 1
    last: NDArray[np.int64] = width - 1 - word[:, ::-1].argmax(axis=1)
    return spoke, begun, last


def _smoothed(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the mean level of each unit and its two neighbours, so that a gap within a word is none."""
    wide = np.pad(levels.astype(np.int64), ((0, 0), (1, 1)), mode="edge")
    mean: NDArray[np.int64] = (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) // 3
    return mean


def _thresholds(state: NDArray[Any], levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the level above which each row's units are voice, int64 [n].

    The floor is the level that a tenth of all that sounds is below, the peak the one that a twentieth is above; a
    phone that sends nothing in pauses has no sound there, and no floor of noise.
    """
    sounding = levels > 0
    ordered = np.sort(np.where(sounding, levels, 255), axis=1).astype(np.int64)
    n, rows = sounding.sum(axis=1), np.arange(len(levels))
    floor, peak = ordered[rows, n // 10], ordered[rows, np.maximum(n * 19 // 20 - 1, 0)]
    threshold = floor + np.maximum(_LEAST_RISE, (peak - floor) // _RISE_SHARE)
    at_least: NDArray[np.int64] = np.maximum(threshold, state["terms"]["quietest"])
    return at_least
