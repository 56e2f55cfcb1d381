"""A capture file that several processes append to, bounded: two files, of which the older is thrown away.

    call.pcap       the newest
    call.1.pcap     what came before it

Who appends holds a lock on the file (flock) and brings whole records: so they never mix, whoever writes first writes
the file's head, and one of them alone moves a full file aside.  Append what was gathered for a while, not message by
message.  A process that is killed in the midst of it leaves half a record, which whoever prepares the file next cuts
off.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.errors import LocalError
from gateway.observe.trace.pcap import HEADER, whole_bytes

__all__ = ["CaptureFile", "older"]


def older(path: Path) -> Path:
    """Return where a full file is moved to.

    >>> older(Path("call.pcap"))
    PosixPath('call.1.pcap')
    """
    return path.with_name(f"{path.stem}.1{path.suffix}")


class CaptureFile:
    """At most about `max_bytes` in `path` and the older file beside it, readable by their owner only."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path: Final = path
        self._file_bytes = max_bytes // 2

    def prepare(self) -> None:
        """Make the file if it is not there, and cut off what a killed process has left half written.

        Raises:
            LocalError: it cannot be written, or is another kind of file.
        """
        try:
            with self._locked() as fd:
                self._mend(fd)
        except OSError as error:
            raise LocalError(f"cannot write {self.path}: {error.strerror}") from None

    def append(self, records: bytes) -> None:
        """Append whole records; the disk is waited for.

        Raises:
            OSError: the disk is full, or gone; nothing was written.
        """
        with self._locked() as fd:
            size = os.fstat(fd).st_size
            data = records if size else HEADER + records
            written = os.write(fd, data)
            if written < len(data):
                os.ftruncate(fd, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if size + written >= self._file_bytes:
                self.path.replace(older(self.path))

    def _mend(self, fd: int) -> None:
        size = os.fstat(fd).st_size
        if size == 0:
            os.write(fd, HEADER)
            return
        head = os.pread(fd, len(HEADER), 0)
        if head != HEADER[: len(head)]:
            raise LocalError(f"{self.path} is there and is no capture file of ours: choose another name")
        whole = whole_bytes(self.path)
        if whole < size:
            os.ftruncate(fd, whole)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file and lock it; one that was moved aside in between is opened anew."""
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if self._is_still_there(fd):
                    yield fd
                    return
            finally:
                os.close(fd)

    def _is_still_there(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self.path.stat())
        except FileNotFoundError:
            return False
