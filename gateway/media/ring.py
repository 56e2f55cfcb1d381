"""PCM between processes: one table of rings in memory that outlives them all.

Speech is made in one process and heard by way of another; a recording is heard in one and written in another.  Each
such stream has a ring of two seconds, at 8 kHz, in a table that every process maps (the supervisor makes it, and each
inherits `TANDEM_RINGS_FD`).  In virtual time the same table lies in a bytearray.

A ring has one producer and one consumer.  Both count samples from the ring's opening and never wrap: `written` is the
producer's, `read` the consumer's, and their difference is what waits.  As positions lie in the shared memory, a
consumer that is killed is followed by one that reads on where it was; and `generation` tells one use of a ring from the
next, so that nobody takes the sound of a stranger for that of a stream which is over.

Neither side ever waits for the other: what does not fit is the producer's to keep or to count as dropped, what is not
there yet is silence, and counted too.

Order: samples are stored before the counter that publishes them, and `ended` is read before `written`.  Counters are
aligned words of 64 bits, so none is ever seen half.  x86-64 keeps the order of stores and that of loads, which is all
that this needs.  A machine of weaker order (ARM) keeps it only across a fence, and between two accesses to numpy arrays
there is none but what the interpreter itself executes: there a unit of 10 ms could in theory be heard before it came.
"""

from __future__ import annotations

import mmap
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["RINGS", "RINGS_BYTES", "RING_SAMPLES", "UNIT", "Rings", "rings_bytes"]

Pcm: TypeAlias = NDArray[np.int16]
Numbers: TypeAlias = NDArray[np.int64]

RINGS: Final = 1024
"""In the table that processes share."""
RING_SAMPLES: Final = 16_384
"""Of one ring: two seconds."""
UNIT: Final = 80
"""Samples of one tick."""
_MASK: Final = RING_SAMPLES - 1
_COLUMNS: Final = 6
"""Counters of a ring: written, read, ended, generation, dropped, starved."""
_WITHIN: Final = np.arange(UNIT)


def rings_bytes(count: int) -> int:
    """Return how much memory a table of `count` rings takes."""
    return count * (8 * _COLUMNS + 2 * RING_SAMPLES)


RINGS_BYTES: Final = rings_bytes(RINGS)
"""Of the table that processes share; pages that nobody touches cost nothing."""


class Rings:
    """A table of rings over memory that is all zeros, or that others use already."""

    def __init__(self, memory: memoryview | bytearray | mmap.mmap, count: int = RINGS) -> None:
        """`memory` has `rings_bytes(count)` bytes at least."""
        counters = np.frombuffer(memory, np.int64, _COLUMNS * count).reshape(_COLUMNS, count)
        self._written, self._read, self._ended, self._generation, self._dropped, self._starved = counters
        self._pcm: Final = np.frombuffer(memory, np.int16, count * RING_SAMPLES, offset=counters.nbytes)
        self.count: Final = count

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """Map the table behind a descriptor."""
        return cls(mmap.mmap(descriptor, RINGS_BYTES))

    @classmethod
    def private(cls, count: int = 16) -> Self:
        """Return a table of this process alone, for virtual time."""
        return cls(bytearray(rings_bytes(count)), count)

    # The producer's side.

    def open(self, ring: int) -> int:
        """Begin a new stream in a ring that nobody reads; return its generation."""
        for counter in (self._ended, self._read, self._written, self._dropped, self._starved):
            counter[ring] = 0
        self._generation[ring] += 1
        return int(self._generation[ring])

    def room(self, ring: int) -> int:
        """Return how many samples can be written."""
        return RING_SAMPLES - int(self._written[ring] - self._read[ring])

    def write(self, ring: int, pcm: Pcm, *, drop: bool = False) -> int:
        """Write int16 [n], as many as fit, and return how many; `drop` counts the others as lost."""
        fits = pcm[: self.room(ring)]
        written = int(self._written[ring])
        for part, at in _parts(fits, written):
            self._pcm[ring * RING_SAMPLES + at :][: part.size] = part
        self._written[ring] = written + fits.size
        if drop:
            self._dropped[ring] += pcm.size - fits.size
        return fits.size

    def write_units(self, rings: Numbers, pcm: Pcm) -> None:
        """Write a unit to each of some rings: int64 [n], all different, and int16 [n, UNIT].

        A unit that does not fit is dropped as a whole, and counted.
        """
        written = self._written[rings]
        fits = RING_SAMPLES - (written - self._read[rings]) >= UNIT
        self._pcm[_places(rings[fits], written[fits])] = pcm[fits]
        self._written[rings] = written + UNIT * fits
        self._dropped[rings] += UNIT * ~fits

    def end(self, ring: int) -> None:
        """Say that nothing follows."""
        self._ended[ring] = 1

    # The consumer's side.

    def available(self, ring: int) -> int:
        """Return how many samples wait."""
        return int(self._written[ring] - self._read[ring])

    def read(self, ring: int, most: int) -> Pcm:
        """Take what waits, int16 [n], `most` samples at most."""
        n = max(0, min(most, self.available(ring)))
        at = int(self._read[ring])
        places = ring * RING_SAMPLES + (np.arange(at, at + n) & _MASK)
        taken: Pcm = self._pcm[places]
        self._read[ring] = at + n
        return taken

    def read_units(self, rings: Numbers) -> Pcm:
        """Take a unit from each of some rings, int64 [n], all different -> int16 [n, UNIT].

        A unit that is not whole yet is silence, and counted as starved; one that never will be whole, as its
        stream has ended, is filled up with silence.
        """
        ended = self._ended[rings] != 0
        read = self._read[rings]
        waits = self._written[rings] - read
        takes = np.where(ended | (waits >= UNIT), np.minimum(waits, UNIT), 0)
        units: Pcm = self._pcm[_places(rings, read)]
        units[takes[:, None] <= _WITHIN] = 0
        self._read[rings] = read + takes
        self._starved[rings] += ~ended & (takes == 0)
        return units

    def ended(self, ring: int) -> bool:
        """Say whether the stream has ended and all of it was read."""
        return bool(self._ended[ring]) and self.available(ring) == 0

    def drained(self, rings: Numbers) -> NDArray[np.bool_]:
        """Say of each of some rings, int64 [n], whether its stream has ended and all of it was read."""
        ended = self._ended[rings] != 0
        over: NDArray[np.bool_] = ended & (self._written[rings] == self._read[rings])
        return over

    # What both may ask.

    def generation(self, ring: int) -> int:
        """Return which stream the ring carries now; 0 = none yet."""
        return int(self._generation[ring])

    def generations(self, rings: Numbers) -> Numbers:
        """Return which streams some rings carry now, int64 [n]."""
        return self._generation[rings]

    def position(self, ring: int) -> int:
        """Return how many samples of the stream were read: its media time."""
        return int(self._read[ring])

    def dropped(self, ring: int) -> int:
        """Return how many samples of the stream did not fit."""
        return int(self._dropped[ring])

    def starved(self, ring: int) -> int:
        """Return how many units of the stream were silence because they were not there."""
        return int(self._starved[ring])


def _parts(pcm: Pcm, written: int) -> tuple[tuple[Pcm, int], ...]:
    """Cut samples at the end of the ring: (samples, where in the ring)."""
    at = written & _MASK
    before_the_end = RING_SAMPLES - at
    return (pcm[:before_the_end], at), (pcm[before_the_end:], 0)


def _places(rings: Numbers, counts: Numbers) -> Numbers:
    """Return where the units lie that begin at these counts, int64 [n, UNIT]."""
    return rings[:, None] * RING_SAMPLES + (counts[:, None] + _WITHIN & _MASK)
