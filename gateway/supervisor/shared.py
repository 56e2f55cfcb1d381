"""What must outlive every child: the ledger, the control socket, the lifeline.

- The **ledger** is anonymous shared memory (a memfd) in which the media process keeps what nobody may forget:
  next sequence number, SSRC, latched address.  A restarted media process maps the same pages.
- The **control socket** listens for the switch.  It is ours, so a switch that connects while there is no
  media process waits in the backlog instead of failing.
- The **lifeline** is a pipe nobody writes to.  The children hold its read end; when the supervisor dies,
  however it dies, the kernel closes the write end and they read its end.

All of it is gone when `Shared` is closed: memory and pipe have no name, and the socket stands in a private
directory.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType

__all__ = ["LEDGER_BYTES", "Shared", "raise_descriptor_limit"]

LEDGER_BYTES = 8192 * 512
"""8,192 rows of 512 bytes."""
MOST_DESCRIPTORS = 1 << 20
"""Where a hard limit says "infinite", this is enough."""
SOCKET_PATH_BYTES = 100
"""Unix socket paths are limited to 104 (macOS) or 108 bytes."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one and return it; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS says infinite and means kern.maxfilesperproc
            return soft
    return wanted


class Shared:
    """The descriptors that every child inherits, and the directory of the control socket."""

    def __init__(self) -> None:
        self.ledger = _anonymous_memory(LEDGER_BYTES)
        self.lifeline, self._lifeline_write_end = os.pipe()
        self._directory = Path(_private_directory())
        self.socket_path = self._directory / "media"
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.bind(str(self.socket_path))
        self.control.listen(16)

    def __enter__(self) -> Shared:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close everything and remove the directory."""
        self.control.close()
        for descriptor in (self.ledger, self.lifeline, self._lifeline_write_end):
            os.close(descriptor)
        shutil.rmtree(self._directory, ignore_errors=True)


def _anonymous_memory(n_bytes: int) -> int:
    """Return a descriptor of `n_bytes` zeros that have no name in any file system that lasts."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("tandem-ledger", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    os.ftruncate(memory, n_bytes)
    return memory


def _private_directory() -> str:
    """Make a directory (0700) whose path leaves room for a socket's name."""
    directory = tempfile.mkdtemp(prefix="tandem-")
    if len(os.fsencode(directory)) > SOCKET_PATH_BYTES - len("/media"):
        os.rmdir(directory)
        directory = tempfile.mkdtemp(prefix="tandem-", dir="/tmp")
    return directory
