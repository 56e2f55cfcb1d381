"""Messages of SIP into a capture file: gathered, and written by whoever may wait for a disk.

A switch hands over each message in the midst of its work, so `write` only formats it.  `flush` is called a few dozen
times a second from a thread: a slow disk costs memory up to a bound, then messages, and never a call.
"""

from __future__ import annotations

import contextlib
from typing import Final

from gateway.errors import LocalError
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.message import Traced, without_secrets
from gateway.observe.trace.pcap import pcap_record

__all__ = ["CaptureSink"]

_GATHERED_BYTES: Final = 4 << 20
"""More than that is not kept in memory."""


class CaptureSink:
    """Gathers messages for one file."""

    def __init__(self, file: CaptureFile, *, secrets: bool) -> None:
        """`secrets` = write digests and keys as they are; else they are masked."""
        self.lost = 0
        """Messages that found no room, in memory or on the disk."""
        self._file = file
        self._secrets = secrets
        self._gathered: list[bytes] = []
        self._bytes = 0

    def prepare(self) -> None:
        """Mend the file; if that cannot be now, messages may still find their way later."""
        with contextlib.suppress(LocalError):
            self._file.prepare()

    def write(self, message: Traced) -> None:
        """Take one message; it is on disk after the next `flush`."""
        data = message.data if self._secrets else without_secrets(message.data)
        record = pcap_record(message.at, message.source, message.destination, data)
        if self._bytes + len(record) > _GATHERED_BYTES:
            self.lost += 1
            return
        self._gathered.append(record)
        self._bytes += len(record)

    def flush(self) -> None:
        """Write what was gathered; a disk that is full costs the messages, not the call."""
        gathered, self._gathered, self._bytes = self._gathered, [], 0
        if not gathered:
            return
        try:
            self._file.append(b"".join(gathered))
        except OSError:
            self.lost += len(gathered)
