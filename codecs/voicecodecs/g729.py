"""G.729 on the C kernels: the engines of a bank (ITU-T G.729 with Annexes A and B).

A bank's states are the kernel's structs, one row of bytes each.  Frames are 10 bytes of speech, 2 bytes that
describe noise (SID, with `annexb=True` only), or nothing; the decoder knows all three whatever was agreed,
and conceals frames that were lost.
"""

from __future__ import annotations

import numpy as np

from voicecodecs import _native
from voicecodecs.arrays import Int16Array, Int32Array, RowArray, Uint8Array
from voicecodecs.errors import CodecError

__all__ = ["G729Decoders", "G729Encoders", "checked_annexb"]


def checked_annexb(annexb: bool | int) -> bool:
    """Return the option as it is.

    Raises:
        CodecError: it is neither True nor False.
    """
    if not isinstance(annexb, bool):
        raise CodecError(f"annexb={annexb!r}: True or False is needed")
    return annexb


class G729Encoders:
    """An `EncoderEngine`.

    annexb: noise becomes SID frames and untransmitted ones; False: every frame is coded as speech.

    Raises:
        CodecError: annexb is neither True nor False.
    """

    __slots__ = ("_annexb", "_states")

    def __init__(self, n_rows: int, *, annexb: bool | int = False) -> None:
        self._annexb = checked_annexb(annexb)
        self._states = np.zeros((n_rows, _native.G729_ENCODER_BYTES), np.uint8)
        self.reset(np.arange(n_rows, dtype=np.intp))

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, 80] into payloads uint8 [n, 10] and lengths int32 [n]."""
        _native.g729_encode_frames(self._states, rows, pcm, payloads, lengths, self._annexb)

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""
        _native.g729_reset_encoders(self._states, rows)

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return _native.G729_ENCODER_BYTES

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the structs."""
        return self._states[rows]

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over structs that the kernel finds valid."""
        bad = _native.g729_first_invalid_encoder(states)
        if bad < 0:
            self._states[rows] = states
        return bad


class G729Decoders:
    """A `DecoderEngine`."""

    __slots__ = ("_states",)

    def __init__(self, n_rows: int) -> None:
        self._states = np.zeros((n_rows, _native.G729_DECODER_BYTES), np.uint8)
        self.reset(np.arange(n_rows, dtype=np.intp))

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode payloads uint8 [n, 10] into pcm int16 [n, 80]; return the first bad frame, or -1."""
        return _native.g729_decode_frames(self._states, rows, payloads, lengths, pcm)

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""
        _native.g729_reset_decoders(self._states, rows)

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return _native.G729_DECODER_BYTES

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the structs."""
        return self._states[rows]

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over structs that the kernel finds valid."""
        bad = _native.g729_first_invalid_decoder(states)
        if bad < 0:
            self._states[rows] = states
        return bad
