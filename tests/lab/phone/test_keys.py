"""Keys as telephone-events, both ways (RFC 4733)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage, LocalError
from gateway.lab.phone.keys import EventPacket, KeyReceiver, KeySeen, KeySender
from gateway.lab.phone.rtp import Packet, parse_rtp_untrusted
from gateway.testing.rtp_peer import RtpMouth, RtpPacket, shuffled


def send(sender: KeySender, n_steps: int, *, ptime_ms: int = 20) -> list[EventPacket | None]:
    return [sender.step(1000 + 8 * ptime_ms * number, ptime_ms) for number in range(n_steps)]


def hear(receiver: KeyReceiver, packets: list[RtpPacket]) -> str:
    """Let packets arrive 20 ms apart, then wait; return the keys."""
    seen: list[KeySeen] = []
    for number, packet in enumerate(packets):
        seen += receiver.arrive(parse_rtp_untrusted(packet.to_bytes()), 0.02 * number)
    return "".join(each.key for each in [*seen, *receiver.due(100.0)])


def test_a_key_holds_its_timestamp_grows_and_ends_three_times() -> None:
    sender = KeySender()
    sender.press("5")

    steps = [each for each in send(sender, 20) if each is not None]

    assert {each.timestamp for each in steps} == {1000}
    assert [each.marker for each in steps] == [True] + [False] * 7
    assert [each.payload[0] for each in steps] == [5] * 8
    assert [int.from_bytes(each.payload[2:]) for each in steps] == [160, 320, 480, 640, 800, 960, 960, 960]
    assert [bool(each.payload[1] & 0x80) for each in steps] == [False] * 5 + [True] * 3
    assert sender.idle


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_a_key_lasts_100_ms_and_50_ms_pass_before_the_next(ptime_ms: int) -> None:
    sender = KeySender()
    sender.press("12")

    steps = [each for each in send(sender, 100, ptime_ms=ptime_ms) if each is not None]
    first = [each for each in steps if each.payload[0] == 1]
    second = [each for each in steps if each.payload[0] == 2]

    length = int.from_bytes(first[-1].payload[2:])
    assert length >= 800
    assert second[0].timestamp - first[0].timestamp - length >= 400


def test_a_comma_waits_half_a_second() -> None:
    plain, waiting = KeySender(), KeySender()
    plain.press("12")
    waiting.press("1,2")

    at = [
        next(
            number
            for number, each in enumerate(send(sender, 200))
            if each is not None and each.payload[0] == 2
        )
        for sender in (plain, waiting)
    ]

    assert 20 * (at[1] - at[0]) == 500


def test_what_is_no_key_is_refused_by_name() -> None:
    with pytest.raises(LocalError, match="'X' is not a key"):
        KeySender().press("1x")


def test_a_key_is_heard_once_with_its_length() -> None:
    receiver = KeyReceiver()
    seen = [
        key for p in RtpMouth().digit("#") for key in receiver.arrive(parse_rtp_untrusted(p.to_bytes()), 1.0)
    ]

    assert seen == [KeySeen("#", 100)]


def test_the_same_key_pressed_twice_is_two_keys() -> None:
    mouth = RtpMouth()

    assert hear(KeyReceiver(), mouth.digit("1") + mouth.digit("1")) == "11"


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(shuffled(RtpMouth().digit("7"), lose=[0, 1, 2]), id="lost start"),
        pytest.param(shuffled(RtpMouth().digit("7"), lose=[5, 6, 7]), id="lost every end"),
        pytest.param(shuffled(RtpMouth().digit("7"), lose=range(5)), id="only ends"),
        pytest.param(shuffled(RtpMouth().digit("7"), swap=[4]), id="end before the last update"),
        pytest.param(shuffled(RtpMouth().digit("7"), repeat=range(8)), id="everything twice"),
        pytest.param(RtpMouth().digit("7", same_sequence=True), id="three ends with one sequence number"),
        pytest.param(RtpMouth().digit("7", n_ends=1), id="one end"),
    ],
)
def test_a_damaged_key_is_one_key(came: list[RtpPacket]) -> None:
    assert hear(KeyReceiver(), came) == "7"


def test_a_key_whose_end_was_lost_ends_with_the_next() -> None:
    mouth = RtpMouth()

    assert hear(KeyReceiver(), mouth.digit("1", n_ends=0) + mouth.digit("2")) == "12"


def test_an_event_that_is_no_key_is_not_heard() -> None:
    assert KeyReceiver().arrive(Packet(101, 0, 0, 0, b"\x20\x8a\x03\x20"), 0.0) == []


@given(st.binary(max_size=8))
def test_any_payload_is_a_key_or_nothing_or_a_bad_message(payload: bytes) -> None:
    try:
        assert len(KeyReceiver().arrive(Packet(101, 0, 0, 0, payload), 0.0)) <= 1
    except BadMessage:
        assert len(payload) < 4
