"""Mixing: each hears the sum of the others, limited once, whatever the order and the size of the room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.mix_bench import MixBench


def noise(n: int, seed: int, *, peak: int = 32768) -> np.ndarray:
    return np.random.default_rng(seed).integers(-peak, peak, (n, 80)).astype(np.int16)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_many_rooms_are_mixed_as_each_alone(sizes, seed):
    said = noise(sum(sizes), seed)

    hears = MixBench(sizes, seed=seed).tick(said)

    for start, stop in itertools.pairwise(np.cumsum([0, *sizes])):
        total = said[start:stop].sum(0, dtype=np.int64)
        assert np.array_equal(hears[start:stop], np.clip(total - said[start:stop], -32768, 32767))


@pytest.mark.parametrize("sizes", [[1000], [3] * 300, [1], [2] * 50])
def test_rooms_of_any_size_are_one_call(sizes):
    said = noise(sum(sizes), 1, peak=60)

    hears = MixBench(sizes).tick(said)

    room = np.repeat(np.arange(len(sizes)), sizes)
    total = np.array([said[room == i].sum(0, dtype=np.int64) for i in range(len(sizes))])
    assert np.array_equal(hears, np.clip(total[room] - said, -32768, 32767))


def test_extremes_are_limited_once():
    said = np.array([[32767], [32767], [-32768], [-32768]], np.int16).repeat(80, axis=1)

    hears = MixBench([4]).tick(said)

    assert hears[:, 0].tolist() == [-32768, -32768, 32766, 32766]


def test_a_full_room_of_the_loudest_samples_does_not_overflow():
    said = np.full((65535, 1), -32768, np.int16)

    hears = MixBench([65535]).tick(said)

    assert (hears == -32768).all()


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_members_does_not_matter(n, seed):
    """Nor do their positions; with gate, loudest, gains and all the state that grows over ticks."""
    chance = np.random.default_rng(seed)
    said = [
        noise(n, seed + tick, peak=1000) * chance.integers(0, 8, (n, 1)).astype(np.int16) for tick in range(8)
    ]
    gains = chance.integers(1000, 9000, n)

    runs = []
    for order in (1, 2):
        bench = MixBench([n], seed=order, gate_from=2, loudest=3, loudest_from=4, auto_gain=True)
        bench.rows["gain_in"] = gains
        runs.append([bench.tick(each) for each in said])

    assert np.array_equal(*runs)
