"""INFO bodies as phones send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.switch.dtmf import parse_dtmf_info_untrusted

RELAY = "application/dtmf-relay"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", ("5", 160)),
        (RELAY, b"Signal= 5\nDuration= 250\n", ("5", 250)),
        (RELAY, b"signal=*", ("*", 160)),
        (RELAY, b"Signal=11\r\nDuration=100", ("#", 100)),
        (RELAY, b"Signal=d\r\n", ("D", 160)),
        (RELAY, b"Signal=1\r\nDuration=99999999", ("1", 160)),
        (RELAY, b"Signal=1\r\nDuration=99999", ("1", 10_000)),
        ("application/dtmf", b"7", ("7", 160)),
        ("Application/DTMF", b" 10 \r\n", ("*", 160)),
        ("application/media_control+xml", b"<x/>", None),
    ],
)
def test_it_says(content_type, body, expected):
    assert parse_dtmf_info_untrusted(content_type, body) == expected


@pytest.mark.parametrize("body", [b"", b"Signal=\r\n", b"Signal=55", b"Duration=160", "Signal=²".encode()])
def test_it_is_no_digit(body):
    with pytest.raises(BadMessage):
        parse_dtmf_info_untrusted(RELAY, body)


@given(st.binary(max_size=300), st.sampled_from([RELAY, "application/dtmf", "text/plain"]))
def test_any_body_is_a_digit_or_nothing_or_a_bad_message(body, content_type):
    try:
        heard = parse_dtmf_info_untrusted(content_type, body)
    except BadMessage:
        return
    assert heard is None or heard[0] in "0123456789*#ABCD!"
