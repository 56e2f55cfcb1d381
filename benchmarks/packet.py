"""A packet: one RTP packet through the plane, from its arrival to the packet that must be sent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure, timed
from gateway.media.table import pack_address
from gateway.testing.plane_bench import PlaneBench
from gateway.testing.plane_packet import Packet

_PACKETS = 400


def measure() -> Iterator[Figure]:
    """Relay within one law, relay from law to law, and hold for the tick."""
    for name, codecs, force_tick in (
        ("relayed", ("pcmu", "pcmu"), False),
        ("relayed, u-law to A-law", ("pcmu", "pcma"), False),
        ("held for the tick", ("pcmu", "pcma"), True),
    ):
        bench = PlaneBench()
        a, b = (
            bench.leg(side, codec=codec, force_tick=force_tick)
            for side, codec in zip("ab", codecs, strict=True)
        )
        bench.join("room", a, b)
        rows = np.full(_PACKETS, a.row, np.int32)
        sources = np.repeat(pack_address(a.address)[None], _PACKETS, axis=0)
        lengths = np.full(_PACKETS, 172, np.int32)
        packets = np.zeros((_PACKETS, 172), np.uint8)
        state = {"sequence": 0, "now": 1001.0}

        def arrive(
            bench: PlaneBench = bench,
            rows: np.ndarray = rows,
            sources: np.ndarray = sources,
            lengths: np.ndarray = lengths,
            packets: np.ndarray = packets,
            state: dict[str, float] = state,
        ) -> None:
            first = int(state["sequence"])
            for i in range(_PACKETS):  # numbers must go on; this loop is part of the figure's noise floor
                packets[i, 2:4] = (first + i) >> 8 & 255, (first + i) & 255
            state["sequence"] += _PACKETS
            nows = (state["now"] + 0.02 * np.arange(_PACKETS)).astype(np.float64)
            state["now"] = float(nows[-1]) + 0.02
            bench.plane.arrive(rows, sources, packets, lengths, nows)

        packets[:] = np.frombuffer(Packet(0.0, 0, 0, 0, 1, bytes(160)).to_bytes(), np.uint8)
        yield timed("packet", name, arrive, per_call=_PACKETS)
