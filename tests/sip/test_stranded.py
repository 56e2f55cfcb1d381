"""Calls that outlive their connection: whoever registers anew gets them back, and nobody else does."""

from __future__ import annotations

import pytest

from gateway.ids import SeededIds
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.flow import Flow
from gateway.sip.settings import EndpointConfig
from gateway.testing.sip_pair import OFFER
from gateway.testing.sip_script import Stranger, parse_request, sip_request

HERE = "<sip:bob@192.0.2.7:5060;transport=ws>"
OLD = Flow("ws", ("198.51.100.1", 5060), ("192.0.2.7", 50_000), 4)
NEW = Flow("ws", ("198.51.100.1", 5060), ("192.0.2.7", 50_001), 5)
CONFIG = EndpointConfig(users={"bob": "secret", "eve": "secret"})


def register(phone: Stranger, *, user: str = "bob", contact: str = HERE) -> None:
    """Register over the new connection, by password."""
    parts = {"to": f"<sip:{user}@x>", "call_id": user, "contact": contact}
    challenge = phone.ask(sip_request("REGISTER", branch=f"z9hG4bK-{user}-1", **parts), flow=NEW)
    client = ClientAuthentication(Credentials(user, "secret"), SeededIds(3))
    client.learn(challenge, 0)
    again = parse_request(sip_request("REGISTER", cseq=2, branch=f"z9hG4bK-{user}-2", **parts))
    assert phone.ask(client.authorize(again).to_bytes(), flow=NEW).status == 200


def goodbye(phone: Stranger) -> Flow:
    """Hang up from our side; return where the BYE goes."""
    phone.endpoint.hang_up(phone.session, now=phone.now)
    (datagram,) = phone.endpoint.transmit(phone.now)
    assert datagram.data.startswith(b"BYE ")
    return datagram.flow


@pytest.mark.parametrize("noticed", ["before", "after"])
def test_a_call_goes_on_over_the_connection_that_its_user_registers_by(noticed: str) -> None:
    phone = Stranger(CONFIG, flow=OLD).calling(OFFER)
    if noticed == "before":
        phone.endpoint.flow_closed(OLD, phone.now)
    register(phone)
    if noticed == "after":
        phone.endpoint.flow_closed(OLD, phone.now)

    assert goodbye(phone) == NEW


@pytest.mark.parametrize(("user", "contact"), [("eve", HERE), ("bob", "<sip:bob@203.0.113.5>")])
def test_another_user_or_another_phone_does_not_get_it(user: str, contact: str) -> None:
    phone = Stranger(CONFIG, flow=OLD).calling(OFFER)
    phone.endpoint.flow_closed(OLD, phone.now)
    register(phone, user=user, contact=contact)

    assert goodbye(phone) == OLD


def test_a_phone_that_registers_elsewhere_while_its_connection_lives_keeps_its_calls_there() -> None:
    phone = Stranger(CONFIG, flow=OLD).calling(OFFER)
    register(phone)

    assert goodbye(phone) == OLD
