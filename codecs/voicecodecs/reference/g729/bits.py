"""The frame on the wire (table 8 of G.729, B.4.3; RTP: RFC 3551 section 4.5.6).

Parameters are packed most significant bit first, in the order of transmission:

    L0 1  L1 7  L2 5  L3 5 | P1 8  P0 1  C1 13  S1 4  GA1 3  GB1 4 | P2 5  C2 13  S2 4  GA2 3  GB2 4
    L0 1  L1 5  L2 4  gain 5, and one bit of nothing

Every 80 bits are a legal speech frame, every 15 a legal SID frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = [
    "SID_BYTES",
    "SPEECH_BYTES",
    "LsfIndices",
    "Sid",
    "Speech",
    "Subframe",
    "pack_sid",
    "pack_speech",
    "parity",
    "unpack_sid",
    "unpack_speech",
]

SPEECH_BYTES: Final = 10
SID_BYTES: Final = 2


class LsfIndices(NamedTuple):
    """A spectrum's indices; a SID frame's `second` names both halves, its `third` is 0."""

    mode: int
    first: int
    second: int
    third: int


class Subframe(NamedTuple):
    """A subframe's parameters; only the first one's lag has a parity."""

    lag: int
    parity: int
    positions: int
    signs: int
    gain1: int
    gain2: int


class Speech(NamedTuple):
    """A frame of speech."""

    lsf: LsfIndices
    subframes: tuple[Subframe, Subframe]


class Sid(NamedTuple):
    """A silence insertion descriptor."""

    lsf: LsfIndices
    gain: int


_LSF_WIDTHS: Final = (1, 7, 5, 5)
_FIRST_WIDTHS: Final = (8, 1, 13, 4, 3, 4)
_SECOND_WIDTHS: Final = (5, 0, 13, 4, 3, 4)
_SPEECH_WIDTHS: Final = (*_LSF_WIDTHS, *_FIRST_WIDTHS, *_SECOND_WIDTHS)
_SID_WIDTHS: Final = (1, 5, 4, 5, 1)


def _pack(fields: Iterable[int], widths: tuple[int, ...]) -> bytes:
    word = 0
    for field, width in zip(fields, widths, strict=True):
        word = word << width | field
    return word.to_bytes(sum(widths) // 8, "big")


def _unpack(frame: bytes, widths: tuple[int, ...]) -> list[int]:
    word, left = int.from_bytes(frame, "big"), sum(widths)
    fields = []
    for width in widths:
        left -= width
        fields.append(word >> left & (1 << width) - 1)
    return fields


def pack_speech(speech: Speech) -> bytes:
    """Return the 10 bytes of a frame of speech."""
    return _pack((*speech.lsf, *speech.subframes[0], *speech.subframes[1]), _SPEECH_WIDTHS)


def unpack_speech(frame: bytes) -> Speech:
    """Read 10 bytes; any will do.

    >>> unpack_speech(bytes(9) + bytes([0x0F])).subframes[1].gain2
    15
    """
    fields = _unpack(frame, _SPEECH_WIDTHS)
    return Speech(LsfIndices(*fields[:4]), (Subframe(*fields[4:10]), Subframe(*fields[10:])))


def pack_sid(sid: Sid) -> bytes:
    """Return the 2 bytes of a SID frame."""
    return _pack((*sid.lsf[:3], sid.gain, 0), _SID_WIDTHS)


def unpack_sid(frame: bytes) -> Sid:
    """Read 2 bytes; any will do."""
    mode, first, second, gain, _ = _unpack(frame, _SID_WIDTHS)
    return Sid(LsfIndices(mode, first, second, 0), gain)


def parity(lag: int) -> int:
    """Return P0, the odd parity of the upper six bits of P1."""
    return 1 ^ (lag >> 2).bit_count() & 1
