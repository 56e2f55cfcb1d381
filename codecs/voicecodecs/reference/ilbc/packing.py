"""RFC 3951 section 3.8: a frame's bits by importance, so that a link that protects unequally can.

First the class 1 bits of every parameter, then all of class 2, then all of class 3, the "empty frame" bit last.
A parameter that is split has its high bits in the earlier class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from voicecodecs.reference.ilbc.frame import Frame, Mode

__all__ = ["pack", "unpack"]

_Field = tuple[str, int, int]
"""Attribute of Frame, index (block for vector and gain), stage."""
_Bits = tuple[int, int, int]
"""Bits in each class."""

# (attribute, first index, stage, how many indices or stages alike, bits at 20 ms, bits at 30 ms)
_ROWS: Final[tuple[tuple[str, int, int, int, _Bits, _Bits], ...]] = (
    ("lsf", 0, 0, 1, (6, 0, 0), (6, 0, 0)),
    ("lsf", 1, 0, 2, (7, 0, 0), (7, 0, 0)),
    ("lsf", 3, 0, 1, (0, 0, 0), (6, 0, 0)),
    ("lsf", 4, 0, 2, (0, 0, 0), (7, 0, 0)),
    ("start", 0, 0, 1, (2, 0, 0), (3, 0, 0)),
    ("state_first", 0, 0, 1, (1, 0, 0), (1, 0, 0)),
    ("scale", 0, 0, 1, (6, 0, 0), (6, 0, 0)),
    ("state", 0, 0, 57, (0, 1, 2), (0, 1, 2)),
    ("state", 57, 0, 1, (0, 0, 0), (0, 1, 2)),
    ("vector", 0, 0, 1, (6, 0, 1), (4, 2, 1)),
    ("vector", 0, 1, 2, (0, 0, 7), (0, 0, 7)),
    ("gain", 0, 0, 1, (2, 0, 3), (1, 1, 3)),
    ("gain", 0, 1, 1, (1, 1, 2), (1, 1, 2)),
    ("gain", 0, 2, 1, (0, 0, 3), (0, 0, 3)),
    ("vector", 1, 0, 1, (7, 0, 1), (6, 1, 1)),
    ("vector", 1, 1, 2, (0, 0, 7), (0, 0, 7)),
    ("vector", 2, 0, 1, (0, 0, 8), (0, 7, 1)),
    ("vector", 2, 1, 2, (0, 0, 8), (0, 0, 8)),
    ("vector", 3, 0, 1, (0, 0, 0), (0, 7, 1)),
    ("vector", 3, 1, 2, (0, 0, 0), (0, 0, 8)),
    ("vector", 4, 0, 1, (0, 0, 0), (0, 7, 1)),
    ("vector", 4, 1, 2, (0, 0, 0), (0, 0, 8)),
    ("gain", 1, 0, 1, (1, 2, 2), (1, 2, 2)),
    ("gain", 1, 1, 1, (1, 1, 2), (1, 2, 1)),
    ("gain", 1, 2, 1, (0, 0, 3), (0, 0, 3)),
    ("gain", 2, 0, 1, (1, 1, 3), (0, 2, 3)),
    ("gain", 2, 1, 1, (0, 2, 2), (0, 2, 2)),
    ("gain", 2, 2, 1, (0, 0, 3), (0, 0, 3)),
    ("gain", 3, 0, 1, (0, 0, 0), (0, 1, 4)),
    ("gain", 3, 1, 1, (0, 0, 0), (0, 1, 3)),
    ("gain", 3, 2, 1, (0, 0, 0), (0, 0, 3)),
    ("gain", 4, 0, 1, (0, 0, 0), (0, 1, 4)),
    ("gain", 4, 1, 1, (0, 0, 0), (0, 1, 3)),
    ("gain", 4, 2, 1, (0, 0, 0), (0, 0, 3)),
    ("empty", 0, 0, 1, (0, 0, 1), (0, 0, 1)),
)
_SCALARS: Final = frozenset({"start", "state_first", "scale", "empty"})


def pack(frame: Frame, mode: Mode) -> bytes:
    """Write a frame: 38 or 50 bytes, most significant bit first."""
    vectors = [
        frame.vector[0],
        [frame.vector[1][0], *map(_closed_gap, frame.vector[1][1:])],
        *frame.vector[2:],
    ]
    number = 0
    for (name, index, stage), n, below in _pieces(mode):
        if name == "vector":
            value = vectors[index][stage]
        elif name == "gain":
            value = frame.gain[index][stage]
        else:
            value = getattr(frame, name) if name in _SCALARS else getattr(frame, name)[index]
        number = number << n | value >> below & (1 << n) - 1
    return number.to_bytes(mode.bytes, "big")


def unpack(payload: bytes, mode: Mode) -> Frame:
    """Read a frame; any bytes give one."""
    frame = Frame()
    number, left = int.from_bytes(payload, "big"), 8 * mode.bytes
    for (name, index, stage), n, below in _pieces(mode):
        left -= n
        value = (number >> left & (1 << n) - 1) << below
        if name in _SCALARS:
            setattr(frame, name, getattr(frame, name) | value)
        elif name in ("vector", "gain"):
            getattr(frame, name)[index][stage] |= value
        else:
            getattr(frame, name)[index] |= value
    frame.vector[1][1:] = map(_opened_gap, frame.vector[1][1:])
    return frame


def _pieces(mode: Mode) -> Iterator[tuple[_Field, int, int]]:
    """Yield, in the order of the bits, a parameter, how many bits of it, and how many stay below these."""
    for priority in range(3):
        for name, first, stage, count, *bits in _ROWS:
            widths = bits[0] if mode.ms == 20 else bits[1]
            if widths[priority]:
                for k in range(count):
                    place = (first, stage + k) if name in ("vector", "gain") else (first + k, 0)
                    yield (name, *place), widths[priority], sum(widths[priority + 1 :])


def _closed_gap(vector: int) -> int:
    """Vectors 2 and 3 of block 1 are numbered up to 255 but sent in 7 bits: a narrow search leaves two gaps."""
    return vector - 128 if vector >= 236 else vector - 64 if 108 <= vector < 172 else vector


def _opened_gap(sent: int) -> int:
    return sent + 128 if sent >= 108 else sent + 64 if sent >= 44 else sent
