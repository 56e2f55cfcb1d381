"""STUN messages as bytes (RFC 8489): a 20-byte header, then attributes that are padded to four bytes.

    0                   2                   4               8                20
    +-------------------+-------------------+---------------+----------------+------------
    | class and method  | bytes that follow | magic cookie  | transaction id | attributes
    +-------------------+-------------------+---------------+----------------+------------

Two attributes vouch for all that stands before them, with the header's length as if they were the last:
MESSAGE-INTEGRITY (HMAC-SHA1 under a password) and FINGERPRINT (CRC-32, which tells STUN from RTP).  What stands behind
MESSAGE-INTEGRITY is nobody's word, so that only FINGERPRINT is read there (section 14.5).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.errors import BadMessage

__all__ = [
    "BINDING",
    "Attribute",
    "Kind",
    "StunMessage",
    "encode",
    "error_value",
    "is_authentic",
    "parse_stun_untrusted",
    "xor_address",
]

BINDING: Final = 1
"""The one method that ICE needs."""

_COOKIE: Final = 0x2112A442
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_FINGERPRINT_XOR: Final = 0x5354554E
_INTEGRITY_BYTES: Final = 20


class Kind(IntEnum):
    """The class of a message, as its two bits."""

    REQUEST = 0b00
    INDICATION = 0b01
    SUCCESS = 0b10
    ERROR = 0b11


class Attribute(IntEnum):
    """The attributes that ICE speaks of; from 0x8000 on, who does not know one passes over it."""

    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    SOFTWARE = 0x8022
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


@dataclass(frozen=True, slots=True)
class StunMessage:
    """One message, without the attributes that vouch for it."""

    kind: Kind
    transaction: bytes
    """Twelve bytes that an answer repeats."""
    attributes: tuple[tuple[int, bytes], ...] = ()
    method: int = BINDING

    def get(self, attribute: int) -> bytes | None:
        """Return the value of the first attribute of that type (section 14: the others do not count)."""
        return next((value for kind, value in self.attributes if kind == attribute), None)


def parse_stun_untrusted(data: bytes) -> StunMessage:
    """Read a message from the network; whether it is authentic, `is_authentic` tells.

    Raises:
        BadMessage: it is no STUN, is cut short, or its FINGERPRINT is wrong.
    """
    if len(data) < _HEADER.size or len(data) % 4:
        raise BadMessage(f"STUN of {len(data)} bytes")
    word, length, cookie, transaction = _HEADER.unpack_from(data)
    if word >> 14 or cookie != _COOKIE or length != len(data) - _HEADER.size:
        raise BadMessage("the header is not STUN's")
    read: list[tuple[int, bytes]] = []
    vouched = False
    for offset, kind, value in _walk(data):
        last = not data[offset + _ATTRIBUTE.size + 4 :]
        if kind == Attribute.FINGERPRINT and not (last and value == _fingerprint(data[:offset])):
            raise BadMessage("STUN with a wrong FINGERPRINT, or one that is not the last attribute")
        vouched = vouched or kind == Attribute.MESSAGE_INTEGRITY
        if not vouched:
            read.append((kind, value))
    method = (word & 0x3E00) >> 2 | (word & 0x00E0) >> 1 | word & 0x000F
    return StunMessage(Kind((word >> 7 & 2) | (word >> 4 & 1)), transaction, tuple(read), method)


def is_authentic(data: bytes, password: str) -> bool:
    """Tell whether a message that could be read has a MESSAGE-INTEGRITY under this password."""
    for offset, kind, value in _walk(data):
        if kind == Attribute.MESSAGE_INTEGRITY:
            return hmac.compare_digest(value, _integrity(data[:offset], password))
    return False


def encode(message: StunMessage, password: str | None = None) -> bytes:
    """Write a message, with MESSAGE-INTEGRITY if there is a password, and with FINGERPRINT."""
    body = b"".join(_written(kind, value) for kind, value in message.attributes)
    data = _HEADER.pack(_word(message), len(body), _COOKIE, message.transaction) + body
    if password is not None:
        data = _lengthened(data + _written(Attribute.MESSAGE_INTEGRITY, _integrity(data, password)))
    return _lengthened(data + _written(Attribute.FINGERPRINT, _fingerprint(data)))


def xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """Return the value of XOR-MAPPED-ADDRESS, which no gateway on the way mistakes for an address (section 14.2)."""
    address = ipaddress.ip_address(host)
    key = _COOKIE.to_bytes(4, "big") + transaction
    masked = bytes(byte ^ mask for byte, mask in zip(address.packed, key, strict=False))
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ _COOKIE >> 16) + masked


def error_value(code: int, reason: str) -> bytes:
    """Return the value of ERROR-CODE (section 14.8)."""
    return struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()


def _walk(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, type and value of each attribute."""
    offset = _HEADER.size
    while offset < len(data):
        kind, length = _ATTRIBUTE.unpack_from(data, offset)
        start = offset + _ATTRIBUTE.size
        if start + length > len(data):
            raise BadMessage("a STUN attribute is longer than its message")
        yield offset, kind, data[start : start + length]
        offset = start + length + -length % 4


def _word(message: StunMessage) -> int:
    """Interleave the bits of class and method (section 5)."""
    method, kind = message.method, message.kind
    return (
        (method & 0x0F80) << 2 | (kind & 2) << 7 | (method & 0x0070) << 1 | (kind & 1) << 4 | method & 0x000F
    )


def _written(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _lengthened(data: bytes, more: int = 0) -> bytes:
    """Return the message with a header that counts all of it, and `more` bytes that are still to come."""
    return data[:2] + struct.pack("!H", len(data) - _HEADER.size + more) + data[4:]


def _integrity(before: bytes, password: str) -> bytes:
    covered = _lengthened(before, _ATTRIBUTE.size + _INTEGRITY_BYTES)
    return hmac.digest(password.encode(), covered, hashlib.sha1)


def _fingerprint(before: bytes) -> bytes:
    covered = _lengthened(before, _ATTRIBUTE.size + 4)
    return (binascii.crc32(covered) ^ _FINGERPRINT_XOR).to_bytes(4, "big")
