"""Which codecs there are, and the face each shows to SDP and RTP (RFC 3551 sections 4.5 and 6).

A codec here is facts, no code: the engines are in `voicecodecs.engines`.  A frame is the smallest unit that a
codec codes, not a packet: a packet carries as many frames as its packet time has room for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from voicecodecs.errors import CodecError

__all__ = ["CODECS", "Codec", "codec"]


@dataclass(frozen=True, slots=True)
class Codec:
    """The facts of one codec."""

    name: str
    """The name in this library: lower case."""
    sdp_name: str
    """The encoding name of its rtpmap; encoding names compare without case."""
    payload_type: int | None
    """The static RTP payload type (RFC 3551 table 4); None = dynamic, SDP says which."""
    rate_hz: int
    """Samples a second, and the RTP clock."""
    frame_ms: int
    """Duration of one frame."""
    frame_samples: int
    """Samples of one frame."""
    frame_bytes: int
    """Bytes of one full frame: the most that a frame can have."""
    short_last_frame: bool = False
    """Whether a stream may end in a part of a frame; codecs that code sample by sample allow it."""
    encoder_options: frozenset[str] = frozenset()
    """The options that its encoders take; the engines know what they mean."""
    decoder_options: frozenset[str] = frozenset()
    """The options that its decoders take."""
    sid_bytes: int = 0
    """Bytes of a frame that describes noise (SID); 0 = the codec has none."""

    def wrong_length(self, n_bytes: int) -> str:
        """Say in words that a frame of this codec cannot have that many bytes."""
        sizes = f"{self.frame_bytes} or {self.sid_bytes}" if self.sid_bytes else str(self.frame_bytes)
        return f"{n_bytes} bytes, but a {self.name} frame has {sizes}"


_CONCEAL: Final = frozenset({"conceal"})

CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Codec("pcmu", "PCMU", 0, 8000, 10, 80, 80, short_last_frame=True, decoder_options=_CONCEAL),
            Codec("pcma", "PCMA", 8, 8000, 10, 80, 80, short_last_frame=True, decoder_options=_CONCEAL),
            Codec("g729", "G729", 18, 8000, 10, 80, 10, encoder_options=frozenset({"annexb"}), sid_bytes=2),
        )
    }
)
"""Every codec that can be used, by name."""

_PLANNED: Final = frozenset({"ilbc", "g722", "opus", "l16"})


def codec(name: str) -> Codec:
    """Look a codec up by its name, in any case.

    Raises:
        CodecError: there is no such codec, or not yet; the text says which there are.

    >>> codec("pcmu").frame_samples
    80
    """
    found = CODECS.get(name.lower())
    if found is None:
        reason = "is planned, but not there yet" if name.lower() in _PLANNED else "is not a codec known here"
        raise CodecError(f"{name!r} {reason}; there are {', '.join(sorted(CODECS))}")
    return found
