"""The port between what is to be said and whoever can say it.

A text reaches an engine as `Words`: plain text, with a speed and a pitch as the only wishes.  All that SSML adds is
undone before (`gateway.speech.ssml`), so that every engine speaks every text, and loudness is nobody's affair but ours
(`gateway.speech.level`).  An engine answers in chunks as it makes them, since the first word is wanted long before the
last one is ready.

- SpeechError
  - NoEngine         nobody here can speak
  - EngineFailed     the engine died, took too long, or said that it cannot
  - BadMarkup        SSML that nobody should read
  - TooLong          more text, bytes or seconds than one command may have
  - BadSound         bytes that are no sound we know
  - NoSuchPrompt     an id under which nothing lies
  - NotFetched       a URL that gave nothing (`gateway.speech.fetch`)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.errors import GatewayError

__all__ = [
    "MOST_SPOKEN",
    "RATE_HZ",
    "BadMarkup",
    "BadSound",
    "Chunk",
    "Engine",
    "EngineFailed",
    "Gender",
    "NoEngine",
    "NoSuchPrompt",
    "Pause",
    "Piece",
    "Samples",
    "SpeechError",
    "TooLong",
    "Voice",
    "Words",
]

Samples: TypeAlias = NDArray[np.int16]

RATE_HZ: Final = 8000
"""Of everything that leaves this package; wider bands will be another number."""
MOST_SPOKEN: Final = 600
"""Characters that one command may have spoken; SSML's tags do not count."""


class SpeechError(GatewayError):
    """Something cannot be heard; the text says why."""


class NoEngine(SpeechError):
    """Nobody here can speak."""


class EngineFailed(SpeechError):
    """The engine died, took too long, or said that it cannot."""


class BadMarkup(SpeechError):
    """SSML that nobody should read: entities, or nested beyond all reason."""


class TooLong(SpeechError):
    """More text, bytes or seconds than one command may have."""


class BadSound(SpeechError):
    """Bytes that are no sound we know."""


class NoSuchPrompt(SpeechError):
    """An id under which nothing lies."""


class Gender(StrEnum):
    """How a voice sounds."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks; made by `gateway.speech.voices.voice_of`."""

    language: str
    """As the table of voices writes it: `sv-SE`."""
    gender: Gender = Gender.FEMALE
    name: str = ""
    """One of the table's names, so that two names of a language are two voices; may be empty."""


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text, spoken in one breath."""

    text: str
    speed: float = 1.0
    """Times the engine's usual speed."""
    pitch: float = 1.0
    """Times the voice's usual pitch."""
    gain_db: float = 0.0
    """Beside the common level; engines need not look at it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence between words."""

    seconds: float


Piece: TypeAlias = Words | Pause


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some samples of one voice, int16 [n]."""

    pcm: Samples
    rate_hz: int


class Engine(Protocol):
    """Whoever can speak."""

    @property
    def name(self) -> str:
        """What tells the sound of this engine from that of another; part of a cache's key."""
        ...

    def speak(self, words: Words, voice: Voice) -> AsyncGenerator[Chunk, None]:
        """Yield the sound of `words` as it is made, all chunks at one rate.  Raises EngineFailed."""
        ...
