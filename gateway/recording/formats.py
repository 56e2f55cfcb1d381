"""Files of sound that are playable at every moment while they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.recording.encoded import EncodedFile
from gateway.recording.wav import WavFile

__all__ = ["SoundFile", "open_file"]


class SoundFile(Protocol):
    """A file at 8 kHz that grows."""

    @property
    def n_frames(self) -> int:
        """How many samples each channel has by now."""
        ...

    def write(self, pcm: NDArray[np.int16]) -> None:
        """Append int16 [n, channels].

        Raises:
            OSError: the disk is full, or gone; what could be written is in the file.
        """
        ...

    def close(self) -> None:
        """End the file, which is on the disk then.

        Raises:
            OSError: it is not.
        """
        ...


def open_file(path: Path, kind: str, channels: int, *, resume: bool = False) -> SoundFile:
    """Begin a file of one of `gateway.recording.naming.FORMATS`, or go on with one.

    Raises:
        OSError: it cannot be written.
    """
    if kind == "wav":
        return WavFile(path, channels, resume=resume)
    return EncodedFile(path, kind, channels, resume=resume)
