"""The phone's recording by media time, and the order packets get there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.lab.phone.receiver import Placed
from gateway.lab.phone.rtp import Packet
from gateway.lab.phone.track import WAIT_S, Reorder, Track


def placed(index: int, *, breaks: bool = False) -> Placed:
    return Placed(Packet(0, index & 0xFFFF, 0, 1, b""), index, 160 * index, breaks)


def indices(ready: list[Placed]) -> list[int]:
    return [each.index for each in ready]


def test_what_was_not_written_is_silence() -> None:
    track = Track()
    track.write(4, np.array([1, 2], np.int16))

    assert track.pcm().tolist() == [0, 0, 0, 0, 1, 2]
    assert track.read(-2, 10).tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 0, 0]


def test_sound_from_before_the_beginning_is_cut() -> None:
    track = Track()
    track.write(-1, np.array([1, 2], np.int16))

    assert track.pcm().tolist() == [2]


def test_a_track_grows_and_keeps_what_it_has() -> None:
    track = Track(rate_hz=100)
    for position in range(0, 5000, 100):
        track.write(position, np.full(100, position, np.int16))

    assert track.n_samples == 5000
    assert track.read(1250, 1).tolist() == [1200]


def test_a_position_beyond_hours_is_left_out() -> None:
    """A peer may write any timestamp; it must not make us take gigabytes."""
    track = Track()
    track.write(1 << 31, np.ones(160, np.int16))

    assert track.n_samples == 0


def test_packets_in_order_go_straight_through() -> None:
    reorder = Reorder()

    assert [indices(reorder.put(placed(n), 0.0)) for n in (5, 6, 7)] == [[5], [6], [7]]


def test_a_packet_waits_for_the_one_before_it() -> None:
    reorder = Reorder()
    reorder.put(placed(1), 0.0)

    assert reorder.put(placed(3), 0.01) == []
    assert indices(reorder.put(placed(2), 0.02)) == [2, 3]


def test_it_waits_no_longer_than_it_may_and_the_late_one_is_counted() -> None:
    reorder = Reorder()
    reorder.put(placed(1), 0.0)
    reorder.put(placed(3), 0.01)

    assert reorder.due(WAIT_S) == []
    assert indices(reorder.due(0.01 + WAIT_S)) == [3]
    assert reorder.put(placed(2), 0.1) == []
    assert reorder.n_late == 1


def test_a_new_stream_waits_for_nothing_of_the_old_one() -> None:
    reorder = Reorder()
    reorder.put(placed(1), 0.0)
    reorder.put(placed(3), 0.0)

    assert indices(reorder.put(placed(70_000, breaks=True), 0.0)) == [3, 70_000]


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_nothing_comes_out_twice_or_out_of_order(order: list[int], lost: set[int]) -> None:
    reorder, out = Reorder(), []
    for step, index in enumerate(n for n in order if n not in lost):
        out += indices(reorder.put(placed(index), 0.02 * step))
    out += indices(reorder.due(10.0))

    assert out == sorted(set(out))
