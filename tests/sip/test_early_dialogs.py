"""RFC 3261 section 13.2.2.1 and RFC 3311: what happens between ringing and answer, fork or not."""

from __future__ import annotations

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import OfferAnswered, OfferReceived, SessionAnswered, SessionProgressed
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))
RELIABLY = {"Require": "100rel", "RSeq": "1", "Allow": "INVITE, UPDATE, PRACK"}


def update(phone: Stranger, invite: bytes, *, tag: str = "bob-1", cseq: int = 1, body: str = "v=0") -> bytes:
    """Write an UPDATE of a callee that has not answered yet."""
    ours = parse_request(invite)
    return sip_request(
        "UPDATE",
        to=str(ours.from_),
        from_=f"<sip:bob@192.0.2.7>;tag={tag}",
        call_id=ours.call_id,
        cseq=cseq,
        body=body,
        branch=f"z9hG4bK-u{tag}{cseq}",
    )


def early(*, tag: str = "bob-1") -> tuple[Stranger, bytes]:
    """Return a callee whose reliable answer we have, and our INVITE."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, tag=tag, body="v=0", headers=RELIABLY)
    return phone, invite


def test_rfc_3311_the_callee_changes_an_early_session() -> None:
    phone, invite = early()
    phone.say(update(phone, invite))
    assert phone.events[-1] == OfferReceived(phone.calls[-1], b"v=0")
    phone.endpoint.accept_offer(phone.calls[-1], sdp=ANSWER, now=phone.now)
    (answer,) = phone.listen()

    assert (parse_response(answer).status, parse_response(answer).body) == (200, ANSWER)


def test_an_answer_that_was_changed_since_is_not_reported_again() -> None:
    phone, invite = early()
    phone.say(update(phone, invite))
    phone.endpoint.accept_offer(phone.calls[-1], sdp=ANSWER, now=phone.now)
    phone.reply(invite, 200)

    assert phone.events[-1] == SessionAnswered(phone.calls[-1], None, "bob-1")


def test_rfc_3311_an_update_before_our_offer_is_answered_gets_491() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 180)

    assert phone.ask(update(phone, invite)).status == 491


def test_rfc_3311_an_update_without_offer_is_answered_at_once() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 180)

    assert phone.ask(update(phone, invite, body="")).status == 200


def test_rfc_3311_the_caller_changes_an_early_session_by_update() -> None:
    phone, _ = early()
    phone.endpoint.reoffer(phone.calls[-1], sdp=b"v=0 new", now=phone.now)
    (ours,) = phone.listen()
    phone.reply(ours, 200, body="v=0 newer")

    assert parse_request(ours).method == "UPDATE"
    assert phone.events[-1] == OfferAnswered(phone.calls[-1], b"v=0 newer")


def test_a_peer_that_does_not_allow_update_gets_the_offer_after_its_answer() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, body="v=0", headers={"Require": "100rel", "RSeq": "1"})
    phone.endpoint.reoffer(phone.calls[-1], sdp=b"v=0 new", now=phone.now)

    assert phone.listen() == []
    said = phone.reply(invite, 200)
    assert [parse_request(data).method for data in said] == ["ACK", "INVITE"]


def test_an_update_of_the_callee_that_waits_for_its_prack() -> None:
    """The callee offers anew in an early dialog: possible once the PRACK settled the first answer."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, status=183, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.reoffer(pair.bob.session, sdp=b"v=0 other", now=pair.now)
    pair.exchange()
    pair.alice.endpoint.accept_offer(call, sdp=OFFER, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()

    assert pair.bob.last(OfferAnswered).sdp == OFFER
    assert pair.said()[-4:] == ["UPDATE", "200 OK", "200 OK", "ACK"]


def test_two_callees_of_a_fork_are_two_early_dialogs_with_offers_of_their_own() -> None:
    """pjsip/pjproject#111, #657: the second 183 was taken for the first's."""
    phone, invite = early(tag="one")
    phone.reply(invite, 180, tag="two")

    assert phone.ask(update(phone, invite, tag="two")).status == 491
    phone.say(update(phone, invite, tag="one"))
    assert isinstance(phone.events[-1], OfferReceived)


def test_the_2xx_chooses_the_early_dialog_and_brings_its_route_set() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, tag="one", body="v=0 one", headers={"Record-Route": "<sip:old.example;lr>"})
    phone.reply(invite, 183, tag="two", body="v=0 two")
    (ack,) = phone.reply(invite, 200, tag="one", headers={"Record-Route": "<sip:new.example;lr>"})

    assert phone.events[-1] == SessionAnswered(phone.calls[-1], b"v=0 one", "one")
    assert parse_request(ack).headers.all("Route") == ("<sip:new.example;lr>",)


def test_a_199_ends_one_early_dialog_only() -> None:
    """RFC 6228."""
    phone, invite = early(tag="one")
    phone.reply(invite, 180, tag="two")
    phone.reply(invite, 199, tag="one")

    assert phone.ask(update(phone, invite, tag="one")).status == 481
    assert [event.branch for event in phone.events if isinstance(event, SessionProgressed)] == [
        "one",
        "two",
        "one",
    ]


def test_a_fork_into_thousands_makes_no_more_dialogs_than_thirty_two() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    for n in range(1000):
        phone.reply(invite, 180, tag=f"t{n}")

    assert phone.endpoint.census()["dialogs"] == 32
    phone.reply(invite, 200, tag="t999", body="v=0")
    assert phone.events[-1] == SessionAnswered(phone.calls[-1], b"v=0", "t999")
