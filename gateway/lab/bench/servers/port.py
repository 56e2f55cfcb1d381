"""What every measured server offers, and how it is run: on a core of its own, ahead of ordinary work."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

__all__ = ["PAYLOAD_TYPES", "START_S", "MediaServer", "cpu_seconds", "end", "pinned_to"]

PAYLOAD_TYPES: Final = {"pcmu": 0, "pcma": 8, "g729": 18, "ilbc": 97}
"""Of the benches' calls; iLBC has 20 ms frames."""
START_S: Final = 20.0
_END_S: Final = 5.0


class MediaServer(Protocol):
    """Something that bridges RTP, or mixes it."""

    name: str
    pid: int

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Set up one call for each pair of phone ports; returns where each of the two phones must send."""
        ...

    def rooms(self, codec: str, rooms: Sequence[Sequence[int]]) -> list[list[int]]:
        """Set up one room for each list of phone ports; returns where each of its phones must send."""
        ...

    def clear(self) -> None:
        """End all calls and rooms."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pinned_to(core: int) -> Callable[[], None]:
    """Return what pins a server to a core, ahead of ordinary work where the machine lets us: the same for each.

    Not in real time: the kernel takes 5 % from whoever needs a whole core, and a peer did not ask for that.
    """

    def prefer() -> None:
        os.sched_setaffinity(0, {core})
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -20)

    return prefer


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, then make it."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
