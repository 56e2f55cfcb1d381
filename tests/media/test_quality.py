"""How good a leg sounds: the E-model each second, and extended reports in answer to the peer's (RFC 3611)."""

from __future__ import annotations

import struct

import pytest

from gateway.lab.quality import mos
from gateway.testing.audio import speech
from gateway.testing.codec_legs import codec_leg
from gateway.testing.netem import Bernoulli, Netem
from gateway.testing.plane_bench import BenchLeg, PlaneBench


def call(kind: str, *, force_tick: bool = True) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind, force_tick=force_tick), codec_leg(bench, "b", kind)
    bench.join("room", a, b)
    return bench, a, b


def talk(leg: BenchLeg, *, loss: float = 0.0, lost: frozenset[int] = frozenset()) -> None:
    flags = Bernoulli(loss)
    net: Netem[int] = Netem(1, loss=flags)
    sent = [i * 0.02 for i in range(400)]
    came = set(net.schedule(sent).index.tolist()) - lost
    leg.say(speech()[:40000], ptime_ms=leg.state.ptime_ms, impair=lambda i: (0.0,) if i in came else ())


def extended_report(ssrc: int, source: int, *, mos_lq: int, mos_cq: int) -> bytes:
    """Return RR and XR with a VoIP metrics block about `source`."""
    block = struct.pack(">BBHI", 7, 0, 8, source) + bytes(18) + bytes([mos_lq, mos_cq]) + bytes(8)
    report = struct.pack(">BBHI", 0x80, 201, 1, ssrc)
    return report + struct.pack(">BBHI", 0x80, 207, (8 + len(block)) // 4 - 1, ssrc) + block


def voip_metrics(report: bytes) -> bytes:
    """Return the VoIP metrics block of a compound packet; empty if it has none."""
    while report:
        size = 4 + 4 * int.from_bytes(report[2:4], "big")
        if report[1] == 207:
            assert report[8:12] == b"\x07\x00\x00\x08"
            return report[8:size]
        report = report[size:]
    return b""


@pytest.mark.parametrize("force_tick", [False, True])
@pytest.mark.parametrize("kind", ["pcmu", "g729", "ilbc20", "ilbc30"])
def test_a_clean_leg_is_rated_as_its_codec_is(kind: str, force_tick: bool) -> None:
    bench, a, _ = call(kind, force_tick=force_tick)
    talk(a)

    bench.run(3.5)

    assert a.statistics.mos == pytest.approx(mos(a.coding.name, loss_pct=0.0, delay_ms=60), abs=0.05)


def test_a_leg_that_loses_is_rated_lower_and_recovers() -> None:
    bench, a, _ = call("pcmu")
    talk(a, lost=frozenset(range(55, 95, 4)))

    bench.run(2.05)
    during = a.statistics.mos
    bench.run(2.0)

    assert during == pytest.approx(mos("pcmu", loss_pct=20.0), abs=0.3)
    assert a.statistics.mos > 4.3


def test_a_peer_that_sends_extended_reports_gets_ours() -> None:
    bench, a, b = call("pcmu")
    talk(a, loss=0.1)
    ssrc = int(bench.plane.table.rows["tx_ssrc"][a.row])
    a.send(extended_report(a.ssrc, ssrc, mos_lq=127, mos_cq=38), rtcp=True)
    bench.run(5.0)
    talk(a, loss=0.1)
    bench.run(5.0)

    block = voip_metrics(a.reports[-1])
    assert a.statistics.remote_mos == 3.8
    assert int.from_bytes(block[4:8], "big") == a.ssrc
    assert block[8] / 256 == pytest.approx(0.1, abs=0.04)
    assert (block[23], block[28]) == (16, 0xB0)
    assert 93 >= block[24] > 40
    assert block[27] in range(20, 45)
    assert voip_metrics(b.reports[-1]) == b""


def test_bursts_and_gaps_are_told_apart() -> None:
    """RFC 3611 appendix A.2: losses closer than 16 packets are one burst, a lone one belongs to the gap."""
    bench, a, _ = call("pcmu")
    bursts = {start + i for start in (50, 150) for i in (0, 1, 3, 5)}
    talk(a, lost=frozenset(bursts | {100}))
    ssrc = int(bench.plane.table.rows["tx_ssrc"][a.row])
    a.send(extended_report(a.ssrc, ssrc, mos_lq=40, mos_cq=127), rtcp=True)

    bench.run(4.9)

    block = voip_metrics(a.reports[-1])
    burst_ms, gap_ms = int.from_bytes(block[12:14], "big"), int.from_bytes(block[14:16], "big")
    assert a.statistics.remote_mos == 4.0
    assert block[10] / 256 == pytest.approx(4 / 6, abs=0.15)
    assert block[11] < 5
    assert burst_ms == pytest.approx(120, abs=60)
    assert gap_ms > 1000


@pytest.mark.parametrize("size", [8, 9, 12, 20, 39])
def test_an_extended_report_that_is_cut_is_no_harm(size: int) -> None:
    bench, a, _ = call("pcmu")
    ssrc = int(bench.plane.table.rows["tx_ssrc"][a.row])
    whole = extended_report(a.ssrc, ssrc, mos_lq=40, mos_cq=40)

    a.send(whole[: 8 + size // 4 * 4], rtcp=True)
    a.send(whole[:10] + (size // 4).to_bytes(2, "big") + whole[12:], rtcp=True)
    bench.run(0.1)

    assert a.statistics.remote_mos == 0.0
