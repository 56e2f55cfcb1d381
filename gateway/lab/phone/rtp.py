"""RTP packets as the test phone reads and writes them (RFC 3550 section 5.1).

The media plane of the switch does this with numpy and C over thousands of legs; a phone has one stream and
can afford one small object a packet.  Sequence numbers and timestamps wrap: `signed16` and `signed32` give
the short way round from one to another, which is all that comparing them can mean.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage

__all__ = ["HEADER_BYTES", "Packet", "is_rtcp", "parse_rtp_untrusted", "signed16", "signed32"]

HEADER_BYTES: Final = 12
_HEADER: Final = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet; CSRCs, header extension and padding are taken off on reading and never written."""

    payload_type: int
    sequence: int
    """16 bits that wrap."""
    timestamp: int
    """32 bits that wrap, in units of the payload's clock."""
    ssrc: int
    payload: bytes
    marker: bool = False

    def to_bytes(self) -> bytes:
        """Write the packet.  The fields must be in range."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse_rtp_untrusted(data: bytes) -> Packet:
    """Read one packet.  Raise BadMessage when it is none."""
    if len(data) < HEADER_BYTES:
        raise BadMessage(f"an RTP packet of {len(data)} bytes")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first & 0xC0 != 0x80:
        raise BadMessage(f"RTP version {first >> 6}, not 2")
    begin = HEADER_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4])
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if begin > end:
        raise BadMessage("RTP header and padding are longer than the packet")
    return Packet(second & 0x7F, sequence, timestamp, ssrc, data[begin:end], bool(second & 0x80))


def is_rtcp(data: bytes) -> bool:
    """Say whether a datagram on a muxed port is RTCP (RFC 5761 section 4: packet types 192-223)."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def signed16(later: int, earlier: int) -> int:
    """Return how far `later` is after `earlier` on a 16-bit circle: -32768 .. 32767."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def signed32(later: int, earlier: int) -> int:
    """Return how far `later` is after `earlier` on a 32-bit circle."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
