"""A glance must agree with those who read the message, and survive whatever it looks at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.glance import Standing, call_id_of, standing_of
from gateway.testing.sip_script import sip_request

BEGUN, REGISTERS, BEGINS = Standing.BEGUN, Standing.REGISTERS, Standing.BEGINS


@pytest.mark.parametrize(
    ("data", "standing"),
    [
        (sip_request("INVITE"), BEGINS),
        (sip_request("INVITE", to="<sip:x@h>;tag=1"), BEGUN),
        (sip_request("INVITE", headers={"t": "<sip:x@h> ; TAG = 1", "to": "<sip:x@h>"}), BEGUN),
        (sip_request("INVITE", from_='"To: ;tag=" <sip:x@h>;tag=1'), BEGINS),
        (sip_request("REGISTER"), REGISTERS),
        (sip_request("SUBSCRIBE"), BEGINS),
        (sip_request("MESSAGE"), BEGINS),
        (sip_request("OPTIONS"), BEGUN),
        (sip_request("BYE", to="<sip:x@h>;tag=1"), BEGUN),
        (sip_request("ACK"), BEGUN),
        (sip_request("CANCEL"), BEGUN),
        (b"SIP/2.0 200 OK\r\n\r\n", BEGUN),
        (b"\r\n\r\n" + sip_request("CANCEL"), BEGUN),
        (b"", BEGINS),
    ],
)
def test_what_a_message_asks_for(data: bytes, standing: Standing) -> None:
    assert standing_of(data) is standing


@pytest.mark.parametrize("name", ["Call-ID", "call-id", "i", "I", "CALL-ID \t"])
def test_a_call_id_is_found_however_it_is_spelt(name: str) -> None:
    assert call_id_of(f"BYE sip:a SIP/2.0\r\nFrom: x\r\n{name}:  a b@c \r\n\r\n".encode()) == b"a b@c"


def test_no_call_id_is_nothing() -> None:
    assert call_id_of(b"BYE sip:a SIP/2.0\r\n\r\n") == b""


@given(st.binary(max_size=300))
def test_any_bytes_have_a_standing(data: bytes) -> None:
    assert standing_of(data) in Standing
    assert call_id_of(data) in data
