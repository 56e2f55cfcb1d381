"""The phone's books about what comes in (RFC 3550 appendix A), judged with packets the harness made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lab.phone.receiver import Placed, Receiver
from gateway.lab.phone.rtp import parse_rtp_untrusted
from gateway.testing.rtp_peer import RtpMouth, RtpPacket, shuffled


def hear(receiver: Receiver, packets: list[RtpPacket], *, start_s: float = 10.0) -> list[Placed]:
    """Let packets arrive 20 ms apart, each as bytes."""
    placed: list[Placed] = []
    for number, packet in enumerate(packets):
        placed += receiver.arrive(parse_rtp_untrusted(packet.to_bytes()), start_s + 0.02 * number)
    return placed


def test_an_even_stream_has_no_loss_and_no_jitter() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=0xFFF0, timestamp=0xFFFFFF00)

    placed = hear(receiver, [mouth.say(b"x" * 160) for _ in range(50)])

    assert [each.position for each in placed] == [160 * n for n in range(50)]
    assert (receiver.n_packets, receiver.n_lost, receiver.n_bytes) == (50, 0, 8000)
    assert receiver.jitter_ms == pytest.approx(0.0, abs=1e-6)


def test_loss_is_what_the_sequence_numbers_say() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=100)
    sent = [mouth.say(b"x") for _ in range(20)]

    placed = hear(receiver, shuffled(sent, lose=[5, 6]))

    assert (receiver.n_expected, receiver.n_lost) == (20, 2)
    assert placed[5].position == 7 * 160


def test_a_duplicate_is_counted_and_hides_no_loss() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=100)
    sent = [mouth.say(b"x") for _ in range(10)]

    placed = hear(receiver, shuffled(sent, lose=[3], repeat=[7]))

    assert len(placed) == 9
    assert (receiver.n_lost, receiver.n_duplicate) == (1, 1)


def test_swapped_packets_keep_their_places() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=0xFFFE)
    sent = [mouth.say(b"x") for _ in range(6)]

    placed = hear(receiver, shuffled(sent, swap=[2]))

    assert [each.position // 160 for each in placed] == [0, 1, 3, 2, 4, 5]
    assert (receiver.n_lost, receiver.n_reordered) == (0, 1)


def test_a_new_ssrc_goes_on_where_the_clock_is() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=5, timestamp=77, ssrc=1)
    first = [mouth.say(b"x") for _ in range(10)]
    mouth.ssrc, mouth.sequence, mouth.timestamp = 2, 40000, 123456

    placed = hear(receiver, first + [mouth.say(b"x") for _ in range(10)])

    assert [each.position for each in placed] == [160 * n for n in range(20)]
    assert [each.breaks for each in placed] == [False] * 10 + [True] + [False] * 9
    assert (receiver.n_lost, receiver.n_breaks, receiver.n_packets) == (0, 1, 20)


def test_two_packets_in_order_far_away_are_a_restart_and_lose_nothing() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=5)
    first = [mouth.say(b"x") for _ in range(5)]
    mouth.sequence += 30000

    placed = hear(receiver, first + [mouth.say(b"x") for _ in range(5)])

    assert len(placed) == 10
    assert receiver.n_lost == 0


def test_one_stray_packet_far_away_changes_nothing() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=5)
    sent = [mouth.say(b"x") for _ in range(10)]
    sent.insert(5, RtpPacket(0, 30000, 99, mouth.ssrc))

    placed = hear(receiver, sent)

    assert len(placed) == 10
    assert (receiver.n_lost, receiver.n_breaks) == (0, 0)


def test_timestamps_that_begin_anew_are_tied_to_the_clock() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=5, timestamp=1_000_000)
    first = [mouth.say(b"x") for _ in range(5)]
    mouth.timestamp = 0

    placed = hear(receiver, first + [mouth.say(b"x") for _ in range(5)])

    assert [each.position for each in placed] == [160 * n for n in range(10)]


def test_a_silence_of_twenty_seconds_is_a_pause_and_no_loss() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=5)
    hear(receiver, [mouth.say(b"x") for _ in range(5)])
    mouth.pause(1000)

    placed = hear(receiver, [mouth.say(b"x")], start_s=10.0 + 0.02 * 1005)

    assert [(each.position, each.breaks) for each in placed] == [(1005 * 160, False)]
    assert receiver.n_lost == 0


def test_jitter_is_the_smoothed_change_of_transit() -> None:
    """RFC 3550 A.8: every second packet 4 ms late makes |D| = 4 ms, which the estimate approaches."""
    receiver, mouth = Receiver(), RtpMouth()
    for number in range(200):
        packet = parse_rtp_untrusted(mouth.say(b"x").to_bytes())
        receiver.arrive(packet, 0.02 * number + 0.004 * (number % 2))

    assert receiver.jitter_ms == pytest.approx(4.0, rel=0.01)


def test_a_report_tells_the_loss_since_the_last_one() -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=0xFFFF)
    sent = [mouth.say(b"x") for _ in range(8)]
    hear(receiver, shuffled(sent, lose=[2, 3]))

    first, second = receiver.report(), receiver.report()

    assert first is not None
    assert second is not None
    assert (first.fraction_lost, first.lost, first.highest_sequence) == (256 * 2 // 8, 2, 0x10006)
    assert (second.fraction_lost, second.lost) == (0, 2)


@given(st.lists(st.integers(0, 30), unique=True, max_size=10), st.integers(0, 0xFFFF))
def test_no_packet_is_placed_twice_and_loss_is_exact(lost: list[int], sequence: int) -> None:
    receiver, mouth = Receiver(), RtpMouth(sequence=sequence)
    sent = [mouth.say(b"x") for _ in range(32)]

    placed = hear(
        receiver, [sent[0], *shuffled(sent[1:31], lose=[n for n in lost if n < 30], repeat=[4]), sent[31]]
    )

    assert len({each.index for each in placed}) == len(placed) == receiver.n_packets
    assert receiver.n_lost == len([n for n in lost if n < 30])
