"""G.711 on the C kernels: the engines of a bank, and the tables from one law to the other.

G.711 has no state: a row is a number and nothing more, a batch is one long run of samples and the frames of a
bank are coded in one native call.  A lost frame is silence here; concealment, which has a state, is put behind
a decoder by `voicecodecs.concealment`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from voicecodecs import _native
from voicecodecs.arrays import Int16Array, Int32Array, RowArray, Uint8Array
from voicecodecs.errors import CodecError

__all__ = [
    "ALAW_DECODER",
    "ALAW_ENCODER",
    "ULAW_DECODER",
    "ULAW_ENCODER",
    "G711Decoder",
    "G711Encoder",
    "transcode_table",
]


@dataclass(frozen=True, slots=True)
class G711Encoder:
    """An `EncoderEngine`; being without state, one serves any number of banks."""

    kernel: Callable[[Int16Array, Uint8Array], None]

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, 80] into payloads uint8 [n, 80]."""
        self.kernel(pcm, payloads)
        lengths.fill(payloads.shape[1])

    def reset(self, rows: RowArray) -> None:
        """Do nothing: there is no state."""

    @property
    def state_bytes(self) -> int:
        """Return 0: there is no state."""
        return 0

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return states of 0 bytes."""
        return np.zeros((rows.size, 0), np.uint8)

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Do nothing: there is no state."""
        return -1


@dataclass(frozen=True, slots=True)
class G711Decoder:
    """A `DecoderEngine`; being without state, one serves any number of banks."""

    kernel: Callable[[Uint8Array, Int32Array, Int16Array], int]

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode payloads uint8 [n, 80] into pcm int16 [n, 80]; return the first bad frame, or -1."""
        return self.kernel(payloads, lengths, pcm)

    def reset(self, rows: RowArray) -> None:
        """Do nothing: there is no state."""

    @property
    def state_bytes(self) -> int:
        """Return 0: there is no state."""
        return 0

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return states of 0 bytes."""
        return np.zeros((rows.size, 0), np.uint8)

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Do nothing: there is no state."""
        return -1


ULAW_ENCODER: Final = G711Encoder(_native.ulaw_encode)
ALAW_ENCODER: Final = G711Encoder(_native.alaw_encode)
ULAW_DECODER: Final = G711Decoder(_native.ulaw_decode_frames)
ALAW_DECODER: Final = G711Decoder(_native.alaw_decode_frames)

_TABLES: Final = {("pcmu", "pcma"): _native.ULAW_TO_ALAW, ("pcma", "pcmu"): _native.ALAW_TO_ULAW}


def transcode_table(source: str, target: str) -> bytes:
    """Return the 256 codes of `target` for the codes of `source`: decode, then encode.

    Raises:
        CodecError: not from one law to the other.

    >>> bytes([0xFF, 0x7F]).translate(transcode_table("pcmu", "pcma")).hex()
    'd5d5'
    """
    table = _TABLES.get((source.lower(), target.lower()))
    if table is None:
        raise CodecError(
            f"no table leads from {source!r} to {target!r}; there are pcmu to pcma and pcma to pcmu"
        )
    return table
