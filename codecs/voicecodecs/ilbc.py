"""iLBC on the C kernels: the engines of a bank (RFC 3951, RFC 3952).

A bank's states are the kernel's structs, one row of bytes each: all zero is a new call, and without pointers a
snapshot is a copy.  A bank has a mode, 20 or 30 ms; the length of a frame says that frame's.  So a decoder bank
of 30 ms also takes frames of 20 ms: the row starts anew in that mode, and the first 160 of its samples count.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voicecodecs import _native
from voicecodecs.arrays import Int16Array, Int32Array, RowArray, Uint8Array

__all__ = ["DEFAULT_MODE_MS", "IlbcDecoders", "IlbcEncoders"]

DEFAULT_MODE_MS: Final = 30
"""What a session description without a mode means (RFC 3952 section 5)."""


class IlbcEncoders:
    """An `EncoderEngine`."""

    __slots__ = ("_mode_ms", "_states")

    def __init__(self, n_rows: int, *, mode_ms: int = DEFAULT_MODE_MS) -> None:
        self._mode_ms = mode_ms
        self._states = np.zeros((n_rows, _native.ILBC_ENCODER_BYTES), np.uint8)

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return _native.ILBC_ENCODER_BYTES

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, 160 or 240] into payloads uint8 [n, 38 or 50]."""
        _native.ilbc_encode_frames(self._states, rows, pcm, payloads, self._mode_ms)
        lengths.fill(payloads.shape[1])

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""
        self._states[rows] = 0

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the structs."""
        return self._states[rows]

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over structs that the kernel finds valid."""
        bad = _native.ilbc_first_invalid_encoder(states)
        if bad < 0:
            self._states[rows] = states
        return bad


class IlbcDecoders:
    """A `DecoderEngine`."""

    __slots__ = ("_mode_ms", "_states")

    def __init__(self, n_rows: int, *, mode_ms: int = DEFAULT_MODE_MS) -> None:
        self._mode_ms = mode_ms
        self._states = np.zeros((n_rows, _native.ILBC_DECODER_BYTES), np.uint8)

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return _native.ILBC_DECODER_BYTES

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode payloads uint8 [n, 38 or 50] into pcm int16 [n, 160 or 240]; return the first bad frame, or -1."""
        return _native.ilbc_decode_frames(self._states, rows, payloads, lengths, pcm, self._mode_ms)

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""
        self._states[rows] = 0

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the structs."""
        return self._states[rows]

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over structs that the kernel finds valid."""
        bad = _native.ilbc_first_invalid_decoder(states)
        if bad < 0:
            self._states[rows] = states
        return bad
