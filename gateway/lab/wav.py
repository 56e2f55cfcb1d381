"""The WAV files that people have: integers of 8 to 32 bits, floating point, the laws of G.711, with any header.

The standard library's `wave` reads integers alone, and before Python 3.12 not those with the extensible header that
recorders and editors write.  The rest is simple enough to read here: chunks of an id, a size and bytes (RIFF), one
that says the format and one that has the samples.  Sizes are claims: a file that ends early gives what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.errors import LocalError
from voicecodecs import decode_frames

__all__ = ["parse_wav_untrusted"]

_INTEGER: Final = 1
_FLOAT: Final = 3
_ALAW: Final = 6
_ULAW: Final = 7
_EXTENSIBLE: Final = 0xFFFE
_LAWS: Final = {_ALAW: "pcma", _ULAW: "pcmu"}
_RATES_HZ: Final = (1000, 384_000)


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate_hz: int
    bits: int


def parse_wav_untrusted(data: bytes, name: str) -> tuple[npt.NDArray[np.float64], int]:
    """Return a WAV file's samples, float64 [n] on the scale of int16, channels averaged, and its rate in Hz.

    Raises:
        LocalError: it is no WAV file, or of a format that is not supported; begins with `name`.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise LocalError(f"{name} is not a WAV file: it does not begin like one")
    chunks = dict(_chunks(data))
    if b"fmt " not in chunks or b"data" not in chunks:
        missing = "format" if b"fmt " not in chunks else "samples"
        raise LocalError(f"{name} is not a WAV file: it ends before its {missing}")
    said = _format(chunks[b"fmt "], name)
    samples = _samples(chunks[b"data"], said, name)
    whole = samples.size // said.channels * said.channels
    return samples[:whole].reshape(-1, said.channels).mean(axis=1), said.rate_hz


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk's id and bytes, the last of an id after the first; a chunk ends where the file does."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _format(chunk: bytes, name: str) -> _Format:
    if len(chunk) < 16:
        raise LocalError(f"{name} is not a WAV file: its format is cut off")
    tag, channels, rate_hz, bits = (
        int.from_bytes(chunk[at : at + size], "little") for at, size in ((0, 2), (2, 2), (4, 4), (14, 2))
    )
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")  # the first two bytes of its GUID are the tag
    if channels == 0 or not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise LocalError(f"{name} has {channels} channels at {rate_hz} Hz, which is not supported")
    return _Format(tag, channels, rate_hz, bits)


def _samples(data: bytes, said: _Format, name: str) -> npt.NDArray[np.float64]:
    """Return all channels' samples, one after the other, on the scale of int16."""
    match said.tag, said.bits:
        case (tag, 8) if tag in _LAWS:
            frames = [data[i : i + 80] for i in range(0, len(data), 80)]
            return decode_frames(frames, _LAWS[tag]).astype(np.float64)
        case (tag, 32 | 64) if tag == _FLOAT:
            whole = len(data) // (said.bits // 8) * (said.bits // 8)
            return (
                np.nan_to_num(np.frombuffer(data[:whole], f"<f{said.bits // 8}").astype(np.float64)) * 32768
            )
        case (tag, 8 | 16 | 24 | 32) if tag == _INTEGER:
            return _integers(data, said.bits // 8)
        case _:
            raise LocalError(
                f"{name} has samples of format {said.tag} and {said.bits} bit, which is not supported"
            )


def _integers(data: bytes, width: int) -> npt.NDArray[np.float64]:
    """Return little-endian samples of `width` bytes; 8 bit is unsigned in WAV."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    whole = len(data) // width * width
    raw = np.zeros((whole // width, 4), np.uint8)
    raw[:, 4 - width :] = np.frombuffer(data[:whole], np.uint8).reshape(-1, width)
    return raw.view("<i4").astype(np.float64)[:, 0] / 65536
