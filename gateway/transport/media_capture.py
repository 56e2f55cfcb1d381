"""What a media process has on the wire, for a capture file: a ring, and the process that empties it.

The loop's tap copies each datagram into the ring; that is all a packet pays for it, and without a capture it pays a
branch.  The drain (`gateway.observe.trace.drain`) is another process, started before real-time priority is asked for:
it may wait for a disk.  It outlives us by as much as it takes to write what the ring holds.

The ring is a memfd, so that what was captured is not gone with whoever captured it.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from typing import Final, Self

from gateway.errors import LocalError
from gateway.transport.media_io import CAPTURE_HEAD_BYTES, MediaIo

__all__ = ["MediaCapture"]

RING_BYTES: Final = 32 << 20
"""A third of a second of 1,000 calls of G.711, both directions of both legs."""
_DRAIN: Final = (sys.executable, "-P", "-m", "gateway.observe.trace.drain")
_PATIENCE_S: Final = 2.0
"""How long we wait at our end for the drain's."""


class MediaCapture:
    """A ring that is being emptied into a file."""

    def __init__(
        self, io: MediaIo, path: str, *, announced: str, max_bytes: int, ring_bytes: int = RING_BYTES
    ) -> None:
        """Begin; call before any row is attached.

        Raises:
            LocalError: these sockets cannot be captured, or no process can be started.
        """
        descriptor = _memory_of(CAPTURE_HEAD_BYTES + ring_bytes)
        try:
            io.capture(memoryview(mmap.mmap(descriptor, 0)), announced)
            self._drain = subprocess.Popen(
                (*_DRAIN, str(descriptor), path, str(max_bytes)),
                pass_fds=(descriptor,),
                stdin=subprocess.PIPE,
            )
        except OSError as error:
            raise LocalError(f"no capture of media: {error.strerror}") from None
        finally:
            os.close(descriptor)

    @classmethod
    def asked_for(cls, io: MediaIo) -> Self | None:
        """Return what the environment asks for, already begun; None = nothing.

        Raises:
            LocalError: as above.
        """
        path = os.environ.get("TANDEM_MEDIA_CAPTURE")
        if not path:
            return None
        return cls(
            io,
            path,
            announced=os.environ.get("TANDEM_MEDIA_ADVERTISED", "127.0.0.1"),
            max_bytes=int(os.environ.get("TANDEM_MEDIA_CAPTURE_MB", "1000")) * 1_000_000,
        )

    def close(self) -> None:
        """Let the drain write what is left; a disk that takes longer does not keep us."""
        assert self._drain.stdin is not None  # a pipe was asked for
        self._drain.stdin.close()
        try:
            self._drain.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            pass


def _memory_of(n_bytes: int) -> int:
    """Return a descriptor of so much memory that another process can map."""
    if not hasattr(os, "memfd_create"):
        raise LocalError("no capture of media: this system has no memfd")
    descriptor = os.memfd_create("tandem-capture")
    os.truncate(descriptor, n_bytes)
    return descriptor
