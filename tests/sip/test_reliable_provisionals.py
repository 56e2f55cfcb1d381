"""RFC 3262: provisional responses that arrive, in both roles."""

from __future__ import annotations

import pytest

from gateway.errors import LocalError
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import (
    OfferAnswered,
    OfferReceived,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionProgressed,
)
from gateway.sip.reliable_table import RELIABLE, ReliableInput, ReliableState
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))
RELIABLY = {"Require": "100rel", "RSeq": "71"}


def ringing(pair: SipPair, **said: object) -> None:
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now, **said)  # type: ignore[arg-type]  # status or sdp
    pair.exchange()


def called(require: str = "Supported") -> Stranger:
    """Return a caller who knows 100rel and waits for us to ring."""
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0", headers={require: "100rel"}))
    return phone


def prack(phone: Stranger, answer: bytes, *, cseq: int = 2, body: str = "", rack: str | None = None) -> bytes:
    response = parse_response(answer)
    rack = rack or f"{response.headers.get('RSeq')} 1 INVITE"
    return sip_request(
        "PRACK",
        to=response.headers.get("To"),
        cseq=cseq,
        body=body,
        branch=f"z9hG4bK-p{cseq}",
        headers={"RAck": rack},
    )


def test_every_row_of_the_table_is_possible() -> None:
    waiting = {happened for state, happened in RELIABLE if state is ReliableState.WAITING}

    assert waiting == set(ReliableInput)


def test_section_3_early_media_goes_reliably_and_the_200_says_it_no_more() -> None:
    """pjsip/pjproject#1397: a 200 without SDP after a reliable answer is no error but the rule."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    ringing(pair, status=183, sdp=ANSWER)
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()

    assert pair.said() == ["INVITE", "183 Session Progress", "PRACK", "200 OK", "200 OK", "ACK"]
    assert pair.alice.last(SessionProgressed).reliable
    assert b"v=0" not in pair.sent("200")[1]
    assert pair.alice.last(SessionAnswered).sdp == ANSWER


def test_plain_ringing_is_not_made_reliable_unless_the_caller_requires_it() -> None:
    able, demanding = called("Supported"), called("Require")
    for phone in (able, demanding):
        phone.endpoint.ring(phone.session, now=phone.now)

    assert b"RSeq" not in able.listen()[0]
    assert b"RSeq" in demanding.listen()[0]


def test_section_3_it_is_repeated_at_growing_intervals_until_the_prack() -> None:
    """T1 and then twice as long each time, not capped by T2; the PRACK stops it (asterisk/asterisk#794)."""
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    (first,) = phone.listen()

    assert len(phone.wait(16.0)) == 5  # at 0.5, 1.5, 3.5, 7.5 and 15.5 seconds
    assert parse_response(phone.say(prack(phone, first))[0]).status == 200
    assert phone.wait(30.0) == []


def test_section_3_without_a_prack_the_invite_is_refused() -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    phone.listen()
    said = phone.wait(33.0)

    assert parse_response(said[-1]).status == 504 or any(data.startswith(b"SIP/2.0 504") for data in said)
    assert isinstance(phone.events[-1], SessionEnded)


def test_section_3_a_prack_for_nothing_gets_481() -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    (first,) = phone.listen()

    assert phone.ask(prack(phone, first, rack="1 1 INVITE")).status == 481
    assert phone.ask(prack(phone, first, cseq=3)).status == 200
    assert phone.ask(prack(phone, first, cseq=4)).status == 481


@pytest.mark.parametrize(
    "rack", ["", "x 1 INVITE", "1 INVITE", "1 1", "1 99999999999 INVITE", "1 2 3 INVITE"]
)
def test_a_rack_that_names_no_response_gets_400(rack: str) -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    (first,) = phone.listen()

    assert phone.ask(prack(phone, first, rack=rack or " ")).status == 400


def test_section_3_one_is_under_way_at_a_time_and_rseq_counts_by_one() -> None:
    phone = called("Require")
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    phone.endpoint.ring(phone.session, status=180, now=phone.now)
    (first,) = phone.listen()
    _, second = phone.say(prack(phone, first))

    numbers = [int(parse_response(data).headers.get("RSeq") or 0) for data in (first, second)]
    assert numbers[1] == numbers[0] + 1
    assert parse_response(second).status == 180


def test_section_3_a_200_waits_for_the_prack_of_its_answer() -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    (first,) = phone.listen()
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=phone.now)

    assert phone.listen() == []
    assert [parse_response(data).cseq.method for data in phone.say(prack(phone, first))] == [
        "PRACK",
        "INVITE",
    ]


def test_section_3_a_refusal_does_not_wait_and_ends_the_repeating() -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    phone.listen()
    phone.endpoint.reject(phone.session, status=486, now=phone.now)

    assert {parse_response(data).status for data in phone.wait(20.0)} == {486}


def test_section_5_an_offer_of_ours_in_a_provisional_response_is_answered_by_the_prack() -> None:
    """An INVITE without SDP: we offer early, and the 200 has nothing more to say."""
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", headers={"Supported": "100rel"}))
    phone.endpoint.ring(phone.session, status=183, sdp=OFFER, now=phone.now)
    (first,) = phone.listen()
    phone.say(prack(phone, first, body="v=0"))
    phone.endpoint.answer(phone.session, sdp=OFFER, now=phone.now)
    (final,) = phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=1))

    assert OfferAnswered(phone.session, b"v=0") in phone.events
    assert parse_response(final).body == b""
    assert phone.events[-1] == SessionConfirmed(phone.session, None)


def test_an_early_offer_to_a_caller_without_100rel_is_not_possible() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE"))

    with pytest.raises(LocalError):
        phone.endpoint.ring(phone.session, status=183, sdp=OFFER, now=phone.now)


def test_section_5_a_prack_may_carry_a_new_offer() -> None:
    phone = called()
    phone.endpoint.ring(phone.session, status=183, sdp=ANSWER, now=phone.now)
    (first,) = phone.listen()
    phone.say(prack(phone, first, body="v=0"))

    assert phone.events[-1] == OfferReceived(phone.session, b"v=0")
    phone.endpoint.accept_offer(phone.session, sdp=ANSWER, now=phone.now)
    (answer,) = phone.listen()
    assert (parse_response(answer).cseq.method, parse_response(answer).body) == ("PRACK", ANSWER)


def test_browsers_are_told_the_answer_reliably_and_again_in_the_200() -> None:
    """onsip/SIP.js#193, #502."""
    pair = SipPair(transport="ws")
    pair.call()
    pair.exchange()
    ringing(pair, status=183, sdp=ANSWER)
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()

    assert [b"v=0" in data for data in pair.sent("183") + pair.sent("200")] == [True, False, True]


# The caller's half.


def test_section_4_each_reliable_response_is_acknowledged_once_and_in_order() -> None:
    """A repeated one gets no second PRACK (onsip/SIP.js#144), one that overtook its predecessor none yet."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    (prack_1,) = phone.reply(invite, 183, body="v=0", headers=RELIABLY)

    assert parse_request(prack_1).headers.get("RAck") == f"71 {parse_request(invite).cseq.number} INVITE"
    assert phone.reply(invite, 183, body="v=0", headers=RELIABLY) == []
    assert phone.reply(invite, 180, headers={"Require": "100rel", "RSeq": "73"}) == []
    assert len(phone.reply(invite, 180, headers={"Require": "100rel", "RSeq": "72"})) == 1
    assert [event.status for event in phone.events if isinstance(event, SessionProgressed)] == [183, 180]


def test_section_4_each_callee_of_a_fork_counts_by_itself() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    (one,) = phone.reply(invite, 183, tag="one", body="v=0", headers=RELIABLY)
    (two,) = phone.reply(invite, 183, tag="two", body="v=0", headers={"Require": "100rel", "RSeq": "9"})

    assert [parse_request(data).to.tag for data in (one, two)] == ["one", "two"]
    assert [(parse_request(data).headers.get("RAck") or "").split()[0] for data in (one, two)] == ["71", "9"]


def test_a_leg_that_ended_sends_no_prack() -> None:
    """siphon-project/siphon-sip#386."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 180)
    phone.endpoint.hang_up(phone.calls[-1], now=phone.now)
    phone.listen()

    assert phone.reply(invite, 183, body="v=0", headers=RELIABLY) == []


def test_section_5_their_early_offer_is_answered_by_our_prack() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(b"")
    assert phone.reply(invite, 183, body="v=0", headers=RELIABLY) == []
    phone.endpoint.accept_offer(phone.calls[-1], sdp=ANSWER, now=phone.now)
    (prack_1,) = phone.listen()
    (ack,) = phone.reply(invite, 200)

    assert parse_request(prack_1).body == ANSWER
    assert parse_request(ack).body == b""
    assert phone.events[-1] == SessionAnswered(phone.calls[-1], None, "bob-1")


def test_a_prack_that_is_lost_is_sent_again_by_its_transaction() -> None:
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.drop(start="PRACK")
    ringing(pair, status=183, sdp=ANSWER)
    pair.run(2.0)
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run(1.0)

    assert pair.alice.has(SessionAnswered)
    assert pair.said().count("PRACK") == 2
