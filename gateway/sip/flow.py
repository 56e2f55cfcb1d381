"""Where a message came from and goes to.

A flow is what RFC 5626 calls one: a connection, or a pair of addresses of datagrams.  Everything in a
dialog is routed by flow and never by the address a Contact or Via claims: behind NAT and in browsers those
are private or `.invalid`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Datagram", "Flow"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to one peer."""

    transport: str
    """"udp", "tcp", "tls", "ws" or "wss"."""
    local: tuple[str, int]
    """Address and port of the socket it arrives on and leaves from."""
    remote: tuple[str, int]
    """Address and port the packets came from."""
    connection: int | None = None
    """The connection's number; a port that is used again must not be mistaken for its predecessor. None for
    UDP."""

    @property
    def reliable(self) -> bool:
        """Whether the transport itself retransmits: several timers are then 0 (RFC 3261 section 17)."""
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Datagram:
    """One message as bytes, and the flow it shall leave on."""

    data: bytes
    flow: Flow
