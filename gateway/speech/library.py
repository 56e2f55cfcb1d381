"""The operator's own prompts: files in one directory, named by their ids.

A prompt that an application names (`welcome`) is the file `welcome.wav`, `welcome.mp3`... that somebody put here, by
`tandem prompt add` or by hand.  A file is decoded once when it is added, so that a caller never learns first that it is
none.  It is written beside and renamed: a call hears the old file or the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.speech.audio import decode_untrusted, format_of
from gateway.speech.port import RATE_HZ, BadSound, NoSuchPrompt, TooLong

__all__ = ["SUFFIXES", "Library", "StoredPrompt"]

SUFFIXES: Final = (
    *(
        ".wav",
        ".wave",
        ".mp1",
        ".mp2",
        ".mp3",
        ".mp4",
        ".mpa",
        ".m4a",
        ".m4b",
        ".m4p",
        ".m4v",
        ".m4r",
        ".aac",
    ),
    *(".3gp", ".aiff", ".aif", ".aifc", ".gsm", ".ogg", ".opus", ".flac"),
)
"""Of files that are prompts."""
_MOST_BYTES: Final = 32 << 20
_ID: Final = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
_HALF: Final = ".part"


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """One file."""

    id: str
    path: Path
    size_bytes: int


class Library:
    """The prompts of one directory, read afresh each time: files may come and go by hand."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made by the first `add`."""
        self._directory: Final = directory

    def all(self) -> list[StoredPrompt]:
        """Return all prompts, by id."""
        return sorted(self._files(), key=lambda prompt: prompt.id)

    def find(self, name: str) -> StoredPrompt:
        """Return the prompt with that id; case counts only if two differ in nothing else.  Raises NoSuchPrompt."""
        known = self.all()
        exact = [prompt for prompt in known if prompt.id == name]
        alike = exact or [prompt for prompt in known if prompt.id.casefold() == name.casefold()]
        if not alike:
            raise NoSuchPrompt(f"there is no prompt {name!r}")
        return alike[0]

    def read(self, name: str) -> tuple[bytes, str]:
        """Return a prompt's bytes and kind, as `decode_untrusted` wants them.  Raises NoSuchPrompt."""
        prompt = self.find(name)
        try:
            return prompt.path.read_bytes(), format_of(prompt.path.name)
        except OSError as error:
            raise NoSuchPrompt(f"the prompt {name!r} cannot be read: {error.strerror}") from None

    def add(self, name: str, source: Path) -> float:
        """Keep a copy of the file `source` under the id `name`, in place of what was there; return its seconds.

        Raises:
            BadSound: an id or a file that is none.
            TooLong: more bytes or seconds than a prompt may have.
        """
        if not _ID.fullmatch(name):
            raise BadSound(
                f"{name!r} is no id: letters, digits, '.', '_' and '-', at most 64, none of the signs first"
            )
        data, suffix = _read(source), source.suffix.lower()
        seconds = decode_untrusted(data, format_of(source.name)).size / RATE_HZ
        self._directory.mkdir(parents=True, exist_ok=True)
        half = self._directory / f"{name}{suffix}{_HALF}"
        half.write_bytes(data)
        path = half.rename(self._directory / f"{name}{suffix}")
        for old in self._files():
            if old.id == name and old.path != path:
                old.path.unlink(missing_ok=True)
        return seconds

    def remove(self, name: str) -> None:
        """Take the prompt away.  Raises NoSuchPrompt."""
        self.find(name).path.unlink(missing_ok=True)

    def _files(self) -> Iterator[StoredPrompt]:
        for path in self._directory.glob("*"):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield StoredPrompt(path.stem, path, path.stat().st_size)


def _read(source: Path) -> bytes:
    if source.suffix.lower() not in SUFFIXES:
        raise BadSound(f"{source.name} is of no kind that is played: {' '.join(SUFFIXES)}")
    try:
        with source.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadSound(f"{source} cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise TooLong(f"{source.name} has more than {_MOST_BYTES >> 20} MB")
    return data
