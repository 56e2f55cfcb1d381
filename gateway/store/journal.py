"""A file that takes what the database cannot take now: lines, on the disk when `append` returns.

It is empty nearly always.  When the database is locked or gone, what a client is to be told is written here instead,
within a tenth of a second; when the database has caught up, the file is emptied.  What stands in it at a start is
applied before anything else.  A line that a power cut tore has no end, and nobody was told of it.

The calls block (they wait for the disk): they belong in a thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from gateway import failpoints

__all__ = ["Journal"]


class Journal:
    """The file at `path`, which need not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._one = threading.Lock()
        """A thread may still be appending when the store is closed."""

    @property
    def used(self) -> bool:
        """Something stands in it."""
        return self._path.exists() and self._path.stat().st_size > 0

    def lines(self) -> list[bytes]:
        """Return the whole lines in order."""
        try:
            written = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return written.split(b"\n")[:-1]

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines.  When this returns they survive a power cut.

        Raises:
            OSError: the disk is full or broken.
        """
        with self._one:
            file = self._open()
            failpoints.passing("journal.before_sync")
            length = os.fstat(file).st_size
            try:
                _write(file, b"".join(line + b"\n" for line in lines))
                os.fsync(file)
            except OSError:
                os.ftruncate(file, length)  # half a line would spoil the next one
                raise
            failpoints.passing("journal.synced")

    def clear(self) -> None:
        """Forget everything: the database has it.  Should the lines come back, they do no harm."""
        with self._one:
            os.ftruncate(self._open(), 0)
        failpoints.passing("journal.cleared")

    def close(self) -> None:
        """Close the file."""
        with self._one:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._tear_off()
            _sync_directory(self._path.parent)
        return self._file

    def _tear_off(self) -> None:
        """Cut off what a crash left of a last line."""
        assert self._file is not None
        written = self._path.read_bytes()
        os.ftruncate(self._file, written.rfind(b"\n") + 1)


def _write(file: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(file, data[written:])


def _sync_directory(path: Path) -> None:
    """Have the disk know the file's name."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
