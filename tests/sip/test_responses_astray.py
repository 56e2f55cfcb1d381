"""Responses with the right branch and the wrong call: what the fuzzer said first."""

from __future__ import annotations

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import SessionEnded
from gateway.sip.message import respond
from gateway.testing.sip_pair import OFFER
from gateway.testing.sip_script import Stranger, parse_request


@pytest.mark.parametrize("name", ["Call-ID", "From"])
@pytest.mark.parametrize("status", [180, 407, 487])
def test_a_response_of_another_call_ends_nothing(name: str, status: int) -> None:
    phone = Stranger(EndpointConfig())
    answer = respond(parse_request(phone.be_called(OFFER)), status, to_tag="bob-1")
    copied = answer.to_bytes().decode()
    value = answer.headers.get(name)
    assert value is not None

    phone.say(copied.replace(f"{name}: {value}", f"{name}: <sip:a@b>;tag=other").encode())

    assert phone.endpoint.counters["response_of_another_call"] == 1
    assert not any(isinstance(event, SessionEnded) for event in phone.events)
    phone.endpoint.hang_up(phone.calls[0], now=phone.now)
    phone.assert_quiet()
