"""What a browser's description says beside codecs: ICE, DTLS and bundling, as an ICE-lite server answers it.

    m=audio 9 UDP/TLS/RTP/SAVPF 111 0        a=group:BUNDLE 0           all streams over one path (RFC 9143)
    a=ice-ufrag:8hhY / a=ice-pwd:asd8...     what its checks are made with (RFC 8839); ours stand in the answer
    a=fingerprint:sha-256 4A:AD:...          whose certificate the handshake must show (RFC 8122)
    a=setup:actpass                          it lets us choose: we wait, it begins (RFC 5763)

Its candidates are not read: a lite agent sends no checks, and learns where the peer is from the checks that come, be
those candidates addresses or names of mDNS.  Our credentials are made of the leg's secret and the peer's ufrag, so that
a repeated offer gets the same answer, and one with a new ufrag, which is an ICE restart, new ones (RFC 8839 section
4.4.1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from gateway.sdp.crypto import LocalCrypto, Srtp
from gateway.sdp.description import Attribute, MediaDescription, SessionDescription

__all__ = ["DTLS", "AgreedWebRtc", "accept_webrtc", "group_attributes", "refused_mid", "webrtc_refusal"]

DTLS: Final = frozenset({"UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"})
"""Transports whose keys a handshake makes (RFC 5764)."""

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


def webrtc_refusal(description: SessionDescription, line: MediaDescription, local: LocalCrypto | None) -> str:
    """Return why a line of a browser cannot be used; empty if it can."""
    if local is None or local.policy is Srtp.OFF or not local.fingerprint:
        return f"{line.protocol} is encrypted media, which this leg does not do; RTP/AVP would be taken"
    if not all(_either(description, line, name) for name in ("ice-ufrag", "ice-pwd")):
        return f"{line.protocol} is taken with ICE only, and it has no a=ice-ufrag and a=ice-pwd"
    if not _fingerprints(description, line):
        return "it has no a=fingerprint by SHA-256, SHA-384 or SHA-512"
    if _either(description, line, "setup") not in {"actpass", "active"}:
        return "its a=setup does not let us wait for the handshake"
    if line.attribute("rtcp-mux") is None:
        return f"{line.protocol} is taken with a=rtcp-mux only"
    return ""


def accept_webrtc(
    offer: SessionDescription, line: MediaDescription, local: LocalCrypto | None, address: tuple[str, int]
) -> tuple[AgreedWebRtc | None, tuple[Attribute, ...]]:
    """Agree on a line that `webrtc_refusal` has let pass; returns what is agreed and our answer's lines.

    None and nothing for a line that is no browser's.
    """
    if local is None or line.protocol.upper() not in DTLS:
        return None, ()
    theirs = _either(offer, line, "ice-ufrag") or ""
    ufrag, password = _ours(local, theirs, "ufrag", 4), _ours(local, theirs, "password", 16)
    host, port = address
    lines = (
        *refused_mid(line),
        Attribute("ice-ufrag", ufrag),
        Attribute("ice-pwd", password),
        Attribute("fingerprint", local.fingerprint),
        Attribute("setup", "passive"),
        Attribute("candidate", f"1 1 udp {_HOST_PRIORITY} {host} {port} typ host"),
        Attribute("end-of-candidates"),
    )
    return AgreedWebRtc(ufrag, password, _fingerprints(offer, line)), lines


def group_attributes(line: MediaDescription) -> tuple[Attribute, ...]:
    """Return what the whole answer says when `line` is the one that is taken."""
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


def _ours(local: LocalCrypto, theirs: str, purpose: str, n_bytes: int) -> str:
    """Return credentials that only who has the leg's secret can make; two hexadecimal digits a byte."""
    return hashlib.blake2b(f"{purpose} {theirs}".encode(), key=local.secret, digest_size=n_bytes).hexdigest()
