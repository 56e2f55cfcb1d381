"""A packet that is encrypted: one RTP packet through a relay, beside the same packet in the clear.

Rounds of all cases take turns, so that a noisy machine is the same noise for all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from gateway.media.table import pack_address
from gateway.testing.plane_bench import BenchLeg
from gateway.testing.plane_packet import Packet
from gateway.testing.srtp_bench import SecureBench

__all__ = ["measure"]

_PACKETS = 400
_ROUNDS = 40
_SUITES = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM")


def measure() -> Iterator[Figure]:
    """Relay in the clear, into and out of SRTP, from key to key; and what a forged packet costs."""
    cases = {"relayed in the clear": _case(None, None)}
    for suite in _SUITES:
        cases[f"relayed out of {suite}"] = _case(suite, None)
        cases[f"relayed into {suite}"] = _case(None, suite)
        cases[f"relayed from {suite} to itself"] = _case(suite, suite)
    cases[f"forged, {_SUITES[0]}"] = _case(_SUITES[0], None, forged=True)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(_ROUNDS):
        for name, work in cases.items():
            times[name].append(work() / _PACKETS / 1000)
    for name, each in times.items():
        yield Figure("packet", name, round(statistics.median(each), 3), round(min(each), 3))


def _case(suite_in: str | None, suite_out: str | None, *, forged: bool = False) -> Callable[[], int]:
    """Return a function that lets the next packets arrive and says how many nanoseconds that took."""
    bench = SecureBench()
    a, b = (
        bench.leg(name) if suite is None else bench.secure_leg(name, suite)
        for name, suite in (("a", suite_in), ("b", suite_out))
    )
    bench.join("room", a, b)
    chunks = _chunks(bench, a, forged=forged)
    rows = np.full(_PACKETS, a.row, np.int32)
    sources = np.repeat(pack_address(a.address)[None], _PACKETS, axis=0)

    def work() -> int:
        packets, nows = next(chunks)
        lengths = np.full(_PACKETS, packets.shape[1], np.int32)
        started = time.process_time_ns()
        sends, _ = bench.plane.arrive(rows, sources, packets, lengths, nows)
        took = time.process_time_ns() - started
        assert sends.size == (0 if forged else _PACKETS)
        return took

    return work


def _chunks(
    bench: SecureBench, leg: BenchLeg, *, forged: bool
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float64]]]:
    """Yield packets of 20 ms as they are on the wire, uint8 [packets, bytes], and when each comes."""
    phone, n, payload = bench.phones.get(leg.state.leg), 0, bytes(range(160))
    while True:
        plain = [Packet(0.0, 0, n + i, 160 * (n + i), 7, payload).to_bytes() for i in range(_PACKETS)]
        wire = plain if phone is None else [phone.protect(each) for each in plain]
        packets = np.frombuffer(b"".join(wire), np.uint8).reshape(_PACKETS, -1).copy()
        packets[:, -1] ^= forged
        yield packets, bench.now + 0.02 * np.arange(n, n + _PACKETS)
        n += _PACKETS


def main() -> None:
    """Print the figures."""
    for figure in measure():
        print(f"{figure.unit:52}{figure.us_p50:8.3f} us (best {figure.us_best:.3f})")


if __name__ == "__main__":
    main()
