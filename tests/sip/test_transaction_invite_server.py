"""RFC 3261 section 17.2.1 and RFC 6026: who is called, over UDP unless a test says otherwise."""

import pytest

from gateway.errors import LocalError
from gateway.sip.message import parse_message_untrusted
from gateway.sip.transaction import (
    AckArrived,
    CancelArrived,
    RequestArrived,
    State,
    TransactionEnded,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.testing.transactions import End, make_request

INVITE = make_request("INVITE", branch="z9hG4bK1")
ACK = make_request("ACK", branch="z9hG4bK1", to_tag="b1")
CANCEL = make_request("CANCEL", branch="z9hG4bK1")


def called(**settings: str) -> tuple[End, RequestArrived]:
    """Let an INVITE arrive."""
    bob = End(**settings)  # type: ignore[arg-type]  # only `transport` is ever given
    bob.hear(INVITE)
    return bob, bob.take_request()


def test_100_is_said_after_200_ms_if_nobody_else_says_anything():
    bob, arrived = called()

    assert bob.pass_time(1) == [(0.2, "100")]
    assert bob.state(arrived.key) is State.PROCEEDING


def test_100_is_not_said_after_another_word():
    bob, arrived = called()
    bob.answer(arrived, 180)

    assert bob.pass_time(1) == [(0.0, "180")]


def test_a_repeated_invite_gets_the_last_word_again_byte_for_byte():
    bob, arrived = called()
    bob.hear(INVITE)
    assert bob.sent() == []

    bob.answer(arrived, 180)
    bob.answer(arrived, 183)
    _, last = bob.sent()
    bob.hear(INVITE)
    bob.hear(INVITE)

    assert bob.sent() == [last, last]
    assert bob.heard() == []


def test_after_a_2xx_the_transaction_only_absorbs_until_timer_l():
    """RFC 6026 section 7.1."""
    bob, arrived = called()
    bob.answer(arrived, 200)
    assert bob.said() == ["200"]

    bob.hear(INVITE)
    assert bob.pass_time(31.9) == []
    assert bob.state(arrived.key) is State.ACCEPTED
    bob.pass_time(0.1)
    assert bob.heard() == [TransactionEnded(arrived.key)]


def test_the_user_may_repeat_its_2xx_while_accepted():
    bob, arrived = called()
    for _ in range(3):
        assert bob.answer(arrived, 200)

    assert bob.said() == ["200", "200", "200"]


def test_an_ack_to_a_2xx_reaches_the_user_whatever_its_branch():
    bob, arrived = called()
    bob.answer(arrived, 200)
    proper = make_request("ACK", branch="z9hG4bK2", to_tag="b1")

    bob.hear(proper)
    bob.hear(ACK)

    assert bob.heard() == [AckArrived(None, proper, bob.flow), AckArrived(arrived.key, ACK, bob.flow)]


def test_timer_g_repeats_a_refusal_until_timer_h_gives_up():
    bob, arrived = called()
    bob.answer(arrived, 486)

    said = bob.pass_time(31.9)
    assert said == [(t, "486") for t in (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)]

    bob.pass_time(0.1)
    assert bob.heard() == [TransactionTimedOut(arrived.key), TransactionEnded(arrived.key)]


def test_a_refusal_answers_a_repeated_invite():
    bob, arrived = called()
    bob.answer(arrived, 486)
    bob.hear(INVITE)

    assert bob.said() == ["486", "486"]


def test_an_ack_ends_the_repeating_and_timer_i_absorbs_more():
    bob, arrived = called()
    bob.answer(arrived, 486)
    bob.hear(ACK)
    bob.hear(ACK)
    bob.hear(INVITE)

    assert bob.pass_time(4.9) == [(0.0, "486")]
    assert bob.state(arrived.key) is State.CONFIRMED
    bob.pass_time(0.1)
    assert bob.heard() == [TransactionEnded(arrived.key)]


def test_over_tcp_a_refusal_is_said_once_and_the_ack_ends_it():
    """Timer G is not used and timer I is 0 on a reliable transport, timer H runs."""
    bob, arrived = called(transport="tcp")
    bob.answer(arrived, 486)
    assert bob.pass_time(31) == [(0.0, "486")]

    bob.hear(ACK)
    assert bob.heard() == [TransactionEnded(arrived.key)]
    assert len(bob.layer) == 0


def test_over_tcp_a_missing_ack_is_a_timeout_as_well():
    bob, arrived = called(transport="tcp")
    bob.answer(arrived, 486)
    bob.pass_time(32)

    assert bob.heard() == [TransactionTimedOut(arrived.key), TransactionEnded(arrived.key)]


def test_an_ack_before_any_answer_is_absorbed():
    bob, arrived = called()
    bob.hear(ACK)

    assert bob.heard() == []
    assert bob.state(arrived.key) is State.PROCEEDING


def test_an_invite_that_is_forgotten_gets_a_final_answer_nevertheless():
    bob, arrived = called()

    said = bob.pass_time(600)
    assert said == [(0.2, "100"), (600.0, "500")]
    assert bob.heard() == [TransactionTimedOut(arrived.key)]
    bob.hear(ACK)
    bob.pass_time(5)
    assert bob.heard() == [TransactionEnded(arrived.key)]


@pytest.mark.parametrize(("first", "then"), [(200, 180), (200, 486), (486, 200), (486, 180), (486, 487)])
def test_the_user_cannot_take_back_a_final_answer(first: int, then: int):
    bob, arrived = called()
    bob.answer(arrived, first)

    with pytest.raises(LocalError, match="impossible"):
        bob.answer(arrived, then)


def test_an_answer_to_a_transaction_that_is_over_is_not_sent():
    bob, arrived = called()
    bob.answer(arrived, 486)
    bob.pass_time(40)

    assert not bob.answer(arrived, 200)
    assert bob.said() == []


def test_a_broken_connection_fails_an_unanswered_call():
    bob, arrived = called(transport="tcp")
    bob.layer.flow_closed(bob.flow, bob.now)

    assert bob.heard() == [TransportFailed(arrived.key), TransactionEnded(arrived.key)]
    assert not bob.answer(arrived, 200)


def test_cancel_is_answered_200_and_names_the_invite():
    """RFC 3261 section 9.2."""
    bob, arrived = called()
    bob.answer(arrived, 180, tag="b1")
    bob.sent()

    bob.hear(CANCEL)

    response = parse_message_untrusted(bob.sent()[0])
    assert (str(response.cseq), response.to.tag) == ("1 CANCEL", "b1")
    assert bob.heard() == [CancelArrived(arrived.key, CANCEL, "b1")]


def test_cancel_before_any_answer_proposes_the_tag_of_the_487():
    bob, arrived = called()
    bob.hear(CANCEL)

    (event,) = bob.heard()
    assert isinstance(event, CancelArrived)
    assert parse_message_untrusted(bob.sent()[0]).to.tag == event.to_tag
    bob.answer(arrived, 487, tag=event.to_tag)
    assert bob.said() == ["487"]


def test_a_repeated_cancel_is_answered_again_and_reported_once():
    bob, _ = called()
    bob.hear(CANCEL)
    bob.hear(CANCEL)

    first, second = bob.sent()
    assert first == second
    assert len(bob.heard()) == 1


@pytest.mark.parametrize("status", [200, 486])
def test_cancel_after_the_answer_is_polite_and_without_effect(status: int):
    bob, arrived = called()
    bob.answer(arrived, status)
    bob.hear(CANCEL)

    assert bob.said() == [str(status), "200"]
    assert bob.heard() == []


def test_cancel_of_nothing_is_481():
    bob = End()
    bob.hear(CANCEL)

    assert bob.said() == ["481"]
    assert bob.heard() == []
