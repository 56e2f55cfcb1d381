"""Messages to a Homer collector: HEP version 3 over UDP.

A packet is `HEP3`, its length, and chunks of vendor 0: addresses, ports, time, the kind of protocol (1 = SIP) and the
message.  Nothing is waited for: what the network does not take is counted and forgotten.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Final

from gateway.observe.trace.message import Address, Traced

__all__ = ["HepSender", "hep_packet"]

_FAMILY: Final = {4: 2, 6: 10}
_IP_PROTOCOL: Final = {"udp": 17}
"""Streams are 6."""
_SIP: Final = 1
_CHUNK: Final = struct.Struct(">HHH")
_V4_ADDRESSES: Final = (3, 4)
_V6_ADDRESSES: Final = (5, 6)


def _chunk(kind: int, data: bytes) -> bytes:
    return _CHUNK.pack(0, kind, _CHUNK.size + len(data)) + data


def hep_packet(message: Traced, *, agent: int, call_id: str | None = None) -> bytes:
    """Return one message as a HEP3 packet; `agent` is our number at the collector.

    `call_id` is what joins the legs of a call there.
    """
    source, destination = (ipaddress.ip_address(end[0]) for end in (message.source, message.destination))
    seconds, fraction = divmod(message.at, 1)
    addresses = _V4_ADDRESSES if source.version == 4 else _V6_ADDRESSES
    chunks = (
        _chunk(1, bytes([_FAMILY[source.version]])),
        _chunk(2, bytes([_IP_PROTOCOL.get(message.transport, 6)])),
        _chunk(addresses[0], source.packed),
        _chunk(addresses[1], destination.packed),
        _chunk(7, struct.pack(">H", message.source[1])),
        _chunk(8, struct.pack(">H", message.destination[1])),
        _chunk(9, struct.pack(">I", int(seconds))),
        _chunk(10, struct.pack(">I", int(fraction * 1e6))),
        _chunk(11, bytes([_SIP])),
        _chunk(12, struct.pack(">I", agent)),
        _chunk(17, call_id.encode()) if call_id else b"",
        _chunk(15, message.data),
    )
    body = b"".join(chunks)
    return b"HEP3" + struct.pack(">H", 6 + len(body)) + body


class HepSender:
    """Sends what it is given to one collector."""

    def __init__(self, collector: Address, *, agent: int = 1) -> None:
        self.sent = 0
        self.failed = 0
        """Packets that the network did not take."""
        self._agent = agent
        family = socket.AF_INET6 if ":" in collector[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._collector = collector

    def write(self, message: Traced) -> None:
        """Send one message, or count that it could not be."""
        try:
            self._socket.sendto(hep_packet(message, agent=self._agent), self._collector)
            self.sent += 1
        except OSError:
            self.failed += 1

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
