"""Phones behind a NAT on UDP are asked now and then whether they are there (RFC 4787 section 4.3)."""

from __future__ import annotations

import pytest

from gateway.ids import SeededIds
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.endpoint import EndpointConfig, EndpointLimits
from gateway.sip.events import BindingChanged
from gateway.sip.flow import Flow
from gateway.sip.registrar import RegistrarLimits
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(users={"bob": "secret"})
UNASKED = EndpointConfig(
    users={"bob": "secret"}, limits=EndpointLimits(registrar=RegistrarLimits(nat_ping_s=0))
)
NAT = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 61000))
OTHER_PORT = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 61001))
CONNECTION = Flow("tcp", ("198.51.100.1", 5060), ("203.0.113.9", 61000), connection=1)
SILENCES_S = 2 * (27.0 + 32.0)


def registered(
    *, config: EndpointConfig = CONFIG, flow: Flow = NAT, via: str = "SIP/2.0/UDP 10.0.0.5:5060"
) -> Stranger:
    """Return a phone that has just registered, and whose transactions are over."""
    phone = Stranger(config, flow=flow)
    register(phone, flow=flow, via=via, expires_s=180)
    return phone


def register(phone: Stranger, *, flow: Flow, via: str, expires_s: int) -> None:
    about = {
        "to": "<sip:bob@switch.example>",
        "via": via,
        "contact": "<sip:bob@10.0.0.5:5060>",
        "call_id": f"reg-{phone.now}",
        "headers": {"Expires": str(expires_s)},
    }
    challenge = phone.ask(sip_request("REGISTER", branch=f"z9hG4bK-{phone.now}-1", **about), flow=flow)  # type: ignore[arg-type]  # of many kinds
    bob = ClientAuthentication(Credentials("bob", "secret"), SeededIds(3))
    bob.learn(challenge, 0)
    again = sip_request("REGISTER", cseq=2, branch=f"z9hG4bK-{phone.now}-2", **about)  # type: ignore[arg-type]
    (answer,) = phone.say(bob.authorize(parse_request(again)).to_bytes(), flow=flow)
    assert parse_response(answer).status == 200


def test_it_is_asked_by_options_at_its_contact_every_27_seconds() -> None:
    phone = registered()
    for _ in range(3):
        (options,) = phone.wait(27.2)
        assert (parse_request(options).method, str(parse_request(options).uri)) == (
            "OPTIONS",
            "sip:bob@10.0.0.5:5060",
        )
        phone.reply(options, 481)


@pytest.mark.parametrize(
    ("config", "flow", "via"),
    [
        (CONFIG, NAT, "SIP/2.0/UDP 203.0.113.9:61000"),
        (CONFIG, CONNECTION, "SIP/2.0/TCP 10.0.0.5:5060"),
        (UNASKED, NAT, "SIP/2.0/UDP 10.0.0.5:5060"),
    ],
    ids=["who has no NAT before it", "who has a connection", "who shall not be asked"],
)
def test_nobody_else_is_asked(config: EndpointConfig, flow: Flow, via: str) -> None:
    assert registered(config=config, flow=flow, via=via).wait(170.0) == []


def test_who_has_answered_and_is_silent_twice_is_gone() -> None:
    phone = registered()
    (options,) = phone.wait(27.1)
    phone.reply(options, 200)
    phone.wait(SILENCES_S + 1.0)

    assert isinstance(phone.events[-1], BindingChanged)
    assert phone.events[-1].expires_s == 0
    assert phone.endpoint.bindings("bob") == ()
    phone.wait(40.0)
    phone.assert_quiet()


def test_who_has_never_answered_stays_until_its_registration_is_over() -> None:
    phone = registered()
    phone.wait(SILENCES_S + 20.0)
    assert len(phone.endpoint.bindings("bob")) == 1
    phone.wait(100.0)
    assert phone.endpoint.bindings("bob") == ()
    phone.assert_quiet()


def test_who_unregisters_is_asked_no_more() -> None:
    phone = registered()
    phone.wait(5.0)
    register(phone, flow=NAT, via="SIP/2.0/UDP 10.0.0.5:5060", expires_s=0)

    assert phone.wait(60.0) == []
    phone.assert_quiet()


def test_who_comes_from_another_port_is_asked_there_alone() -> None:
    phone = registered()
    phone.wait(10.0)
    register(phone, flow=OTHER_PORT, via="SIP/2.0/UDP 10.0.0.5:5060", expires_s=180)
    phone.listen()
    phone.wait(18.0)
    phone.now += 10.0
    phone.endpoint.deadline_reached(phone.now)

    assert [datagram.flow for datagram in phone.endpoint.transmit(phone.now)] == [OTHER_PORT]
