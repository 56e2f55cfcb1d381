"""Sounds that were made once: kept by their content, in memory and on disk, and made by one even if many ask.

A key says all that decides a sound: engine, voice and text, or the bytes of a file.  So nothing in here ever becomes
wrong, and the only question is room: memory and disk have their bounds in bytes, and what was not heard for longest
goes first.  On disk a sound is a file of bare samples, written beside and renamed, so that a crash leaves no halves.

While a sound is made it is a `Take`: whoever asks for it meanwhile hears it from its beginning and then as it grows.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from gateway.speech.port import Samples, SpeechError

__all__ = ["SoundCache", "Take", "key_of"]

_SUFFIX: Final = ".pcm"
_HALF: Final = ".part"


def key_of(*parts: str | bytes) -> str:
    """Return the key of a sound that these decide; order and borders count."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


class Take:
    """A sound while it is made, and after."""

    def __init__(self) -> None:
        self._chunks: Final[list[Samples]] = []
        self._grown = asyncio.Event()
        self._ended = False
        self._error: SpeechError | None = None

    def add(self, chunk: Samples) -> None:
        """Let everybody hear the next samples."""
        self._chunks.append(chunk)
        self._wake()

    def end(self, error: SpeechError | None = None) -> None:
        """Say that this was all; with an error, that there should have been more."""
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    @property
    def whole(self) -> Samples | None:
        """All samples, once they are there without an error."""
        if not self._ended or self._error is not None:
            return None
        return np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)

    async def listen(self) -> AsyncIterator[Samples]:
        """Yield the chunks from the first one.  Raises the SpeechError that ended it, after what was heard."""
        at = 0
        while at < len(self._chunks) or not self._ended:
            if at == len(self._chunks):
                await self._grown.wait()
                continue
            yield self._chunks[at]
            at += 1
        if self._error is not None:
            raise self._error


class SoundCache:
    """Sounds by key; `close` ends what is still being made."""

    def __init__(
        self, directory: Path | None = None, *, memory_bytes: int = 64 << 20, disk_bytes: int = 512 << 20
    ) -> None:
        """`directory` is made if it is not there; None keeps sounds in memory alone."""
        self._memory: Final[OrderedDict[str, Samples]] = OrderedDict()
        self._memory_left = memory_bytes
        self._disk: Final = None if directory is None else _Disk(directory, disk_bytes)
        self._takes: Final[dict[str, Take]] = {}
        self._makers: Final[set[asyncio.Task[None]]] = set()

    def take(self, key: str, make: Callable[[], AsyncIterator[Samples]], *, keep: bool = True) -> Take:
        """Return the sound under `key`; if there is none, what `make` yields, which goes on if nobody listens.

        keep: False = it is made once for all who ask meanwhile, and made again for the next one.
        """
        if key in self._takes:
            return self._takes[key]
        take = Take()
        if (known := self._memory.get(key)) is not None:
            self._memory.move_to_end(key)
            take.add(known)
            take.end()
            return take
        self._takes[key] = take
        maker = asyncio.create_task(self._make(key, take, make, keep), name="sound")
        self._makers.add(maker)
        maker.add_done_callback(self._makers.discard)
        return take

    async def close(self) -> None:
        """Stop making, and wait until it has stopped."""
        for maker in self._makers:
            maker.cancel()
        await asyncio.gather(*self._makers, return_exceptions=True)

    async def _make(
        self, key: str, take: Take, make: Callable[[], AsyncIterator[Samples]], keep: bool
    ) -> None:
        error: SpeechError | None = SpeechError("the switch ended before it was made")
        disk = self._disk if keep else None
        try:
            known = await asyncio.to_thread(disk.read, key) if disk else None
            await _fill(take, make, known)
            error = None
        except SpeechError as refusal:
            error = refusal
        finally:
            take.end(error)
            del self._takes[key]
        if keep and (whole := take.whole) is not None:
            self._remember(key, whole)
            if disk and known is None:
                await asyncio.to_thread(disk.write, key, whole)

    def _remember(self, key: str, pcm: Samples) -> None:
        self._memory[key] = pcm
        self._memory_left -= pcm.nbytes
        while self._memory_left < 0:
            self._memory_left += self._memory.popitem(last=False)[1].nbytes


async def _fill(take: Take, make: Callable[[], AsyncIterator[Samples]], known: Samples | None) -> None:
    if known is not None:
        take.add(known)
        return
    async for chunk in make():
        take.add(chunk)


class _Disk:
    """Files by key; what cannot be read or written is as if it were not there."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory: Final = directory
        self._most_bytes: Final = most_bytes

    def read(self, key: str) -> Samples | None:
        path = self._directory / f"{key}{_SUFFIX}"
        try:
            data = path.read_bytes()
            os.utime(path)  # it was heard now
        except OSError:
            return None
        return np.frombuffer(data, "<i2").astype(np.int16)

    def write(self, key: str, pcm: Samples) -> None:
        half = self._directory / f"{key}{_HALF}"
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            try:
                half.write_bytes(pcm.astype("<i2").tobytes())
                half.replace(half.with_suffix(_SUFFIX))
            finally:
                half.unlink(missing_ok=True)
            self._make_room()

    def _make_room(self) -> None:
        """Remove what was not heard for longest, until the rest fits."""
        files = [(path, path.stat()) for path in self._directory.glob(f"*{_SUFFIX}")]
        total = sum(stat.st_size for _, stat in files)
        for path, stat in sorted(files, key=lambda file: file[1].st_mtime_ns):
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size
