"""The RTP peer of the harness: it says what the test chose, and hears by its own arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.testing.rtp_peer import RtpEar, RtpMouth, RtpPacket, digits_in, parse_rtp_untrusted, shuffled

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
)


@given(packets)
def test_what_was_written_is_read(packet: RtpPacket) -> None:
    assert parse_rtp_untrusted(packet.to_bytes()) == packet


@given(st.binary(max_size=64))
def test_any_bytes_parse_or_are_a_bad_message(data: bytes) -> None:
    try:
        parse_rtp_untrusted(data)
    except BadMessage:
        pass


def test_extension_csrc_and_padding_are_no_payload() -> None:
    head = RtpPacket(0, 1, 2, 3).to_bytes()
    data = (
        bytes([0xB1])
        + head[1:]
        + b"CSRC"
        + b"\xbe\xde\x00\x01"
        + b"\x10\xff\x00\x00"
        + b"voice"
        + b"\x00\x00\x03"
    )

    assert parse_rtp_untrusted(data).payload == b"voice"


def test_a_mouth_counts_on_and_wraps() -> None:
    mouth = RtpMouth(sequence=0xFFFF, timestamp=0xFFFFFFFF, step=160)

    first, second = mouth.say(b"a", marker=True), mouth.say(b"b")

    assert (first.sequence, first.timestamp, first.marker) == (0xFFFF, 0xFFFFFFFF, True)
    assert (second.sequence, second.timestamp, second.marker) == (0, 159, False)


def test_a_lost_packet_moves_sequence_and_time_and_a_pause_only_time() -> None:
    mouth = RtpMouth(sequence=10, timestamp=0)

    mouth.skip(2)
    mouth.pause(3)

    assert (mouth.sequence, mouth.timestamp) == (12, 5 * 160)


def test_a_digit_holds_its_timestamp_grows_and_ends_three_times() -> None:
    sent = RtpMouth(timestamp=800).digit("#")

    assert [p.timestamp for p in sent] == [800] * 8
    assert [int.from_bytes(p.payload[2:]) for p in sent] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [bool(p.payload[1] & 0x80) for p in sent] == [False] * 5 + [True] * 3
    assert [p.marker for p in sent] == [True] + [False] * 7
    assert digits_in(sent) == "#"


def test_a_digit_may_end_with_one_sequence_number_as_in_recorded_traffic() -> None:
    sent = RtpMouth(sequence=1).digit("5", same_sequence=True)

    assert [p.sequence for p in sent] == [1, 2, 3, 4, 5, 6, 6, 6]


def test_a_bad_network_loses_repeats_and_swaps() -> None:
    mouth = RtpMouth(sequence=0)
    sent = [mouth.say(b"") for _ in range(5)]

    came = shuffled(sent, lose=[0], repeat=[4], swap=[1])

    assert [p.sequence for p in came] == [2, 1, 3, 4, 4]


def test_an_ear_hears_what_was_sent_and_names_what_is_missing() -> None:
    mouth = RtpMouth(sequence=0xFFFE)
    with RtpEar() as ear, RtpEar() as peer:
        for packet in shuffled([mouth.say(b"x") for _ in range(6)], lose=[2], swap=[3]):
            peer.send(packet, ear.address)
        for packet in mouth.digit("7"):
            peer.send(packet, ear.address)
        heard = ear.wait_for(13)

        assert heard[0].source == peer.address
        assert ear.missing() == 1
        assert ear.digits() == "7"
        assert len(ear.spacing_ms()) == 12


def test_an_ear_says_how_much_came_when_it_was_not_enough() -> None:
    with RtpEar() as ear, pytest.raises(TimeoutError, match="heard 0 packets of 1"):
        ear.wait_for(1, within_s=0.01)
