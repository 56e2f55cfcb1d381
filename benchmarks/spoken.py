"""Speech for benchmarks: sentences nobody wrote, by espeak-ng, at the common level and 8 kHz."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.speech.cache import SoundCache
from gateway.speech.espeak_engine import open_espeak
from gateway.speech.fetch import Fetched, NotFetched, Refusal
from gateway.speech.library import Library
from gateway.speech.prompter import Prompts, SayItem

__all__ = ["open_prompts", "say", "spoken"]

_RATE_HZ: Final = 8000
_WORDS: Final = (
    "about after again alone any bell better blue boot bridge call city clock cold dinner early empty evening "
    "feel fish five garden glass good green hotel house ice keep lead letter light little long market meal mile "
    "moon morning music nine noon number office old one open order paper people phone piece please quick quiet "
    "rain read red river road room school see seven sheep short sing sleep slow small snow speech spoon station "
    "steel street summer sweet table tea teeth ten three time tomorrow train tree two voice wait water week wheel "
    "whistle wind window winter wood word year yellow yes you zero"
)


class _NoWeb:
    async def fetch(self, url: str, owner: str) -> Fetched:
        raise NotFetched(Refusal.UNREACHABLE, f"{owner} fetches nothing here: {url}")


class _Stderr:
    def warning(self, event: str, /, **facts: object) -> None:
        print(event, facts, file=sys.stderr)


@asynccontextmanager
async def open_prompts(directory: Path) -> AsyncIterator[Prompts]:
    """Give what speaks, with its cache in `directory`."""
    cache = SoundCache(directory)
    try:
        async with open_espeak() as engine:
            yield Prompts(engine, _NoWeb(), Library(directory / "nowhere"), cache, _Stderr())
    finally:
        await cache.close()


async def say(prompts: Prompts, text: str, locale: str) -> NDArray[np.int16]:
    """Return a text as it sounds, int16 [n] at 8 kHz."""
    parts = [pcm async for pcm in prompts.play([SayItem(text)], locale=locale, owner="bench")]
    return np.concatenate([np.zeros(0, np.int16), *parts])


async def spoken(prompts: Prompts, locale: str, seconds: float, chance: Random) -> NDArray[np.int16]:
    """Return at least so many seconds of sentences by chance, int16 [n] at 8 kHz."""
    words, parts, n = _WORDS.split(), [np.zeros(0, np.int16)], 0
    while n < seconds * _RATE_HZ:
        sentences = (" ".join(chance.choices(words, k=chance.randint(3, 12))) for _ in range(8))
        parts.append(await say(prompts, ". ".join(sentences) + ".", locale))
        n += parts[-1].size
    return np.concatenate(parts)
