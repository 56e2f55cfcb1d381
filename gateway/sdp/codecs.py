"""What a payload type means: the codecs of an audio line, and the rules of their parameters.

`CODECS` is the one table of what each codec is called outside, how long its frame is and which names peers
use for it.  `read_codecs` turns an `m=` line with its `rtpmap` and `fmtp` attributes into `CodecOffer`s:

- encoding names compare without regard to case (RFC 8866 section 6.6), and `G729A`, `G729AB`, `G.729` mean
  G729;
- a static payload type needs no `rtpmap` (RFC 3551 section 6), but if there is one it wins;
- a dynamic payload type without `rtpmap` keeps the meaning it had in the description before (phones on hold
  leave it out), else that format is dropped, never the call.

Two codecs have a parameter that both ends share, so it is settled here: G.729 Annex B is on only if neither
side says `annexb=no` (RFC 4856 section 2.1.9, RFC 7261 section 3.3), and iLBC is 30 ms if either side says
30 or says nothing (RFC 3952 section 5).  For telephone-event the events of both sides are intersected (RFC
4733 section 2.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.sdp.description import Attribute, MediaDescription

__all__ = [
    "CODECS",
    "COMFORT_NOISE",
    "TELEPHONE_EVENT",
    "CodecFacts",
    "CodecOffer",
    "agree",
    "annexb",
    "codec_offer",
    "format_attributes",
    "frame_ms",
    "ilbc_mode_ms",
    "is_audio",
    "read_codecs",
    "same_codec",
    "written_name",
]

TELEPHONE_EVENT: Final = "telephone-event"
COMFORT_NOISE: Final = "cn"


@dataclass(frozen=True, slots=True)
class CodecOffer:
    """One format of an audio line.

    `name` is the lower-case `voicecodecs` name (`pcmu`, `g729`, ...; `telephone-event` and `cn` as well),
    or the encoding name in lower case for a codec we do not have.  `rate_hz` is the RTP clock.
    """

    name: str
    payload_type: int
    rate_hz: int = 8000
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class CodecFacts:
    """How a codec is written in SDP; `payload_type` is static below 96, else the number we offer it under."""

    sdp_name: str
    payload_type: int
    frame_ms: int = 10
    fmtp: str = ""
    aliases: tuple[str, ...] = ()


CODECS: Final[Mapping[str, CodecFacts]] = {
    "pcmu": CodecFacts("PCMU", 0),
    "pcma": CodecFacts("PCMA", 8),
    # DTX is a setting (`media.annexb`): without it we ask for a continuous stream.
    "g729": CodecFacts("G729", 18, fmtp="annexb=no", aliases=("g729a", "g729b", "g729ab", "g.729", "g.729a")),
    # We follow the peer: 20 stays 20, and 30 or silence makes it 30.
    "ilbc": CodecFacts("iLBC", 97, frame_ms=20, fmtp="mode=20"),
    COMFORT_NOISE: CodecFacts("CN", 13),
    TELEPHONE_EVENT: CodecFacts(TELEPHONE_EVENT, 101, fmtp="0-16"),
}
"""Every codec that negotiation knows; which of them a leg may use is `LocalMedia.codecs`."""

_ALIASES: Final = {alias: name for name, facts in CODECS.items() for alias in facts.aliases}

_STATIC: Final[Mapping[int, tuple[str, int]]] = {
    0: ("pcmu", 8000),
    3: ("gsm", 8000),
    4: ("g723", 8000),
    8: ("pcma", 8000),
    9: ("g722", 8000),  # 16 kHz samples on an 8 kHz clock: RFC 3551 section 4.5.2 keeps an old mistake
    13: (COMFORT_NOISE, 8000),
    15: ("g728", 8000),
    18: ("g729", 8000),
}
"""RFC 3551 table 4, as far as telephony uses it."""

_RTPMAP: Final = re.compile(r"(\d{1,3})\s+([^\s/]+)/(\d{1,6})(?:/\d+)?\s*", re.ASCII)
_FMTP: Final = re.compile(r"(\d{1,3})\s+(.*)", re.ASCII | re.DOTALL)
_RANGE: Final = re.compile(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", re.ASCII)


def codec_offer(name: str, payload_type: int | None = None, *, fmtp: str | None = None) -> CodecOffer:
    """Return the usual offer of codec `name`: its number and parameters from `CODECS` unless given."""
    facts = CODECS[name]
    number = facts.payload_type if payload_type is None else payload_type
    return CodecOffer(name, number, fmtp=facts.fmtp if fmtp is None else fmtp)


def read_codecs(
    media: MediaDescription, known: Mapping[int, CodecOffer] | None = None
) -> tuple[CodecOffer, ...]:
    """Return the formats of an audio line in the order of preference, each payload type once.

    `known` is what payload types meant in the description before, for lines that leave `rtpmap` out.
    """
    maps = _rtpmaps(media)
    parameters = _fmtps(media)
    found: dict[int, CodecOffer] = {}
    for text in media.formats:
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 128
        before = (known or {}).get(number)
        meaning = maps.get(number) or (
            _STATIC.get(number) if before is None else (before.name, before.rate_hz)
        )
        if number > 127 or number in found or meaning is None:
            continue
        name, rate_hz = meaning
        fmtp = parameters.get(number, "" if before is None or number in maps else before.fmtp)
        found[number] = CodecOffer(name, number, rate_hz, fmtp)
    return tuple(found.values())


def format_attributes(codecs: Sequence[CodecOffer]) -> tuple[Attribute, ...]:
    """Write `rtpmap` and `fmtp` for each format; static ones as well, for peers that look for it."""
    attributes = []
    for codec in codecs:
        attributes.append(Attribute("rtpmap", f"{codec.payload_type} {written_name(codec)}/{codec.rate_hz}"))
        if codec.fmtp:
            attributes.append(Attribute("fmtp", f"{codec.payload_type} {codec.fmtp}"))
    return tuple(attributes)


def written_name(codec: CodecOffer) -> str:
    """Return the encoding name as we write it; foreign codecs in capitals."""
    facts = CODECS.get(codec.name)
    return codec.name.upper() if facts is None else facts.sdp_name


def is_audio(codec: CodecOffer) -> bool:
    """Tell a codec that can carry speech from the formats that accompany one."""
    return codec.name not in {TELEPHONE_EVENT, COMFORT_NOISE}


def same_codec(one: CodecOffer, other: CodecOffer) -> bool:
    """Compare name and clock; parameters of our codecs never make them different ones."""
    return one.name == other.name and one.rate_hz == other.rate_hz


def frame_ms(codec: CodecOffer) -> int:
    """Return the shortest packet of `codec`, of which every packet is a multiple."""
    if codec.name == "ilbc":
        return ilbc_mode_ms(codec)
    facts = CODECS.get(codec.name)
    return 10 if facts is None else facts.frame_ms


def annexb(codec: CodecOffer) -> bool:
    """Return whether a G.729 format allows silence descriptors; absent means yes (RFC 4856 section 2.1.9)."""
    return _parameters(codec.fmtp).get("annexb", "yes").lower() != "no"


def ilbc_mode_ms(codec: CodecOffer) -> int:
    """Return the iLBC frame, 20 or 30 ms; absent means 30."""
    return 20 if _parameters(codec.fmtp).get("mode") == "20" else 30


def agree(theirs: CodecOffer, ours: CodecOffer) -> CodecOffer:
    """Return their format with the parameters that hold for both ends; symmetric but for the payload type."""
    match theirs.name:
        case "g729":
            both = annexb(theirs) and annexb(ours)
            return replace(theirs, fmtp="annexb=yes" if both else "annexb=no")
        case "ilbc":
            return replace(theirs, fmtp=f"mode={max(ilbc_mode_ms(theirs), ilbc_mode_ms(ours))}")
        case "telephone-event":
            return replace(theirs, fmtp=_written_events(_events(theirs.fmtp) & _events(ours.fmtp)))
        case _:
            return theirs


def _rtpmaps(media: MediaDescription) -> dict[int, tuple[str, int]]:
    maps: dict[int, tuple[str, int]] = {}
    for value in media.all("rtpmap"):
        match = _RTPMAP.fullmatch(value)
        if match is not None:
            name = match[2].lower()
            maps.setdefault(int(match[1]), (_ALIASES.get(name, name), int(match[3])))
    return maps


def _fmtps(media: MediaDescription) -> dict[int, str]:
    """Return the parameters by payload type: of two lines the first, but `annexb=no` anywhere."""
    found: dict[int, str] = {}
    for value in media.all("fmtp"):
        match = _FMTP.fullmatch(value)
        if match is None:
            continue
        number, text = int(match[1]), match[2].strip()
        if number not in found or _parameters(text).get("annexb", "").lower() == "no":
            found[number] = text
    return found


def _parameters(fmtp: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in fmtp.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def _events(fmtp: str) -> frozenset[int]:
    """Return the event codes of a telephone-event line; absent or unreadable means 0-15 (RFC 4733 2.4.1)."""
    ranges = [_RANGE.fullmatch(part) for part in fmtp.removeprefix("events=").split(",")]
    codes = {
        code
        for each in ranges
        if each is not None
        for code in range(int(each[1]), min(int(each[2] or each[1]), 255) + 1)
    }
    return frozenset(codes or range(16))


def _written_events(codes: Iterable[int]) -> str:
    """Write event codes as ascending ranges: {0..11, 16} is "0-11,16"."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ",".join(f"{low}-{high}" if high > low else f"{low}" for low, high in ranges)
