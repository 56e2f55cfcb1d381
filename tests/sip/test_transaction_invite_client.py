"""RFC 3261 section 17.1.1 and RFC 6026: who calls, over UDP unless a test says otherwise."""

from gateway.sip.message import Request, Response, parse_message_untrusted, respond
from gateway.sip.transaction import (
    ResponseArrived,
    State,
    StrayAnswer,
    TransactionEnded,
    TransactionKey,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.testing.transactions import End, make_request


def call(alice: End) -> tuple[TransactionKey, Request]:
    """Send an INVITE; return its transaction and what bob would get."""
    key = alice.ask(make_request())
    (data,) = alice.sent()
    sent = parse_message_untrusted(data)
    assert isinstance(sent, Request)
    return key, sent


def statuses(alice: End) -> list[int]:
    return [event.response.status for event in alice.heard() if isinstance(event, ResponseArrived)]


def test_the_layer_adds_a_via_with_a_unique_branch():
    alice = End()
    branches = {call(alice)[1].via.branch for _ in range(10)}

    assert len(branches) == 10
    assert all(branch.startswith("z9hG4bK") for branch in branches)


def test_a_via_over_udp_asks_for_rport_and_names_the_transport():
    assert call(End())[1].via.parameter("rport") == ""
    assert call(End(transport="wss"))[1].via.transport == "WSS"


def test_timer_a_repeats_the_invite_ever_more_slowly_until_timer_b_gives_up():
    alice = End()
    key, _ = call(alice)

    said = alice.pass_time(31.9)
    assert said == [(t, "INVITE") for t in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert alice.heard() == []

    alice.pass_time(0.2)
    assert alice.heard() == [TransactionTimedOut(key), TransactionEnded(key)]
    assert alice.layer.next_deadline() is None


def test_a_repeated_invite_is_the_same_bytes():
    alice = End()
    alice.ask(make_request())
    (first,) = alice.sent()
    alice.now = 0.5
    alice.layer.deadline_reached(0.5)

    assert alice.sent() == [first]


def test_over_tcp_nothing_is_repeated_but_timer_b_runs():
    alice = End(transport="tcp")
    key, _ = call(alice)

    assert alice.pass_time(32) == []
    assert alice.heard() == [TransactionTimedOut(key), TransactionEnded(key)]


def test_a_provisional_response_ends_the_repeating():
    alice = End()
    key, invite = call(alice)

    alice.hear(respond(invite, 100))
    alice.hear(respond(invite, 180, to_tag="b1"))

    assert statuses(alice) == [100, 180]
    assert alice.pass_time(180) == []
    assert alice.state(key) is State.PROCEEDING


def test_timer_c_cancels_a_call_that_rings_for_ever():
    """RFC 3261 section 16.6: each provisional response gives it its time again."""
    alice = End()
    key, invite = call(alice)

    alice.hear(respond(invite, 180, to_tag="b1"))
    alice.pass_time(184)
    alice.hear(respond(invite, 180, to_tag="b1"))
    assert alice.pass_time(184) == []

    assert alice.pass_time(1)[0] == (1.0, "CANCEL")
    assert alice.state(key) is State.CANCELLING


def test_every_2xx_of_a_fork_is_passed_up_until_timer_m():
    """RFC 6026 section 7.2."""
    alice = End()
    key, invite = call(alice)

    alice.hear(respond(invite, 200, to_tag="b1"))
    alice.hear(respond(invite, 200, to_tag="b2"))
    alice.hear(respond(invite, 200, to_tag="b1"))
    assert statuses(alice) == [200, 200, 200]

    alice.pass_time(31.9)
    assert alice.state(key) is State.ACCEPTED
    assert alice.pass_time(0.1) == []
    assert alice.heard() == [TransactionEnded(key)]


def test_what_a_fork_says_besides_2xx_after_a_2xx_is_absorbed():
    alice = End()
    _, invite = call(alice)
    alice.hear(respond(invite, 200, to_tag="b1"))
    alice.heard()

    alice.hear(respond(invite, 180, to_tag="b2"))
    alice.hear(respond(invite, 486, to_tag="b2"))

    assert (alice.heard(), alice.said()) == ([], [])


def test_a_refusal_is_acknowledged_each_time_it_comes_and_passed_up_once():
    alice = End()
    key, invite = call(alice)
    busy = respond(invite, 486, to_tag="b1")

    alice.hear(busy)
    alice.hear(busy)
    assert alice.said() == ["ACK", "ACK"]
    assert statuses(alice) == [486]

    alice.pass_time(31.9)
    alice.hear(busy)
    assert alice.said() == ["ACK"]
    alice.pass_time(0.1)
    assert alice.heard() == [TransactionEnded(key)]


def test_over_tcp_a_refusal_ends_the_transaction_at_once():
    """Timer D is 0 on a reliable transport."""
    alice = End(transport="tcp")
    key, invite = call(alice)

    alice.hear(respond(invite, 486, to_tag="b1"))

    assert alice.said() == ["ACK"]
    assert alice.state(key) is State.TERMINATED
    assert len(alice.layer) == 0


def test_the_ack_to_a_refusal_belongs_to_the_invite():
    """RFC 3261 section 17.1.1.3."""
    alice = End()
    alice.ask(make_request(headers=[("Route", "<sip:p1;lr>, <sip:p2;lr>"), ("Subject", "private")]))
    invite = parse_message_untrusted(alice.sent()[0])
    assert isinstance(invite, Request)

    alice.hear(respond(invite, 486, to_tag="b1"))

    (data,) = alice.sent()
    ack = parse_message_untrusted(data)
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, ack.via) == ("ACK", invite.uri, invite.via)
    assert ack.headers.all("Route") == ("<sip:p1;lr>", "<sip:p2;lr>")
    assert (ack.to.tag, ack.from_, ack.call_id, str(ack.cseq)) == (
        "b1",
        invite.from_,
        invite.call_id,
        "1 ACK",
    )
    assert "Subject" not in ack.headers


def test_cancel_after_ringing_goes_at_once_where_the_invite_went():
    """RFC 3261 section 9.1."""
    alice = End()
    key, invite = call(alice)
    alice.hear(respond(invite, 180, to_tag="b1"))

    alice.layer.cancel(key, alice.now, [("Reason", "SIP;cause=200")])

    cancel = parse_message_untrusted(alice.sent()[0])
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.uri, cancel.via) == ("CANCEL", invite.uri, invite.via)
    assert (cancel.to, cancel.from_, str(cancel.cseq)) == (invite.to, invite.from_, "1 CANCEL")
    assert cancel.headers.get("Reason") == "SIP;cause=200"


def test_cancel_before_any_response_waits_for_one_while_the_invite_is_repeated():
    """pjsip/pjproject#302, #506."""
    alice = End()
    key, invite = call(alice)

    alice.layer.cancel(key, alice.now)
    assert alice.pass_time(1.0) == [(0.5, "INVITE")]

    alice.hear(respond(invite, 100))
    assert alice.said() == ["CANCEL"]
    alice.hear(respond(invite, 487, to_tag="b1"))
    assert alice.said() == ["ACK"]
    assert statuses(alice) == [487]


def test_nobody_answers_and_cancel_was_asked_for_is_a_timeout():
    alice = End()
    key, _ = call(alice)
    alice.layer.cancel(key, alice.now)
    alice.pass_time(32)

    assert alice.heard() == [TransactionTimedOut(key), TransactionEnded(key)]


def test_a_cancel_that_has_no_effect_ends_after_64_t1():
    """RFC 3261 section 9.1."""
    alice = End()
    key, invite = call(alice)
    alice.hear(respond(invite, 180, to_tag="b1"))
    alice.heard()

    alice.layer.cancel(key, alice.now)
    alice.pass_time(32)

    assert alice.heard() == [TransactionTimedOut(key), TransactionEnded(key)]
    assert len(alice.layer) == 0


def test_a_2xx_that_crosses_the_cancel_reaches_the_user():
    """livekit/sip#756: it has to be ACKed and ended."""
    alice = End()
    key, invite = call(alice)
    alice.hear(respond(invite, 180, to_tag="b1"))
    alice.layer.cancel(key, alice.now)

    alice.hear(respond(invite, 200, to_tag="b1"))

    assert statuses(alice) == [180, 200]


def test_cancel_twice_or_too_late_changes_nothing():
    alice = End()
    key, invite = call(alice)
    alice.hear(respond(invite, 180, to_tag="b1"))
    for _ in range(2):
        alice.layer.cancel(key, alice.now)
    assert alice.said() == ["CANCEL"]

    alice.hear(respond(invite, 487, to_tag="b1"))
    alice.layer.cancel(key, alice.now)
    alice.pass_time(99)
    alice.layer.cancel(key, alice.now)
    assert len(alice.layer) == 0


def test_a_2xx_whose_transaction_is_over_is_stray():
    alice = End()
    _, invite = call(alice)
    alice.pass_time(33)
    alice.heard()
    answer = respond(invite, 200, to_tag="b1")

    alice.hear(answer)
    alice.hear(respond(invite, 487, to_tag="b1"))

    assert alice.heard() == [StrayAnswer(answer, alice.flow)]
    assert alice.layer.counters["response_unmatched"] == 1


def test_a_response_with_two_vias_is_not_for_us():
    """RFC 3261 section 8.1.3.3."""
    alice = End()
    _, invite = call(alice)
    response = respond(invite, 200, to_tag="b1")
    alice.hear(Response(200, "OK", response.headers.plus("Via", "SIP/2.0/UDP other")))

    assert alice.heard() == []
    assert alice.layer.counters["response_not_for_us"] == 1


def test_a_broken_connection_fails_what_is_not_answered():
    alice = End(transport="tcp")
    waiting, _ = call(alice)
    answered, invite = call(alice)
    alice.hear(respond(invite, 200, to_tag="b1"))
    alice.heard()

    alice.layer.flow_closed(alice.flow, alice.now)

    assert alice.heard() == [TransportFailed(waiting), TransactionEnded(waiting)]
    assert alice.state(answered) is State.ACCEPTED
