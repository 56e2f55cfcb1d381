"""PCM by media time, and the order to put it there.

`Track` is a growing recording: sound is written at its position, and where nothing was written there is
silence.  So a lost packet is heard as the gap it was, and everything after it stays at its time.

`Reorder` hands packets on in sequence.  A packet whose predecessors are missing waits for them at most
`WAIT_S`; what then still is missing is lost.  Decoders with state (G.729, iLBC) need that order.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.lab.phone.receiver import Placed

__all__ = ["WAIT_S", "Pcm", "Reorder", "Track"]

Pcm = npt.NDArray[np.int16]

WAIT_S: Final = 0.040
_LIMIT_S: Final = 3 * 3600


class Track:
    """A recording that grows: int16 samples by position; at most three hours are kept."""

    def __init__(self, *, rate_hz: int = 8000) -> None:
        self.rate_hz = rate_hz
        self.n_samples = 0
        self._buffer: Pcm = np.zeros(10 * rate_hz, np.int16)

    def write(self, position: int, pcm: Pcm) -> None:
        """Put `pcm` (int16 [n]) at `position`; what lies before 0 or beyond the limit is left out."""
        pcm, position = pcm[max(0, -position) :], max(0, position)
        end = position + len(pcm)
        if end > _LIMIT_S * self.rate_hz:
            return
        if end > len(self._buffer):
            self._buffer = np.concatenate([self._buffer, np.zeros(max(end, len(self._buffer)), np.int16)])
        self._buffer[position:end] = pcm
        self.n_samples = max(self.n_samples, end)

    def read(self, position: int, n_samples: int) -> Pcm:
        """Return int16 [n_samples] from `position` on; silence where nothing was written."""
        out = np.zeros(n_samples, np.int16)
        begin, end = max(position, 0), min(position + n_samples, self.n_samples)
        if begin < end:
            out[begin - position : end - position] = self._buffer[begin:end]
        return out

    def pcm(self) -> Pcm:
        """Return a copy of everything, int16 [n_samples]."""
        return self._buffer[: self.n_samples].copy()


class Reorder:
    """Packets in order of their index, none twice, none later than `WAIT_S` allows."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, tuple[Placed, float]] = {}
        self.n_late = 0
        """Packets that came after their turn was given up."""

    def put(self, placed: Placed, now: float) -> list[Placed]:
        """Take a packet and return those whose turn it is."""
        if placed.breaks:  # nothing of the old stream will come any more
            ready = [self._waiting.pop(index)[0] for index in sorted(self._waiting)]
            self._next = placed.index + 1
            return [*ready, placed]
        if self._next is None:
            self._next = placed.index
        if placed.index < self._next:
            self.n_late += 1
            return []
        self._waiting[placed.index] = (placed, now)
        return self.due(now)

    def due(self, now: float) -> list[Placed]:
        """Return what is in order, giving up what has been waited for long enough."""
        ready: list[Placed] = []
        while self._waiting and self._next is not None:
            if self._next not in self._waiting:
                if now - min(since for _, since in self._waiting.values()) < WAIT_S:
                    break
                self._next = min(self._waiting)
            ready.append(self._waiting.pop(self._next)[0])
            self._next += 1
        return ready
