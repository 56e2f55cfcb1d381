"""What a receiver counts against a plain model of RFC 3550, appendices A.1, A.3 and A.8."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.numbered import numbered
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench


@dataclass
class Receiver:
    """A.1 with big integers, A.3 and A.8, written from the RFC's words; duplicates do not count as received."""

    seen: set[int] = field(default_factory=set)
    highest: int | None = None
    base: int = 0
    jitter16: int = 0
    transit: int = 0

    def take(self, sequence: int, timestamp: int, arrival: int) -> None:
        if self.highest is None:
            self.highest = self.base = sequence
            self.transit = arrival - timestamp
            self.seen.add(sequence)
            return
        extended = self.highest + (sequence - self.highest + 2**15) % 2**16 - 2**15
        if extended in self.seen or extended <= self.highest - 64:
            return
        self.seen.add(extended)
        self.highest = max(self.highest, extended)
        distance = abs(arrival - timestamp - self.transit)
        self.transit = arrival - timestamp
        if distance < 8000:  # a second or more: the sender's clock jumped, the path did not
            self.jitter16 += distance - ((self.jitter16 + 8) >> 4)

    @property
    def lost(self) -> int:
        assert self.highest is not None
        return max(self.highest - self.base + 1 - len(self.seen), 0)


def send(bench: PlaneBench, leg: BenchLeg, sequence: int, timestamp: int, at: float) -> None:
    packet = Packet(at, 0, sequence, timestamp, leg.ssrc, numbered(1))
    bench.post(at, leg, packet.to_bytes(), leg.address)


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(-20, 40), st.integers(1, 400)), min_size=1, max_size=80),
)
@settings(max_examples=100, deadline=None)
def test_loss_and_jitter_are_the_rfcs(start: int, steps: list[tuple[int, int]]) -> None:
    """Each step: by how much the sequence moves, and after how many eighths of a millisecond the packet comes."""
    bench = PlaneBench(capacity=2)
    bench.ticking = False
    a, model = bench.leg("a"), Receiver()
    sequence, arrival = start, 8_000_000  # the bench's clock begins at 1,000 s

    for move, wait in [(0, 8), *steps]:
        sequence += move
        arrival += wait
        timestamp = (sequence - start) * 160
        send(bench, a, sequence, timestamp, (arrival + 0.25) / 8000)
        model.take(sequence % 2**16, timestamp, arrival)
    bench.run(10.0)

    row = bench.plane.table.rows[a.row]
    assert model.lost == a.statistics.packets_lost
    assert model.jitter16 == row["rx_jitter16"]
    assert len(model.seen) == row["rx_received"]


@given(st.integers(0, 0xFFFF), st.integers(3000, 62000))
@settings(max_examples=50, deadline=None)
def test_a_restart_is_proved_by_two_packets_in_order_and_keeps_earlier_losses(start: int, jump: int) -> None:
    bench = PlaneBench(capacity=2)
    a = bench.leg("a")
    sequences = [start, start + 1, start + 4, start + 4 + jump, start + 5 + jump, start + 7 + jump]

    for i, sequence in enumerate(sequences):
        send(bench, a, sequence, 160 * i, bench.now + i * 0.02)
    bench.run(0.5)

    assert bench.verdicts["drop_old"] == 1
    assert a.statistics.packets_lost == 2 + 1


def test_an_ssrc_that_changes_starts_counting_anew_and_forgets_no_loss() -> None:
    bench = PlaneBench(capacity=2)
    a = bench.leg("a")
    a.count(0, 20, impair=lambda i: () if i in {3, 4} else (0.0,))
    a.ssrc, a.sequence = 99, 60000
    a.count(20, 40, start_s=0.2, impair=lambda i: () if i == 3 else (0.0,))

    bench.run(0.5)

    assert a.statistics.packets_lost == 3
    assert a.statistics.packets_received == 17
    assert a.statistics.bytes_received == 17 * 160


def test_events_say_nothing_about_the_jitter_of_the_path() -> None:
    """They hold the timestamp of their start."""
    bench = PlaneBench(capacity=2)
    a = bench.leg("a")
    a.count(0, 20)
    bench.run(0.2)
    a.press("1", duration_ms=400)
    bench.run(0.6)
    a.timestamp += 1600
    a.count(20, 40)
    bench.run(0.3)

    assert a.statistics.jitter_ms < 1
