"""Which codecs there are, and the face each shows to SDP and RTP (RFC 3551 sections 4.5 and 6).

A codec here is facts, no code: the engines are in `voicecodecs.engines`.  A frame is the smallest unit that a
codec codes, not a packet: a packet carries as many frames as its packet time has room for.  A codec with modes
(iLBC) has a set of facts for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from voicecodecs.errors import CodecError

__all__ = ["CODECS", "Codec", "codec", "modes"]


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
        sizes = [self.frame_bytes, self.sid_bytes, *(mode.frame_bytes for mode in modes(self.name))]
        fitting = sorted({size for size in sizes if 0 < size <= self.frame_bytes}, reverse=True)
        article = "an" if self.name[0] in "aeiou" else "a"
        return f"{n_bytes} bytes, but {article} {self.name} frame has {' or '.join(map(str, fitting))}"


_CONCEAL: Final = frozenset({"conceal"})
_MODE: Final = frozenset({"mode_ms"})

_ILBC: Final = (
    Codec("ilbc", "iLBC", None, 8000, 30, 240, 50, encoder_options=_MODE, decoder_options=_MODE),
    Codec("ilbc", "iLBC", None, 8000, 20, 160, 38, encoder_options=_MODE, decoder_options=_MODE),
)
"""30 ms first: what a session description without a mode means (RFC 3952 section 5)."""

CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Codec("pcmu", "PCMU", 0, 8000, 10, 80, 80, short_last_frame=True, decoder_options=_CONCEAL),
            Codec("pcma", "PCMA", 8, 8000, 10, 80, 80, short_last_frame=True, decoder_options=_CONCEAL),
            Codec("g729", "G729", 18, 8000, 10, 80, 10, encoder_options=frozenset({"annexb"}), sid_bytes=2),
            _ILBC[0],
        )
    }
)
"""Every codec that can be used, by name; of a codec with modes the one that is meant if none is named."""

_PLANNED: Final = frozenset({"g722", "opus", "l16"})


def modes(name: str) -> tuple[Codec, ...]:
    """Return the facts of each mode of a codec, the default first; a codec without modes has one.

    Raises:
        CodecError: there is no such codec, or not yet; the text says which there are.

    >>> [(mode.frame_ms, mode.frame_bytes) for mode in modes("ilbc")]
    [(30, 50), (20, 38)]
    """
    found = codec(name)
    return _ILBC if found is _ILBC[0] else (found,)


def codec(name: str, *, mode_ms: int | None = None) -> Codec:
    """Look a codec up by its name, in any case; mode_ms chooses among its modes.

    Raises:
        CodecError: there is no such codec or mode, or not yet; the text says which there are.

    >>> codec("pcmu").frame_samples, codec("ilbc", mode_ms=20).frame_samples
    (80, 160)
    """
    if mode_ms is not None:
        return _in_mode(modes(name), mode_ms)
    found = CODECS.get(name.lower())
    if found is None:
        reason = "is planned, but not there yet" if name.lower() in _PLANNED else "is not a codec known here"
        raise CodecError(f"{name!r} {reason}; there are {', '.join(sorted(CODECS))}")
    return found


def _in_mode(known: tuple[Codec, ...], mode_ms: int) -> Codec:
    for facts in known:
        if facts.frame_ms == mode_ms and not isinstance(mode_ms, bool):
            return facts
    durations = " or ".join(str(facts.frame_ms) for facts in known)
    raise CodecError(f"mode_ms={mode_ms!r}: {known[0].name} has {durations}")
