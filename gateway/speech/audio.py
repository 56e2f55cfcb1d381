"""Sound files of every usual kind, as float samples at 8 kHz: the one place that knows PyAV and soxr.

FFmpeg recognises WAV, MP3, AAC and its containers, AIFF, Ogg, Opus and the rest by their contents; GSM 06.10 has no
header, so its name or type must say it.  Whatever it is, the first sound track is decoded, its channels are averaged,
its rate becomes ours, and a file that claims to last for hours ends with an error instead of our memory.  A file that
breaks off in the middle gives what is there.

What comes from strangers is decoded in a thread at best, in the speech process when there is one: never on the loop.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import av
import av.error
import numpy as np
import soxr
from numpy.typing import NDArray

from gateway.speech.level import gain_to_common
from gateway.speech.port import RATE_HZ, BadSound, Samples, TooLong

__all__ = ["KINDS", "LONGEST_S", "Resampler", "decode_untrusted", "format_of", "levelled", "to_int16"]

Floats = NDArray[np.float32]

LONGEST_S: Final = 900.0
"""Of one sound; a megabyte of GSM lasts 635 s."""
KINDS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/x-pn-wav": "wav",
    "audio/adpcm": "wav",
    "audio/mpeg": "mp3",
    "audio/x-mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-mp3": "mp3",
    "audio/mpeg3": "mp3",
    "audio/x-mpeg3": "mp3",
    "audio/mp4": "mp4",
    "audio/aac": "aac",
    "audio/x-aac": "aac",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
    "audio/aifc": "aiff",
    "audio/x-aifc": "aiff",
    "audio/gsm": "gsm",
    "audio/x-gsm": "gsm",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
}
"""Content-Type -> the kind of file; whoever knows only a name asks `format_of`."""

_DEMUXERS: Final = frozenset(
    {"wav", "w64", "mp3", "aac", "mov", "aiff", "gsm", "ogg", "flac", "matroska", "3gp"}
)
"""What FFmpeg may take bytes for: never a playlist, which would have it open other files."""
_SUFFIXES: Final = {".gsm": "gsm"}


def format_of(name: str) -> str:
    """Return the kind of a file that its name alone can tell, else nothing."""
    return next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), "")


def decode_untrusted(data: bytes, kind: str = "", *, longest_s: float = LONGEST_S) -> Floats:
    """Return a file's sound, float32 [n] at 8 kHz, full scale 1; blocks for as long as that takes.

    Args:
        data: the whole file.
        kind: a value of `KINDS`; only "gsm" is believed, the bytes say everything else better.
        longest_s: the most that is decoded.

    Raises:
        BadSound: these bytes are no sound that is known.
        TooLong: it lasts longer than `longest_s`.
    """
    try:
        pieces = list(_pieces(data, kind, longest_s))
    except (av.error.FFmpegError, ValueError, IndexError, OSError) as error:
        raise BadSound(f"no sound file that is known: {_words(error)}") from None
    if not pieces:
        raise BadSound("the file has no sound in it")
    return np.concatenate(pieces)


def _pieces(data: bytes, kind: str, longest_s: float) -> Iterator[Floats]:
    with av.open(
        io.BytesIO(data), "r", format="gsm" if kind == "gsm" else None, metadata_errors="ignore"
    ) as container:
        if _DEMUXERS.isdisjoint(container.format.name.split(",")):
            raise BadSound(f"a file of the kind {container.format.name!r} is not played")
        if not container.streams.audio:
            raise BadSound("the file has no sound in it")
        resampler: Resampler | None = None
        left = round(longest_s * RATE_HZ)
        for frame in _frames(container):
            resampler = resampler or Resampler(frame.sample_rate)
            piece = resampler.push(_mono(frame))
            left -= piece.size
            if left < 0:
                raise TooLong(f"the sound lasts longer than {longest_s:g} s")
            yield piece
        if resampler is not None:
            yield resampler.flush()


def _frames(container: av.container.InputContainer) -> Iterator[av.AudioFrame]:
    """Yield what can be decoded; an error after the first frame is the end of a file that broke off."""
    heard = False
    try:
        for frame in container.decode(audio=0):
            heard = True
            yield frame
    except (av.error.FFmpegError, ValueError):
        if not heard:
            raise


def _mono(frame: av.AudioFrame) -> Floats:
    """Return a frame's channels, averaged, full scale 1."""
    raw = frame.to_ndarray()
    channels = len(frame.layout.channels)
    if not frame.format.is_planar:
        raw = raw.reshape(-1, channels).T
    scaled: NDArray[Any]
    if raw.dtype == np.uint8:
        scaled = (raw.astype(np.float32) - 128) / 128
    elif np.issubdtype(raw.dtype, np.integer):
        scaled = raw / float(2 ** (8 * raw.dtype.itemsize - 1))
    else:
        scaled = np.nan_to_num(raw, posinf=1, neginf=-1)
    return np.asarray(scaled.mean(axis=0), np.float32)


class Resampler:
    """Brings one signal from any rate to 8 kHz, piece by piece."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz` is the rate of what is pushed.  Raises BadSound for one that no sound has."""
        if not 1000 <= rate_hz <= 384_000:
            raise BadSound(f"a rate of {rate_hz} Hz is not supported")
        self._stream = (
            soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32") if rate_hz != RATE_HZ else None
        )

    def push(self, signal: Floats) -> Floats:
        """Return what is ready after float32 [n] more; the filter keeps some milliseconds."""
        return signal if self._stream is None else self._stream.resample_chunk(signal)

    def flush(self) -> Floats:
        """Return what the filter has kept; nothing can be pushed after it."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)


def levelled(signal: Floats) -> Samples:
    """Return float32 [n] at 8 kHz as int16 [n] at the common level."""
    return to_int16(signal * gain_to_common(signal, RATE_HZ))


def to_int16(signal: Floats) -> Samples:
    """Return float32 [n], full scale 1, as int16 [n]; what is over it is clipped."""
    return np.clip(np.rint(signal * 32768), -32768, 32767).astype(np.int16)


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", "") or error) or type(error).__name__
