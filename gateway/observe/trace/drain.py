"""A process that empties a media process's ring into a capture file: `python -m gateway.observe.trace.drain`.

The ring (native/plane/capture.h) is memory that both map.  It holds records as they stand in the file, so there is
nothing to do but copy, and no disk is slow enough to delay a packet: a full ring costs packets of the capture, which
are counted, and none of the call.

Standard input is a pipe that the media process holds open.  When it ends, the media process has ended, be it by
SIGKILL; what is in the ring is written then, and the drain ends too.  Signals do not reach it: a terminal or a service
manager sends them to everybody, and the drain has the last words of others to write.

Media waits in the ring for one round before it is written: the messages that announce a stream come first.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

import structlog

from gateway.errors import LocalError
from gateway.observe.logs import configure
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.pcap import records_of

if TYPE_CHECKING:
    from gateway.switch.ports import EventLog  # a drain needs nothing else of a switch

__all__ = ["Drain", "Ring", "main"]

HEAD_BYTES: Final = 192
_LINE: Final = 8
"""`struct capture_head` has a cache line for each side: so many words."""
ROUND_S: Final = 0.2
_CROWDED_SHARE: Final = 4
"""A ring that is full to this part is emptied at once."""
_Level = Literal["debug", "info", "warning", "error"]
_Form = Literal["auto", "console", "json"]


class Ring:
    """The reader's view of `struct capture_head` and the bytes behind it."""

    def __init__(self, memory: memoryview) -> None:
        self._words = memory[:HEAD_BYTES].cast("Q")
        self._bytes = memory[HEAD_BYTES:]
        self.size: Final = self._words[0]

    @property
    def tail(self) -> int:
        """How many bytes were taken so far."""
        return self._words[_LINE]

    @property
    def head(self) -> int:
        """How many bytes of whole records were written so far."""
        return self._words[2 * _LINE]

    @property
    def packets(self) -> int:
        """How many packets were written."""
        return self._words[2 * _LINE + 1]

    @property
    def lost(self) -> int:
        """How many found no room."""
        return self._words[2 * _LINE + 2]

    def until(self, position: int) -> bytes:
        """Return what was written up to `position` and not taken yet."""
        begin, n = self.tail % self.size, position - self.tail
        first = bytes(self._bytes[begin : min(self.size, begin + n)])
        return first + bytes(self._bytes[: n - len(first)])

    def free(self, position: int) -> None:
        """Give the room of all before `position` back."""
        self._words[_LINE] = position


class Drain:
    """From one ring to one file."""

    def __init__(self, ring: Ring, file: CaptureFile, log: EventLog) -> None:
        self._ring: Final = ring
        self._file: Final = file
        self._log: Final = log
        self._unwritten = 0
        """Packets that the disk did not take."""
        self._was_there = ring.head

    def round(self, *, last: bool = False) -> None:
        """Write what was there a round ago; all of it if it is the last round, or little room is left."""
        ring, head = self._ring, self._ring.head
        crowded = (head - ring.tail) * _CROWDED_SHARE > ring.size
        self._write(head if last or crowded else self._was_there)
        self._was_there = head

    def _write(self, until: int) -> None:
        records = self._ring.until(until)
        if not records:
            return
        try:
            self._file.append(records)
        except OSError as error:
            self._unwritten += sum(1 for _ in records_of(records, 0))
            self._log.warning("capture.failed", file=str(self._file.path), reason=error.strerror)
        self._ring.free(until)

    def end(self) -> None:
        """Write what is left and say what there was."""
        self.round(last=True)
        self._log.info(
            "capture.ended",
            file=str(self._file.path),
            packets=self._ring.packets - self._unwritten,
            lost=self._ring.lost + self._unwritten,
        )


def _until_the_pipe_ends(drain: Drain, pipe: int) -> None:
    while not select.select([pipe], [], [], ROUND_S)[0]:
        drain.round()
    drain.end()


def main() -> None:
    """Drain the ring that the command line names: its descriptor, the file, and how many bytes that may have."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    descriptor, path, max_bytes = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    level, form = os.environ.get("TANDEM_LOG__LEVEL", "info"), os.environ.get("TANDEM_LOG__FORMAT", "auto")
    configure(level=cast("_Level", level), form=cast("_Form", form))  # `tandem serve` has read them
    log = structlog.get_logger()
    file = CaptureFile(path, max_bytes)
    try:
        file.prepare()
    except LocalError as error:  # a disk that is full now need not be so later
        log.warning("capture.failed", file=str(path), reason=str(error))
    ring = Ring(memoryview(mmap.mmap(descriptor, 0)))
    _until_the_pipe_ends(Drain(ring, file, log), sys.stdin.fileno())


if __name__ == "__main__":
    main()
