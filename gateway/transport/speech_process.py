"""Who speaks, in a process of its own: it is asked for plays, and lets them flow into rings of shared memory.

A *play* is a list of items, rendered by `gateway.speech.prompter.Prompts` as one stream without a gap, into a ring for
each listener.  A ring holds two seconds, and its reader takes them in real time; so a play is written as far as there
is room, and looked after a few times a second.  A ring that nobody reads for some seconds is left alone, and does not
hold the others up.

What is said on its socket stands in `gateway.transport.speech_wire`.  When the switch goes away its plays end with it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from gateway.errors import BadMessage
from gateway.media.ring import Rings
from gateway.speech.port import Samples
from gateway.speech.prompter import Item, SayItem, SsmlItem, StoredItem, UrlItem
from gateway.transport.media_wire import Message, frame, read_frame
from gateway.transport.speech_wire import SPEECH_PROTOCOL

__all__ = ["KINDS", "Player", "SpeechServer"]

KINDS: Final[Mapping[str, type[SayItem] | type[SsmlItem] | type[UrlItem] | type[StoredItem]]] = {
    "say": SayItem,
    "ssml": SsmlItem,
    "url": UrlItem,
    "id": StoredItem,
}
"""What items are, by their names on the wire."""
_LOOK_AFTER_S: Final = 0.25
"""How often a full ring is filled up again; it holds eight times as much."""
_PATIENCE_S: Final = 5.0


class Player(Protocol):
    """Whoever makes prompts heard: `gateway.speech.prompter.Prompts`."""

    def play(self, items: Sequence[Item], *, locale: str | None, owner: str) -> AsyncGenerator[Samples, None]:
        """Yield the sound of all items one after the other."""
        ...


@dataclass(slots=True)
class _Play:
    """One play and how far it has come."""

    number: int
    rings: list[int]
    items: list[Item]
    locale: str | None
    owner: str
    call: str
    generations: list[int] = field(default_factory=list)
    started: bool = False
    samples: int = 0
    unread: set[int] = field(default_factory=set)
    """Rings that have no reader any more."""


class SpeechServer:
    """Serves whoever connects: the switch, and its successor while the plays of the one before come to their end."""

    def __init__(self, player: Player, rings: Rings, *, patience_s: float = _PATIENCE_S) -> None:
        """After `patience_s` without room a ring has no reader."""
        self._patience_s: Final = patience_s
        self._player: Final = player
        self._rings: Final = rings
        self._conversations: Final[set[asyncio.StreamWriter]] = set()
        self._log: Final = structlog.get_logger()

    async def serve(self, control: socket.socket) -> None:
        """Listen at `control` until cancelled."""
        control.setblocking(False)
        server = await asyncio.start_server(self._converse, sock=control)
        async with server:
            try:
                await server.serve_forever()
            finally:
                for writer in list(self._conversations):
                    writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks: dict[int, tuple[_Play, asyncio.Task[None]]] = {}
        self._conversations.add(writer)
        writer.write(frame({"hello": SPEECH_PROTOCOL}))
        try:
            while True:
                self._obey(await read_frame(reader), tasks, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the switch is gone
        except (BadMessage, KeyError, TypeError, ValueError) as error:
            self._log.warning("speech.not_understood", reason=str(error))
        finally:
            for number in list(tasks):
                self._stop(number, tasks)
            self._conversations.discard(writer)
            writer.close()

    def _obey(
        self,
        message: Message,
        tasks: dict[int, tuple[_Play, asyncio.Task[None]]],
        writer: asyncio.StreamWriter,
    ) -> None:
        match message:
            case {"play": int(number)}:
                play = _play_of(message)
                task = asyncio.create_task(self._live(play, writer), name=f"play {number}")
                tasks[number] = play, task
                task.add_done_callback(lambda _: tasks.pop(number, None))
            case {"stop": int(number)}:
                self._stop(number, tasks)
            case {"hello": version} if version != SPEECH_PROTOCOL:
                raise BadMessage(f"the switch speaks version {version}")

    def _stop(self, number: int, tasks: dict[int, tuple[_Play, asyncio.Task[None]]]) -> None:
        """Stop a play now: whoever is lent its rings next asks for that after this."""
        if (found := tasks.pop(number, None)) is not None:
            play, task = found
            task.cancel()
            self._end(play)

    async def _live(self, play: _Play, writer: asyncio.StreamWriter) -> None:
        """Play, and say how it went; what goes wrong costs this play alone."""
        reason = ""
        with structlog.contextvars.bound_contextvars(call=play.call):
            try:
                await self._play(play, writer)
            except Exception as error:
                self._log.exception("speech.play_failed")
                reason = f"{type(error).__name__}: {error}"
        self._end(play)
        writer.write(frame({"finished": play.number, "samples": play.samples, "reason": reason}))

    async def _play(self, play: _Play, writer: asyncio.StreamWriter) -> None:
        play.generations = [self._rings.open(ring) for ring in play.rings]
        sound = self._player.play(play.items, locale=play.locale, owner=play.owner)
        async with aclosing(sound) as chunks:
            async for chunk in chunks:
                if chunk.size:
                    await self._pour(play, chunk, writer)
                if len(play.unread) == len(play.rings):
                    return

    async def _pour(self, play: _Play, chunk: Samples, writer: asyncio.StreamWriter) -> None:
        """Write samples to every ring, as room comes to be."""
        play.samples += chunk.size
        left = {ring: chunk for ring in play.rings if ring not in play.unread}
        waited_s = dict.fromkeys(left, 0.0)
        while left:
            for ring, pcm in list(left.items()):
                written = self._rings.write(ring, pcm)
                left[ring] = pcm[written:]
                waited_s[ring] = 0.0 if written else waited_s[ring] + _LOOK_AFTER_S
                if waited_s[ring] > self._patience_s:
                    play.unread.add(ring)
                if not left[ring].size or ring in play.unread:
                    del left[ring]
            if not play.started:
                play.started = True
                writer.write(frame({"started": play.number, "generations": play.generations}))
            if left:
                await asyncio.sleep(_LOOK_AFTER_S)

    def _end(self, play: _Play) -> None:
        """Say in the rings that nothing follows."""
        for ring in play.rings if play.generations else ():
            self._rings.end(ring)


def _play_of(message: Message) -> _Play:
    """Return what is asked for.

    Raises:
        KeyError, TypeError, ValueError: that is no play.
    """
    items = [KINDS[str(kind)](str(text)) for kind, text in message["items"]]
    rings = [int(ring) for ring in message["rings"]]
    locale: Any = message["locale"]
    return _Play(message["play"], rings, items, locale, str(message["owner"]), str(message["call"]))
