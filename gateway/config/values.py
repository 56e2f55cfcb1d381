"""The written forms of addresses and ports: `127.0.0.1:8080`, `udp:[::1]:5060`, `10000-29999`.

Each reads itself with `parse`, whose ValueError is a sentence for the person who wrote it; `str` writes it
back.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

__all__ = ["STREAMS", "Address", "Listen", "PortRange", "ip_address_text", "network_text"]

STREAMS = frozenset({"tcp", "tls", "ws", "wss"})
"""SIP transports that occupy a TCP port."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, written `127.0.0.1:8080` or `[::1]:8080`."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port`; raises ValueError that says what is wrong."""
        host, colon, port = text.rpartition(":")
        if not colon or not host:
            raise ValueError(f"{text!r} is not address:port, e.g. 127.0.0.1:8080")
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
            raise ValueError(f"{port!r} is not a port number (0-65535)")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise ValueError(f"write an IPv6 address in brackets: [{host}]:{port}")
        return cls(ip_address_text(host.removeprefix("[").removesuffix("]")), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where SIP is spoken, written `udp:127.0.0.1:5060`."""

    transport: str
    """One of udp, tcp, tls, ws, wss."""
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read `transport:address:port`; raises ValueError that says what is wrong."""
        transport, _, rest = text.partition(":")
        if transport != "udp" and transport not in STREAMS:
            raise ValueError(
                f"{text!r} begins with none of udp: tcp: tls: ws: wss:, as in udp:127.0.0.1:5060"
            )
        address = Address.parse(rest)
        return cls(transport, address.host, address.port)

    @property
    def address(self) -> Address:
        """Return the host and port without the transport."""
        return Address(self.host, self.port)

    def __str__(self) -> str:
        return f"{self.transport}:{self.address}"


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports for RTP, both ends included, written `10000-29999`."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read `first-last`; raises ValueError unless an even port and the odd one above it fit."""
        match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
        if match is None:
            raise ValueError(f"{text!r} is not a range of ports, e.g. 10000-29999")
        ports = cls(int(match[1]), int(match[2]))
        if ports.first < 1 or ports.last > 65535:
            raise ValueError("ports are 1-65535")
        if not ports.pairs:
            raise ValueError(f"{text} holds no even port with the odd one above it")
        return ports

    @property
    def pairs(self) -> range:
        """Return the even ports that have their odd neighbour in the range (RFC 3550 section 11)."""
        return range(self.first + self.first % 2, self.last, 2)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def ip_address_text(text: str) -> str:
    """Return a literal IP address in its usual spelling; raises ValueError for a name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address, e.g. 127.0.0.1") from None


def network_text(text: str) -> str:
    """Return an address or network in its usual spelling, `192.0.2.0/24`; raises ValueError for anything else."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network, e.g. 192.0.2.0/24: {error}") from None
