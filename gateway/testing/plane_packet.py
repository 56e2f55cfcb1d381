"""An RTP packet as the bench of the media plane writes and reads it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Packet"]


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet with the fixed header alone (RFC 3550 section 5.1): the plane writes no other."""

    at: float
    """When it was on the wire, in seconds."""
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    @classmethod
    def read(cls, at: float, data: bytes) -> Packet:
        """Read a packet that the plane wrote."""
        assert data[0] == 0x80, f"a header of ours is plain, this begins with {data[0]:#x}"
        return cls(
            at=at,
            payload_type=data[1] & 0x7F,
            sequence=int.from_bytes(data[2:4], "big"),
            timestamp=int.from_bytes(data[4:8], "big"),
            ssrc=int.from_bytes(data[8:12], "big"),
            payload=data[12:],
            marker=bool(data[1] & 0x80),
        )

    def to_bytes(self) -> bytes:
        """Return it as it goes on the wire; numbers wrap."""
        return (
            bytes([0x80, self.payload_type | (0x80 if self.marker else 0)])
            + (self.sequence & 0xFFFF).to_bytes(2, "big")
            + (self.timestamp & 0xFFFFFFFF).to_bytes(4, "big")
            + (self.ssrc & 0xFFFFFFFF).to_bytes(4, "big")
            + self.payload
        )
