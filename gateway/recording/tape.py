"""One recording under way: two rings on one side, a file on the other.

What waits in both rings is taken in equal lengths, so caller and callee stay as they were to each other: both rings
got their samples in the same ticks.  The file is as long as the time that its rings have told: what a full ring has
lost, because we were held up for two seconds, and what a recorder before us had read and not written when it was
killed, is silence.

A recording ends when the switch has said so and nothing has come for a moment, when the switch is gone and nothing has
come for five seconds, when its rings carry somebody else's sound, or when the file cannot be written.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.media.ring import Rings
from gateway.recording.formats import SoundFile
from gateway.recording.port import NO_RING, Order

__all__ = ["RATE_HZ", "Tape", "mixed"]

RATE_HZ: Final = 8000
QUIET_S: Final = 0.25
"""Nothing came for so long after it was told to end: that was all."""
LINGER_S: Final = 2.0
"""A recording that was told to end does so by then, whatever still comes."""
ORPHAN_S: Final = 5.0


class Tape:
    """Takes from the rings of an order and writes to its file."""

    def __init__(self, order: Order, rings: Rings, file: SoundFile, now: float) -> None:
        """`now` is in monotonic seconds."""
        self.order: Final = order
        self._rings: Final = rings
        self._file: Final = file
        self._tracks: Final = [ring for ring in (order.said, order.heard) if ring != NO_RING]
        self._generations: Final = [rings.generation(ring) for ring in self._tracks]
        if order.resumed:
            self._align()
        self._before = self._position() + self._lost() if order.resumed and file.n_frames == 0 else 0
        """Samples that a recorder before us has written, where the file cannot tell."""
        self._heard_at = now
        self._told_at: float | None = None
        self.orphaned = False
        """The switch that ordered it is gone."""
        self.fault = ""
        """Why it cannot go on."""

    @property
    def duration_s(self) -> float:
        """How long it is by now."""
        return self._n_frames / RATE_HZ

    @property
    def _n_frames(self) -> int:
        return self._before + self._file.n_frames

    def end(self, now: float) -> None:
        """Take it that no more is to come."""
        self._told_at = now

    def drain(self, now: float) -> None:
        """Write what has come."""
        if [self._rings.generation(ring) for ring in self._tracks] != self._generations:
            self.fault = "its rings were given to another recording"
            return
        lost = self._lost()  # before what waits is taken: more may be lost meanwhile
        n = min(self._rings.available(ring) for ring in self._tracks)
        missing = max(0, self._position() + lost - self._n_frames)
        if n + missing == 0:
            return
        self._heard_at = now
        tracks = [self._rings.read(ring, n) for ring in self._tracks]
        silence = np.zeros(missing, np.int16)
        try:
            self._file.write(self._arranged([np.concatenate([track, silence]) for track in tracks]))
        except OSError as error:
            self.fault = error.strerror or str(error)

    def over(self, now: float) -> str | None:
        """Return why it has ended; None while it has not."""
        if self.fault:
            return self.fault
        if self._told_at is not None and (
            now - max(self._heard_at, self._told_at) >= QUIET_S or now - self._told_at >= LINGER_S
        ):
            return "stopped"
        if self.orphaned and now - self._heard_at >= ORPHAN_S:
            return "the switch is gone"
        return None

    def close(self) -> None:
        """Complete the file; a fault of that is noted as one."""
        try:
            self._file.close()
        except OSError as error:
            self.fault = self.fault or error.strerror or str(error)

    def _align(self) -> None:
        """Take up the tracks where the one is of which most was read: its reader was killed between them."""
        latest = max(self._rings.position(ring) for ring in self._tracks)
        for ring in self._tracks:
            self._rings.read(ring, latest - self._rings.position(ring))

    def _position(self) -> int:
        return self._rings.position(self._tracks[0])

    def _lost(self) -> int:
        return max(self._rings.dropped(ring) for ring in self._tracks)

    def _arranged(self, tracks: list[NDArray[np.int16]]) -> NDArray[np.int16]:
        """Return int16 [n, channels]."""
        if self.order.channels == len(tracks):
            return np.stack(tracks, axis=1)
        return mixed(tracks)[:, None]


def mixed(tracks: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Return the sum of int16 [n] each, limited once: int16 [n]."""
    total = np.sum(tracks, axis=0, dtype=np.int32)
    return np.clip(total, -32768, 32767).astype(np.int16)
