"""The last messages on disk: two capture files, of which the older is thrown away when the newer is full.

`tandem trace` reads them, also after the switch has ended.  Writes are gathered and go out a few times a second, so
that a busy switch pays for bytes and not for calls of the system.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gateway.observe.trace.message import Traced, without_secrets
from gateway.observe.trace.pcap import HEADER, pcap_record

__all__ = ["TraceRing", "ring_files"]

_NEW: Final = "trace.pcap"
_OLD: Final = "trace.1.pcap"
_GATHERED_BYTES: Final = 256 << 10
"""More than that is not kept in memory."""


def ring_files(folder: Path) -> list[Path]:
    """Return the files of a ring that are there, the older first."""
    return [path for path in (folder / _OLD, folder / _NEW) if path.exists()]


class TraceRing:
    """At most `max_bytes` in `folder`."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.lost = 0
        """Messages that the disk did not take."""
        self._folder = folder
        self._file_bytes = max_bytes // 2
        self._gathered: list[bytes] = []
        self._bytes = 0

    def write(self, message: Traced) -> None:
        """Take one message; it is on disk after the next `flush`."""
        data = without_secrets(message.data)
        record = pcap_record(message.at, message.source, message.destination, data)
        self._gathered.append(record)
        self._bytes += len(record)
        if self._bytes >= _GATHERED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered; a disk that is full costs the messages, not the call."""
        if not self._gathered:
            return
        data, count = b"".join(self._gathered), len(self._gathered)
        self._gathered, self._bytes = [], 0
        try:
            self._append(data)
        except OSError:
            self.lost += count

    def _append(self, data: bytes) -> None:
        new = self._folder / _NEW
        fd = os.open(new, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            os.write(fd, data if size else HEADER + data)
        finally:
            os.close(fd)
        if size + len(data) >= self._file_bytes:
            new.replace(self._folder / _OLD)
