"""Bytes from the network: none crash the plane, none of a stranger's are passed on, none of a peer's break its stream.

reliability.md, promise 30.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.media.tally import VERDICT_NAMES
from gateway.testing.numbered import numbered, units_heard
from gateway.testing.plane_bench import EVENT_PT, BenchLeg, Packet, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream

_STRANGER = ("203.0.113.66", 6666)
_RTP = Packet(0, 0, 31000, 99999, 0xBAD, numbered(6666) * 2).to_bytes()
_EVENT = Packet(0, EVENT_PT, 31000, 99999, 0xBAD, b"\x05\x8a\x03\x20").to_bytes()
_SR = bytes([0x81, 200, 0, 12]) + bytes(48)
_RR = bytes([0x81, 201, 0, 7]) + bytes(28)
_SDES = bytes([0x81, 202, 0, 2]) + bytes(8)
_BYE = bytes([0x81, 203, 0, 1]) + bytes(4)
_STUN = bytes([0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42]) + bytes(12)
_DTLS = bytes([22, 254, 253]) + bytes(40)
_WELL_FORMED = (_RTP, _EVENT, _SR, _RR, _SR + _SDES + _BYE, _STUN, _DTLS)


def with_byte(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def malformed() -> Iterator[bytes]:
    """Yield every kind: cut anywhere, every version, padding, extension and count, wrong lengths, no packet at all."""
    for packet in _WELL_FORMED:
        yield from (packet[:n] for n in range(len(packet)))
    yield from (with_byte(_RTP, 0, first) for first in range(256))
    yield from (with_byte(_RTP, 1, second) for second in range(256))
    for first, last in itertools.product((0xA0, 0xB0, 0xBF), (0, 1, 13, 160, 173, 255)):
        yield with_byte(_RTP, 0, first)[:-1] + bytes([last])
    for length in (0, 1, 39, 40, 41, 0xFFFF):
        yield bytes([0x90]) + _RTP[1:12] + b"\xbe\xde" + length.to_bytes(2, "big") + bytes(160)
    for packet, length in itertools.product((_SR, _RR, _SDES, _BYE), (0, 1, 5, 12, 13, 0x7FFF, 0xFFFF)):
        yield packet[:2] + length.to_bytes(2, "big") + packet[4:]
    yield from (with_byte(_SR, 0, 0x80 | count) for count in range(32))
    yield from (with_byte(_RR, 1, kind) for kind in range(192, 224))
    yield from (bytes([value]) * n for value in (0, 0x7F, 0x80, 0xFF) for n in (1, 12, 172, 1499, 1500))


@pytest.fixture(params=["relay", "tick"])
def call(request: pytest.FixtureRequest) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=request.param == "tick"), bench.leg("b")
    bench.join("room", a, b)
    return bench, a, b


def numbers(leg: BenchLeg) -> list[int]:
    return [u.number for u in units_heard(leg.audio) if u.number is not None]


def test_a_strangers_malformed_packets_change_nothing(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    cases = list(malformed())
    a.count(0, 600)
    bench.run(0.1)

    for i, data in enumerate(cases):
        for rtcp in (False, True):
            bench.post(bench.now + i * 0.005, a, data, _STRANGER, rtcp=rtcp)
    bench.run(6.4)

    assert len(cases) > 1000
    assert numbers(b) == list(range(600))
    assert b.events == []
    assert _STRANGER not in a.sent_to
    assert a.digits == ""
    assert a.statistics.packets_received == 300


def test_a_peers_malformed_packets_cost_themselves_alone(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    a.count(0, 600)
    ours = [
        case for case in malformed() if len(case) < 12 or case[0] >> 6 != 2 or case[1] & 0x7F not in {0, 101}
    ]

    for i, data in enumerate(ours):
        bench.post(bench.now + i * 0.006, a, data, a.address)
    bench.run(6.4)

    assert numbers(b) == list(range(600))
    assert_one_stream(b.audio)


@given(st.lists(st.tuples(st.binary(max_size=200), st.booleans(), st.booleans()), max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_bytes_get_a_verdict(packets: list[tuple[bytes, bool, bool]]) -> None:
    bench = PlaneBench(capacity=4)
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)

    for data, rtcp, stranger in packets:
        a.send(data, rtcp=rtcp, source=_STRANGER if stranger else None)
    bench.run(0.05)

    assert sum(bench.verdicts.values()) == len(packets)
    assert set(bench.verdicts) <= set(VERDICT_NAMES)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 255),
            st.integers(0, 255),
            st.integers(0, 0xFFFF),
            st.integers(0, 2**32 - 1),
            st.binary(),
        ),
        max_size=30,
    ),
    st.booleans(),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_anything_that_looks_like_rtp_leaves_the_listener_one_stream(
    headers: list[tuple[int, int, int, int, bytes]], force_tick: bool
) -> None:
    bench = PlaneBench(capacity=4)
    a, b = bench.leg("a", force_tick=force_tick), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 20)

    for i, (first, second, sequence, timestamp, payload) in enumerate(headers):
        header = (
            bytes([0x80 | first & 0x3F, second]) + sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big")
        )
        bench.post(bench.now + i * 0.013, a, header + a.ssrc.to_bytes(4, "big") + payload, a.address)
    bench.run(0.6)

    received = [p for p in b.received if p.payload_type == 0]
    assert len({p.ssrc for p in b.received}) <= 1
    assert len({p.sequence for p in b.received}) == len(b.received)
    assert all(p.payload for p in received)


def test_a_flood_from_a_peer_is_cut_to_200_packets_a_second() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)

    for i in range(1000):
        packet = Packet(0, 0, 1000 + i, 160 * i, a.ssrc, numbered(i % 1000) * 2)
        bench.post(bench.now + i * 0.0009, a, packet.to_bytes(), a.address)
    bench.run(1.0)

    assert bench.verdicts["drop_rate"] == 800
    assert len(b.audio) == 200


@pytest.mark.parametrize("data", [_STUN, _DTLS], ids=["stun", "dtls"])
def test_stun_and_dtls_are_the_edges_business(data: bytes) -> None:
    """RFC 7983: told apart by the first byte."""
    bench = PlaneBench()
    a = bench.leg("a")

    a.send(data)
    bench.run(0.01)

    assert bench.verdicts == {"edge": 1}


def test_a_row_that_is_encrypted_takes_no_plain_packets() -> None:
    bench = PlaneBench()
    a = bench.leg("a")
    bench.plane.table.rows["crypto"][a.row] = 1

    a.send(_RTP)
    bench.run(0.01)

    assert bench.verdicts == {"drop_unauthentic": 1}


def test_rtp_on_the_rtcp_port_is_malformed() -> None:
    bench = PlaneBench()
    a = bench.leg("a")

    a.send(_RTP, rtcp=True)
    bench.run(0.01)

    assert bench.verdicts == {"drop_malformed": 1}


def test_a_packet_for_a_row_that_is_free_is_dropped() -> None:
    bench = PlaneBench()
    a = bench.leg("a")
    bench.plane.table.rows["generation"][a.row] = 0

    a.send(_RTP)
    bench.run(0.01)

    assert bench.verdicts == {"drop_held": 1}
