"""The switch's side of the socket to whoever speaks: `gateway.switch.prompts.Prompter` by rings of shared memory.

A recital gets a ring for each listener and is asked for at once; when the first samples lie in the rings it is a
stream that the plane can play.  Whoever leaves the block stops it.  If the speech process dies, what it was saying is
lost, the calls go on, and the next process is asked for the next recital.

The socket belongs to the supervisor, so connecting works even while there is no speech process; what is asked for in
that time waits a little, and else is silence, or the tone that stands for the error prompt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

from gateway.errors import BadMessage, Overload
from gateway.media.ring import RING_SAMPLES
from gateway.media.sources import clip_name
from gateway.svaml.prompts import (
    BadPrompt,
    FilePrompt,
    SsmlPrompt,
    TtsPrompt,
    UrlPrompt,
    read_prompt,
)
from gateway.switch.ports import EventLog
from gateway.switch.prompts import ERROR, Clip, Recital, Stream, stand_in
from gateway.switch.rings import FreeRings
from gateway.switch.steering import Prompt
from gateway.transport.media_wire import Message, frame, read_frame
from gateway.transport.reconnecting import connected
from gateway.transport.speech_wire import SPEECH_PROTOCOL, WireItem

__all__ = ["ERROR_SENTENCE", "SpeechClient"]

ERROR_SENTENCE: Final = "We are sorry, this service is not available right now. Please try again later."
_NOTHING: Final = Clip("silence", 0.0)
_CONNECT_S: Final = 2.0
"""So long a recital waits for a speech process."""
_FIRST_SOUND_S: Final = 30.0
"""And so long for its first sound: a file may have to be fetched."""
_GRACE_S: Final = 3.0
"""After the time that the last samples take, the plane should have told their end."""
_RATE_HZ: Final = 8000
_UNSENT_BYTES: Final = 4 << 20


@dataclass(slots=True, eq=False)
class _Play:
    """A recital under way."""

    rings: tuple[int, ...]
    changed: Callable[[], None]
    begun: asyncio.Future[Stream | None]
    """None = it is over, and there was nothing to hear."""

    def tell(self) -> None:
        """Tell of a change; a call that is flooded ends for other reasons."""
        with suppress(Overload):
            self.changed()

    def lose(self) -> None:
        """Take it that nothing more will come."""
        if not self.begun.done():
            self.begun.set_result(None)
        elif not self.begun.cancelled() and (stream := self.begun.result()) is not None:
            stream.lost = True
            self.tell()


class SpeechClient:
    """The speech process as the switch sees it; `run` keeps the connection."""

    def __init__(self, path: str, now: Callable[[], float], log: EventLog, free: FreeRings) -> None:
        """`path` is where it listens; `free` are the rings that are lent to what is said."""
        self._path: Final = path
        self._now: Final = now
        self._log: Final = log
        self._free: Final = free
        self._numbers: Final = count(1)
        self._plays: Final[dict[int, _Play]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected: Final = asyncio.Event()
        self.counters: Final[Counter[str]] = Counter()

    def census(self) -> dict[str, int]:
        """Return what is held: zero when nothing is said."""
        return {"plays": len(self._plays)}

    @asynccontextmanager
    async def prepare(self, recital: Recital) -> AsyncIterator[Clip | Stream]:
        """Give the stream of a recital when its first samples are there; see `Prompter.prepare`."""
        instead = stand_in(recital.prompts) if ERROR in recital.prompts else _NOTHING
        items = list(self._items(recital))
        if not recital.listeners:
            yield stand_in(recital.prompts)  # nobody hears it: a test number talks
            return
        if not items or not await self._is_there():
            yield instead
            return
        try:
            with self._free.taken(recital.listeners) as rings, self._asked(recital, items, rings) as play:
                yield await self._begun(play) or instead
        except Overload as error:
            self._complain(recital, "speech", str(error))
            yield instead

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            reader, writer = await connected(self._path)
            try:
                await self._converse(reader, writer)
            except (
                OSError,
                asyncio.IncompleteReadError,
                BadMessage,
                KeyError,
                TypeError,
                ValueError,
            ) as error:
                self.counters["disconnected"] += 1
                self._log.warning("speech.lost", plays=len(self._plays), reason=_words(error))
            finally:
                self._disconnect(writer)

    # What is asked for.

    async def _is_there(self) -> bool:
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._connected.wait()
        except TimeoutError:
            self.counters["absent"] += 1
            return False
        return True

    def _items(self, recital: Recital) -> Iterator[WireItem]:
        for prompt in recital.prompts:
            try:
                item = _item(prompt)
            except BadPrompt as error:
                self._complain(recital, prompt.text[:60], str(error))
                continue
            if item is not None:
                yield item

    @contextmanager
    def _asked(self, recital: Recital, items: Sequence[WireItem], rings: tuple[int, ...]) -> Iterator[_Play]:
        """Ask for a recital, and stop it when the block is left."""
        number = next(self._numbers)
        play = _Play(rings, recital.changed, asyncio.get_running_loop().create_future())
        self._plays[number] = play
        self.counters["asked"] += 1
        locale = next((each.locale for each in recital.prompts if each.locale), None)
        self._send(
            {
                "play": number,
                "rings": list(rings),
                "items": [list(item) for item in items],
                "locale": locale,
                "owner": recital.owner,
                "call": recital.call,
            }
        )
        try:
            yield play
        finally:
            del self._plays[number]
            self._send({"stop": number})

    async def _begun(self, play: _Play) -> Stream | None:
        try:
            async with asyncio.timeout(_FIRST_SOUND_S):
                return await play.begun
        except TimeoutError:
            self.counters["late"] += 1
            return None

    def _complain(self, recital: Recital, prompt: str, reason: str) -> None:
        self._log.warning("prompt.not_played", call=recital.call, prompt=prompt, reason=reason)

    # What is answered.

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame({"hello": SPEECH_PROTOCOL}))
        hello = await read_frame(reader)
        if hello["hello"] != SPEECH_PROTOCOL:
            raise BadMessage(f"the speech process speaks version {hello['hello']}")
        self._writer = writer
        self._connected.set()
        self._log.info("speech.ready")
        while True:
            self._hear(await read_frame(reader))

    def _hear(self, message: Message) -> None:
        play = self._plays.get(message.get("started", message.get("finished", 0)))
        if play is None or play.begun.cancelled():
            return  # nobody waits for it any more
        match message:
            case {"started": _, "generations": generations} if not play.begun.done():
                names = map(clip_name, play.rings, map(int, generations))
                play.begun.set_result(Stream(tuple(names)))
            case {"finished": _} if not play.begun.done():
                play.begun.set_result(None)
            case {"finished": _, "reason": str(reason)} if reason:
                self.counters["failed"] += 1
                play.lose()
            case {"finished": _} if (stream := play.begun.result()) is not None:
                stream.over_by = self._now() + RING_SAMPLES / _RATE_HZ + _GRACE_S
                play.tell()

    def _send(self, message: Message) -> None:
        if self._writer is None:
            return
        if self._writer.transport.get_write_buffer_size() > _UNSENT_BYTES:
            self._writer.transport.abort()  # it does not read; the next one will
            return
        self._writer.write(frame(message))

    def _disconnect(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self._writer = None
        self._connected.clear()
        for play in self._plays.values():
            play.lose()


def _item(prompt: Prompt) -> WireItem | None:
    """Return what the speech process is asked to play; None for nothing.

    Raises:
        BadPrompt: nobody can understand it.
    """
    if prompt == ERROR:
        return "say", ERROR_SENTENCE
    if prompt.spoken:
        return "say", prompt.text
    match read_prompt(prompt.text):
        case TtsPrompt(text):
            return "say", text
        case SsmlPrompt(ssml):
            return "ssml", ssml
        case UrlPrompt(url):
            return "url", url
        case FilePrompt(name):
            return "id", name
        case None:
            return None


def _words(error: BaseException) -> str:
    """Say what has happened to the connection."""
    return (
        "it has ended"
        if isinstance(error, asyncio.IncompleteReadError)
        else str(error) or type(error).__name__
    )
