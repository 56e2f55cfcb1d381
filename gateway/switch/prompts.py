"""Who turns what is to be said into something the plane can play: a port, and the stand-in that plays tones.

A *clip* is a source of the plane and how long it lasts.  A *stream* is made while it is heard: each listener has a
source of its own, and the plane says when that has ended.  Whoever plays one lets a party hear it meanwhile.  So a call
needs to know nothing of speech, files or rings, and goes on in the same way while there is nobody who speaks: `Beeps`
plays a tone where something went wrong and a short silence for everything else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from gateway.switch.steering import Prompt

__all__ = ["ERROR", "Beeps", "Clip", "Prompter", "Recital", "Stream", "moh_source", "stand_in"]

ERROR: Final = Prompt("error")
"""What a caller hears when the application cannot be asked."""
RINGING: Final = "ring"
_MUSIC: Final = "music"
_ERROR_TONE: Final = "tone:425"
_ERROR_S: Final = 1.0
_SILENCE: Final = "silence"
_WORD_S: Final = 0.06
"""About as long as a letter is spoken."""
_SHORTEST_S: Final = 0.5
_LONGEST_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Clip:
    """Something to play for a time that is known."""

    source: str
    """Of the plane: `tone:440`, `music`, `silence`..."""
    duration_s: float


@dataclass(slots=True, eq=False)
class Stream:
    """Something to play whose end is told: by the plane, to each listener (`gateway.media.events.SourceEnded`)."""

    sources: tuple[str, ...]
    """Of the plane, one for each listener."""
    lost: bool = False
    """Whoever made it is gone: nothing more will come."""
    over_by: float = inf
    """When the plane must have said so, in monotonic seconds, as soon as that is known."""


@dataclass(frozen=True, slots=True)
class Recital:
    """What is to be played, and for whom."""

    prompts: Sequence[Prompt]
    """One after the other, without a gap."""
    listeners: int
    owner: str
    """The application's key."""
    call: str
    changed: Callable[[], None]
    """Told when a stream of it is not what it was."""


class Prompter(Protocol):
    """Whoever has voices and files."""

    def prepare(self, recital: Recital) -> AbstractAsyncContextManager[Clip | Stream]:
        """Give what the listeners shall hear, when its beginning is there; leaving the block cuts it short.

        What cannot be spoken is a clip of no length, and is logged there.
        """
        ...


def stand_in(prompts: Sequence[Prompt]) -> Clip:
    """Return a tone for the error prompt, else a silence about as long as the words."""
    if ERROR in prompts:
        return Clip(_ERROR_TONE, _ERROR_S)
    lasts_s = (min(max(_SHORTEST_S, len(each.text) * _WORD_S), _LONGEST_S) for each in prompts)
    return Clip(_SILENCE, sum(lasts_s))


class Beeps:
    """A prompter without a voice."""

    @asynccontextmanager
    async def prepare(self, recital: Recital) -> AsyncIterator[Clip | Stream]:
        """Give what stands in for the words."""
        yield stand_in(recital.prompts)


def moh_source(moh: str | None) -> str:
    """Return the plane's source for what is heard while nobody else is: `ring`, `music1`...; None is silence."""
    if moh is None:
        return _SILENCE
    return RINGING if moh == RINGING else _MUSIC
