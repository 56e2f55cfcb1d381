"""Choosing: which line of the peer's description is taken, which of its formats, and the words for it.

The first usable audio line wins, and in it the first codec that both have: a description lists formats in
the order of its author's preference (RFC 3264 sections 5.1 and 6.1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from gateway.sdp.agreement import NoCommonCodec
from gateway.sdp.codecs import (
    TELEPHONE_EVENT,
    CodecOffer,
    agree,
    is_audio,
    read_codecs,
    same_codec,
    written_name,
)
from gateway.sdp.crypto import ENCRYPTED, LocalCrypto, crypto_refusal
from gateway.sdp.description import MediaDescription, SessionDescription
from gateway.sdp.webrtc import DTLS, webrtc_refusal

__all__ = ["PROTOCOLS", "accept", "agreed", "choose_line", "events_beside", "reason", "receivable"]

PROTOCOLS: Final = frozenset({"RTP/AVP", "RTP/AVPF"}) | ENCRYPTED
"""Transports we take; feedback (AVPF) is answered alike and its messages are ignored (RFC 4585)."""


def choose_line(
    theirs: SessionDescription,
    ours: tuple[CodecOffer, ...],
    known: Mapping[int, CodecOffer] | None,
    crypto: LocalCrypto | None = None,
) -> tuple[int, tuple[CodecOffer, ...]]:
    """Return the index of the first usable media line and its codecs (all that it lists).

    Raises NoCommonCodec, whose text goes through the lines and whose Warning code is that of the audio line.
    """
    reasons: list[str] = []
    warning = 304
    for index, line in enumerate(theirs.media):
        refusal, code = _refusal(theirs, line, crypto)
        if not refusal:
            codecs = read_codecs(line, known)
            if any(is_audio(codec) for codec in agreed(codecs, ours)):
                return index, codecs
            refusal, code = f"they have {_listed(codecs)}; we have {_listed(ours)}", 305
        reasons.append(f"media line {index + 1} ({line.media}): {refusal}")
        warning = code if line.media == "audio" else warning
    text = ". ".join(reasons) or "the description has no media line"
    raise NoCommonCodec(f"no audio in common: {text}", warning=warning)


def agreed(theirs: tuple[CodecOffer, ...], ours: tuple[CodecOffer, ...]) -> tuple[CodecOffer, ...]:
    """Return their formats that we have too, in their order, with the parameters that hold for both.

    Telephone-event goes by name alone: its clock is that of the codec it stands beside, which is chosen
    later.
    """
    found = []
    for codec in theirs:
        events = codec.name == TELEPHONE_EVENT
        mine = next(
            (one for one in ours if same_codec(one, codec) or (events and one.name == codec.name)), None
        )
        if mine is not None:
            found.append(agree(codec, mine))
    return tuple(found)


def accept(common: tuple[CodecOffer, ...], *, single: bool = False) -> tuple[CodecOffer, ...]:
    """Return each accepted format once; if `single`, only the first audio codec."""
    audio = next(codec for codec in common if is_audio(codec))
    events = events_beside(audio, common)
    accepted: list[CodecOffer] = []
    for codec in common:
        repeated = any(same_codec(codec, one) for one in accepted)
        unwanted = (single and is_audio(codec) and codec != audio) or (
            codec.name == TELEPHONE_EVENT and codec != events
        )
        if not repeated and not unwanted:
            accepted.append(codec)
    return tuple(accepted)


def events_beside(audio: CodecOffer, common: tuple[CodecOffer, ...]) -> CodecOffer | None:
    """Return telephone-event on the clock of `audio`, else on 8000 Hz, which some send beside any codec."""
    events = [codec for codec in common if codec.name == TELEPHONE_EVENT]
    for rate_hz in (audio.rate_hz, 8000):
        for codec in events:
            if codec.rate_hz == rate_hz:
                return codec
    return None


def receivable(answered: tuple[CodecOffer, ...], offered: tuple[CodecOffer, ...]) -> dict[int, CodecOffer]:
    """Return what may arrive after our offer, by payload type.

    Our numbers are what the peer must use (RFC 3264 section 6.1); its own are kept as well where they are
    free, because some peers send what they asked for.
    """
    receive: dict[int, CodecOffer] = {}
    for codec in answered:
        for mine in offered:
            if same_codec(mine, codec):
                receive[mine.payload_type] = replace(codec, payload_type=mine.payload_type)
    taken = {codec.payload_type for codec in offered}
    return receive | {codec.payload_type: codec for codec in answered if codec.payload_type not in taken}


def reason(send: CodecOffer, theirs: tuple[CodecOffer, ...], ours: tuple[CodecOffer, ...]) -> str:
    """Say why `send` was chosen."""
    parameters = f" {send.fmtp}" if send.fmtp else ""
    lists = f"the first of their {_listed(theirs)} that we have ({_listed(ours)})"
    return f"{written_name(send)}{parameters}: {lists}"


def _refusal(
    description: SessionDescription, line: MediaDescription, crypto: LocalCrypto | None
) -> tuple[str, int]:
    """Return why a line cannot be used and the Warning code for it; an empty reason if it can."""
    connection = description.connection_of(line)
    if line.port == 0:
        return "it is refused or removed (port 0)", 305
    if line.media != "audio":
        return f"{line.media} is not carried here, only audio", 304
    if line.protocol.upper() in DTLS:
        return webrtc_refusal(description, line, crypto), 302
    if line.protocol.upper() not in PROTOCOLS:
        return f"the transport {line.protocol} is unknown here; RTP/AVP would be taken", 302
    if refusal := crypto_refusal(line, crypto):
        return refusal, 302
    if connection is None:
        return "it has no address (no c= line)", 305
    if _is_group(connection.address):
        return f"{connection.address} is a group address; media goes to one host only", 305
    return "", 0


def _listed(codecs: tuple[CodecOffer, ...]) -> str:
    names = [
        written_name(codec) if codec.rate_hz == 8000 else f"{written_name(codec)}/{codec.rate_hz}"
        for codec in codecs
        if is_audio(codec)
    ]
    return ", ".join(dict.fromkeys(names)) or "no codec that can be recognised"


@lru_cache(256)
def _is_group(address: str) -> bool:
    try:
        literal = ipaddress.ip_address(address)
    except ValueError:
        return False
    return literal.is_multicast or address == "255.255.255.255"
