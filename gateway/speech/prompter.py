"""A list of prompts, as one stream of samples without a gap.

Whoever reads an application's documents hands over `Item`s.  All of them begin to be made when the first one is
wanted, so that the second is there when the first has ended.  One that cannot be played is no reason to end a call: it
is silence of no length, the log says why, and the next one follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from gateway.speech.audio import decode_untrusted, levelled
from gateway.speech.cache import SoundCache, Take, key_of
from gateway.speech.fetch import Fetched
from gateway.speech.library import Library
from gateway.speech.port import MOST_SPOKEN, Engine, NoEngine, Samples, SpeechError, TooLong, Voice, Words
from gateway.speech.rendering import render
from gateway.speech.ssml import Script, plain_script, read_ssml
from gateway.speech.voices import voice_of

__all__ = ["Item", "Log", "Prompts", "SayItem", "SsmlItem", "StoredItem", "UrlItem"]

_MOST_ITEMS: Final = 64


@dataclass(frozen=True, slots=True)
class SayItem:
    """A text to speak."""

    text: str


@dataclass(frozen=True, slots=True)
class SsmlItem:
    """A text to speak, with SSML's marks."""

    ssml: str


@dataclass(frozen=True, slots=True)
class UrlItem:
    """A sound to fetch."""

    url: str


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A prompt of the operator's."""

    id: str


Item: TypeAlias = SayItem | SsmlItem | UrlItem | StoredItem


class Log(Protocol):
    """A structured log (structlog's loggers are one)."""

    def warning(self, event: str, /, **facts: object) -> object:
        """Note something that a person may want to look at."""
        ...


class Fetches(Protocol):
    """Whoever fetches files, as `gateway.speech.fetch.Fetcher` does."""

    async def fetch(self, url: str, owner: str) -> Fetched:
        """Return the file at `url`.  Raises NotFetched."""
        ...


class Prompts:
    """Makes prompts heard."""

    def __init__(
        self, engine: Engine | None, fetcher: Fetches, library: Library, cache: SoundCache, log: Log
    ) -> None:
        """`engine` None: nobody here can speak, and texts are silence."""
        self._engine: Final = engine
        self._fetcher: Final = fetcher
        self._library: Final = library
        self._cache: Final = cache
        self._log: Final = log

    async def play(
        self, items: Sequence[Item], *, locale: str | None, owner: str
    ) -> AsyncGenerator[Samples, None]:
        """Yield the sound of all items one after the other: int16 [n] each, 8 kHz, at the common level.

        Args:
            items: at most 64, with at most 600 characters to speak in all; what is over that is not played.
            locale: who speaks, as `gateway.speech.voices.voice_of` reads it.
            owner: the application, whose downloads are counted.
        """
        voice, left, takes = voice_of(locale), MOST_SPOKEN, []
        for item in items[:_MOST_ITEMS]:
            try:
                take, spoken = self._take(item, voice, owner, left)
            except SpeechError as error:
                self._complain(item, error)
                continue
            left -= spoken
            takes.append((item, take))
        for item, take in takes:
            try:
                async for chunk in take.listen():
                    yield chunk
            except SpeechError as error:
                self._complain(item, error)

    def _complain(self, item: Item, error: SpeechError) -> None:
        self._log.warning("prompt.not_played", prompt=_named(item), reason=str(error))

    def _take(self, item: Item, voice: Voice, owner: str, left: int) -> tuple[Take, int]:
        """Return the sound of an item, made from now on, and the characters that it speaks.  Raises SpeechError."""
        match item:
            case UrlItem(url):
                return self._cache.take(
                    key_of("url", owner, url), lambda: self._fetched(url, owner), keep=False
                ), 0
            case StoredItem(name):
                return self._cache.take(key_of("id", name), lambda: self._stored(name), keep=False), 0
            case SayItem(text):
                return self._spoken(plain_script(text), voice, left)
            case SsmlItem(ssml):
                return self._spoken(read_ssml(ssml), voice, left)

    def _spoken(self, script: Script, voice: Voice, left: int) -> tuple[Take, int]:
        engine, spoken = self._engine, sum(len(p.text) for p in script.pieces if isinstance(p, Words))
        if engine is None:
            raise NoEngine("nobody here can speak")
        if spoken > left:
            raise TooLong(f"one command may have {MOST_SPOKEN} characters spoken")
        key = key_of(engine.name, repr(voice), repr(script.pieces))
        return self._cache.take(key, lambda: render(engine, script, voice)), spoken

    async def _fetched(self, url: str, owner: str) -> AsyncIterator[Samples]:
        file = await self._fetcher.fetch(url, owner)
        async for chunk in self._decoded(file.data, file.kind).listen():
            yield chunk

    async def _stored(self, name: str) -> AsyncIterator[Samples]:
        data, kind = await asyncio.to_thread(self._library.read, name)
        async for chunk in self._decoded(data, kind).listen():
            yield chunk

    def _decoded(self, data: bytes, kind: str) -> Take:
        """Return the sound of a file, kept by its contents: what lies behind a URL or an id may change."""

        async def decode() -> AsyncIterator[Samples]:
            yield await asyncio.to_thread(lambda: levelled(decode_untrusted(data, kind)))

        return self._cache.take(key_of("file", kind, data), decode)


def _named(item: Item) -> str:
    """Return what a log may say of an item: no words that somebody said, no secrets in a URL."""
    match item:
        case UrlItem(url):
            return url.partition("?")[0].rpartition("@")[2]
        case StoredItem(name):
            return name
        case SayItem() | SsmlItem():
            return "speech"
