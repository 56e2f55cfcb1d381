"""Who turns what is to be said into something the plane can play: a port, and the stand-in that plays tones.

A `Clip` is a source of the media plane and how long it lasts; whoever plays it lets a party hear the source for that
time.  So a call needs to know nothing of speech, files or rings, and goes on in the same way while there is nobody who
speaks: `Beeps` plays a tone where something went wrong and a short silence for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.switch.steering import Prompt

__all__ = ["ERROR", "Beeps", "Clip", "Prompter", "moh_source"]

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
    """Something to play."""

    source: str
    """Of the plane: `tone:440`, `music`, `silence`..."""
    duration_s: float


class Prompter(Protocol):
    """Whoever has voices and files."""

    async def prepare(self, prompt: Prompt) -> Clip:
        """Return what a party shall hear.  What cannot be spoken is silence of no length, and is logged there."""
        ...


class Beeps:
    """A prompter without a voice."""

    async def prepare(self, prompt: Prompt) -> Clip:
        """Return a tone for the error prompt, else a silence about as long as the words."""
        if prompt == ERROR:
            return Clip(_ERROR_TONE, _ERROR_S)
        return Clip(_SILENCE, min(max(_SHORTEST_S, len(prompt.text) * _WORD_S), _LONGEST_S))


def moh_source(moh: str | None) -> str:
    """Return the plane's source for what is heard while nobody else is: `ring`, `music1`...; None is silence."""
    if moh is None:
        return _SILENCE
    return RINGING if moh == RINGING else _MUSIC
