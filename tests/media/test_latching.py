"""Symmetric RTP that a stranger cannot move: the table of native/plane/latch.c, line by line.

reliability.md, promise 35: a stranger before, during and after learning, after a re-INVITE and on hold gets no packet,
and none of its frames is heard.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.media.events import AddressLatched
from gateway.testing.numbered import numbered, units_heard
from gateway.testing.plane_bench import Address, BenchLeg, Packet, PlaneBench

SIGNALLED: Address = ("10.0.0.7", 4000)
NATTED: Address = ("198.51.100.9", 31234)
STRANGER: Address = ("203.0.113.66", 6666)

Call = tuple[PlaneBench, BenchLeg, BenchLeg]


@pytest.fixture(params=["relay", "tick"])
def call(request: pytest.FixtureRequest) -> Call:
    """A leg that signalled one address, and its peer that talks and listens."""
    bench = PlaneBench()
    a = bench.leg("a", address=SIGNALLED, force_tick=request.param == "tick")
    b = bench.leg("b")
    bench.join("room", a, b)
    b.count(0, 1000)
    return bench, a, b


def intrude(
    a: BenchLeg, *, seconds: float, start_s: float = 0.0, source: Address = STRANGER, ssrc: int = 0xBAD
) -> None:
    """Let a stranger send well-formed audio of its own (number 6666) to a leg's port."""
    for i in range(int(seconds / 0.02)):
        packet = Packet(0, 0, 30000 + i, 160 * i, ssrc, numbered(6666) * 2)
        a.bench.post(a.bench.now + start_s + i * 0.02 + 0.007, a, packet.to_bytes(), source)


def heard(leg: BenchLeg) -> set[int | None]:
    return {u.number for u in units_heard(leg.audio)}


def latched(bench: PlaneBench) -> list[Address]:
    return [event.address for event in bench.events if isinstance(event, AddressLatched)]


def test_we_send_to_the_signalled_address_before_anything_is_heard(call: Call) -> None:
    bench, a, _ = call

    bench.run(1.0)

    assert set(a.sent_to) == {SIGNALLED}


def test_the_signalled_address_is_heard_from_its_first_packet(call: Call) -> None:
    bench, a, b = call

    a.count(0, 50)
    bench.run(1.0)

    assert set(range(50)) <= heard(b)
    assert latched(bench) == []


def test_another_address_is_learnt_after_three_packets_in_order(call: Call) -> None:
    bench, a, b = call

    a.count(0, 100, source=NATTED)
    bench.run(1.5)

    assert bench.verdicts["drop_learning"] == 2
    assert heard(b) >= set(range(4, 100))
    assert not heard(b) & {0, 1, 2, 3}
    assert latched(bench) == [NATTED]
    assert set(a.sent_to) == {SIGNALLED, NATTED}
    a.sent_to.clear()
    bench.run(1.0)
    assert set(a.sent_to) == {NATTED}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda i, p: Packet(0, 0, p.sequence + 5 * i, p.timestamp, p.ssrc, p.payload),
        lambda i, p: Packet(0, 0, p.sequence, p.timestamp, p.ssrc + i, p.payload),
        lambda i, p: Packet(0, 77, p.sequence, p.timestamp, p.ssrc, p.payload),
        lambda i, p: Packet(0, 0, p.sequence - 2 * i, p.timestamp, p.ssrc, p.payload),
    ],
    ids=["gaps", "many-ssrcs", "unknown-payload-type", "backwards"],
)
def test_a_source_that_is_not_one_stream_is_not_learnt(
    call: Call, spoil: Callable[[int, Packet], Packet]
) -> None:
    bench, a, b = call

    for i in range(30):
        packet = spoil(i, Packet(0, 0, 500 + i, 160 * i, 1, numbered(6666) * 2))
        bench.post(bench.now + i * 0.02, a, packet.to_bytes(), STRANGER)
    bench.run(1.0)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)


def test_nothing_is_learnt_long_after_the_last_offer(call: Call) -> None:
    bench, a, b = call
    bench.run(6.0)

    intrude(a, seconds=1.0)
    bench.run(1.5)

    assert a.statistics.strangers == 50
    assert set(a.sent_to) == {SIGNALLED}
    assert 6666 not in heard(b)


def test_a_new_offer_opens_the_time_of_learning_again(call: Call) -> None:
    bench, a, _ = call
    bench.run(6.0)
    bench.change(a)

    a.count(0, 50, source=NATTED)
    bench.run(1.0)

    assert latched(bench) == [NATTED]


def test_the_signalled_address_wins_over_one_that_was_learnt(call: Call) -> None:
    bench, a, _ = call
    intrude(a, seconds=1.0)
    bench.run(0.5)

    a.count(0, 100)
    bench.run(0.02)
    a.sent_to.clear()
    before = bench.verdicts["drop_stranger"]
    bench.run(1.2)

    assert set(a.sent_to) == {SIGNALLED}
    assert bench.verdicts["drop_stranger"] - before >= 20


@pytest.mark.parametrize("force_tick", [False, True])
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_stranger_beside_the_signalled_address_is_neither_answered_nor_heard(
    when: str, force_tick: bool
) -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", address=SIGNALLED, force_tick=force_tick), bench.leg("b")
    bench.join("room", a, b)
    b.count(0, 300)
    if when == "before":  # two packets are all that fit before the phone's first
        intrude(a, seconds=0.04, start_s=-0.007)
    else:
        intrude(a, seconds=1.0, start_s=0.02 if when == "during" else 1.5)

    a.count(0, 300, start_s=0.03 if when == "before" else 0.0)
    bench.run(3.2)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)
    assert set(range(300)) <= heard(b)


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_stranger_beside_a_latched_source_is_neither_answered_nor_heard(call: Call, seconds: float) -> None:
    bench, a, b = call
    a.count(0, 300, source=NATTED)
    bench.run(0.05 + seconds)

    intrude(a, seconds=1.0)
    bench.run(3.2)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)
    assert set(range(4, 300)) <= heard(b)


@pytest.mark.parametrize("source", [NATTED, SIGNALLED])
def test_a_stranger_after_a_reinvite_gets_nothing(call: Call, source: Address) -> None:
    bench, a, b = call
    a.count(0, 400, source=source)
    bench.run(1.0)

    bench.change(a, send_pt=0, event_send_pt=97)
    intrude(a, seconds=1.0)
    bench.run(2.0)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)


@pytest.mark.parametrize("source", [NATTED, SIGNALLED])
def test_a_stranger_on_hold_gets_nothing_and_hears_nothing(call: Call, source: Address) -> None:
    bench, a, b = call
    a.count(0, 100, source=source)
    bench.run(1.0)

    bench.change(a, receiving=False)
    intrude(a, seconds=3.0)
    bench.run(3.1)
    bench.change(a, receiving=True)
    bench.run(3.0)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)


@pytest.mark.parametrize("source", [NATTED, SIGNALLED])
def test_a_stranger_after_a_transfer_gets_nothing(call: Call, source: Address) -> None:
    bench, a, b = call
    c = bench.leg("c")
    a.count(0, 400, source=source)
    bench.run(1.0)

    bench.join("other", c)
    bench.join("other", a)
    intrude(a, seconds=1.0)
    bench.run(2.0)

    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b) | heard(c)


def test_a_new_address_in_a_new_offer_is_followed_at_once(call: Call) -> None:
    bench, a, b = call
    a.count(0, 100)
    bench.run(1.0)

    bench.change(a, remote=("10.0.0.8", 5000))
    a.sent_to.clear()
    bench.run(0.5)
    a.count(100, 200, source=("10.0.0.8", 5000))
    intrude(a, seconds=1.0, start_s=0.02, source=SIGNALLED)
    bench.run(1.5)

    assert set(a.sent_to) == {("10.0.0.8", 5000)}
    assert set(range(200)) <= heard(b)
    assert 6666 not in heard(b)


def test_a_nat_that_gives_a_new_port_is_followed_after_a_second_of_silence(call: Call) -> None:
    bench, a, b = call
    a.count(0, 50, source=NATTED)
    bench.run(0.5)
    moved = (NATTED[0], 45000)

    a.count(50, 150, source=moved)  # at once: still the old port's second
    bench.run(1.6)
    a.count(150, 250, source=moved)
    bench.run(1.2)

    assert latched(bench) == [NATTED, moved]
    assert not heard(b) & set(range(50, 130))
    assert set(range(150, 250)) <= heard(b)


@pytest.mark.parametrize(
    ("source", "same_ssrc"),
    [((NATTED[0], 45000), False), (STRANGER, True)],
    ids=["another-ssrc", "another-ip"],
)
def test_nobody_else_follows_a_source_that_fell_silent(call: Call, source: Address, same_ssrc: bool) -> None:
    bench, a, b = call
    a.count(0, 50, source=NATTED)
    bench.run(6.0)

    intrude(a, seconds=1.0, source=source, ssrc=a.ssrc if same_ssrc else 0xBAD)
    bench.run(1.5)

    assert source not in a.sent_to
    assert 6666 not in heard(b)


def test_a_source_may_be_ipv6() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", address=("2001:db8::7", 4000)), bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 50, source=("2001:db8::99", 4002))
    b.count(0, 50)
    bench.run(1.0)

    assert latched(bench) == [("2001:db8::99", 4002)]
    assert set(a.sent_to) == {("2001:db8::7", 4000), ("2001:db8::99", 4002)}


def test_a_leg_whose_address_is_not_known_yet_learns_it() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", remote=None), bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 50, source=NATTED)
    bench.run(1.0)

    assert latched(bench) == [NATTED]


def test_a_stranger_amid_the_first_packets_does_not_keep_a_phone_from_being_learnt(call: Call) -> None:
    """Junk of changing SSRCs between the phone's packets must not take its place in the queue."""
    bench, a, b = call
    for i in range(50):
        packet = Packet(0, 0, 7 * i, 160 * i, i, numbered(6666) * 2)
        bench.post(bench.now + i * 0.02 + 0.007, a, packet.to_bytes(), STRANGER)

    a.count(0, 100, source=NATTED)
    bench.run(1.2)

    assert latched(bench) == [NATTED]
    assert STRANGER not in a.sent_to
    assert 6666 not in heard(b)


def test_rtcp_is_taken_from_the_legs_own_address_alone(call: Call) -> None:
    bench, a, _ = call
    a.count(0, 50)
    bench.run(0.5)
    report = bytes([0x80, 201, 0, 1]) + a.ssrc.to_bytes(4, "big")

    a.send(report, rtcp=True, source=STRANGER)
    bench.run(0.1)
    strangers = a.statistics.strangers
    a.send(report, rtcp=True, source=(SIGNALLED[0], 4001))
    bench.run(0.1)

    assert strangers == 1
    assert bench.verdicts["control"] == 1
