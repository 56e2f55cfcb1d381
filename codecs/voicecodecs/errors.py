"""The one error of the library.

Everything that a caller can get wrong (a name, an option, an array's type or shape, a frame's length) raises
`CodecError`, a `ValueError` whose text says what was wrong and with which frame.  A lost frame is no error.
"""

from __future__ import annotations

__all__ = ["CodecError"]


class CodecError(ValueError):
    """What was asked for cannot be coded; the text says why, `frame` is the index of a frame at fault."""

    def __init__(self, message: str, *, frame: int | None = None) -> None:
        super().__init__(message if frame is None else f"frame {frame}: {message}")
        self.frame = frame
