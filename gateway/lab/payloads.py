"""Coded speech that lies in files: payload after payload, with no header, or with the little there is.

======== ======= ===========================================================================================
.ulaw    pcmu    a byte for a sample
.alaw    pcma    a byte for a sample
.g729    g729    10 bytes for 10 ms; it has no way to say that a frame was not transmitted (Annex B) or lost
.bit     g729    ITU serial format: for each 10 ms the words 0x6B21, number of bits, and a word for each bit;
                 80 bits are speech, 16 (or 15) describe noise, 0 are nothing; frames can be marked as lost
.lbc     ilbc    RFC 3952 section 4.5: "#!iLBC20" or "#!iLBC30" and a line feed, then frames of 38 or 50 bytes
======== ======= ===========================================================================================

What is read comes from anywhere, so a reader says what is wrong with a file: it ends within a frame, or it is
something else altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from gateway.errors import LocalError
from voicecodecs import codec as codec_named

__all__ = ["SUFFIXES", "Options", "Payloads", "holds_silence", "read_payloads", "write_payloads"]

Options = Mapping[str, bool | int]

SUFFIXES: Final[Mapping[str, str]] = {
    ".ulaw": "pcmu",
    ".alaw": "pcma",
    ".g729": "g729",
    ".bit": "g729",
    ".lbc": "ilbc",
}
"""How the name of a file ends -> the codec of its payloads."""

_LBC_HEADERS: Final = {20: b"#!iLBC20\n", 30: b"#!iLBC30\n"}
_LBC_FRAME_BYTES: Final = {20: 38, 30: 50}

_GOOD, _ONE, _ZERO, _ERASED = 0x6B21, 0x0081, 0x007F, 0x0000
_LOST: Final = 0x6B20
_BITS_BYTES: Final = {80: 10, 16: 2, 15: 2, 0: 0}

_FOREIGN: Final = {
    b"RIFF": "a WAV file",
    b"#!iLBC": "an iLBC file (.lbc)",
    b"!k\x50\x00": "a file in the ITU serial format (.bit)",
    b".snd": "a Sun audio file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"#!AMR": "an AMR file",
}


@dataclass(frozen=True, slots=True)
class Payloads:
    """What is in a file of payloads."""

    codec: str
    frames: Sequence[bytes | None]
    """A payload each; b"" = nothing was transmitted, None = lost."""
    options: Options = field(default_factory=dict)
    """What the file says about its codec: mode_ms of iLBC."""


def holds_silence(path: Path) -> bool:
    """Say whether such a file can tell that a frame was not transmitted."""
    return path.suffix.lower() == ".bit"


def read_payloads(path: Path, codec: str) -> Payloads:
    """Read a file of payloads of that codec.

    Raises LocalError, with the path, if the file cannot be read, ends within a frame, or is something else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror or error}") from error
    payloads = _reader(path, codec)(data, str(path), codec)
    if not payloads.frames:
        raise LocalError(f"{path} has no frames")
    return payloads


def write_payloads(path: Path, payloads: Payloads) -> None:
    """Write a file of payloads.  Raises LocalError if it cannot be written."""
    if path.suffix.lower() == ".bit":
        data = b"".join(map(_serial_frame, payloads.frames))
    else:
        data = b"".join(frame or b"" for frame in payloads.frames)
    if payloads.codec == "ilbc":
        data = _LBC_HEADERS[payloads.options["mode_ms"]] + data
    try:
        path.write_bytes(data)
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror or error}") from error


def _reader(path: Path, codec: str) -> Callable[[bytes, str, str], Payloads]:
    if path.suffix.lower() == ".bit":
        return _read_serial
    return _read_lbc if codec == "ilbc" else _read_raw


def _read_raw(data: bytes, name: str, codec: str) -> Payloads:
    for begin, what in _FOREIGN.items():
        if data.startswith(begin):
            raise LocalError(f"{name} is {what}, not one of {codec} payloads")
    facts = codec_named(codec)
    return Payloads(codec, _split(data, facts.frame_bytes, name, short_last=facts.short_last_frame))


def _read_lbc(data: bytes, name: str, codec: str) -> Payloads:
    for mode_ms, header in _LBC_HEADERS.items():
        if data.startswith(header):
            frames = _split(data[len(header) :], _LBC_FRAME_BYTES[mode_ms], name, short_last=False)
            return Payloads(codec, frames, {"mode_ms": mode_ms})
    raise LocalError(f"{name} is not an iLBC file: it begins with neither #!iLBC20 nor #!iLBC30")


def _split(data: bytes, n_bytes: int, name: str, *, short_last: bool) -> list[bytes]:
    n_frames, n_tail = divmod(len(data), n_bytes)
    if n_tail and not short_last:
        raise LocalError(
            f"{name} is truncated: after {n_frames} frames of {n_bytes} bytes there are {n_tail} more"
        )
    return [data[at : at + n_bytes] for at in range(0, len(data), n_bytes)]


def _read_serial(data: bytes, name: str, codec: str) -> Payloads:
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
    frames: list[bytes | None] = []
    at = 0
    while at < len(words):
        if words[at] not in (_GOOD, _LOST):
            raise LocalError(f"{name}: frame {len(frames)} begins with {words[at]:#06x}, not with 0x6b21")
        n_bits = words[at + 1] if at + 1 < len(words) else 0
        if n_bits not in _BITS_BYTES:
            raise LocalError(f"{name}: frame {len(frames)} has {n_bits} bits; G.729 has 80, 16 or none")
        bits = words[at + 2 : at + 2 + n_bits]
        if at + 2 > len(words) or len(bits) < n_bits:
            raise LocalError(f"{name} is truncated within frame {len(frames)}")
        frames.append(_frame_of(bits, lost=words[at] == _LOST, name=f"{name}: frame {len(frames)}"))
        at += 2 + n_bits
    return Payloads(codec, frames)


def _frame_of(bits: Sequence[int], *, lost: bool, name: str) -> bytes | None:
    """Pack the words of a frame.  With bits it is lost if any of them is erased, without if it says so."""
    if _ERASED in bits if bits else lost:
        return None
    if not set(bits) <= {_ONE, _ZERO}:
        raise LocalError(f"{name} has a bit that is neither 0x0081 nor 0x007f")
    return np.packbits(np.array(bits, np.uint16) == _ONE).tobytes()


def _serial_frame(frame: bytes | None) -> bytes:
    if frame is None:
        return np.array([_LOST, 0], "<u2").tobytes()
    bits = np.unpackbits(np.frombuffer(frame, np.uint8))
    return np.concatenate([[_GOOD, bits.size], np.where(bits, _ONE, _ZERO)]).astype("<u2").tobytes()
