"""RFC 3261 section 17.1.2: whoever asks anything but INVITE."""

import pytest

from gateway.errors import LocalError
from gateway.sip.headers import Headers
from gateway.sip.message import Request, parse_message_untrusted, respond
from gateway.sip.transaction import (
    State,
    TransactionEnded,
    TransactionKey,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.testing.transactions import End, make_request


def ask(alice: End) -> tuple[TransactionKey, Request]:
    key = alice.ask(make_request("OPTIONS"))
    sent = parse_message_untrusted(alice.sent()[0])
    assert isinstance(sent, Request)
    return key, sent


def test_timer_e_repeats_at_most_every_t2_until_timer_f_gives_up():
    alice = End()
    key, _ = ask(alice)

    said = alice.pass_time(31.9)
    assert said == [(t, "OPTIONS") for t in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)]

    alice.pass_time(0.1)
    assert alice.heard() == [TransactionTimedOut(key), TransactionEnded(key)]


def test_a_provisional_response_slows_timer_e_down_to_t2():
    alice = End()
    _, options = ask(alice)
    alice.hear(respond(options, 100))

    assert alice.pass_time(9) == [(0.5, "OPTIONS"), (4.5, "OPTIONS"), (8.5, "OPTIONS")]


def test_timer_f_runs_on_after_a_provisional_response():
    alice = End()
    key, options = ask(alice)
    alice.hear(respond(options, 100))
    alice.pass_time(32)

    assert alice.heard()[1:] == [TransactionTimedOut(key), TransactionEnded(key)]


def test_a_final_response_is_passed_up_once_and_absorbed_until_timer_k():
    alice = End()
    key, options = ask(alice)
    final = respond(options, 200, to_tag="b1")

    for _ in range(3):
        alice.hear(final)
    alice.hear(respond(options, 100))
    assert alice.take_response() == final

    assert alice.pass_time(4.9) == []
    assert alice.state(key) is State.COMPLETED
    alice.pass_time(0.1)
    assert alice.heard() == [TransactionEnded(key)]


def test_over_tcp_it_is_neither_repeated_nor_kept():
    """Timer E is not used and timer K is 0 on a reliable transport."""
    alice = End(transport="tls")
    _, options = ask(alice)
    assert alice.pass_time(10) == []

    alice.hear(respond(options, 200, to_tag="b1"))
    assert len(alice.layer) == 0


def test_a_broken_connection_fails_it():
    alice = End(transport="ws")
    key, _ = ask(alice)
    alice.layer.flow_closed(alice.flow, alice.now)

    assert alice.heard() == [TransportFailed(key), TransactionEnded(key)]


def test_the_same_branch_cannot_be_used_twice_at_once():
    alice = End()
    alice.ask(make_request("OPTIONS", branch="z9hG4bKsame"))

    with pytest.raises(LocalError):
        alice.ask(make_request("OPTIONS", branch="z9hG4bKsame"))
    assert len(alice.layer) == 1


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_are_no_requests_of_their_own(method: str):
    with pytest.raises(LocalError):
        End().ask(make_request(method))


def test_a_request_that_cannot_be_written_leaves_nothing_behind():
    alice = End()
    request = make_request("INFO")
    with pytest.raises(LocalError):
        alice.ask(Request("INFO", request.uri, Headers([*request.headers, ("Subject", "\ud800")])))

    assert (len(alice.layer), alice.layer.next_deadline()) == (0, None)


def test_the_ack_to_a_2xx_leaves_with_a_branch_of_its_own_and_is_not_remembered():
    alice = End()
    alice.layer.send_ack(make_request("ACK", to_tag="b1"), alice.flow)
    alice.layer.send_ack(make_request("ACK", to_tag="b1"), alice.flow)

    branches = {parse_message_untrusted(data).via.branch for data in alice.sent()}
    assert len(branches) == 2
    assert len(alice.layer) == 0
