import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.netem import Bernoulli, GilbertElliott, Netem

EVERY_20_MS = np.arange(20_000) * 0.02


def burst_lengths(lost: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(int), [0]))))
    return np.diff(edges.reshape(-1, 2), axis=1)[:, 0]


def test_a_perfect_network_delivers_at_once_and_in_order():
    net = Netem[str](1)

    net.send("one", 0.0)
    net.send("two", 0.0)

    assert net.next_deadline() == 0.0
    assert net.deliver(0.0) == ["one", "two"]
    assert net.next_deadline() is None


def test_a_packet_comes_out_after_the_latency_and_not_before():
    net = Netem[bytes](1, latency_ms=40)

    net.send(b"x", 10.0)

    assert net.next_deadline() == pytest.approx(10.04)
    assert net.deliver(10.039) == []
    assert net.deliver(10.0401) == [b"x"]
    assert net.deliver(99.0) == []


def test_jitter_spreads_the_delay_and_keeps_the_order():
    arrived = Netem[int](1, latency_ms=40, jitter_ms=50).schedule(EVERY_20_MS)
    delay_ms = (arrived.time_s - EVERY_20_MS[arrived.index]) * 1000

    assert np.array_equal(arrived.index, np.arange(len(EVERY_20_MS)))
    assert delay_ms.min() >= 40 - 1e-6
    assert delay_ms.max() < 90
    assert delay_ms.std() > 10


def test_jitter_may_be_told_to_change_the_order():
    assert (np.diff(Netem[int](1, jitter_ms=50, jitter_reorders=True).schedule(EVERY_20_MS).index) < 0).any()


def test_bernoulli_loses_its_share_one_by_one():
    lost = np.ones(len(EVERY_20_MS), bool)
    lost[Netem[int](3, loss=Bernoulli(0.05)).schedule(EVERY_20_MS).index] = False

    assert lost.mean() == pytest.approx(0.05, abs=0.005)
    assert burst_lengths(lost).mean() < 1.1


def test_gilbert_elliott_loses_its_share_in_bursts():
    lost = np.ones(len(EVERY_20_MS), bool)
    lost[Netem[int](3, loss=GilbertElliott.of(0.05, burst=4)).schedule(EVERY_20_MS).index] = False

    assert lost.mean() == pytest.approx(0.05, abs=0.01)
    assert burst_lengths(lost).mean() == pytest.approx(4, abs=0.5)


def test_its_good_state_may_lose_a_little_too():
    loss = GilbertElliott(to_bad=0, to_good=1, loss_good=0.1)

    assert len(Netem[int](1, loss=loss).schedule(EVERY_20_MS).index) == pytest.approx(18_000, rel=0.01)


def test_a_duplicate_arrives_after_its_packet():
    net = Netem[str](1, duplicate=1.0, duplicate_ms=5)

    net.send("a", 0.0)

    assert net.deliver(0.0) == ["a"]
    assert net.deliver(0.0051) == ["a"]


def test_a_reordered_packet_is_passed_by_those_behind_it():
    index = Netem[int](2, reorder=0.1, reorder_ms=30).schedule(EVERY_20_MS).index

    overtaken = (np.diff(index) < 0).mean()

    assert sorted(index) == list(range(len(EVERY_20_MS)))
    assert overtaken == pytest.approx(0.09, abs=0.02)


def test_the_same_seed_is_the_same_network_and_another_is_another():
    def arrivals(seed: int) -> list[int]:
        return Netem[int](seed, loss=Bernoulli(0.5)).schedule(EVERY_20_MS[:100]).index.tolist()

    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


def test_a_packet_that_is_lost_never_comes():
    net = Netem[str](1, loss=Bernoulli(1.0))

    net.send("gone", 0.0)

    assert net.next_deadline() is None
    assert net.deliver(1e9) == []


def test_an_empty_train_arrives_empty():
    assert len(Netem[int](1, jitter_ms=5).schedule(np.zeros(0)).index) == 0


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 1),
    latency_ms=st.floats(0, 100),
    jitter_ms=st.floats(0, 100),
    share=st.floats(0, 1),
    jitter_reorders=st.booleans(),
)
def test_nothing_arrives_early_out_of_time_or_more_than_twice(
    seed: int, loss: float, latency_ms: float, jitter_ms: float, share: float, jitter_reorders: bool
):
    sent = EVERY_20_MS[:50]
    net = Netem[int](
        seed,
        loss=Bernoulli(loss),
        latency_ms=latency_ms,
        jitter_ms=jitter_ms,
        duplicate=share,
        reorder=share,
        jitter_reorders=jitter_reorders,
    )

    arrived = net.schedule(sent)

    assert (np.diff(arrived.time_s) >= 0).all()
    assert (arrived.time_s >= sent[arrived.index] + latency_ms / 1000 - 1e-9).all()
    assert np.bincount(arrived.index, minlength=50).max() <= 2


def test_packets_one_by_one_fare_as_the_network_says():
    net = Netem[int](7, latency_ms=20, jitter_ms=30, loss=GilbertElliott.of(0.2, burst=3), duplicate=0.1)
    heard: list[int] = []

    for number, now in enumerate(EVERY_20_MS[:500]):
        heard += net.deliver(now)
        net.send(number, now)
    heard += net.deliver(1e9)

    assert list(dict.fromkeys(heard)) == sorted(set(heard))
    assert 0.65 < len(set(heard)) / 500 < 0.95
    assert len(heard) > len(set(heard))
