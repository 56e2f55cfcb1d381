"""Promise 46: a stranger's datagram brings at most three times its size, and nothing to anybody else."""

from __future__ import annotations

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.testing.odd_messages import odd_messages
from gateway.testing.sip_script import Stranger, sip_request

CONFIG = EndpointConfig(users={"alice": "secret"}, digest_algorithms=("SHA-256", "MD5"))
METHODS = ("INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "MESSAGE", "REFER", "BYE", "CANCEL", "NOTIFY", "NEW")
MOST = 3.0


def shortest(method: str) -> bytes:
    """Return the shortest request that is answered at all."""
    lines = (
        f"{method} sip:a SIP/2.0",
        "v:SIP/2.0/UDP a;branch=z9hG4bK1",
        "f:<sip:a>;tag=1",
        "t:<sip:a>",
        "i:1",
        f"CSeq:1 {method}",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def brought(data: bytes) -> int:
    """Return how many bytes a datagram brings in the next minute, and see that they go to its source alone."""
    phone = Stranger(CONFIG)
    phone.endpoint.receive(data, phone.flow, 0.0)
    sent = 0
    while (deadline := phone.endpoint.next_deadline()) is not None and deadline <= 60.0:
        sent += said(phone, deadline)
        phone.endpoint.deadline_reached(deadline)
    return sent + said(phone, 60.0)


def said(phone: Stranger, now: float) -> int:
    datagrams = phone.endpoint.transmit(now)
    assert {datagram.flow for datagram in datagrams} <= {phone.flow}
    return sum(len(datagram.data) for datagram in datagrams)


@pytest.mark.parametrize("method", METHODS)
def test_an_ordinary_request_brings_no_more_than_three_times_its_size(method: str) -> None:
    request = sip_request(method)

    assert brought(request) <= MOST * len(request)


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "BYE", "CANCEL", "SUBSCRIBE"])
def test_the_shortest_request_of_a_forger_brings_no_more_either(method: str) -> None:
    request = shortest(method)

    assert brought(request) <= MOST * len(request) + 300  # a challenge of two algorithms has its length


def test_nor_does_any_odd_one() -> None:
    for name, data in odd_messages():
        assert brought(data) <= MOST * len(data), name


def test_a_strangers_invite_is_refused_once_whatever_it_shows() -> None:
    """Said again until its ACK comes, the refusal would be ten times as much."""
    phone = Stranger(CONFIG)
    forged = sip_request("INVITE", headers={"Authorization": "Digest x", "Require": "x"})

    assert len(phone.say(forged)) == 1
    assert phone.wait(60.0) == []
    assert phone.endpoint.census()["transactions"] == 0


def test_a_repetition_is_refused_again_and_the_ack_is_nobodys() -> None:
    phone = Stranger(CONFIG)
    forged = sip_request("INVITE", headers={"Authorization": "Digest x"})

    assert [len(phone.say(forged)) for _ in range(3)] == [1, 1, 1]
    assert phone.say(sip_request("ACK", to="<sip:x@h>;tag=1")) == []
