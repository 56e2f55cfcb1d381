"""RTCP of the phone: what it writes, it reads, and bad lengths are said (RFC 3550 section 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.lab.phone.receiver import ReportBlock
from gateway.lab.phone.rtcp import SenderInfo, parse_rtcp_untrusted, write_bye, write_report

HEARD = ReportBlock(ssrc=7, fraction_lost=64, lost=5, highest_sequence=0x10001, jitter=33)


def test_a_sender_report_comes_back_as_written() -> None:
    data = write_report(
        1, "a@b", sender=SenderInfo(1_000_000.5, 8000, 50, 8000), heard=HEARD, last_sr=9, delay_s=0.5
    )

    report = parse_rtcp_untrusted(data)

    assert report.sender_ntp == (1_000_000 + 2208988800 & 0xFFFF) << 16 | 0x8000
    (block,) = report.blocks
    assert (block.ssrc, block.fraction_lost, block.lost, block.jitter) == (7, 64, 5, 33)
    assert (block.last_sr, block.delay) == (9, 0x8000)
    assert not report.bye


def test_who_only_listens_sends_a_receiver_report() -> None:
    data = write_report(1, "a@b", sender=None, heard=None)

    assert data[1] == 201
    assert parse_rtcp_untrusted(data).sender_ntp is None


def test_a_compound_packet_names_its_sender_and_is_whole_words() -> None:
    """Section 6.5.1: every compound packet carries a CNAME; chunks are padded to 32 bits."""
    for cname in ("a", "ab", "abc", "abcd"):
        data = write_bye(1, cname)

        assert cname.encode() + b"\0" in data
        assert len(data) % 4 == 0
        assert parse_rtcp_untrusted(data).bye


def test_a_length_that_lies_is_a_bad_message() -> None:
    data = write_report(1, "a@b", sender=None, heard=HEARD)

    with pytest.raises(BadMessage, match="longer than its datagram"):
        parse_rtcp_untrusted(data[:-4])


def test_a_block_count_that_lies_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="shorter than its report blocks"):
        parse_rtcp_untrusted(b"\x81\xc9\x00\x01\x00\x00\x00\x01")


@given(st.binary(max_size=80))
def test_any_bytes_parse_or_are_a_bad_message(data: bytes) -> None:
    try:
        parse_rtcp_untrusted(data)
    except BadMessage:
        pass
