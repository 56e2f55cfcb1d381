"""Banks of reference coders: one plain Python object per row, behind the same port as the C kernels.

This is the only place where the twins meet numpy: arrays are taken apart into ints and bytes before a coder
sees them, and put together after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from voicecodecs.arrays import BoolArray, Int16Array, Int32Array, RowArray, Uint8Array
from voicecodecs.reference.g711_plc import WORDS, Concealment

__all__ = ["FrameDecoder", "FrameEncoder", "ReferenceConcealers", "ReferenceDecoders", "ReferenceEncoders"]


class FrameEncoder(Protocol):
    """One row's encoder."""

    def encode(self, samples: Sequence[int]) -> bytes:
        """Encode one frame; b"" = nothing to transmit."""


class FrameDecoder(Protocol):
    """One row's decoder."""

    def accepts(self, n_bytes: int) -> bool:
        """Say whether a frame can have that many bytes."""

    def decode(self, payload: bytes | None) -> list[int]:
        """Decode one frame; b"" = nothing was transmitted, None = it was lost."""


class ReferenceEncoders:
    """An `EncoderEngine` of reference coders."""

    def __init__(self, make: Callable[[], FrameEncoder], n_rows: int) -> None:
        self._make = make
        self._coders = [make() for _ in range(n_rows)]

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, samples] frame by frame, in order."""
        for frame, (row, samples) in enumerate(zip(rows.tolist(), pcm.tolist(), strict=True)):
            payload = self._coders[row].encode(samples)
            payloads[frame, : len(payload)] = np.frombuffer(payload, np.uint8)
            lengths[frame] = len(payload)

    def reset(self, rows: RowArray) -> None:
        """Put a new coder in each of these rows."""
        for row in rows.tolist():
            self._coders[row] = self._make()


class ReferenceDecoders:
    """A `DecoderEngine` of reference coders."""

    def __init__(self, make: Callable[[], FrameDecoder], n_rows: int) -> None:
        self._make = make
        self._coders = [make() for _ in range(n_rows)]

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode frame by frame, in order; return the first bad frame (then nothing was decoded), or -1."""
        coders = [self._coders[row] for row in rows.tolist()]
        n_bytes = lengths.tolist()
        for frame, (coder, n) in enumerate(zip(coders, n_bytes, strict=True)):
            if n != -1 and not coder.accepts(n):
                return frame
        for frame, (coder, n) in enumerate(zip(coders, n_bytes, strict=True)):
            samples = coder.decode(None if n == -1 else payloads[frame, :n].tobytes())
            pcm[frame, : len(samples)] = samples
            pcm[frame, len(samples) :] = 0  # a frame of a shorter mode
        return -1

    def reset(self, rows: RowArray) -> None:
        """Put a new coder in each of these rows."""
        for row in rows.tolist():
            self._coders[row] = self._make()


class ReferenceConcealers:
    """A `ConcealerEngine` of twins; its states are those of the C kernel, word by word."""

    def __init__(self, n_rows: int) -> None:
        self._rows = [Concealment() for _ in range(n_rows)]

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return 2 * WORDS

    def process(self, rows: RowArray, pcm: Int16Array, lost: BoolArray) -> None:
        """Replace pcm int16 [n, 80] frame by frame, in order."""
        for frame, (row, is_lost) in enumerate(zip(rows.tolist(), lost.tolist(), strict=True)):
            twin = self._rows[row]
            pcm[frame] = twin.lost() if is_lost else twin.good(pcm[frame].tolist())

    def reset(self, rows: RowArray) -> None:
        """Put a new twin in each of these rows."""
        for row in rows.tolist():
            self._rows[row] = Concealment()

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Write the states of these rows down."""
        words = [self._rows[row].to_words() for row in rows.tolist()]
        return np.array(words, np.int16).reshape(len(words), WORDS).view(np.uint8)

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Put new twins with these states in these rows; return the first bad state, or -1."""
        twins = [Concealment.from_words(words) for words in states.view(np.int16).tolist()]
        if None in twins:
            return twins.index(None)
        for row, twin in zip(rows.tolist(), twins, strict=True):
            if twin is not None:  # for the type checker: None was looked for above
                self._rows[row] = twin
        return -1
