"""RTCP reports (RFC 3550 section 6), read here by other code than what wrote them."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, field, replace

import pytest

from gateway.ids import LegId
from gateway.media.commands import CodecOptions
from gateway.media.events import RtpTimedOut
from gateway.testing.plane_bench import BenchLeg, PlaneBench

_NTP_EPOCH = 2208988800


@dataclass
class Block:
    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass
class Compound:
    """One compound packet, taken apart."""

    kinds: list[int] = field(default_factory=list)
    ssrcs: set[int] = field(default_factory=set)
    sender: tuple[int, int, int, int] | None = None
    """NTP stamp (64 bits), RTP time, packets, octets."""
    blocks: list[Block] = field(default_factory=list)
    cname: str = ""


def read_compound(data: bytes) -> Compound:
    compound, at = Compound(), 0
    while at < len(data):
        first, kind, words = struct.unpack_from("!BBH", data, at)
        assert first >> 6 == 2
        assert not first & 0x20
        body = data[at + 4 : at + 4 + 4 * words]
        assert len(body) == 4 * words
        compound.kinds.append(kind)
        compound.ssrcs.add(int.from_bytes(body[:4], "big"))
        if kind == 200:
            compound.sender = struct.unpack_from("!QIII", body, 4)
        if kind in {200, 201}:
            offset = 24 if kind == 200 else 4
            for i in range(first & 31):
                ssrc, loss, highest, jitter, lsr, dlsr = struct.unpack_from("!6I", body, offset + 24 * i)
                lost = (loss & 0xFFFFFF ^ 0x800000) - 0x800000
                compound.blocks.append(Block(ssrc, loss >> 24, lost, highest, jitter, lsr, dlsr))
            assert len(body) == offset + 24 * (first & 31)
        if kind == 202:
            assert body[4] == 1
            compound.cname = body[6 : 6 + body[5]].decode()
            assert set(body[6 + body[5] :]) == {0}
        at += 4 + 4 * words
    return compound


@pytest.fixture
def call() -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    return bench, a, b


def middle(ntp: int) -> int:
    return ntp >> 16 & 0xFFFFFFFF


def test_reports_come_every_five_seconds_give_or_take_half(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    """RFC 3550 6.3.1: drawn from half to one and a half intervals, the first after half of that."""
    bench, a, _ = call
    times = []
    for _ in range(300):
        before = len(a.reports)
        bench.run(0.5)
        times += [bench.now] * (len(a.reports) - before)

    waits = [after - before for before, after in itertools.pairwise(times)]
    assert times[0] <= 1000 + 4.5
    assert all(2.0 <= wait <= 8.0 for wait in waits)
    assert 4.0 <= sum(waits) / len(waits) <= 6.0
    assert max(waits) - min(waits) > 1.0


def test_a_leg_that_sends_writes_sender_reports_and_one_that_does_not_receiver_reports(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    a.count(0, 1000)
    bench.run(9.0)

    to_a, to_b = read_compound(a.reports[-1]), read_compound(b.reports[-1])
    assert to_a.kinds == [201, 202]
    assert to_b.kinds == [200, 202]
    assert len(to_a.blocks) == 1
    assert to_b.blocks == []


def test_a_sender_report_says_what_was_sent_and_when(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    a.count(0, 2000)
    bench.run(1.0)
    n_reports = len(b.reports)
    while len(b.reports) == n_reports:
        bench.run(0.01)

    report = read_compound(b.reports[-1])
    assert report.sender is not None
    ntp, rtp_time, packets, octets = report.sender
    assert report.ssrcs == {b.audio[0].ssrc}
    assert packets == len(b.audio)
    assert octets == sum(len(p.payload) for p in b.audio)
    expected = b.audio[0].timestamp + 8000 * (bench.now - b.audio[0].at)
    assert abs((rtp_time - expected + 2**31) % 2**32 - 2**31) <= 160
    assert ntp / 2**32 == pytest.approx(bench.now + _NTP_EPOCH, abs=0.02)


def test_a_report_block_says_what_was_received(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    a.sequence = 65000
    a.count(0, 2000, impair=lambda i: () if i % 10 == 3 else (0.0,))
    bench.run(20.5)
    last = bench.plane.goodbye(a.state.leg, bench.now, bench.now)[0]

    block = read_compound(last["data"][: last["bytes"]].tobytes()).blocks[0]
    assert block.ssrc == a.ssrc
    assert block.highest == 65000 + 999
    assert block.lost == 100
    assert 20 <= block.fraction <= 31
    assert block.jitter == 0


def test_the_fraction_lost_is_of_the_last_interval(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    a.count(0, 6000, impair=lambda i: () if i < 1000 and i % 4 == 3 else (0.0,))
    bench.run(60)

    fractions = [block.fraction for report in a.reports for block in read_compound(report).blocks]
    assert 60 <= fractions[1] <= 66
    assert fractions[-2:] == [0, 0]


def test_the_jitter_is_in_units_of_the_clock(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    """Every second packet 10 ms late: |D| is 80 units each time, and J tends to it."""
    bench, a, _ = call
    a.count(0, 1000, impair=lambda i: (0.01 * (i % 2),))
    bench.run(10.5)

    assert 78 <= read_compound(a.reports[-1]).blocks[0].jitter <= 80
    assert a.statistics.jitter_ms == pytest.approx(10, abs=0.2)


def test_a_report_echoes_when_the_last_one_came(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    a.count(0, 1000)
    bench.run(0.5)
    ntp = 0x0123456789ABCDEF
    a.send(struct.pack("!BBHIQIII", 0x80, 200, 6, a.ssrc, ntp, 0, 0, 0), rtcp=True)
    bench.run(0.001)
    at, n_reports = bench.now, len(a.reports)
    while len(a.reports) == n_reports:
        bench.run(0.01)

    block = read_compound(a.reports[-1]).blocks[0]
    assert block.lsr == middle(ntp)
    assert block.dlsr / 65536 == pytest.approx(bench.now - at, abs=0.02)


def test_the_round_trip_is_measured(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    a.count(0, 2000)
    bench.run(9.0)
    n_reports = len(b.reports)
    while len(b.reports) == n_reports:
        bench.run(0.01)
    sender = read_compound(b.reports[-1]).sender
    assert sender is not None

    held_s, trip_s = 0.5, 0.08
    block = struct.pack("!6I", b.audio[0].ssrc, 64 << 24 | 7, 0, 33, middle(sender[0]), round(held_s * 65536))
    b.send(struct.pack("!BBHI", 0x81, 201, 7, 1) + block, delay_s=held_s + trip_s, rtcp=True)
    bench.run(1.0)

    assert b.statistics.round_trip_ms == pytest.approx(80, abs=12)
    assert b.statistics.remote_lost == 7


def test_the_name_says_nothing_about_us_and_stays(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    """RFC 7022: a CNAME that cannot be linked to a person or a machine."""
    bench, a, b = call
    a.count(0, 1000)
    bench.run(15.0)

    names = {read_compound(report).cname for report in a.reports}
    assert len(names) == 1
    assert len(names.pop()) == 16
    assert read_compound(a.reports[0]).cname != read_compound(b.reports[0]).cname


def test_goodbye_is_a_whole_compound_with_a_bye(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    a.count(0, 100)
    bench.run(1.0)

    sends = bench.plane.goodbye(a.state.leg, bench.now, bench.now)

    assert sends["row"].tolist() == [a.row]
    compound = read_compound(sends[0]["data"][: sends[0]["bytes"]].tobytes())
    assert compound.kinds == [201, 202, 203]
    assert len(compound.ssrcs - {a.ssrc}) == 1


def test_a_leg_that_was_never_heard_gets_no_goodbye(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    bench.run(0.5)

    assert bench.plane.goodbye(a.state.leg, bench.now, bench.now).size == 0


def test_a_silent_leg_is_reported_once_unless_it_is_held_or_sends_rtcp(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    c = bench.leg("c", receiving=False)
    a.count(0, 100)
    bench.run(1.0)
    for i in range(10):
        b.send(struct.pack("!BBHI", 0x80, 201, 1, b.ssrc), delay_s=10.0 * i, rtcp=True)

    bench.run(100.0)

    assert timed_out(bench) == [a.state.leg]
    assert c.state.leg not in timed_out(bench)


def timed_out(bench: PlaneBench) -> list[LegId]:
    """Return the legs that were reported silent, in their order."""
    return [event.leg for event in bench.events if isinstance(event, RtpTimedOut)]


def pass_time(bench: PlaneBench, seconds: float) -> None:
    """Let so much time pass, with ticks in the last two seconds of it alone."""
    bench.ticking = False
    bench.run(seconds - 2.0)
    bench.ticking = True
    bench.run(2.0)


@pytest.mark.parametrize("receiving", [True, False], ids=["sendonly", "inactive"])
def test_bug_40_whoever_holds_may_be_silent_and_has_a_minute_when_it_comes_back(receiving: bool) -> None:
    """thevoiceguy/siphon-ai#402: a phone that holds with `sendonly` often sends nothing."""
    bench = PlaneBench()
    leg = bench.leg("a")
    leg.count(0, 50)
    bench.run(1.0)
    bench.plane.apply(replace(leg.state, generation=2, sending=False, receiving=receiving), bench.now)
    pass_time(bench, 90.0)
    bench.plane.apply(replace(leg.state, generation=3), bench.now)
    pass_time(bench, 55.0)
    assert timed_out(bench) == []
    pass_time(bench, 10.0)
    assert timed_out(bench) == [leg.state.leg]


@pytest.mark.parametrize(
    ("options", "patience_s"),
    [
        (CodecOptions(), 60.0),
        (CodecOptions(noise_pt=13), 300.0),
        (CodecOptions(annexb=True), 300.0),
    ],
    ids=["PCMU", "with comfort noise", "with Annex B"],
)
def test_whoever_may_leave_pauses_out_may_be_silent_for_five_minutes(
    options: CodecOptions, patience_s: float
) -> None:
    bench = PlaneBench()
    leg = bench.leg("a", codec="g729" if options.annexb else "pcmu", options=options)
    bench.run(2.0)
    pass_time(bench, patience_s - 7.0)
    assert timed_out(bench) == []
    pass_time(bench, 10.0)
    assert timed_out(bench) == [leg.state.leg]
