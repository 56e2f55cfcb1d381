"""The recorders of a switch that runs on this machine, read from beside it.

A media process keeps its recorder in memory that has a name and no file (memfd).  Whoever the kernel lets look at that
process - its own account, and root - finds the memory under /proc and reads it while the process goes on: nothing is
asked of it, so taking a flight costs the calls nothing, and there is no door that somebody else could use.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.media.flight import MEMORY_NAME, capacity_of
from gateway.media.flight_log import Flight, Record, legs_in, read_ring, select

__all__ = ["LiveRecorder", "live_recorders", "take_flight"]

_LINK: Final = f"/memfd:{MEMORY_NAME}"


@dataclass(frozen=True, slots=True)
class LiveRecorder:
    """What one media process has recorded by now."""

    pid: int
    capacity: int
    records: list[Record]

    def legs(self) -> tuple[LegId, ...]:
        """Return the legs that it has."""
        return legs_in(self.records)


def live_recorders(processes: Path = Path("/proc")) -> list[LiveRecorder]:
    """Return the recorders of all media processes that we may look at.

    Raises:
        LocalError: there is none, or those that are there are another build's.
    """
    found, strange = [], None
    for path in _memories(processes):
        try:
            found.append(_read(path))
        except LocalError as error:
            strange = error
    if not found:
        raise strange or LocalError(
            "no flight recorder runs here: `[media] flight_mb = 64` turns it on, "
            "and only the account that runs Tandem may read it"
        )
    return found


def take_flight(leg: LegId, recorders: list[LiveRecorder]) -> tuple[Flight, int]:
    """Return the flight of a leg, and the capacity of the plane it was on.

    Raises:
        LocalError: nobody has recorded it.
    """
    for recorder in recorders:
        if leg in recorder.legs():
            return select(recorder.records, leg), recorder.capacity
    raise LocalError(f"no flight recorder here has anything of leg {leg}: `tandem replay --legs` lists them")


def _memories(processes: Path) -> Iterator[Path]:
    """Yield the descriptors of recorders, each memory once."""
    seen: set[int] = set()
    for folder in processes.glob("[0-9]*/fd"):
        try:
            for path in folder.iterdir():
                if os.readlink(path).startswith(_LINK):
                    inode = path.stat().st_ino
                    if inode not in seen:
                        seen.add(inode)
                        yield path
        except OSError:  # it has ended, or is not ours to look at
            continue


def _read(path: Path) -> LiveRecorder:
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            view = memoryview(memory)
            try:
                return LiveRecorder(int(path.parts[-3]), capacity_of(view), read_ring(view))
            finally:
                view.release()
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror or error}") from error
