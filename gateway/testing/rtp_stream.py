"""What a listener's stream of RTP must be like, whoever wrote it: one source, no number twice, time that only rises."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.testing.plane_packet import Packet

__all__ = ["assert_one_stream", "in_order", "signed", "steps"]


def signed(difference: int) -> int:
    """Return a difference of RTP timestamps as the shorter way round."""
    return (difference + 2**31) % 2**32 - 2**31


def in_order(packets: Iterable[Packet]) -> list[Packet]:
    """Return packets by sequence number (which may wrap); equal ones in the order they came."""
    all_packets = list(packets)
    if not all_packets:
        return []
    places = [0]
    for before, packet in itertools.pairwise(all_packets):
        places.append(places[-1] + (packet.sequence - before.sequence + 2**15) % 2**16 - 2**15)
    order = sorted(range(len(all_packets)), key=lambda i: places[i])
    return [all_packets[i] for i in order]


def steps(packets: Iterable[Packet]) -> NDArray[np.int64]:
    """Return [n - 1, 2]: by how much sequence and timestamp rise from packet to packet."""
    pairs = itertools.pairwise(in_order(packets))
    rises = [((q.sequence - p.sequence) % 2**16, signed(q.timestamp - p.timestamp)) for p, q in pairs]
    return np.array(rises, np.int64).reshape(-1, 2)


def assert_one_stream(packets: Sequence[Packet]) -> None:
    """Check the egress contract: one SSRC, no sequence number twice, audio timestamps that rise."""
    assert len({packet.ssrc for packet in packets}) == 1
    assert len({packet.sequence for packet in packets}) == len(packets)
    assert (steps(packets)[:, 1] > 0).all()
