"""Changing a session that is on: re-INVITE and UPDATE, glare, and what a refusal leaves behind."""

from __future__ import annotations

import pytest

from gateway.errors import LocalError
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import (
    OfferAnswered,
    OfferReceived,
    OfferRefused,
    OfferWithdrawn,
    SessionEnded,
    SessionOffered,
)
from gateway.sip.offer_table import OFFERS, OfferInput, OfferState
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

HOLD = OFFER + b"a=sendonly\r\n"
HELD = ANSWER + b"a=recvonly\r\n"
TRUSTING = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))


def test_an_offer_is_possible_or_waits_in_every_state() -> None:
    assert set(OFFERS) == {(state, happened) for state in OfferState for happened in OfferInput}


def test_the_caller_puts_the_callee_on_hold() -> None:
    """RFC 3665 section 3.6 in part; the 200 is acknowledged."""
    pair = SipPair()
    call = pair.talk()
    pair.alice.endpoint.reoffer(call, sdp=HOLD, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.accept_offer(pair.bob.session, sdp=HELD, now=pair.now)
    pair.exchange()

    assert pair.said()[3:] == ["INVITE", "200 OK", "ACK"]
    assert pair.bob.last(OfferReceived).sdp == HOLD
    assert pair.alice.last(OfferAnswered).sdp == HELD


def test_the_callee_puts_the_caller_on_hold() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.bob.endpoint.reoffer(pair.bob.session, sdp=HOLD, now=pair.now)
    pair.exchange()
    pair.alice.endpoint.accept_offer(call, sdp=HELD, now=pair.now)
    pair.exchange()

    assert pair.alice.last(OfferReceived).sdp == HOLD
    assert pair.bob.last(OfferAnswered).sdp == HELD


def test_a_refused_offer_leaves_the_session_on() -> None:
    """RFC 3261 section 14.1; T.38 is refused like this in every call to a fax (signalwire/freeswitch#66)."""
    pair = SipPair()
    call = pair.talk()
    pair.alice.endpoint.reoffer(call, sdp=HOLD, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.refuse_offer(pair.bob.session, now=pair.now)
    pair.exchange()

    assert pair.alice.last(OfferRefused).status == 488
    pair.alice.endpoint.reoffer(call, sdp=OFFER, now=pair.now)
    pair.exchange()
    assert len(pair.bob.all(OfferReceived)) == 2


def test_offers_that_cross_are_refused_on_both_sides_and_tried_again_in_two_bands() -> None:
    """RFC 3261 section 14.1; with one band for both, hold was lost for ever (pjsip/pjproject#3886)."""
    pair = SipPair(network=lambda line: (0.01,))
    call = pair.call()
    pair.run_until(lambda: pair.bob.has(SessionOffered))
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run(1.0)
    glare_at = pair.now
    pair.alice.endpoint.reoffer(call, sdp=HOLD, now=pair.now)
    pair.bob.endpoint.reoffer(pair.bob.session, sdp=HOLD, now=pair.now)
    pair.run_until(lambda: pair.alice.has(OfferReceived))
    bob_again_s = pair.now - glare_at
    pair.alice.endpoint.accept_offer(call, sdp=HELD, now=pair.now)
    pair.run_until(lambda: pair.bob.has(OfferReceived))
    pair.bob.endpoint.accept_offer(pair.bob.session, sdp=HELD, now=pair.now)
    pair.run(5.0)

    assert pair.said().count("491 Request Pending") == 2
    assert bob_again_s < 2.1
    assert (pair.alice.has(OfferAnswered), pair.bob.has(OfferAnswered)) == (True, True)
    assert (pair.alice.has(OfferRefused), pair.bob.has(OfferRefused)) == (False, False)


def test_the_owner_of_the_call_id_waits_for_two_to_four_seconds() -> None:
    for seed in range(1, 30):
        phone = Stranger(TRUSTING, seed=seed).calling(OFFER)
        phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
        (invite,) = phone.listen()
        at = phone.now
        phone.reply(invite, 491)
        while not phone.wait(0.01):
            assert phone.now - at < 4.02
        assert phone.now - at >= 2.1


def test_glare_is_tried_again_only_once() -> None:
    phone = Stranger(TRUSTING).calling(OFFER)
    phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
    (invite,) = phone.listen()
    phone.reply(invite, 491)
    again = [data for data in phone.wait(4.1) if data.startswith(b"INVITE")]
    phone.reply(again[0], 491)

    assert phone.events[-1] == OfferRefused(phone.session, 491)


def test_a_second_offer_before_the_first_is_answered_gets_500_and_a_retry_after() -> None:
    """RFC 3261 section 14.2."""
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("INVITE", cseq=2, body="v=0"))

    answer = phone.ask(phone.in_dialog("INVITE", cseq=3, body="v=0"))

    assert answer.status == 500
    assert 0 <= int(answer.headers.get("Retry-After") or "-1") <= 10


def test_an_offer_while_ours_is_open_gets_491() -> None:
    phone = Stranger(TRUSTING).calling(OFFER)
    phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
    (ours,) = phone.listen()

    assert phone.ask(theirs(phone, "UPDATE", ours, body="v=0")).status == 491


def test_an_update_is_an_offer_without_ack() -> None:
    """RFC 3311."""
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("UPDATE", cseq=2, body="v=0"))
    phone.endpoint.accept_offer(phone.session, sdp=ANSWER, now=phone.now)

    (answer,) = phone.listen()
    assert phone.events[-1] == OfferReceived(phone.session, b"v=0")
    assert (parse_response(answer).status, parse_response(answer).body) == (200, ANSWER)
    assert phone.wait(3.0) == []


def test_an_update_without_sdp_is_answered_without_asking() -> None:
    """RFC 4028: a session refresh."""
    phone = Stranger(TRUSTING).called(ANSWER)
    before = list(phone.events)

    assert phone.ask(phone.in_dialog("UPDATE", cseq=2)).status == 200
    assert phone.events == before


def test_an_update_with_an_offer_before_our_answer_gets_500() -> None:
    phone = Stranger(TRUSTING)
    phone.say(sip_request("INVITE", body="v=0"))
    phone.endpoint.ring(phone.events[0].session, now=0.0)
    phone.listen()

    assert phone.ask(phone.in_dialog("UPDATE", cseq=2, body="v=0")).status == 500


def test_an_empty_reinvite_asks_us_for_the_offer_and_brings_the_answer_in_its_ack() -> None:
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("INVITE", cseq=2))
    assert phone.events[-1] == OfferReceived(phone.session, None)
    phone.endpoint.accept_offer(phone.session, sdp=OFFER, now=phone.now)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=2, body="v=0"))

    assert phone.events[-1] == OfferAnswered(phone.session, b"v=0")


def test_a_cancelled_reinvite_is_withdrawn_and_the_session_stays() -> None:
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("INVITE", cseq=2, body="v=0", branch="z9hG4bK-re"))
    answers = phone.say(phone.in_dialog("CANCEL", cseq=2, branch="z9hG4bK-re"))

    assert [parse_response(answer).status for answer in answers] == [200, 487]
    assert phone.events[-1] == OfferWithdrawn(phone.session)
    with pytest.raises(LocalError):
        phone.endpoint.accept_offer(phone.session, sdp=ANSWER, now=phone.now)


def test_a_reinvite_that_our_user_never_answers_lapses_and_the_session_stays() -> None:
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("INVITE", cseq=2, body="v=0"))
    said = phone.wait(601.0)

    assert {parse_response(data).status for data in said} == {100, 500}
    assert phone.events[-1] == OfferWithdrawn(phone.session)
    phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
    assert phone.listen()[0].startswith(b"INVITE ")


def test_offers_of_ours_wait_for_the_open_one_and_the_latest_counts() -> None:
    pair = SipPair()
    call = pair.talk()
    for sdp in (HOLD, OFFER, HOLD + b"a=latest\r\n"):
        pair.alice.endpoint.reoffer(call, sdp=sdp, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.accept_offer(pair.bob.session, sdp=HELD, now=pair.now)
    pair.exchange()

    assert [event.sdp for event in pair.bob.all(OfferReceived)] == [HOLD, HOLD + b"a=latest\r\n"]


def test_an_offer_made_before_our_200_is_acknowledged_waits_for_the_ack() -> None:
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.bob.endpoint.reoffer(pair.bob.session, sdp=HOLD, now=pair.now)
    pair.exchange()

    assert pair.said() == ["INVITE", "200 OK", "ACK", "INVITE"]


@pytest.mark.parametrize("status", [408, 481])
def test_an_offer_that_the_peer_knows_no_dialog_for_ends_the_session(status: int) -> None:
    """RFC 5057."""
    phone = Stranger(TRUSTING).calling(OFFER)
    phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
    (invite,) = phone.listen()
    said = phone.reply(invite, status)

    assert phone.events[-1] == SessionEnded(phone.session, phone.events[-1].cause)
    assert phone.events[-1].cause.status == status
    assert [data.split()[0] for data in said] == [b"ACK", b"BYE"]


def test_a_peer_that_is_silent_to_our_offer_ends_the_session() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.drop(100)
    pair.alice.endpoint.reoffer(call, sdp=HOLD, now=pair.now)
    pair.run(40.0)

    assert pair.alice.last(SessionEnded).cause.by == "timeout"


def test_a_bye_while_an_offer_waits_answers_that_with_487() -> None:
    """RFC 3261 section 15.1.2."""
    phone = Stranger(TRUSTING).called(ANSWER)
    phone.say(phone.in_dialog("INVITE", cseq=2, body="v=0"))
    answers = phone.say(phone.in_dialog("BYE", cseq=3))

    assert [parse_response(answer).status for answer in answers] == [200, 487]


def test_hanging_up_while_our_offer_is_open_still_acknowledges_its_200() -> None:
    phone = Stranger(TRUSTING).calling(OFFER)
    phone.endpoint.reoffer(phone.session, sdp=HOLD, now=phone.now)
    (invite,) = phone.listen()
    phone.endpoint.hang_up(phone.session, now=phone.now)
    (bye,) = phone.listen()
    said = phone.reply(invite, 200, body="v=0")
    again = phone.reply(invite, 200, body="v=0")

    assert [data.split()[0] for data in (bye, *said, *again)] == [b"BYE", b"ACK", b"ACK"]
    assert isinstance(phone.events[-1], SessionEnded)


def test_a_reinvite_and_its_200_move_the_remote_target() -> None:
    phone = Stranger(TRUSTING).called(ANSWER)
    moved = phone.in_dialog("INVITE", cseq=2, body="v=0", contact="<sip:bob@192.0.2.99:7000>")
    phone.say(moved)
    phone.endpoint.accept_offer(phone.session, sdp=ANSWER, now=phone.now)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=2))
    phone.endpoint.hang_up(phone.session, now=phone.now)

    (bye,) = phone.listen()
    assert bye.startswith(b"BYE sip:bob@192.0.2.99:7000 SIP/2.0\r\n")


def theirs(phone: Stranger, method: str, ours: bytes, *, body: str = "") -> bytes:
    """Write a request of the stranger in the dialog that the engine began."""
    request = parse_request(ours)
    headers = request.headers
    return sip_request(
        method,
        from_=headers.get("To") or "",
        to=headers.get("From") or "",
        call_id=request.call_id,
        cseq=1,
        body=body,
        branch=f"z9hG4bK-theirs-{method}",
    )
