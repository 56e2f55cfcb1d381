"""Numbered audio: every 10 ms of it says which it is.

A test that must know what was heard twice, never, late or out of order does not measure sound: it sends payloads
that carry their number, and reads the numbers of what arrives.  The codes are chosen to survive decoding and encoding
in the same law, and none of them is the law's zero, so silence is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.testing.plane_packet import Packet
from gateway.testing.rtp_stream import in_order, signed

__all__ = ["Heard", "moved_ms", "number_of", "numbered", "units_heard"]

UNIT_BYTES: Final = 80
_LOW: Final = 100
_HIGH: Final = 100


def numbered(number: int) -> bytes:
    """Return 10 ms of G.711 that carry `number` (0 <= number < 10,000)."""
    return bytes([1 + number % _LOW, 128 + number // _LOW % _HIGH]) * (UNIT_BYTES // 2)


def number_of(unit: bytes) -> int | None:
    """Return the number that 10 ms of G.711 carry; None for silence.

    Raises:
        AssertionError: neither a number nor silence: audio was torn.
    """
    if set(unit) <= {0xFF, 0x7F, 0xD5, 0x55}:
        return None
    low, high = unit[0] - 1, unit[1] - 128
    assert 0 <= low < _LOW, f"torn audio: {unit.hex()}"
    assert 0 <= high < _HIGH, f"torn audio: {unit.hex()}"
    assert unit == numbered(high * _LOW + low), f"torn audio: {unit.hex()}"
    return high * _LOW + low


@dataclass(frozen=True, slots=True)
class Heard:
    """10 ms that arrived."""

    at: float
    """When its packet arrived, in seconds."""
    media: int
    """Its place in the listener's RTP time, in units of 10 ms since the first packet."""
    number: int | None
    """Which 10 ms of the speaker it is; None = silence."""
    first: bool = False
    """The first of a packet with the marker: a new talkspurt or a new writer."""


def units_heard(packets: Iterable[Packet]) -> list[Heard]:
    """Return what a listener heard, 10 ms by 10 ms, in the order of the sequence numbers."""
    ordered = in_order(packets)
    return [
        Heard(
            packet.at,
            signed(packet.timestamp - ordered[0].timestamp) // UNIT_BYTES + i,
            number_of(packet.payload[i * UNIT_BYTES : (i + 1) * UNIT_BYTES]),
            first=packet.marker and i == 0,
        )
        for packet in ordered
        for i in range(len(packet.payload) // UNIT_BYTES)
    ]


def moved_ms(heard: Iterable[Heard]) -> tuple[int, int]:
    """Return how many milliseconds were put into and taken out of the speaker's time, as an ear measures it.

    Silence and gaps in the listener's time let the speaker's time go on; where a number does not follow, somebody
    moved it.  At a marker the listener's time may step: only the numbers count there.
    """
    inserted = dropped = 0
    position: int | None = None
    media = 0
    for unit in heard:
        if position is not None and not unit.first:
            position += unit.media - media
        media = unit.media + 1
        if unit.number is not None:
            jump = 0 if position is None else unit.number - position
            inserted, dropped = inserted + max(-jump, 0), dropped + max(jump, 0)
            position = unit.number
        position = None if position is None else position + 1
    return 10 * inserted, 10 * dropped
