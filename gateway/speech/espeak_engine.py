"""The engine espeak-ng: this side of the process that speaks (`gateway.speech.espeak_process`).

One process serves all, one text after the other: a sentence of five seconds takes it about five milliseconds.  A
process that dies takes the texts in its hands with it; those of which nothing was heard yet are given to the next
process, once, since another text may have been the killer.  A process that says nothing for a while is killed.

Where the library is not installed but Debian's program is, that speaks through `gateway.speech.command_engine`.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from itertools import count
from typing import Any, Final

import msgpack
import numpy as np

from gateway.speech.command_engine import CommandEngine
from gateway.speech.espeak_process import MOST_BYTES, pack
from gateway.speech.port import MOST_SPOKEN, Chunk, Engine, EngineFailed, NoEngine, Voice, Words
from gateway.speech.voices import espeak_voice

__all__ = ["EspeakEngine", "open_espeak"]

_PROGRAM: Final = (sys.executable, "-m", "gateway.speech.espeak_process")
_BINARY: Final = (
    "espeak-ng",
    "--stdin",
    "--stdout",
    "-b",
    "1",
    "-v",
    "{espeak}",
    "-s",
    "{speed}",
    "-p",
    "{pitch}",
)
_WORDS_A_MINUTE: Final = 165
_USUAL_PITCH: Final = 50
_PATIENCE_S: Final = 5.0
_ATTEMPTS: Final = 2
_GRACE_S: Final = 1.0
"""What a process may take to end after it has closed its output."""


@asynccontextmanager
async def open_espeak(*, patience_s: float = _PATIENCE_S) -> AsyncIterator[Engine]:
    """Give espeak-ng, from its Python package or as Debian's program.

    Raises:
        NoEngine: there is neither.
    """
    if find_spec("espeakng_loader") is None:
        if shutil.which(_BINARY[0]) is None:
            raise NoEngine(
                "espeak-ng is not here: pip install 'tandem-voice[speech]', or apt install espeak-ng"
            )
        yield CommandEngine(_BINARY, name="espeak-ng")
        return
    engine = EspeakEngine(patience_s=patience_s)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.stop()


class _Died(EngineFailed):
    """The process is gone."""


class EspeakEngine:
    """Speaks by a process; made by `open_espeak`."""

    name: Final = "espeak-ng"

    def __init__(self, *, program: tuple[str, ...] = _PROGRAM, patience_s: float = _PATIENCE_S) -> None:
        self._program: Final = program
        self._patience_s: Final = patience_s
        self._numbers: Final = count(1)
        self._answers: Final[dict[int, asyncio.Queue[list[Any]]]] = {}
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting: Final = asyncio.Lock()

    async def start(self) -> Process:
        """Return the running process; a dead one is followed by another."""
        async with self._starting:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(*self._program, stdin=PIPE, stdout=PIPE)
                self._reading = asyncio.create_task(self._read(self._process), name="espeak-ng")
            return self._process

    async def stop(self) -> None:
        """End the process."""
        process, reading = self._process, self._reading
        if process is not None and process.returncode is None:
            process.kill()
        if reading is not None:
            await reading

    async def speak(self, words: Words, voice: Voice) -> AsyncGenerator[Chunk, None]:
        """Yield the sound of `words`.  Raises EngineFailed."""
        if len(words.text) > 2 * MOST_SPOKEN:  # spelled out, a text grows
            raise EngineFailed(f"{len(words.text)} characters at once are too many")
        heard = False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async for chunk in self._speak_once(words, voice):
                    heard = True
                    yield chunk
                return
            except _Died:
                if heard or attempt == _ATTEMPTS:
                    raise

    async def _speak_once(self, words: Words, voice: Voice) -> AsyncGenerator[Chunk, None]:
        process, number = await self.start(), next(self._numbers)
        answers = self._answers[number] = asyncio.Queue()
        try:
            self._ask(process, [number, words.text, espeak_voice(voice), *_manner(words)])
            while (chunk := _chunk(await self._next(answers, process))) is not None:
                yield chunk
        finally:
            del self._answers[number]

    def _ask(self, process: Process, request: list[Any]) -> None:
        assert process.stdin is not None, "it was started with a pipe"
        if process.returncode is not None or process.stdin.is_closing():
            raise _Died("the speaking process died")
        process.stdin.write(pack(request))

    async def _next(self, answers: asyncio.Queue[list[Any]], process: Process) -> list[Any]:
        try:
            async with asyncio.timeout(self._patience_s):
                return await answers.get()
        except TimeoutError:
            if process.returncode is None:
                process.kill()
            raise EngineFailed(f"the speaking process said nothing for {self._patience_s:g} s") from None

    async def _read(self, process: Process) -> None:
        """Hand each answer to whoever waits for it, until the process ends."""
        assert process.stdout is not None, "it was started with a pipe"
        try:
            while True:
                size = int.from_bytes(await process.stdout.readexactly(4), "big")
                if size > MOST_BYTES:
                    break
                number, *answer = msgpack.unpackb(await process.stdout.readexactly(size))
                if number in self._answers:
                    self._answers[number].put_nowait(answer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        await self._bury(process)

    async def _bury(self, process: Process) -> None:
        """Forget a process, and tell everybody who waits for it."""
        self._process = None
        assert process.stdin is not None, "it was started with a pipe"
        process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        for answers in self._answers.values():
            answers.put_nowait(["died"])


def _manner(words: Words) -> tuple[int, int]:
    """Return words a minute and espeak-ng's pitch, which is 0 to 100."""
    speed = round(_WORDS_A_MINUTE * words.speed)
    return min(max(speed, 80), 450), min(max(round(_USUAL_PITCH * words.pitch), 0), 99)


def _chunk(answer: list[Any]) -> Chunk | None:
    """Return the sound in an answer, None at its end.  Raises EngineFailed."""
    match answer:
        case ["sound", int(rate_hz), bytes(pcm)]:
            return Chunk(np.frombuffer(pcm, "<i2").astype(np.int16), rate_hz)
        case ["end"]:
            return None
        case ["failed", reason]:
            raise EngineFailed(str(reason))
        case _:
            raise _Died("the speaking process died")
