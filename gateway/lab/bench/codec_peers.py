"""Codecs of others, measured by the same yardstick where they are installed: bcg729's, and FFmpeg's decoders.

They are called through ctypes, one frame a call.  What such a call costs beside the codec's work is measured with
a function that does nothing, and taken off: the figure is the peer's own, as a program in C would have it.
Neither is bit-exact with the standards; they are what free software uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from gateway.lab.bench.codec_work import Spoken, Work
from gateway.lab.bench.peer_bcg729 import Bcg729
from gateway.lab.bench.peer_engine import Engine
from gateway.lab.bench.peer_ffmpeg import Ffmpeg

__all__ = ["PEERS", "Peer"]


class Peer(Protocol):
    """Somebody else's codecs."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    def works(self, said: Spoken) -> dict[str, Work]:
        """Return what it can do with these frames, each time all of them: encode, decode, conceal; or nothing."""

    def ns_of_calls(self, work: str, n: int) -> float:
        """Return the nanoseconds that are not its own in `n` frames."""


PEERS: Final[Sequence[Peer]] = (Bcg729(), Ffmpeg(), Engine())
"""Everybody who is asked, and our own kernel in the same way; who is not installed has no works."""
