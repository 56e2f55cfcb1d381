"""Messages in a capture file that Wireshark and sngrep open.

Whatever carried a message, it is written as an IP packet with a UDP datagram inside (link type RAW): what was
inside TLS is readable, and one message is one packet.  Packets of media are written likewise, by
native/plane/capture.c.
"""

from __future__ import annotations

import ipaddress
import mmap
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from gateway.errors import LocalError
from gateway.observe.trace.message import Address, Traced

__all__ = ["HEADER", "pcap_record", "read_pcap", "records_of", "whole_bytes"]

_LINKTYPE_RAW: Final = 101
_MAGIC: Final = 0xA1B2C3D4  # microseconds
HEADER: Final = struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 262_144, _LINKTYPE_RAW)
"""How every file begins."""
_RECORD: Final = struct.Struct("<IIII")
_UDP: Final = 17
_MAX_PAYLOAD: Final = 65_000
_FIRST_OF_RTP: Final = b"\x80"
"""Messages of SIP begin with a letter or white space."""


def pcap_record(at: float, source: Address, destination: Address, payload: bytes) -> bytes:
    """Return one record of a capture file.

    at: seconds since 1970; addresses are of one IP version.
    """
    payload = payload[:_MAX_PAYLOAD]
    packet = _ip_packet(source, destination, payload)
    seconds, fraction = divmod(at, 1)
    return _RECORD.pack(int(seconds), int(fraction * 1e6), len(packet), len(packet)) + packet


_address: Final = lru_cache(maxsize=4096)(ipaddress.ip_address)
"""The same few addresses come again and again, and reading one takes as long as writing the rest."""


def _ip_packet(source: Address, destination: Address, payload: bytes) -> bytes:
    ours, theirs = _address(source[0]), _address(destination[0])
    length = 8 + len(payload)
    datagram = struct.pack(">HHHH", source[1], destination[1], length, 0) + payload
    if ours.version == 6 and theirs.version == 6:
        pseudo = ours.packed + theirs.packed + struct.pack(">II", length, _UDP)
        checksum = _checksum(pseudo + datagram) or 0xFFFF  # IPv6 has no datagram without one
        datagram = datagram[:6] + struct.pack(">H", checksum) + payload
        return struct.pack(">IHBB", 6 << 28, length, _UDP, 64) + ours.packed + theirs.packed + datagram
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, _UDP, 0)
    addresses = ours.packed[-4:] + theirs.packed[-4:]
    checksum = _checksum(head + addresses)
    return head[:10] + struct.pack(">H", checksum) + addresses + datagram


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def read_pcap(path: Path, *, media: bool = True) -> Iterator[Traced]:
    """Yield the UDP datagrams of a capture file with link type RAW, Ethernet or Linux cooked.

    Without `media`, what begins like RTP or RTCP (RFC 7983) is left out, which is much quicker.  A record that was
    cut short by the end of the file ends it: somebody may be writing there.

    Raises:
        LocalError: the file cannot be read, or is no capture file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror}") from None
    if len(data) < len(HEADER) or struct.unpack_from("<I", data)[0] != _MAGIC:
        raise LocalError(f"{path} is no capture file (pcap, little-endian, microseconds)")
    skip = {_LINKTYPE_RAW: 0, 1: 14, 113: 16}.get(struct.unpack_from("<I", data, 20)[0])
    if skip is None:
        raise LocalError(f"{path} captures another kind of network than IP on Ethernet or Linux")
    for micros, begin, end in records_of(data):
        message = _datagram(micros / 1e6, data[begin + _RECORD.size + skip : end], media=media)
        if message is not None:
            yield message


def records_of(data: bytes | mmap.mmap, at: int = len(HEADER)) -> Iterator[tuple[int, int, int]]:
    """Yield of each whole record of a capture file when it was (microseconds), where it begins and where it ends.

    The first begins `at`.
    """
    while at + _RECORD.size <= len(data):
        seconds, micros, captured, _ = _RECORD.unpack_from(data, at)
        end = at + _RECORD.size + captured
        if end > len(data):
            return
        yield seconds * 1_000_000 + micros, at, end
        at = end


def whole_bytes(path: Path) -> int:
    """Return how much of a capture file is its head and whole records.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size <= len(HEADER):
            return 0 if path.stat().st_size < len(HEADER) else len(HEADER)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            end = len(HEADER)
            for _, _, end in records_of(data):  # noqa: B007  # the last end is wanted
                pass
            return end


def _datagram(at: float, packet: bytes, *, media: bool) -> Traced | None:
    """Return the UDP datagram of an IP packet, None for anything else, and for media if that is not wanted."""
    if len(packet) < 28:
        return None
    if packet[0] >> 4 == 4:
        head, proto, ends = (packet[0] & 15) * 4, packet[9], (packet[12:16], packet[16:20])
    elif packet[0] >> 4 == 6 and len(packet) >= 48:
        head, proto, ends = 40, packet[6], (packet[8:24], packet[24:40])
    else:
        return None
    if proto != _UDP or len(packet) < head + 8:
        return None
    if not media and packet[head + 8 : head + 9] >= _FIRST_OF_RTP:
        return None
    source_port, destination_port, length = struct.unpack_from(">HHH", packet, head)
    source, destination = (str(ipaddress.ip_address(end)) for end in ends)
    return Traced(
        at,
        (source, source_port),
        (destination, destination_port),
        "udp",
        packet[head + 8 : head + length],
    )
