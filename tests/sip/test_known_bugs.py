"""Bugs that others shipped, those of them that need a test of their own; `docs/known-bugs.md` has all of them."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import OfferAnswered, OfferReceived
from gateway.sip.flow import Flow
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG: Final = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))
RELIABLY: Final = {"Require": "100rel", "RSeq": "1", "Allow": "INVITE, UPDATE, PRACK"}


def test_bug_2_an_offer_meets_our_pending_update() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, body="v=0", headers=RELIABLY)
    phone.endpoint.reoffer(phone.calls[-1], sdp=b"v=0 new", now=phone.now)
    (update,) = phone.listen()
    phone.reply(invite, 200)
    ours = parse_request(invite)
    theirs = sip_request(
        "INVITE",
        to=str(ours.from_),
        from_="<sip:bob@192.0.2.7>;tag=bob-1",
        call_id=ours.call_id,
        branch="z9hG4bK-theirs",
        body="v=0",
    )

    assert phone.ask(theirs).status == 491
    phone.reply(update, 200, body="v=0 newer")
    assert phone.events[-1] == OfferAnswered(phone.calls[-1], b"v=0 newer")


def test_bug_4_what_was_refused_with_491_gets_through_later() -> None:
    phone = Stranger(CONFIG).called(ANSWER)
    phone.endpoint.reoffer(phone.session, sdp=OFFER, now=phone.now)
    (ours,) = phone.listen()
    assert phone.ask(phone.in_dialog("INVITE", cseq=2, body="v=0")).status == 491
    phone.reply(ours, 491)
    phone.say(phone.in_dialog("INVITE", cseq=3, body="v=0"))

    assert phone.events[-1] == OfferReceived(phone.session, b"v=0")


@pytest.mark.parametrize(
    ("transport", "named"), [("udp", None), ("tcp", "tcp"), ("tls", "tls"), ("ws", "ws"), ("wss", "ws")]
)
def test_bug_24_the_contact_names_the_transport_of_the_flow(transport: str, named: str | None) -> None:
    flow = Flow(transport, ("198.51.100.1", 5061), ("192.0.2.7", 5061), None if transport == "udp" else 1)

    assert EndpointConfig().contact(flow).parameter("transport") == named


def test_bug_29_replaces_is_advertised() -> None:
    pair = SipPair()
    pair.talk()
    invite, answer = parse_request(pair.sent("INVITE")[0]), parse_response(pair.sent("200")[0])

    for message in (invite, answer):
        assert "replaces" in message.headers.all("Supported")
        assert "REFER" in message.headers.all("Allow")


def test_an_invite_of_ours_that_comes_back_is_a_loop() -> None:
    """Promise 44: two switches that route at each other, or a trunk that leads to ourselves."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    (trying, *_) = phone.say(invite.replace(b"z9hG4bK", b"z9hG4bK-again-", 1))

    assert parse_response(trying).status == 482
