"""The port between banks and codecs, and the list of who is behind it.

An engine holds the states of one bank's rows and codes batches of frames.  Its arguments have been checked
by the bank: C-contiguous arrays of the right types and shapes, rows within the bank.  Every codec has two
engines: `native` runs the C kernels, `reference` the pure-Python twin; both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from voicecodecs import g711
from voicecodecs.arrays import Int16Array, Int32Array, RowArray, Uint8Array
from voicecodecs.catalogue import Codec
from voicecodecs.errors import CodecError
from voicecodecs.reference import g711 as twin
from voicecodecs.reference.banks import ReferenceDecoders, ReferenceEncoders

__all__ = ["DecoderEngine", "EncoderEngine", "Implementation", "decoder_engine", "encoder_engine"]

Implementation: TypeAlias = Literal["native", "reference"]


class EncoderEngine(Protocol):
    """Encodes for one bank.  A row may occur more than once: its frames are then consecutive, in order."""

    def encode(self, rows: RowArray, pcm: Int16Array, payloads: Uint8Array, lengths: Int32Array) -> None:
        """Encode pcm int16 [n, frame_samples] into payloads uint8 [n, frame_bytes] and lengths int32 [n]."""

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""


class DecoderEngine(Protocol):
    """Decodes for one bank.  A row may occur more than once: its frames are then consecutive, in order."""

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode payloads uint8 [n, frame_bytes] into pcm int16 [n, frame_samples].

        lengths int32 [n]: bytes of each frame, 0 = untransmitted, -1 = lost.
        Returns -1, or the index of the first frame whose length the codec does not know; then no state and no
        sample has changed.
        """

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""


_Engine = TypeVar("_Engine")
_Makers: TypeAlias = Mapping[tuple[str, str], Callable[[int], _Engine]]
"""(implementation, codec name) -> a function of the number of rows."""


_ENCODERS: Final[_Makers[EncoderEngine]] = MappingProxyType(
    {
        ("native", "pcmu"): lambda _: g711.ULAW_ENCODER,
        ("native", "pcma"): lambda _: g711.ALAW_ENCODER,
        ("reference", "pcmu"): partial(ReferenceEncoders, partial(twin.G711Encoder, twin.ulaw_encode)),
        ("reference", "pcma"): partial(ReferenceEncoders, partial(twin.G711Encoder, twin.alaw_encode)),
    }
)
_DECODERS: Final[_Makers[DecoderEngine]] = MappingProxyType(
    {
        ("native", "pcmu"): lambda _: g711.ULAW_DECODER,
        ("native", "pcma"): lambda _: g711.ALAW_DECODER,
        ("reference", "pcmu"): partial(ReferenceDecoders, partial(twin.G711Decoder, twin.ulaw_decode)),
        ("reference", "pcma"): partial(ReferenceDecoders, partial(twin.G711Decoder, twin.alaw_decode)),
    }
)


def encoder_engine(codec: Codec, n_rows: int, implementation: str) -> EncoderEngine:
    """Make the engine of a new encoder bank.

    Raises:
        CodecError: there is no such implementation.
    """
    return _maker(_ENCODERS, codec, implementation)(n_rows)


def decoder_engine(codec: Codec, n_rows: int, implementation: str) -> DecoderEngine:
    """Make the engine of a new decoder bank.

    Raises:
        CodecError: there is no such implementation.
    """
    return _maker(_DECODERS, codec, implementation)(n_rows)


def _maker(makers: _Makers[_Engine], codec: Codec, implementation: str) -> Callable[[int], _Engine]:
    maker = makers.get((implementation, codec.name))
    if maker is None:
        raise CodecError(f"implementation {implementation!r} is not known; there are native and reference")
    return maker
