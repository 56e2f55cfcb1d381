"""One switch a data directory: a lock that the kernel opens when its holder ends, however it ends.

Two switches with one directory would take each other's calls up and write into each other's records.  The file
`lock` stays behind, it only says who held it last; what counts is `flock` on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LOCK_FILE", "DataInUse", "locked_data"]

LOCK_FILE = "lock"


class DataInUse(Exception):
    """Another switch has the directory; the text names it and the cure."""


@contextlib.contextmanager
def locked_data(directory: Path) -> Iterator[None]:
    """Hold the data directory while the block runs; it is made if it is not there yet.

    Raises:
        DataInUse: another process holds it.
        OSError: the file cannot be made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(_in_words(directory, os.read(descriptor, 32))) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        yield
    finally:
        os.close(descriptor)


def _in_words(directory: Path, holder: bytes) -> str:
    pid = holder.decode("ascii", errors="replace").strip() or "unknown"
    return (
        f"{directory} is in use by another `tandem serve` (process {pid}); "
        "end that one, or give this one a directory of its own: --data DIR"
    )
