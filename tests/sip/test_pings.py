"""RFC 3261 section 11: OPTIONS that ask whether somebody is there."""

from __future__ import annotations

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import PingAnswered
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.sip_script import Stranger, parse_request


def asked() -> tuple[Stranger, bytes]:
    phone = Stranger(EndpointConfig())
    phone.endpoint.ping(target=parse_uri_untrusted("sip:192.0.2.7"), flow=phone.flow, now=phone.now)
    (options,) = phone.listen()
    return phone, options


@pytest.mark.parametrize(
    ("status", "alive"), [(200, True), (404, True), (401, True), (500, True), (503, False)]
)
def test_any_answer_but_503_means_that_somebody_is_there(status: int, alive: bool) -> None:
    phone, options = asked()
    phone.now += 0.25
    phone.reply(options, status, headers={"Retry-After": "30 (busy)"})
    answered = phone.events[-1]

    assert parse_request(options).method == "OPTIONS"
    assert isinstance(answered, PingAnswered)
    assert (answered.alive, answered.status, answered.took_s) == (alive, status, 0.25)
    assert answered.retry_after_s == 30


def test_silence_means_that_nobody_is_there() -> None:
    phone, _ = asked()
    phone.wait(33.0)
    answered = phone.events[-1]

    assert isinstance(answered, PingAnswered)
    assert (answered.alive, answered.status) == (False, 408)
    phone.assert_quiet()


def test_a_provisional_answer_decides_nothing() -> None:
    phone, options = asked()
    phone.reply(options, 100)

    assert phone.events == []
