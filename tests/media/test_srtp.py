"""SRTP in the plane: rows that are encrypted beside rows that are not (reliability.md, promise 36)."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.media.commands import row_as_map, row_from_map
from gateway.media.crypto import SUITES, CryptoPolicy
from gateway.media.events import AddressLatched
from gateway.media.plane import Plane
from gateway.media.table import ROW, pack_address
from gateway.testing.numbered import units_heard
from gateway.testing.plane_bench import BenchLeg
from gateway.testing.rtp_stream import assert_one_stream
from gateway.testing.srtp_bench import SecureBench, phone_of, policy

ELSEWHERE = ("198.51.100.77", 40000)


def numbers(leg: BenchLeg) -> list[int | None]:
    return [unit.number for unit in units_heard(leg.audio)]


def call(*, force_tick: bool = False, **bench: object) -> tuple[SecureBench, BenchLeg, BenchLeg]:
    """An encrypted leg and a plain one that hear each other."""
    plane = SecureBench(**bench)
    a, b = plane.secure_leg("a", force_tick=force_tick), plane.leg("b")
    plane.join("room", a, b)
    return plane, a, b


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_is_relayed_to_a_plain_phone_and_back(suite: str) -> None:
    bench = SecureBench()
    a, b = bench.secure_leg("a", suite), bench.leg("b")
    bench.join("room", a, b)

    a.count(0, 100)
    b.count(500, 600)
    bench.run(1.2)

    assert a.statistics.mode == "relay"
    assert numbers(b) == list(range(100))
    assert numbers(a) == list(range(500, 600))
    assert not bench.unreadable


def test_two_encrypted_legs_with_keys_of_their_own_are_relayed() -> None:
    bench = SecureBench()
    a, b = bench.secure_leg("a"), bench.secure_leg("b", "AEAD_AES_128_GCM")
    bench.join("room", a, b)

    a.count(0, 100)
    bench.run(1.2)

    assert numbers(b) == list(range(100))
    assert not bench.unreadable
    assert_one_stream(b.received)


def test_what_the_tick_makes_is_encrypted_too() -> None:
    bench, a, b = call(force_tick=True)

    b.count(0, 100)
    bench.run(1.2)

    assert len(a.audio) > 40
    assert not bench.unreadable
    assert_one_stream(a.received)


def test_digits_pass_both_ways() -> None:
    bench, a, b = call()
    a.count(0, 100)
    b.count(0, 100)

    a.press("5", start_s=0.2)
    b.press("7", start_s=0.4)
    bench.run(1.2)

    assert (a.digits, b.digits) == ("5", "7")
    assert {p.payload[0] for p in a.events} == {7}
    assert {p.payload[0] for p in b.events} == {5}


def test_reports_are_encrypted_both_ways() -> None:
    bench, a, _ = call()
    a.count(0, 1600)
    bench.run(16.0)
    report = bytes([0x80, 201, 0, 1]) + a.ssrc.to_bytes(4, "big")

    a.send(report, rtcp=True)
    bench.run(0.1)

    assert a.reports
    assert bench.verdicts["control"] == 1
    assert not bench.unreadable


def test_no_payload_is_on_the_wire_in_the_clear() -> None:
    bench, _, b = call()
    b.count(0, 50)
    bench.run(0.6)

    said = [packet.payload for packet in b.sent]
    assert bench.wire
    assert not any(payload in data for payload in said for _, data in bench.wire)


def test_plain_rtp_to_an_encrypted_leg_is_not_heard() -> None:
    bench, a, b = call()
    phone = bench.phones.pop(a.state.leg)
    a.count(0, 50)
    bench.phones[a.state.leg] = phone
    bench.run(0.6)

    assert not b.audio
    assert bench.verdicts["drop_unauthentic"] == a.statistics.unauthentic == 25


def test_a_hundred_thousand_bad_packets_a_second_leave_the_good_stream_intact() -> None:
    bench, a, b = call()
    a.count(0, 100)
    good = bench.phones[a.state.leg].protect(a.sent[0].to_bytes())
    junk = np.frombuffer(good, np.uint8)[None].repeat(2000, 0).copy()
    rng = np.random.default_rng(1)

    for _ in range(50):  # a second: 2,000 forged packets before each good one
        junk[:, 12:] = rng.integers(0, 256, junk[:, 12:].shape, np.uint8)
        junk[:, 2:4] = rng.integers(0, 256, (2000, 2), np.uint8)
        rows = np.full(2000, a.row, np.int32)
        source = pack_address(a.address)[None].repeat(2000, 0)
        lengths = np.full(2000, len(good), np.int32)
        sends, _ = bench.plane.arrive(rows, source, junk, lengths, np.full(2000, bench.now))
        assert not sends.size
        bench.run(0.02)
    bench.run(0.2)

    assert numbers(b) == list(range(100))
    assert a.statistics.unauthentic == 100_000
    assert a.statistics.packets_lost == a.statistics.packets_duplicate == 0


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    bench, a, b = call()
    a.count(0, 100, impair=lambda _: (0.0, 0.03))
    bench.run(1.3)

    assert numbers(b) == list(range(100))
    assert a.statistics.packets_duplicate == 50


def test_the_roll_over_counter_goes_on_where_the_sequence_wraps_in_a_loss() -> None:
    bench, a, b = call()
    a.sequence = 65530
    a.count(0, 100, impair=lambda i: () if 4 <= i < 9 else (0.0,))
    bench.run(1.2)

    assert numbers(b) == [n for n in range(100) if not 8 <= n < 18]


def test_what_we_send_rolls_over_too() -> None:
    bench, a, b = call()
    bench.plane.table.rows["tx_sequence"][a.row] = 65500
    b.count(0, 200)
    bench.run(2.2)

    assert numbers(a) == list(range(200))
    assert not bench.unreadable


def test_a_new_state_with_the_same_keys_keeps_everything() -> None:
    bench, a, b = call()
    a.sequence = 65500
    a.count(0, 100)
    b.count(0, 100)
    bench.run(1.1)
    bench.change(a)  # a re-INVITE that repeats its a=crypto line
    a.count(100, 200)
    b.count(100, 200)
    bench.run(1.1)

    assert numbers(b) == numbers(a) == list(range(200))
    assert not bench.unreadable


def test_new_keys_begin_anew_and_what_was_under_way_is_still_heard() -> None:
    bench, a, b = call()
    a.sequence = 65500
    a.count(0, 100, impair=lambda _: (0.1,))
    bench.run(1.0)  # ten packets have not come yet
    bench.rekey(a, policy(ours=7, theirs=8))
    a.count(100, 200, start_s=0.1)
    bench.run(1.3)

    assert numbers(b) == list(range(200))


def test_the_old_key_is_refused_two_seconds_after_a_new_one() -> None:
    bench, a, b = call()
    a.count(0, 100)
    bench.run(1.1)
    bench.rekey(a, policy(ours=7, theirs=8), phone=False)
    bench.run(2.1)
    a.count(100, 200)
    bench.run(1.1)

    assert numbers(b) == list(range(100))


def test_a_phone_that_begins_again_with_its_old_key_after_an_offer_is_heard() -> None:
    """pjsip after a change of its address (pjsip/pjproject#2682)."""
    bench, a, b = call()
    a.sequence = 65500
    a.count(0, 100)
    bench.run(1.1)
    bench.phones[a.state.leg] = phone_of(policy())
    bench.change(a, remote=ELSEWHERE)
    a.address, a.sequence = ELSEWHERE, 300
    a.count(100, 200)
    bench.run(1.2)

    assert set(range(110, 200)) <= set(numbers(b))


def test_an_old_packet_said_again_long_after_an_offer_is_no_new_beginning() -> None:
    bench, a, b = call()
    a.sequence = 65500
    a.count(0, 1000)
    recorded = [(i * 0.02, data) for i, (_, _, _, data, *_) in enumerate(sorted(bench._post)[:20])]
    bench.run(12.0)
    before = len(b.audio)

    for delay_s, data in recorded:
        bench.post_raw(bench.now + delay_s, a, data, a.address)
    bench.run(1.0)

    assert len(b.audio) == before


def test_whoever_has_the_key_is_followed_at_once() -> None:
    bench, a, b = call()
    a.count(0, 100)
    b.count(0, 200)
    bench.run(1.1)
    a.count(100, 200, source=ELSEWHERE)
    bench.run(1.1)

    assert numbers(b) == list(range(200))
    assert [e.address for e in bench.events if isinstance(e, AddressLatched)] == [ELSEWHERE]
    assert a.sent_to[ELSEWHERE] > 40


def test_a_restarted_plane_goes_on_with_its_roll_over() -> None:
    memory = memoryview(bytearray(8 * ROW.itemsize))
    bench, a, b = call(capacity=8, memory=memory)
    a.sequence = 65500
    a.count(0, 400)
    b.count(0, 400)
    bench.run(1.5)
    bench.crash(Plane(8, SeededIds(99), memory), down_s=0.3)
    for i, leg in enumerate(bench.legs):
        bench.plane.adopt(leg, rtp_fd=50 + 2 * i, rtcp_fd=51 + 2 * i, now=bench.now)
    for leg in (a, b):
        bench.plane.apply(leg.state, bench.now)
    bench.run(3.5)

    assert set(range(160, 400)) <= set(numbers(b))
    assert set(range(160, 400)) <= set(numbers(a))
    assert not bench.unreadable


def test_a_row_that_moves_to_another_plane_takes_its_replay_window_along() -> None:
    bench, a, b = call(capacity=8)
    a.sequence = 65500
    a.count(0, 400)
    bench.run(1.5)
    there = Plane(8, SeededIds(99))
    there.restore(bench.plane.snapshot(list(bench.legs)), bench.now)
    bench.plane = there
    bench.run(3.0)

    assert numbers(b) == list(range(400))
    assert not bench.unreadable


def test_a_leg_that_was_encrypted_may_become_plain() -> None:
    bench, a, b = call()
    a.count(0, 100)
    bench.run(1.1)
    del bench.phones[a.state.leg]
    bench.change(a, crypto=None)
    a.count(100, 200)
    bench.run(1.1)

    assert numbers(b) == list(range(200))


def test_a_freed_row_is_plain_for_the_next_leg() -> None:
    bench, a, _ = call(capacity=2)
    bench.plane.close(a.state.leg, bench.now)
    del bench.phones[a.state.leg], bench.legs[a.state.leg]
    c = bench.leg("c")

    assert bench.plane.table.rows["crypto"][c.row] == 0


def test_keys_travel_between_processes_and_are_not_shown() -> None:
    bench = SecureBench()
    state = bench.secure_leg("a").state

    assert row_from_map(row_as_map(state)) == state
    assert state.crypto is not None
    assert repr(state.crypto.ours) not in repr(state)
    assert "ours" not in repr(state)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(LocalError, match="30 bytes"):
        CryptoPolicy("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(16))
    with pytest.raises(LocalError, match="does not speak"):
        CryptoPolicy("NULL_CIPHER", bytes(30), bytes(30))


def test_a_restarted_plane_hears_and_says_nothing_until_it_is_told_the_keys_again() -> None:
    memory = memoryview(bytearray(8 * ROW.itemsize))
    bench, a, b = call(capacity=8, memory=memory)
    bench.crash(Plane(8, SeededIds(99), memory), down_s=0.3)
    for i, leg in enumerate(bench.legs):
        bench.plane.adopt(leg, rtp_fd=50 + 2 * i, rtcp_fd=51 + 2 * i, now=bench.now)
    a.count(0, 20)
    b.count(0, 20)
    bench.run(0.3)

    assert bench.verdicts["drop_unauthentic"] == 10
    assert not a.audio
    assert not bench.wire
