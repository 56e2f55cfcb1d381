"""Banks of reference coders: one plain Python object per row, behind the same port as the C kernels.

This is the only place where the twins meet numpy: arrays are taken apart into ints and bytes before a coder
sees them, and put together after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from voicecodecs.arrays import Int16Array, Int32Array, RowArray, Uint8Array

__all__ = ["FrameDecoder", "FrameEncoder", "ReferenceDecoders", "ReferenceEncoders"]


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
            pcm[frame] = coder.decode(None if n == -1 else payloads[frame, :n].tobytes())
        return -1

    def reset(self, rows: RowArray) -> None:
        """Put a new coder in each of these rows."""
        for row in rows.tolist():
            self._coders[row] = self._make()
