"""A WAV file that is whole at every moment: 16-bit PCM at 8 kHz, header first and always true.

Sound is written before the header that counts it, with each piece, so a process that is killed in between leaves a
file that ends one piece earlier, and some bytes that no player looks at.  Nothing is buffered here: what was written
is the kernel's, and survives us.  At 32 kB a second the 4 GiB of a RIFF file are 37 hours.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEADER_BYTES", "WavFile"]

RATE_HZ: Final = 8000
_SAMPLE_BYTES: Final = 2
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
HEADER_BYTES: Final = _HEADER.size
_PCM: Final = 1
_MOST_BYTES: Final = 0xFFFF_FFFF - HEADER_BYTES


class WavFile:
    """One file being written."""

    def __init__(self, path: Path, channels: int, *, resume: bool = False) -> None:
        """Begin it, in place of one that is there; or `resume` that one, where it ends.

        Raises:
            OSError: it cannot be written.
        """
        self._frame_bytes = channels * _SAMPLE_BYTES
        self._channels = channels
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (0 if resume else os.O_TRUNC)
        self._fd = os.open(path, flags, 0o640)
        there = max(0, os.fstat(self._fd).st_size - HEADER_BYTES)
        self._n_bytes = there - there % self._frame_bytes
        self._write_header()

    @property
    def n_frames(self) -> int:
        """How many samples each channel has."""
        return self._n_bytes // self._frame_bytes

    def write(self, pcm: NDArray[np.int16]) -> None:
        """Append int16 [n, channels].

        Raises:
            OSError: not all of it could be written; what could is in the file.
        """
        data = memoryview(np.ascontiguousarray(pcm, "<i2").tobytes())
        data = data[: _MOST_BYTES - self._n_bytes]
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], HEADER_BYTES + self._n_bytes + done)
        finally:
            self._n_bytes += done - done % self._frame_bytes
            self._write_header()

    def close(self) -> None:
        """End the file; it is on the disk when this returns."""
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)

    def _write_header(self) -> None:
        os.pwrite(
            self._fd,
            _HEADER.pack(
                b"RIFF",
                HEADER_BYTES - 8 + self._n_bytes,
                b"WAVE",
                b"fmt ",
                16,
                _PCM,
                self._channels,
                RATE_HZ,
                RATE_HZ * self._frame_bytes,
                self._frame_bytes,
                8 * _SAMPLE_BYTES,
                b"data",
                self._n_bytes,
            ),
            0,
        )
