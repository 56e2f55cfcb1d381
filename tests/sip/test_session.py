"""Conversations between two engines: the flows of RFC 3665 section 3 that concern two ends, and each race."""

from __future__ import annotations

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import (
    EndCause,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionOffered,
    SessionProgressed,
)
from gateway.sip.headers import NameAddr
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger


def test_a_call_is_made_and_ended_by_the_caller() -> None:
    """RFC 3665 section 3.1."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.run_quiet()

    assert pair.said() == ["INVITE", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"]
    assert pair.bob.last(SessionOffered).sdp == OFFER
    branch = pair.alice.last(SessionProgressed).branch
    assert pair.alice.events == [
        SessionProgressed(call, 180, "Ringing", None, branch),
        SessionAnswered(call, ANSWER, branch),
        SessionEnded(call, EndCause(None, "hung up", "local")),
    ]
    assert pair.bob.events[1:] == [
        SessionConfirmed(pair.bob.session, None),
        SessionEnded(pair.bob.session, EndCause(None, "hung up", "remote")),
    ]
    pair.assert_quiet()


def test_a_call_is_ended_by_the_callee() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.bob.endpoint.hang_up(pair.bob.session, now=pair.now)
    pair.run_quiet()

    assert pair.alice.last(SessionEnded) == SessionEnded(call, EndCause(None, "hung up", "remote"))
    assert pair.bob.last(SessionEnded).cause.by == "local"
    pair.assert_quiet()


def test_the_ack_and_the_bye_name_the_contact_and_follow_the_recorded_route() -> None:
    pair = SipPair()
    pair.talk()
    pair.bob.endpoint.hang_up(pair.bob.session, now=pair.now)
    pair.exchange()

    assert pair.sent("ACK")[0].startswith(b"ACK sip:bob@192.0.2.2:5060 SIP/2.0\r\n")
    assert pair.sent("BYE")[0].startswith(b"BYE sip:alice@192.0.2.1:5060 SIP/2.0\r\n")


def test_a_busy_callee() -> None:
    """RFC 3665 section 3.9: the layer acknowledges, and the caller learns status and reason."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.reject(pair.bob.session, status=486, reason="On the other line", now=pair.now)
    pair.run_quiet()

    assert pair.said() == ["INVITE", "486 On the other line", "ACK"]
    assert pair.alice.last(SessionEnded) == SessionEnded(call, EndCause(486, "On the other line", "remote"))
    assert pair.bob.last(SessionEnded).cause == EndCause(486, "On the other line", "local")
    pair.assert_quiet()


def test_nobody_answers_at_all() -> None:
    """RFC 3665 section 3.10: timer B after 64*T1."""
    pair = SipPair(network=lambda line: ())
    pair.call()
    pair.run_quiet()

    assert pair.said() == ["INVITE"] * 7
    assert pair.alice.last(SessionEnded).cause == EndCause(408, "no answer came in time", "timeout")
    assert pair.now == 32.0
    pair.assert_quiet()


def test_early_media_is_announced_by_its_sdp_and_the_answer_may_be_left_out_of_the_200() -> None:
    """Gateways answer in 183 and say nothing more in 200 (pjsip/pjproject#1397)."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, status=183, sdp=ANSWER, now=pair.now)
    pair.bob.endpoint.answer(pair.bob.session, sdp=b"", now=pair.now)
    pair.exchange()

    assert pair.alice.last(SessionProgressed).sdp == ANSWER
    assert pair.alice.last(SessionAnswered).sdp == ANSWER


def test_a_caller_who_hangs_up_while_it_rings_cancels() -> None:
    """RFC 3665 section 3.8."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.exchange()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.run_quiet()

    assert pair.said()[2:] == ["CANCEL", "200 OK", "487 Request Terminated", "ACK"]
    assert pair.alice.last(SessionEnded).cause.by == "local"
    assert pair.bob.last(SessionEnded).cause == EndCause(487, "the caller hung up", "remote")
    pair.assert_quiet()


def test_a_caller_who_hangs_up_before_anything_was_heard_cancels_on_the_first_word() -> None:
    """RFC 3261 section 9.1; pjsip/pjproject#302 forgot the session and its phone rang on."""
    pair = SipPair()
    call = pair.call()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.exchange()
    assert pair.said() == ["INVITE"]

    pair.run_quiet()
    assert pair.said() == ["INVITE", "100 Trying", "CANCEL", "200 OK", "487 Request Terminated", "ACK"]
    assert [len(peer.all(SessionEnded)) for peer in (pair.alice, pair.bob)] == [1, 1]
    pair.assert_quiet()


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    """RFC 3261 section 9.1; livekit/sip#756 did neither."""
    pair = SipPair(network=lambda line: (0.1,))
    call = pair.call()
    pair.run_until(lambda: pair.bob.has(SessionOffered))
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.run_until(lambda: pair.alice.has(SessionProgressed))
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run_quiet()

    assert pair.said(pair.alice) == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert not pair.alice.has(SessionAnswered)
    assert [len(peer.all(SessionEnded)) for peer in (pair.alice, pair.bob)] == [1, 1]
    pair.assert_quiet()


def test_a_call_that_rings_for_three_minutes_is_given_up() -> None:
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.run(100.0)
    assert not pair.alice.has(SessionEnded)
    pair.run_quiet()

    # Ringing is said again every minute, and each time the caller's clock starts anew; the callee gives up first.
    assert pair.alice.last(SessionEnded).cause == EndCause(480, "Temporarily Unavailable", "remote")
    assert pair.bob.last(SessionEnded).cause == EndCause(480, "nobody answered in time", "timeout")
    pair.assert_quiet()


def test_a_200_is_repeated_until_its_ack_and_the_ack_until_it_is_heard() -> None:
    """RFC 3261 section 13.3.1.4; drachtio/drachtio-srf#87 dropped repeated 200s and the call died at 32 s."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.drop(3, start="ACK")
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run(10.0)

    assert pair.said()[1:] == ["200 OK", "ACK"] * 4
    assert [line.at for line in pair.lines if line.start == "200 OK"] == [0.0, 0.5, 1.5, 3.5]
    assert pair.bob.has(SessionConfirmed)


def test_a_200_that_is_never_acknowledged_ends_with_bye_after_32_seconds() -> None:
    pair = SipPair(network=lambda line: () if line.start == "ACK" else (0.0,))
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run_quiet()

    cause = EndCause(408, "our 200 was never acknowledged", "timeout")
    assert pair.bob.last(SessionEnded).cause == cause
    assert pair.alice.last(SessionEnded) == SessionEnded(
        call, EndCause(408, "our 200 was never acknowledged", "remote")
    )
    assert [line.at for line in pair.lines if line.start == "BYE"] == [32.0]
    pair.assert_quiet()


def test_a_callee_who_hangs_up_before_the_ack_waits_for_it_with_the_bye() -> None:
    """RFC 3261 section 15: a callee may not send BYE before the ACK of its 200."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.drop(1, start="ACK")
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.hang_up(pair.bob.session, now=pair.now)
    pair.exchange()
    assert pair.bob.has(SessionEnded)
    assert "BYE" not in pair.said()

    pair.run_quiet()
    assert pair.said(pair.bob) == ["200 OK", "200 OK", "BYE"]
    pair.assert_quiet()


def test_a_caller_may_hang_up_although_its_ack_was_lost() -> None:
    """RFC 5407 section 3.1.2: the BYE stops the repeated 200s."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.drop(1, start="ACK")
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.alice.endpoint.hang_up(pair.alice.last(SessionAnswered).session, now=pair.now)
    pair.run_quiet()

    assert pair.said() == ["INVITE", "200 OK", "ACK", "BYE", "200 OK"]
    assert not pair.bob.has(SessionConfirmed)
    pair.assert_quiet()


def test_two_byes_that_cross_are_both_answered() -> None:
    pair = SipPair(network=lambda line: (0.1,))
    call = pair.call()
    pair.run_until(lambda: pair.bob.has(SessionOffered))
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run_until(lambda: pair.bob.has(SessionConfirmed))
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.bob.endpoint.hang_up(pair.bob.session, now=pair.now)
    pair.run_quiet()

    assert sorted(pair.said()[3:]) == ["200 OK", "200 OK", "BYE", "BYE"]
    assert [len(peer.all(SessionEnded)) for peer in (pair.alice, pair.bob)] == [1, 1]
    pair.assert_quiet()


def test_to_hang_up_twice_is_to_hang_up_once() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.run_quiet()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.exchange()

    assert pair.said().count("BYE") == 1
    assert len(pair.alice.all(SessionEnded)) == 1


def test_the_reason_of_an_end_travels_both_ways() -> None:
    """RFC 3326: SIP status and ISDN cause, in CANCEL and in BYE."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.exchange()
    elsewhere = EndCause(200, "Call completed elsewhere", "local", 26)
    pair.alice.endpoint.hang_up(call, cause=elsewhere, now=pair.now)
    pair.exchange()

    assert pair.bob.last(SessionEnded).cause == EndCause(200, "Call completed elsewhere", "remote", 26)
    assert b'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n' in pair.sent("CANCEL")[0]
    assert pair.said()[-2:] == ["487 Request Terminated", "ACK"]


def test_hanging_up_on_a_waiting_call_refuses_it_with_the_status_of_the_cause() -> None:
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.bob.endpoint.hang_up(pair.bob.session, cause=EndCause(404, "no such number", "local"), now=0.0)
    pair.exchange()

    assert pair.said()[1] == "404 no such number"


def test_a_late_offer_is_made_by_the_200_and_answered_by_the_ack() -> None:
    """RFC 3264, RFC 6337: an INVITE without SDP (Cisco, click to call)."""
    pair = SipPair()
    call = pair.call(sdp=None)
    pair.exchange()
    assert pair.bob.last(SessionOffered).sdp is None
    pair.bob.endpoint.answer(pair.bob.session, sdp=OFFER, now=pair.now)
    pair.exchange()
    assert pair.alice.last(SessionAnswered).sdp == OFFER
    assert "ACK" not in pair.said()

    pair.alice.endpoint.accept_offer(call, sdp=ANSWER, now=pair.now)
    pair.exchange()
    assert pair.bob.last(SessionConfirmed).sdp == ANSWER
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.run_quiet()
    pair.assert_quiet()


def test_a_late_offer_that_nobody_answers_ends_the_call() -> None:
    pair = SipPair()
    pair.call(sdp=None)
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=OFFER, now=pair.now)
    pair.run_quiet()

    assert [len(peer.all(SessionEnded)) for peer in (pair.alice, pair.bob)] == [1, 1]
    pair.assert_quiet()


def test_a_broken_connection_ends_a_call_that_is_not_up_yet() -> None:
    pair = SipPair(transport="tcp")
    call = pair.call()
    pair.exchange()
    pair.alice.endpoint.flow_closed(pair.alice.flow, pair.now)
    pair.bob.endpoint.flow_closed(pair.bob.flow, pair.now)
    pair.exchange()

    assert pair.alice.last(SessionEnded) == SessionEnded(
        call, EndCause(503, "the connection failed", "transport")
    )
    assert pair.bob.last(SessionEnded).cause.by == "transport"
    pair.run_quiet()
    pair.assert_quiet()


def test_a_call_that_is_up_outlives_its_connection() -> None:
    """A browser that reconnects its WebSocket keeps its calls."""
    pair = SipPair(transport="ws")
    pair.talk()
    pair.bob.endpoint.flow_closed(pair.bob.flow, pair.now)
    pair.exchange()

    assert not pair.bob.has(SessionEnded)
    pair.bob.endpoint.hang_up(pair.bob.session, now=pair.now)
    pair.run(60.0)
    assert pair.bob.endpoint.census()["sessions"] == 0


def test_max_forwards_is_what_the_caller_says() -> None:
    pair = SipPair()
    pair.alice.endpoint.invite(
        target=parse_uri_untrusted("sip:bob@192.0.2.2"),
        flow=pair.alice.flow,
        from_=NameAddr(None, parse_uri_untrusted("sip:alice@192.0.2.1")),
        sdp=OFFER,
        headers=[("X-Call", "1")],
        max_forwards=12,
        now=0.0,
    )
    pair.exchange()

    request = pair.bob.last(SessionOffered).request
    assert (request.headers.get("Max-Forwards"), request.headers.get("X-Call")) == ("12", "1")


def test_a_callee_that_only_rings_is_cancelled_after_three_minutes() -> None:
    """RFC 3261 section 16.6, timer C: more than three minutes after the last 101-199."""
    phone = Stranger(EndpointConfig())
    invite = phone.be_called(OFFER)
    phone.wait(0.1)
    phone.reply(invite, 180)
    assert phone.wait(180.0) == []
    cancel, *_ = phone.wait(2.0)

    assert cancel.startswith(b"CANCEL ")
    cause = EndCause(408, "it was not answered in time", "timeout")
    assert phone.events[-1] == SessionEnded(phone.calls[0], cause)
    phone.assert_quiet()


def test_a_200_is_repeated_over_tcp_too() -> None:
    """RFC 3261 section 13.3.1.4: a proxy on the way may be on UDP."""
    pair = SipPair(transport="tcp", network=lambda line: () if line.start == "ACK" else (0.0,))
    pair.call()
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.run_quiet()

    assert pair.said(pair.bob).count("200 OK") == 11
    assert pair.bob.last(SessionEnded).cause.by == "timeout"
    pair.assert_quiet()


def test_an_unacknowledged_answer_ends_with_its_connection() -> None:
    pair = SipPair(transport="tcp", network=lambda line: () if line.start == "ACK" else (0.0,))
    pair.call()
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.bob.endpoint.flow_closed(pair.bob.flow, pair.now)
    pair.exchange()

    assert pair.bob.last(SessionEnded).cause == EndCause(503, "the connection ended", "transport")
