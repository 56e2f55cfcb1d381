"""RTCP as far as a phone needs it (RFC 3550 section 6): SR or RR with a CNAME, and BYE.

A report goes out every 5 s, give or take half; what comes in tells the round trip and how much of ours was
lost. Everything else that a compound packet may hold is stepped over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage
from gateway.lab.phone.receiver import ReportBlock

__all__ = [
    "INTERVAL_S",
    "PeerBlock",
    "PeerReport",
    "SenderInfo",
    "parse_rtcp_untrusted",
    "write_bye",
    "write_report",
]

INTERVAL_S: Final = 5.0
_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_NTP_EPOCH_S: Final = 2208988800
_BLOCK: Final = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What an SR says of its sender."""

    wall_s: float
    """Seconds since 1970."""
    timestamp: int
    """The RTP timestamp of that moment."""
    n_packets: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class PeerBlock:
    """What the peer says of one stream that it hears."""

    ssrc: int
    fraction_lost: int
    """Of 256, since its last report."""
    lost: int
    jitter: int
    last_sr: int
    """Middle 32 bits of the NTP time of the last SR it had; 0 = none."""
    delay: int
    """How long ago that was, in units of 1/65536 s."""


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What one incoming compound packet says."""

    sender_ntp: int | None
    """Middle 32 bits of the NTP time in its SR."""
    blocks: tuple[PeerBlock, ...]
    bye: bool


def write_report(
    ssrc: int,
    cname: str,
    *,
    sender: SenderInfo | None,
    heard: ReportBlock | None,
    last_sr: int = 0,
    delay_s: float = 0.0,
) -> bytes:
    """Write SR (with `sender`) or RR, then SDES.  `last_sr`, `delay_s`: LSR and DLSR of what we hear."""
    body = struct.pack("!I", ssrc)
    if sender is not None:
        seconds = sender.wall_s + _NTP_EPOCH_S
        ntp = int(seconds) << 32 | int((seconds % 1.0) * 2**32)
        body += struct.pack("!QIII", ntp, sender.timestamp, sender.n_packets, sender.n_bytes & 0xFFFFFFFF)
    if heard is not None:
        loss = heard.fraction_lost << 24 | heard.lost
        dlsr = min(int(delay_s * 65536), 0xFFFFFFFF) if last_sr else 0
        body += _BLOCK.pack(heard.ssrc, loss, heard.highest_sequence, heard.jitter, last_sr, dlsr)
    kind = _RR if sender is None else _SR
    return _packet(kind, int(heard is not None), body) + _sdes(ssrc, cname)


def write_bye(ssrc: int, cname: str) -> bytes:
    """Write the compound packet that ends our stream: an empty RR, SDES and BYE (section 6.6)."""
    return (
        _packet(_RR, 0, struct.pack("!I", ssrc))
        + _sdes(ssrc, cname)
        + _packet(_BYE, 1, struct.pack("!I", ssrc))
    )


def parse_rtcp_untrusted(data: bytes) -> PeerReport:
    """Read a compound packet.  Raise BadMessage when a length lies."""
    sender_ntp, bye = None, False
    blocks: list[PeerBlock] = []
    while data:
        if len(data) < 4 or data[0] & 0xC0 != 0x80:
            raise BadMessage("RTCP without a header of version 2")
        end = 4 + 4 * int.from_bytes(data[2:4])
        if end > len(data):
            raise BadMessage("an RTCP packet longer than its datagram")
        kind, n_blocks, body = data[1], data[0] & 0x1F, data[4:end]
        if kind == _SR and len(body) >= 24:
            sender_ntp = int.from_bytes(body[6:10])
        if kind in (_SR, _RR):
            blocks += _read_blocks(body[24 if kind == _SR else 4 :], n_blocks)
        bye = bye or kind == _BYE
        data = data[end:]
    return PeerReport(sender_ntp, tuple(blocks), bye)


def _read_blocks(body: bytes, n_blocks: int) -> list[PeerBlock]:
    if len(body) < n_blocks * _BLOCK.size:
        raise BadMessage("an RTCP report shorter than its report blocks")
    found = []
    for number in range(n_blocks):
        ssrc, loss, _, jitter, lsr, dlsr = _BLOCK.unpack_from(body, number * _BLOCK.size)
        found.append(PeerBlock(ssrc, loss >> 24, loss & 0xFFFFFF, jitter, lsr, dlsr))
    return found


def _sdes(ssrc: int, cname: str) -> bytes:
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(_SDES, 1, chunk + bytes(-len(chunk) % 4))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
