"""A plane that takes over the rows a dead one left in shared memory: the phones notice a gap and nothing else."""

from __future__ import annotations

import pytest

from gateway.ids import SeededIds
from gateway.media.plane import RESTART_SEQUENCE_JUMP, Plane
from gateway.media.table import ROW
from gateway.testing.numbered import units_heard
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, signed, steps

_CAPACITY = 8
_NATTED = ("198.51.100.9", 31234)


@pytest.fixture
def memory() -> memoryview:
    """Stands for the ledger: memory that outlives the process."""
    return memoryview(bytearray(_CAPACITY * ROW.itemsize))


def crash(bench: PlaneBench, memory: memoryview, *, down_s: float = 0.3) -> None:
    """Let the plane be gone for a while; packets meanwhile wait in the sockets, as many as the kernel keeps."""
    bench.crash(Plane(_CAPACITY, SeededIds(4711), memory), down_s=down_s)


def adopt_all(bench: PlaneBench) -> None:
    for i, leg in enumerate(bench.legs):
        assert bench.plane.adopt(leg, rtp_fd=50 + 2 * i, rtcp_fd=51 + 2 * i, now=bench.now) is not None


def call(memory: memoryview, **changes: object) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench(_CAPACITY, memory=memory)
    a, b = bench.leg("a", **changes), bench.leg("b")
    bench.join("room", a, b)
    return bench, a, b


def test_a_relayed_call_goes_on_at_the_next_packet_without_a_command(memory: memoryview) -> None:
    bench, a, b = call(memory)
    a.count(0, 300)
    bench.run(1.0)

    crash(bench, memory)
    adopt_all(bench)
    before = len(b.audio)
    bench.run(0.02)

    assert len(b.audio) > before
    bench.run(2.0)
    heard = [u.number for u in units_heard(b.audio) if u.number is not None]
    assert heard == list(range(300))


@pytest.mark.parametrize("force_tick", [False, True])
def test_the_stream_is_the_same_one_with_a_jump(memory: memoryview, force_tick: bool) -> None:
    bench, a, b = call(memory, force_tick=force_tick)
    a.count(0, 300)
    bench.run(1.0)
    before = len(b.audio)

    crash(bench, memory)
    adopt_all(bench)
    bench.change(a)
    bench.change(b)
    bench.run(2.0)

    assert_one_stream(b.audio)
    assert steps(b.audio)[before - 1][0] >= RESTART_SEQUENCE_JUMP
    assert b.audio[before].marker
    first, last = b.audio[0], b.audio[-1]
    assert abs(signed(last.timestamp - first.timestamp) / 8000 - (last.at - first.at)) <= 0.04


def test_a_sequence_near_its_end_wraps_over_the_jump(memory: memoryview) -> None:
    bench, a, b = call(memory)
    bench.plane.table.rows["tx_sequence"][b.row] = 65000
    a.count(0, 200)
    bench.run(1.0)

    crash(bench, memory)
    adopt_all(bench)
    bench.run(1.0)

    assert_one_stream(b.audio)
    assert b.audio[-1].sequence < 2000


def test_the_latch_is_not_forgotten_by_the_first_command(memory: memoryview) -> None:
    bench, a, b = call(memory)
    a.count(0, 500, source=_NATTED)
    b.count(0, 500)
    bench.run(1.0)

    crash(bench, memory)
    adopt_all(bench)
    bench.change(a)
    bench.change(b)
    a.sent_to.clear()
    bench.run(1.0)

    assert set(a.sent_to) == {_NATTED}


def test_counters_go_on(memory: memoryview) -> None:
    bench, a, b = call(memory)
    a.count(0, 300)
    bench.run(1.0)
    received, sent = a.statistics.packets_received, b.statistics.packets_sent

    crash(bench, memory)
    adopt_all(bench)
    bench.run(2.0)

    assert a.statistics.packets_received > received + 80
    assert b.statistics.packets_sent > sent + 80


def test_nothing_goes_through_descriptors_of_the_dead(memory: memoryview) -> None:
    bench, a, b = call(memory)

    crash(bench, memory)

    rows = bench.plane.table.rows
    assert set(rows["rtp_fd"].tolist()) | set(rows["rtcp_fd"].tolist()) == {-1}
    adopt_all(bench)
    assert (rows["rtp_fd"][a.row], rows["rtcp_fd"][b.row]) == (50, 53)


def test_a_plane_ticks_while_only_half_a_call_is_adopted(memory: memoryview) -> None:
    bench, a, b = call(memory)
    a.count(0, 300)
    bench.run(1.0)
    crash(bench, memory)

    bench.plane.adopt(a.state.leg, rtp_fd=50, rtcp_fd=51, now=bench.now)
    for sends, _ in bench.plane.tick(bench.now, bench.now):
        assert sends.size == 0 or set(sends["row"].tolist()) <= {a.row}
    bench.plane.adopt(b.state.leg, rtp_fd=52, rtcp_fd=53, now=bench.now)
    bench.run(1.0)

    assert_one_stream(b.audio)


def test_rows_that_nobody_adopts_are_freed(memory: memoryview) -> None:
    bench, a, b = call(memory)
    b_row = b.row
    crash(bench, memory)
    bench.plane.adopt(a.state.leg, rtp_fd=50, rtcp_fd=51, now=bench.now)

    bench.plane.disown_rest()

    assert bench.plane.table.rows["generation"][b_row] == 0
    assert bench.plane.legs == (a.state.leg,)
    del bench.legs[b.state.leg]
    a.count(0, 20)
    bench.run(0.5)
    assert bench.verdicts["hold"] + bench.verdicts["drop_held"] == 10


def test_a_leg_that_left_no_row_is_not_adopted(memory: memoryview) -> None:
    bench, a, _ = call(memory)
    crash(bench, memory)

    assert bench.plane.adopt(a.state.leg, rtp_fd=50, rtcp_fd=51, now=bench.now) is not None
    assert bench.plane.adopt(a.state.leg, rtp_fd=50, rtcp_fd=51, now=bench.now) is None
    stranger = type(a.state.leg)("nobody")
    assert bench.plane.adopt(stranger, rtp_fd=52, rtcp_fd=53, now=bench.now) is None
