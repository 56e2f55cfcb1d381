"""The ports between banks and codecs: what an engine must be able to do.

An engine holds the states of one bank's rows and works on batches of frames.  Its arguments have been checked
by the bank: C-contiguous arrays of the right types and shapes, rows within the bank.  A row may occur more
than once in a batch: its frames are then consecutive, in order.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from voicecodecs.arrays import BoolArray, Int16Array, Int32Array, RowArray, Uint8Array

__all__ = ["ConcealerEngine", "DecoderEngine", "EncoderEngine", "Engine", "Movable"]


class Engine(Protocol):
    """What every engine can do."""

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""


@runtime_checkable
class Movable(Protocol):
    """An engine whose rows can be taken out and put into another bank, of another process too."""

    @property
    def state_bytes(self) -> int:
        """Return the size of one row's state."""

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the states of these rows, uint8 [n, state_bytes]."""

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Put states uint8 [n, state_bytes] into these rows.

        Returns -1, or the index of the first that no call can have; then no row has changed.
        """


class EncoderEngine(Engine, Protocol):
    """Encodes for one bank."""

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, frame_samples] into payloads uint8 [n, frame_bytes] and lengths int32 [n]."""


class DecoderEngine(Engine, Protocol):
    """Decodes for one bank."""

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode payloads uint8 [n, frame_bytes] into pcm int16 [n, frame_samples].

        lengths int32 [n]: bytes of each frame, 0 = untransmitted, -1 = lost.
        Returns -1, or the index of the first frame whose length the codec does not know; then no state and no
        sample has changed.
        """


class ConcealerEngine(Engine, Movable, Protocol):
    """Conceals for one bank."""

    def process(self, rows: RowArray, pcm: Int16Array, lost: BoolArray) -> None:
        """Replace pcm int16 [n, 80] by what is to be played; lost bool [n] says which frames are missing."""
