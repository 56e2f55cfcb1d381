"""Who is behind the ports (`voicecodecs.ports`): every codec's engines, by implementation.

Every codec has two of each: `native` runs the C kernels, `reference` the pure-Python twin; both give the same
bits.  A maker is called with the number of rows and the options that the codec's facts allow; it says what is
wrong with an option's value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from voicecodecs import g711, g729, ilbc
from voicecodecs.catalogue import Codec
from voicecodecs.concealment import ConcealingDecoders, NativeConcealers
from voicecodecs.errors import CodecError
from voicecodecs.ports import ConcealerEngine, DecoderEngine, EncoderEngine
from voicecodecs.reference import g711 as twin
from voicecodecs.reference.banks import ReferenceConcealers, ReferenceDecoders, ReferenceEncoders
from voicecodecs.reference.g729 import G729Decoder, G729Encoder
from voicecodecs.reference.ilbc import IlbcDecoder, IlbcEncoder

__all__ = ["Implementation", "Options", "concealer_engine", "decoder_engine", "encoder_engine"]

Implementation: TypeAlias = Literal["native", "reference"]
Options: TypeAlias = Mapping[str, bool | int]
"""Option name -> value; which there are is among the codec's facts."""


_Engine = TypeVar("_Engine")
_Makers: TypeAlias = Mapping[tuple[str, str], Callable[..., _Engine]]
"""(implementation, codec name) -> a function of the number of rows, with options as keywords."""


def _concealing(
    make: Callable[[int], DecoderEngine],
    make_concealers: Callable[[int], ConcealerEngine],
    n_rows: int,
    *,
    conceal: bool | int = False,
) -> DecoderEngine:
    if not isinstance(conceal, bool):
        raise CodecError(f"conceal={conceal!r}: True or False is needed")
    return ConcealingDecoders(make(n_rows), make_concealers(n_rows)) if conceal else make(n_rows)


def _twin_decoders(decode_sample: Callable[[int], int], n_rows: int) -> DecoderEngine:
    return ReferenceDecoders(partial(twin.G711Decoder, decode_sample), n_rows)


def _g729_twin_encoders(n_rows: int, *, annexb: bool | int = False) -> EncoderEngine:
    return ReferenceEncoders(partial(G729Encoder, annexb=g729.checked_annexb(annexb)), n_rows)


def _ilbc_twin_encoders(n_rows: int, *, mode_ms: int = ilbc.DEFAULT_MODE_MS) -> EncoderEngine:
    return ReferenceEncoders(partial(IlbcEncoder, mode_ms), n_rows)


def _ilbc_twin_decoders(n_rows: int, *, mode_ms: int = ilbc.DEFAULT_MODE_MS) -> DecoderEngine:
    return ReferenceDecoders(partial(IlbcDecoder, mode_ms), n_rows)


_ENCODERS: Final[_Makers[EncoderEngine]] = MappingProxyType(
    {
        ("native", "pcmu"): lambda _: g711.ULAW_ENCODER,
        ("native", "pcma"): lambda _: g711.ALAW_ENCODER,
        ("native", "g729"): g729.G729Encoders,
        ("native", "ilbc"): ilbc.IlbcEncoders,
        ("reference", "pcmu"): partial(ReferenceEncoders, partial(twin.G711Encoder, twin.ulaw_encode)),
        ("reference", "pcma"): partial(ReferenceEncoders, partial(twin.G711Encoder, twin.alaw_encode)),
        ("reference", "g729"): _g729_twin_encoders,
        ("reference", "ilbc"): _ilbc_twin_encoders,
    }
)
_DECODERS: Final[_Makers[DecoderEngine]] = MappingProxyType(
    {
        ("native", "pcmu"): partial(_concealing, lambda _: g711.ULAW_DECODER, NativeConcealers),
        ("native", "pcma"): partial(_concealing, lambda _: g711.ALAW_DECODER, NativeConcealers),
        ("native", "g729"): g729.G729Decoders,
        ("native", "ilbc"): ilbc.IlbcDecoders,
        ("reference", "pcmu"): partial(
            _concealing, partial(_twin_decoders, twin.ulaw_decode), ReferenceConcealers
        ),
        ("reference", "pcma"): partial(
            _concealing, partial(_twin_decoders, twin.alaw_decode), ReferenceConcealers
        ),
        ("reference", "g729"): partial(ReferenceDecoders, G729Decoder),
        ("reference", "ilbc"): _ilbc_twin_decoders,
    }
)


_CONCEALERS: Final[Mapping[str, Callable[[int], ConcealerEngine]]] = MappingProxyType(
    {"native": NativeConcealers, "reference": ReferenceConcealers}
)


def encoder_engine(codec: Codec, n_rows: int, implementation: str, options: Options) -> EncoderEngine:
    """Make the engine of a new encoder bank.

    Raises:
        CodecError: there is no such implementation, or an option's value is not one.
    """
    return _known(_ENCODERS.get((implementation, codec.name)), implementation)(n_rows, **options)


def decoder_engine(codec: Codec, n_rows: int, implementation: str, options: Options) -> DecoderEngine:
    """Make the engine of a new decoder bank.

    Raises:
        CodecError: there is no such implementation, or an option's value is not one.
    """
    return _known(_DECODERS.get((implementation, codec.name)), implementation)(n_rows, **options)


def concealer_engine(n_rows: int, implementation: str) -> ConcealerEngine:
    """Make the engine of a new concealer bank.

    Raises:
        CodecError: there is no such implementation.
    """
    return _known(_CONCEALERS.get(implementation), implementation)(n_rows)


def _known(maker: Callable[..., _Engine] | None, implementation: str) -> Callable[..., _Engine]:
    if maker is None:
        raise CodecError(f"implementation {implementation!r} is not known; there are native and reference")
    return maker
