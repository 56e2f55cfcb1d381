"""What must outlive every child: ledgers, control sockets, the lifeline.

- A **ledger** is anonymous shared memory (a memfd) in which a media worker keeps what nobody may forget:
  next sequence number, SSRC, latched address.  A restarted media process maps the same pages.
- The **call memory** is another one, in which the switch notes what its successor needs to take its calls up.
- The **rings** are a third one, by which sound travels between all processes (`gateway.media.ring`).
- A **control socket** listens for the switch, one for each media worker and each helper.  It is ours, so a
  switch that connects while there is no process waits in the backlog instead of failing.
- The **lifeline** is a pipe nobody writes to.  The children hold its read end; when the supervisor dies,
  however it dies, the kernel closes the write end and they read its end.

All of it is gone when `Shared` is closed: memory and pipe have no name, and the sockets stand in a private
directory.  Whoever is killed cannot tidy up, so the next supervisor does it: the directory of a living one is
locked (`flock`, which the kernel undoes with the process) before a socket stands in it, and sockets in
directories that nobody locks are removed.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

__all__ = [
    "CALLS_BYTES",
    "LEDGER_BYTES",
    "RINGS_BYTES",
    "HelperShare",
    "Shared",
    "WorkerShare",
    "raise_descriptor_limit",
]

LEDGER_BYTES = 16 << 20
"""Room for more rows than one process can serve; pages that nobody touches cost nothing."""
CALLS_BYTES = 65 << 20
"""Room for the switch's notes on its calls: 4096 of 16 KiB; of these too only what is touched costs anything."""
RINGS_BYTES = 33 << 20
"""Room for 1024 rings of two seconds; a test compares it with what `gateway.media.ring` wants."""
MOST_DESCRIPTORS = 1 << 20
"""Where a hard limit says "infinite", this is enough."""
SOCKET_PATH_BYTES = 100
"""Unix socket paths are limited to 104 (macOS) or 108 bytes."""
PREFIX = "tandem-"
SOCKET_PREFIX = "media-"
HELPER_PREFIX = "helper-"


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


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What outlives the processes of one media worker."""

    socket_path: Path
    control: socket.socket
    ledger: int
    """A descriptor of `LEDGER_BYTES` of shared memory."""

    def close(self) -> None:
        """Forget it all."""
        self.control.close()
        os.close(self.ledger)


@dataclass(frozen=True, slots=True)
class HelperShare:
    """What outlives the processes of one helper."""

    socket_path: Path
    control: socket.socket


class Shared:
    """The descriptors that children inherit, and the directory of the control sockets."""

    def __init__(self, workers: int = 1, helpers: Iterable[str] = ()) -> None:
        """`helpers` are the names of further programs that listen."""
        worker_names = [f"{SOCKET_PREFIX}{n + 1}" for n in range(workers)]
        helper_names = {name: f"{HELPER_PREFIX}{name}" for name in helpers}
        self._directory = Path(_private_directory((*worker_names, *helper_names.values())))
        self._lock = _locked(self._directory)
        _remove_orphans(self._directory)
        self.lifeline, self._lifeline_write_end = os.pipe()
        self.calls = _anonymous_memory(CALLS_BYTES)
        self.rings = _anonymous_memory(RINGS_BYTES)
        self.workers = tuple(_share(self._directory / name) for name in worker_names)
        paths = {name: self._directory / socket_name for name, socket_name in helper_names.items()}
        self.helpers = {name: HelperShare(path, _listening(path)) for name, path in paths.items()}

    def __enter__(self) -> Shared:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def socket_paths(self) -> tuple[Path, ...]:
        """Return where the switch reaches each worker."""
        return tuple(share.socket_path for share in self.workers)

    def close(self) -> None:
        """Close everything and remove the directory."""
        for share in self.workers:
            share.close()
        for helper in self.helpers.values():
            helper.control.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        for descriptor in (self.lifeline, self._lifeline_write_end, self.calls, self.rings, self._lock):
            os.close(descriptor)


def _share(path: Path) -> WorkerShare:
    return WorkerShare(path, _listening(path), _anonymous_memory(LEDGER_BYTES))


def _listening(path: Path) -> socket.socket:
    """Return a socket that listens at `path`."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(str(path))
    control.listen(16)
    return control


def _anonymous_memory(n_bytes: int) -> int:
    """Return a descriptor of `n_bytes` zeros that have no name in any file system that lasts."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("tandem-ledger", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    os.ftruncate(memory, n_bytes)
    return memory


def _private_directory(names: Iterable[str]) -> str:
    """Make a directory (0700) whose path leaves room for these sockets' names."""
    directory = tempfile.mkdtemp(prefix=PREFIX)
    if len(os.fsencode(directory)) + len("/") + max(map(len, names), default=0) > SOCKET_PATH_BYTES:
        os.rmdir(directory)
        directory = tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")
    return directory


def _locked(directory: Path) -> int:
    """Return a descriptor that locks a directory for as long as it is open.

    Raises:
        BlockingIOError: somebody else has it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_orphans(ours: Path) -> None:
    """Remove what supervisors that were killed have left beside `ours`."""
    for directory in ours.parent.glob(f"{PREFIX}*"):
        if directory == ours or not _is_full_of_sockets(directory):
            continue
        try:
            os.close(_locked(directory))
        except OSError:  # a living supervisor's, another user's, or gone meanwhile
            continue
        shutil.rmtree(directory, ignore_errors=True)


def _is_full_of_sockets(directory: Path) -> bool:
    """Say whether a directory holds our control sockets and nothing else: then nobody can miss it."""
    try:
        found = list(directory.iterdir())
    except OSError:
        return False
    return bool(found) and all(
        one.is_socket() and one.name.startswith((SOCKET_PREFIX, HELPER_PREFIX)) for one in found
    )
