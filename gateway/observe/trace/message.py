"""One message as it was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Address", "Traced", "without_secrets"]

Address = tuple[str, int]
"""A numeric IP address and a port."""

_CREDENTIALS = re.compile(rb"(?im)^(?:proxy-)?authorization[ \t]*:[^\r\n]*")
_KEY = re.compile(rb"(?i)(\binline:|\bice-pwd:)([A-Za-z0-9+/=]{16,})")
_SECRET = re.compile(rb'(?i)(\b(?:response|cnonce)[ \t]*=[ \t]*"?)([^",]*)')


@dataclass(frozen=True, slots=True)
class Traced:
    """A SIP message and its way."""

    at: float
    """Seconds since 1970."""
    source: Address
    destination: Address
    transport: str
    """"udp", "tcp", "tls", "ws" or "wss": what carried it; the text is what was inside."""
    data: bytes


def without_secrets(data: bytes) -> bytes:
    """Return a message without what opens a door: a digest's response (RFC 7616), keys of SRTP and of ICE.

    Those stand in descriptions: `a=crypto:1 ... inline:KEY` (RFC 4568), `a=ice-pwd:KEY` (RFC 8839).  The length stays,
    so that the message still reads as it was.

    >>> without_secrets(b'Authorization: Digest username="a", response="0123", uri="sip:b"')
    b'Authorization: Digest username="a", response="xxxx", uri="sip:b"'
    """
    said = data.lower()  # most messages have no such word, and a word is found sooner than a pattern
    if b"authorization" in said:
        data = _CREDENTIALS.sub(lambda header: _SECRET.sub(_masked, header[0]), data)
    return _KEY.sub(_masked, data) if b"inline:" in said or b"ice-pwd:" in said else data


def _masked(found: re.Match[bytes]) -> bytes:
    return found[1] + b"x" * len(found[2])
