"""Offer and answer for one audio stream: pure functions over descriptions (RFC 3264, RFC 6337).

`write_offer` says what we want, `answer` replies to a peer's offer, `read_answer` understands a peer's
reply to ours. A late offer (INVITE without SDP) is the same three functions with the roles changed: we
offer in the 2xx and read the answer in the ACK.  What comes out is `NegotiatedMedia`: where to send, what
to send, and what may arrive.

House rules, each of which some product once got wrong:

- The answer has the offer's media lines in the offer's order; what we do not take has port 0 (RFC 3264
  section 6).
- The first audio line that works is taken; video, fax and a second audio line are refused, never the whole
  call.
- The payload type in a description is what its author wants to *receive*.  The answer mirrors the offer's
  numbers, but both directions keep their own map, since peers answer with others.
- We send the first codec of the description that we have; any other agreed one may arrive at any time.
- Hold is a direction (`sendonly`, `inactive`) or the null address of RFC 2543; port 0 is removal, not hold.
- Every choice carries its reason in words, and every refusal too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.sdp.agreement import Direction, LocalMedia, NegotiatedMedia, NoCommonCodec, is_null_address
from gateway.sdp.choice import PROTOCOLS, accept, agreed, choose_line, events_beside, reason, receivable
from gateway.sdp.codecs import (
    COMFORT_NOISE,
    TELEPHONE_EVENT,
    CodecOffer,
    format_attributes,
    frame_ms,
    is_audio,
    read_codecs,
    same_codec,
)
from gateway.sdp.crypto import (
    ENCRYPTED,
    AgreedCrypto,
    LocalCrypto,
    Srtp,
    accept_crypto,
    answered_crypto,
    crypto_attributes,
    offers_crypto,
)
from gateway.sdp.description import Attribute, Connection, MediaDescription, Origin, SessionDescription
from gateway.sdp.webrtc import (
    DTLS,
    AgreedWebRtc,
    accept_webrtc,
    answered_webrtc,
    group_attributes,
    offers_webrtc,
    refused_mid,
    webrtc_attributes,
)

__all__ = [
    "CodecOffer",
    "Direction",
    "LocalMedia",
    "NegotiatedMedia",
    "NoCommonCodec",
    "answer",
    "read_answer",
    "revise",
    "write_offer",
]

_MAX_PTIME_MS: Final = 60
_USERNAME: Final = "tandem"
"""RFC 8866 section 5.2 allows `-` too; SIPp's own scenario `regexp` wants letters."""
_DIRECTIONS: Final = frozenset(each.value for each in Direction)


def write_offer(
    local: LocalMedia, *, previous: SessionDescription | None = None, rtcp_mux: bool = False
) -> SessionDescription:
    """Offer everything in `local`; in a later offer, `previous` is our last description of this dialog.

    A later offer keeps the session's media lines and payload type numbers (RFC 3264 section 8) and counts its
    version from `previous`.  `rtcp_mux` offers RTCP on the RTP port.
    """
    slots = () if previous is None else previous.media
    index = _audio_slot(slots)
    slot = slots[index] if index < len(slots) else None
    browser = offers_webrtc(local.crypto, slot, wished=local.webrtc)
    codecs = local.codecs if slot is None else _renumbered(local.codecs, slot)
    line = _audio_line(
        local,
        codecs,
        _offered_protocol(local, browser=browser) if slot is None else slot.protocol,
        local.direction,
        rtcp_mux=rtcp_mux or browser,
        crypto=_offered_security(local, slot, browser=browser),
    )
    refused = tuple(_refused(each, named=browser) for each in slots)
    about = group_attributes(line) if browser else ()
    return revise(previous, _describe(local, (*refused[:index], line, *refused[index + 1 :]), about))


def answer(
    offer: SessionDescription,
    local: LocalMedia,
    *,
    previous: SessionDescription | None = None,
    known: Mapping[int, CodecOffer] | None = None,
    webrtc: AgreedWebRtc | None = None,
) -> tuple[SessionDescription, NegotiatedMedia]:
    """Answer an offer; returns our description and what both mean for the media plane.

    `previous` is our last description of this dialog: the version counts from it, and a re-offer that leaves
    out `rtpmap`, as phones on hold do, means by a number what it meant there.  `known` adds such meanings,
    for a caller that keeps `receive` of the negotiation before and counts versions itself, and `webrtc` is
    what that negotiation agreed on with a browser.
    Raises NoCommonCodec (488), saying why for each line, if nothing in the offer can be used.
    """
    index, offered = choose_line(offer, local.codecs, {**_numbers(previous), **(known or {})}, local.crypto)
    line = offer.media[index]
    path, security = accept_webrtc(offer, line, local.crypto, (local.address, local.rtp_port), webrtc)
    crypto = None
    if path is None:
        crypto, security = accept_crypto(line, local.crypto)
    common = agreed(offered, local.codecs)
    accepted = accept(common, single=local.single_codec)
    negotiated = _negotiated(
        offer,
        index,
        accepted,
        local=local,
        wished=local.direction,
        receive={codec.payload_type: codec for codec in common},
        rtcp_mux=(local.rtcp_mux or path is not None) and line.attribute("rtcp-mux") is not None,
        reason=reason(_audio(accepted), offered, local.codecs),
        crypto=crypto,
        webrtc=path,
    )
    ours = _audio_line(
        replace(local, ptime_ms=negotiated.ptime_ms),
        accepted,
        line.protocol,
        negotiated.direction,
        rtcp_mux=negotiated.rtcp_mux,
        crypto=security,
    )
    lines = [_refused(each, named=path is not None) for each in offer.media]
    lines[index] = ours
    about = () if path is None else group_attributes(line)
    return revise(previous, _describe(local, tuple(lines), about)), negotiated


def read_answer(offer: SessionDescription, answer: SessionDescription, local: LocalMedia) -> NegotiatedMedia:
    """Understand the peer's answer to our `offer`. Raises NoCommonCodec if it took nothing usable."""
    ours = next(each for each in offer.media if each.media == "audio" and each.port)
    offered = read_codecs(ours)
    browser = ours.protocol.upper() in DTLS
    known = {codec.payload_type: codec for codec in offered}
    security = local.crypto if browser else _without_handshake(local.crypto)
    index, answered = choose_line(answer, offered, known, security)
    line = answer.media[index]
    if browser and line.protocol.upper() not in DTLS:
        raise NoCommonCodec(f"the answer in {line.protocol} takes no handshake", warning=302)
    common = agreed(answered, offered)
    accepted = accept(common)
    muxed = (each.attribute("rtcp-mux") is not None for each in (ours, line))
    return _negotiated(
        answer,
        index,
        accepted,
        local=local,
        wished=_stated_direction(offer, ours),
        receive=receivable(common, offered),
        rtcp_mux=all(muxed),
        reason=reason(_audio(accepted), answered, offered),
        crypto=None if browser else _answered(ours, line, local),
        webrtc=answered_webrtc(ours, answer, line) if browser else None,
    )


def revise(previous: SessionDescription | None, fresh: SessionDescription) -> SessionDescription:
    """Number `fresh` as the next edition of `previous`: version +1 if and only if the text changed."""
    if previous is None or not previous.origin.version.isdecimal():
        return fresh
    if replace(fresh, origin=previous.origin) == previous:
        return previous
    version = str(int(previous.origin.version) + 1)
    return replace(fresh, origin=replace(previous.origin, version=version, address=fresh.origin.address))


def _numbers(previous: SessionDescription | None) -> dict[int, CodecOffer]:
    """Return what payload types mean in this session so far."""
    lines = () if previous is None else previous.media
    return {codec.payload_type: codec for line in lines for codec in read_codecs(line)}


def _negotiated(
    theirs: SessionDescription,
    index: int,
    accepted: tuple[CodecOffer, ...],
    *,
    local: LocalMedia,
    wished: Direction,
    receive: dict[int, CodecOffer],
    rtcp_mux: bool,
    reason: str,
    crypto: AgreedCrypto | None,
    webrtc: AgreedWebRtc | None = None,
) -> NegotiatedMedia:
    line = theirs.media[index]
    address = _stated_address(theirs, line) if webrtc is None else ""  # a browser's checks say where it is
    send = _audio(accepted)
    events = events_beside(send, accepted)
    rtcp_address, rtcp_port = _rtcp(theirs, line, address, rtcp_mux=rtcp_mux)
    return NegotiatedMedia(
        remote_address=address,
        remote_rtp_port=line.port,
        remote_rtcp_port=rtcp_port,
        send=send,
        receive={number: codec for number, codec in receive.items() if codec.name != TELEPHONE_EVENT},
        event_send_pt=None if events is None else events.payload_type,
        event_receive_pt=next(
            (n for n, codec in receive.items() if events and same_codec(codec, events)), None
        ),
        ptime_ms=_ptime_ms(theirs, line, send, local.ptime_ms),
        direction=_direction(_stated_direction(theirs, line), wished, address),
        rtcp_mux=rtcp_mux,
        reason=reason,
        remote_rtcp_address=rtcp_address,
        event_rate_hz=8000 if events is None else events.rate_hz,
        noise_send_pt=next((each.payload_type for each in accepted if each.name == COMFORT_NOISE), None),
        media_index=index,
        crypto=crypto,
        webrtc=webrtc,
    )


def _stated_address(theirs: SessionDescription, line: MediaDescription) -> str:
    connection = theirs.connection_of(line)
    assert connection is not None  # choose_line takes no such line without an address
    return connection.address


def _without_handshake(crypto: LocalCrypto | None) -> LocalCrypto | None:
    """An offer that speaks of no handshake, so that no answer may."""
    return None if crypto is None else replace(crypto, fingerprint="")


def _offered_protocol(local: LocalMedia, *, browser: bool) -> str:
    """Encryption that may be passed over is offered in RTP/AVP: whoever does not know it takes the line plain."""
    demanded = local.crypto is not None and local.crypto.policy is Srtp.DEMANDED
    return "UDP/TLS/RTP/SAVPF" if browser else "RTP/SAVP" if demanded else "RTP/AVP"


def _offered_security(
    local: LocalMedia, slot: MediaDescription | None, *, browser: bool
) -> tuple[Attribute, ...]:
    """Return the lines that say how packets are encrypted: by a handshake, by keys, or not."""
    if local.crypto is None:
        return ()
    if browser:
        return webrtc_attributes(local.crypto, (local.address, local.rtp_port), slot)
    return crypto_attributes(local.crypto) if offers_crypto(local.crypto, slot) else ()


def _answered(ours: MediaDescription, theirs: MediaDescription, local: LocalMedia) -> AgreedCrypto | None:
    """Return the keys of an answer; one without is plain, which an encrypted transport cannot be."""
    crypto = answered_crypto(ours, theirs, local.crypto)
    wanted = ours.protocol.upper() in ENCRYPTED or theirs.protocol.upper() in ENCRYPTED
    if crypto is None and wanted:
        raise NoCommonCodec(f"the answer in {theirs.protocol} takes none of our keys", warning=302)
    return crypto


def _audio(accepted: tuple[CodecOffer, ...]) -> CodecOffer:
    return next(codec for codec in accepted if is_audio(codec))


def _stated_direction(description: SessionDescription, line: MediaDescription) -> Direction:
    """Return what a line says, else what the session says, else sendrecv (RFC 8866 section 6.7)."""
    for attributes in (line.attributes, description.attributes):
        for each in attributes:
            if each.name in _DIRECTIONS:
                return Direction(each.name)
    return Direction.SENDRECV


def _direction(theirs: Direction, wished: Direction, address: str) -> Direction:
    """Return our direction: what we wish, where the other side agrees (RFC 3264 section 6.1).

    The null address is "do not send to me", the hold of RFC 2543 (RFC 3264 section 8.4).
    """
    hears = theirs.receives and not is_null_address(address)
    return Direction.of(sends=wished.sends and hears, receives=wished.receives and theirs.sends)


def _rtcp(
    theirs: SessionDescription, line: MediaDescription, address: str, *, rtcp_mux: bool
) -> tuple[str, int]:
    """Return where RTCP goes: muxed (RFC 5761), `a=rtcp` (RFC 3605), or the next port; 0 is nowhere."""
    bandwidth = dict(theirs.bandwidth) | dict(line.bandwidth)
    if bandwidth.get("RR") == "0" and bandwidth.get("RS") == "0":
        return address, 0
    if rtcp_mux:
        return address, line.port
    fields = (line.attribute("rtcp") or "").split()
    if (
        fields
        and fields[0].isascii()
        and fields[0].isdigit()
        and len(fields[0]) <= 5
        and int(fields[0]) <= 65535
    ):
        return (fields[3] if len(fields) == 4 else address), int(fields[0])
    return address, (line.port + 1 if line.port < 65535 else 0)


def _ptime_ms(theirs: SessionDescription, line: MediaDescription, codec: CodecOffer, default_ms: int) -> int:
    """Return the packet length to send: the peer's wish in whole frames, at most `maxptime` and 60 ms."""
    frame = frame_ms(codec)
    wish = _milliseconds(theirs, line, "ptime") or default_ms
    limit = min(_milliseconds(theirs, line, "maxptime") or _MAX_PTIME_MS, _MAX_PTIME_MS)
    return max(min(wish, limit) // frame, 1) * frame


def _milliseconds(theirs: SessionDescription, line: MediaDescription, name: str) -> int:
    """Return a whole number of milliseconds; 0 if absent, zero or nonsense."""
    text = (line.attribute(name) or theirs.attribute(name) or "").split(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


def _describe(
    local: LocalMedia, lines: tuple[MediaDescription, ...], about: tuple[Attribute, ...] = ()
) -> SessionDescription:
    origin = Origin(str(local.session_id), str(local.version), local.address, _USERNAME)
    return SessionDescription(
        origin=origin, connection=Connection(local.address), attributes=about, media=lines
    )


def _audio_line(
    local: LocalMedia,
    codecs: tuple[CodecOffer, ...],
    protocol: str,
    direction: Direction,
    *,
    rtcp_mux: bool,
    crypto: tuple[Attribute, ...],
) -> MediaDescription:
    frame = frame_ms(_audio(codecs))
    ptime_ms = max(local.ptime_ms // frame, 1) * frame
    return MediaDescription(
        media="audio",
        port=local.rtp_port,
        protocol=protocol,
        formats=tuple(str(codec.payload_type) for codec in codecs),
        attributes=(
            *format_attributes(codecs),
            Attribute("ptime", str(ptime_ms)),
            Attribute(direction.value),
            *((Attribute("rtcp-mux"),) if rtcp_mux else ()),
            *crypto,
        ),
    )


def _audio_slot(slots: tuple[MediaDescription, ...]) -> int:
    """Return the line to use in a later offer: the audio in use, else a refused one, else a new one at the end."""
    audio = [i for i, each in enumerate(slots) if each.media == "audio" and each.protocol in PROTOCOLS | DTLS]
    return next((i for i in audio if slots[i].port), audio[0] if audio else len(slots))


def _refused(line: MediaDescription, *, named: bool = False) -> MediaDescription:
    """Answer a line that is not taken: port 0, the same media, transport and formats, its name if browsers want it."""
    attributes = refused_mid(line) if named else ()
    return MediaDescription(
        media=line.media, port=0, protocol=line.protocol, formats=line.formats, attributes=attributes
    )


def _renumbered(codecs: tuple[CodecOffer, ...], line: MediaDescription) -> tuple[CodecOffer, ...]:
    """Give each codec the number it has in this session; new ones a number that no other codec has."""
    used = read_codecs(line)
    taken = {codec.payload_type for codec in used}
    numbered = []
    for codec in codecs:
        number = next((each.payload_type for each in used if same_codec(each, codec)), codec.payload_type)
        if number in taken and not any(same_codec(each, codec) for each in used):
            number = next(free for free in range(96, 128) if free not in taken)
        taken.add(number)
        numbered.append(replace(codec, payload_type=number))
    return tuple(numbered)
