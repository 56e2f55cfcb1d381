"""What a browser's description says beside codecs: ICE, DTLS and bundling, as an ICE-lite server says and answers it.

    m=audio 9 UDP/TLS/RTP/SAVPF 111 0        a=group:BUNDLE 0           all streams over one path (RFC 9143)
    a=ice-ufrag:8hhY / a=ice-pwd:asd8...     what its checks are made with (RFC 8839); ours stand in what we say
    a=fingerprint:sha-256 4A:AD:...          whose certificate the handshake must show (RFC 8122)
    a=setup:actpass                          whoever answers chooses who begins (RFC 5763): asked, we wait

Its candidates are not read: a lite agent sends no checks, and learns where the peer is from the checks that come, be
those candidates addresses or names of mDNS.  Whoever was called by us has our credentials from our offer, whoever
called us from our answer, and both for as long as the peer's ufrag stays: another one is an ICE restart, which gets
new ones (RFC 8839 section 4.4.1).  All of them are made of the leg's secret, so that a repeated offer gets the same
answer.  The roles in the handshake stay as they are for as long as its certificate does (RFC 8842 section 5.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from gateway.sdp.crypto import LocalCrypto, Srtp
from gateway.sdp.description import Attribute, MediaDescription, SessionDescription

__all__ = [
    "DTLS",
    "AgreedWebRtc",
    "accept_webrtc",
    "answered_webrtc",
    "group_attributes",
    "offers_webrtc",
    "refused_mid",
    "webrtc_attributes",
    "webrtc_refusal",
]

DTLS: Final = frozenset({"UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"})
"""Transports whose keys a handshake makes (RFC 5764)."""

_MID: Final = "0"
"""The only line of an offer has a name because browsers want one."""
_HASHES: Final = frozenset({"sha-256", "sha-384", "sha-512"})
_HOST_PRIORITY: Final = 126 << 24 | 65535 << 8 | 255
"""RFC 8445 section 5.1.2.1, for the only candidate of the only component."""


@dataclass(frozen=True, slots=True)
class AgreedWebRtc:
    """What both sides find and prove each other by."""

    ufrag: str
    """Ours: the peer's checks name it."""
    password: str = field(repr=False)
    """Ours: under which the peer's checks are authentic."""
    fingerprints: tuple[str, ...]
    """`sha-256 4A:AD...`: the peer's certificate has one of these."""
    theirs: str = ""
    """The peer's ufrag: another one is an ICE restart."""
    begins: bool = False
    """We begin the handshake; else the peer does."""


def webrtc_refusal(description: SessionDescription, line: MediaDescription, local: LocalCrypto | None) -> str:
    """Return why a line of a browser cannot be used; empty if it can."""
    if local is None or local.policy is Srtp.OFF or not local.fingerprint:
        return f"{line.protocol} is encrypted media, which this leg does not do; RTP/AVP would be taken"
    if not all(_either(description, line, name) for name in ("ice-ufrag", "ice-pwd")):
        return f"{line.protocol} is taken with ICE only, and it has no a=ice-ufrag and a=ice-pwd"
    if not _fingerprints(description, line):
        return "it has no a=fingerprint by SHA-256, SHA-384 or SHA-512"
    if _either(description, line, "setup") not in {"actpass", "active", "passive"}:
        return "its a=setup lets nobody begin the handshake"
    if line.attribute("rtcp-mux") is None:
        return f"{line.protocol} is taken with a=rtcp-mux only"
    return ""


def offers_webrtc(local: LocalCrypto | None, previous: MediaDescription | None, *, wished: bool) -> bool:
    """Tell whether our offer is one to a browser: because that is wished, or because the session is so already."""
    if previous is not None:
        return previous.protocol.upper() in DTLS
    return wished and local is not None and local.policy is not Srtp.OFF and bool(local.fingerprint)


def webrtc_attributes(
    local: LocalCrypto, address: tuple[str, int], previous: MediaDescription | None
) -> tuple[Attribute, ...]:
    """Return the lines of our offer; a later one repeats the credentials of `previous`, or it would be a restart."""
    said = None if previous is None else previous.attribute("ice-ufrag")
    ufrag, password = _credentials(local, "")
    if said and previous is not None:
        ufrag, password = said, previous.attribute("ice-pwd") or password
    mid = None if previous is None else previous.attribute("mid")
    lines = _lines(ufrag, password, local.fingerprint, "actpass", address)
    return (Attribute("mid", mid or _MID), *lines)


def accept_webrtc(
    offer: SessionDescription,
    line: MediaDescription,
    local: LocalCrypto | None,
    address: tuple[str, int],
    before: AgreedWebRtc | None = None,
) -> tuple[AgreedWebRtc | None, tuple[Attribute, ...]]:
    """Agree on a line that `webrtc_refusal` has let pass; returns what is agreed and our answer's lines.

    `before` is what was agreed with the same peer last.  None and nothing for a line that is no browser's.
    """
    if local is None or line.protocol.upper() not in DTLS:
        return None, ()
    theirs, fingerprints = _either(offer, line, "ice-ufrag") or "", _fingerprints(offer, line)
    ufrag, password = _credentials(local, theirs)
    if before is not None and before.theirs == theirs:
        ufrag, password = before.ufrag, before.password
    began = before is not None and before.begins and before.fingerprints == fingerprints
    setup = _either(offer, line, "setup")
    begins = setup == "passive" or (setup == "actpass" and began)
    agreed = AgreedWebRtc(ufrag, password, fingerprints, theirs, begins)
    role = "active" if begins else "passive"
    return agreed, (*refused_mid(line), *_lines(ufrag, password, local.fingerprint, role, address))


def answered_webrtc(
    ours: MediaDescription, answer: SessionDescription, line: MediaDescription
) -> AgreedWebRtc:
    """Read the answer's `line`, which `webrtc_refusal` has let pass, to our offer's line `ours`."""
    return AgreedWebRtc(
        ours.attribute("ice-ufrag") or "",
        ours.attribute("ice-pwd") or "",
        _fingerprints(answer, line),
        _either(answer, line, "ice-ufrag") or "",
        begins=_either(answer, line, "setup") == "passive",
    )


def group_attributes(line: MediaDescription) -> tuple[Attribute, ...]:
    """Return what the whole description says when `line` is the one that is taken, or offered."""
    mid = line.attribute("mid")
    group = () if mid is None else (Attribute("group", f"BUNDLE {mid}"),)
    return (Attribute("ice-lite"), *group)


def refused_mid(line: MediaDescription) -> tuple[Attribute, ...]:
    """Return a line's name, which an answer repeats even where the line is refused (RFC 9143 section 7.3)."""
    mid = line.attribute("mid")
    return () if mid is None else (Attribute("mid", mid),)


def _either(description: SessionDescription, line: MediaDescription, name: str) -> str | None:
    """Return what the line says, else what the whole description says."""
    return line.attribute(name) or description.attribute(name)


def _fingerprints(description: SessionDescription, line: MediaDescription) -> tuple[str, ...]:
    stated = line.all("fingerprint") or tuple(
        each.value or "" for each in description.attributes if each.name == "fingerprint"
    )
    split = (each.split() for each in stated)
    return tuple(
        f"{each[0].lower()} {each[1].upper()}"
        for each in split
        if len(each) == 2 and each[0].lower() in _HASHES
    )


def _lines(
    ufrag: str, password: str, fingerprint: str, role: str, address: tuple[str, int]
) -> tuple[Attribute, ...]:
    host, port = address
    return (
        Attribute("ice-ufrag", ufrag),
        Attribute("ice-pwd", password),
        Attribute("fingerprint", fingerprint),
        Attribute("setup", role),
        Attribute("candidate", f"1 1 udp {_HOST_PRIORITY} {host} {port} typ host"),
        Attribute("end-of-candidates"),
    )


def _credentials(local: LocalCrypto, theirs: str) -> tuple[str, str]:
    """Return a ufrag and a password that only who has the leg's secret can make; two hexadecimal digits a byte."""
    return _made(local, f"ufrag {theirs}", 4), _made(local, f"password {theirs}", 16)


def _made(local: LocalCrypto, purpose: str, n_bytes: int) -> str:
    return hashlib.blake2b(purpose.encode(), key=local.secret, digest_size=n_bytes).hexdigest()
