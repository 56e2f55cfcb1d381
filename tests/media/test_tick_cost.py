"""Python's cost is per tick and per stage of 64 rows, never per leg, packet or sample."""

from __future__ import annotations

import gc
import sys
from types import FrameType

import numpy as np
import pytest

from gateway.media.plan import BLOCK_ROWS
from gateway.media.table import pack_address
from gateway.testing.numbered import numbered
from gateway.testing.plane_bench import Packet, PlaneBench


def calls_of_a_tick(n_rows: int, *, rooms_of: int) -> int:
    """Return how many Python functions one tick calls when every one of `n_rows` is decoded, mixed and encoded."""
    bench = PlaneBench(capacity=n_rows)
    legs = [bench.leg(f"leg{i}", address=("10.0.0.1", 2000 + i), force_tick=True) for i in range(n_rows)]
    for i, leg in enumerate(legs):
        bench.join(f"room{i // rooms_of}", leg)
    payload = numbered(1) * 2
    packets = [Packet(0, 0, 1, 160, leg.ssrc, payload).to_bytes() for leg in legs]
    bench.plane.arrive(
        np.arange(n_rows, dtype=np.int32),
        np.array([pack_address(leg.address) for leg in legs]),
        np.frombuffer(b"".join(packets), np.uint8).reshape(n_rows, -1),
        np.full(n_rows, len(packets[0]), np.int32),
        np.full(n_rows, bench.now),
    )
    for i in range(3):
        list(bench.plane.tick(bench.now + i * 0.01, 0.0))
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    gc.collect()  # what it would finalise in the middle is not the tick's
    sys.setprofile(count)
    try:
        sent = sum(sends.size for sends, _ in bench.plane.tick(bench.now + 0.03, 0.0))
    finally:
        sys.setprofile(None)
    assert sent == n_rows
    return calls


@pytest.mark.parametrize("rooms_of", [2, 5])
def test_a_tick_costs_a_fixed_part_and_one_a_block(rooms_of: int) -> None:
    one, two, three, sixteen = (calls_of_a_tick(n * BLOCK_ROWS, rooms_of=rooms_of) for n in (1, 2, 3, 16))

    block = two - one
    assert three - two == block
    assert sixteen - one == 15 * block
    assert calls_of_a_tick(rooms_of, rooms_of=rooms_of) == one
    assert block < 150
    assert one - block < 60


def test_an_empty_tick_is_nearly_free() -> None:
    bench = PlaneBench(capacity=2048)
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    list(bench.plane.tick(bench.now, 0.0))
    sys.setprofile(count)
    list(bench.plane.tick(bench.now, 0.0))
    sys.setprofile(None)

    assert calls < 60
