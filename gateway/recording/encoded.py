"""MP3 and Ogg/Opus files that are playable up to their last page: the one place here that knows PyAV.

Both are chains of frames that a player can enter and leave anywhere, so nothing at the end completes them.  The muxer
is given no way back in the file, hands over each packet as soon as it is full, and the file is not buffered.  A file
that is gone on with is one chain after another, which players take as one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import av
import av.audio.stream
import av.error
import numpy as np
from numpy.typing import NDArray

__all__ = ["EncodedFile"]

RATE_HZ: Final = 8000
_LAYOUTS: Final = {1: "mono", 2: "stereo"}
_KINDS: Final = {
    "mp3": ("mp3", "libmp3lame", 24_000),
    "ogg": ("ogg", "libopus", 20_000),
    "opus": ("ogg", "libopus", 20_000),
}
"""Format -> container, encoder, and bits a second of one channel: telephone speech without audible loss."""
_FLUSHED: Final = {"flush_packets": "1"}
_MUXERS: Final = {
    "mp3": _FLUSHED | {"write_xing": "0", "id3v2_version": "0"},
    "ogg": _FLUSHED | {"page_duration": "200000"},
}
"""An MP3 file has no header, which would have to be right at the end; a page of Ogg has 200 ms: so much may be lost."""


class _Appending:
    """The only thing a muxer may do to our file."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if resume else os.O_TRUNC)
        self.fd: Final = os.open(path, flags, 0o640)

    def write(self, data: bytes) -> int:
        """Append all of it.

        Raises:
            OSError: not all could be written.
        """
        done = 0
        while done < len(data):
            done += os.write(self.fd, data[done:])
        return done


class EncodedFile:
    """One file being written."""

    def __init__(self, path: Path, kind: str, channels: int, *, resume: bool = False) -> None:
        """Begin it, in place of one that is there; or `resume` that one.

        Raises:
            OSError: it cannot be written, or this FFmpeg has no such encoder.
        """
        container, encoder, bit_rate = _KINDS[kind]
        self._layout = _LAYOUTS[channels]
        self._file = _Appending(path, resume=resume)
        try:
            self._container = av.open(self._file, "w", format=container, options=_MUXERS[container])
            stream = self._container.add_stream(encoder, rate=RATE_HZ)
        except (av.error.FFmpegError, ValueError) as error:
            os.close(self._file.fd)
            raise OSError(f"no {kind} files can be made: {error}") from error
        assert isinstance(stream, av.audio.stream.AudioStream)  # the encoders above are
        stream.codec_context.layout = self._layout
        stream.codec_context.bit_rate = bit_rate * channels
        self._stream = stream
        self.n_frames = 0
        """How many samples each channel has by now."""

    def write(self, pcm: NDArray[np.int16]) -> None:
        """Append int16 [n, channels].

        Raises:
            OSError: it could not be written.
        """
        if pcm.shape[0] == 0:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(pcm).reshape(1, -1), format="s16", layout=self._layout
        )
        frame.sample_rate = RATE_HZ
        frame.pts = self.n_frames
        self._container.mux(self._stream.encode(frame))
        self.n_frames += pcm.shape[0]

    def close(self) -> None:
        """End the file; it is on the disk when this returns.

        Raises:
            OSError: the last of it could not be written.
        """
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            os.fsync(self._file.fd)
        finally:
            os.close(self._file.fd)
