"""A prompter in virtual time that says tones: every number in a prompt is a frequency, half a second of it.

    prompter = TonePrompter(plane.rings)
    ... {"name": "say", "text": "500 900"} ...

What it plays goes by the rings of a real plane, as the speech process has it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from gateway.media.ring import Rings
from gateway.media.sources import clip_name
from gateway.switch.prompts import Clip, Recital, Stream
from gateway.switch.rings import FreeRings
from gateway.testing.audio import tone

__all__ = ["WORD_MS", "TonePrompter"]

WORD_MS: Final = 500


class TonePrompter:
    """`gateway.switch.prompts.Prompter`; four words are as much as a ring holds."""

    def __init__(self, rings: Rings) -> None:
        self._rings: Final = rings
        self.free: Final = FreeRings(range(rings.count))
        self.recitals: Final[list[Recital]] = []
        """What was asked for."""
        self.stream: Stream | None = None
        """The last one."""

    @asynccontextmanager
    async def prepare(self, recital: Recital) -> AsyncIterator[Clip | Stream]:
        """Give the words as a stream."""
        self.recitals.append(recital)
        words = re.findall(r"\d+", " ".join(prompt.text for prompt in recital.prompts))
        pcm = np.concatenate([tone(float(word), duration_ms=WORD_MS) for word in words])
        with self.free.taken(recital.listeners) as rings:
            self.stream = Stream(tuple(clip_name(ring, self._rings.open(ring)) for ring in rings))
            for ring in rings:
                self._rings.write(ring, pcm)
                self._rings.end(ring)
            yield self.stream
