"""The engine that is any program: the text on standard input, a WAV file on standard output.

The program is the operator's choice, so it is trusted to be honest and not to be quick: it has a time and an amount
of sound, and is killed at either.  What it writes is passed on as it comes, so a program that streams is heard at once.

In its arguments `{language}` (sv-SE), `{gender}`, `{name}`, `{espeak}` (what espeak-ng calls the voice), `{speed}`
(words a minute) and `{pitch}` (0 to 99) are filled in, each within one argument: no shell is involved.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import numpy as np

from gateway.speech.port import Chunk, EngineFailed, Samples, Voice, Words
from gateway.speech.voices import espeak_voice

__all__ = ["CommandEngine"]

_PATIENCE_S: Final = 20.0
_MOST_BYTES: Final = 32 << 20
_READ_BYTES: Final = 16_384
_MOST_HEADER: Final = 4096
_INTEGER: Final = (1, 0xFFFE)
_WORDS_A_MINUTE: Final = 165


class CommandEngine:
    """Speaks by a program that is started for each text."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str = "command",
        patience_s: float = _PATIENCE_S,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """`command` is the program and its arguments; `name` tells its sound from that of other engines."""
        self.name: Final = name
        self._command: Final = tuple(command)
        self._patience_s: Final = patience_s
        self._most_bytes: Final = most_bytes

    async def speak(self, words: Words, voice: Voice) -> AsyncGenerator[Chunk, None]:
        """Yield the sound of `words`.  Raises EngineFailed."""
        process = await self._start(words, voice)
        try:
            async with asyncio.timeout(self._patience_s):
                async for chunk in self._chunks(process):
                    yield chunk
                if status := await process.wait():
                    raise EngineFailed(f"{self._command[0]} ended with status {status}")
        except TimeoutError:
            raise EngineFailed(f"{self._command[0]} took longer than {self._patience_s:g} s") from None
        finally:
            await _end(process)

    async def _start(self, words: Words, voice: Voice) -> Process:
        filled = [_filled(argument, words, voice) for argument in self._command]
        try:
            process = await asyncio.create_subprocess_exec(*filled, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
        except OSError as error:
            raise EngineFailed(f"{self._command[0]} does not start: {error.strerror}") from None
        assert process.stdin is not None, "it was started with a pipe"
        process.stdin.write(words.text.encode() + b"\n")
        process.stdin.close()
        return process

    async def _chunks(self, process: Process) -> AsyncGenerator[Chunk, None]:
        assert process.stdout is not None, "it was started with a pipe"
        data, wave, total = b"", None, 0
        while piece := await process.stdout.read(_READ_BYTES):
            total += len(piece)
            if total > self._most_bytes:
                raise EngineFailed(f"{self._command[0]} wrote more than {self._most_bytes} bytes")
            data += piece
            if wave is None and (found := _header(data)) is not None:
                rate_hz, channels, start = found
                wave, data = (rate_hz, channels), data[start:]
            if wave is not None:
                whole = len(data) // (2 * wave[1]) * 2 * wave[1]
                yield Chunk(_mono(data[:whole], wave[1]), wave[0])
                data = data[whole:]
        if wave is None:
            raise EngineFailed(f"{self._command[0]} wrote no WAV file of 16 bits")


def _filled(argument: str, words: Words, voice: Voice) -> str:
    values = {
        "language": voice.language,
        "gender": voice.gender.value,
        "name": voice.name,
        "espeak": espeak_voice(voice),
        "speed": str(round(_WORDS_A_MINUTE * words.speed)),
        "pitch": str(min(round(50 * words.pitch), 99)),
    }
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument


def _header(data: bytes) -> tuple[int, int, int] | None:
    """Return rate, channels and where the samples begin; None while the header is not whole.  Raises EngineFailed."""
    if len(data) < 12:
        return None
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE" or len(data) > _MOST_HEADER + _READ_BYTES:
        raise EngineFailed("what the program writes is no WAV file")
    at, form = 12, b""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return *_said(form), at + 8
        if data[at : at + 4] == b"fmt ":
            form = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return None


def _said(form: bytes) -> tuple[int, int]:
    tag, channels, rate_hz, bits = (
        int.from_bytes(form[at : at + size], "little") for at, size in ((0, 2), (2, 2), (4, 4), (14, 2))
    )
    if tag not in _INTEGER or bits != 16 or not 1 <= channels <= 8:
        raise EngineFailed("the program's WAV file is not of 16-bit integers")
    return rate_hz, channels


def _mono(data: bytes, channels: int) -> Samples:
    pcm = np.frombuffer(data, "<i2").astype(np.int16)
    return pcm if channels == 1 else pcm.reshape(-1, channels).mean(axis=1).astype(np.int16)


async def _end(process: Process) -> None:
    """Kill what still runs, and let nothing of it stay."""
    if process.returncode is None:
        process.kill()
    await process.wait()
