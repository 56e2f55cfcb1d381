"""RFC 3261 section 17.2.2: whoever is asked anything but INVITE."""

from gateway.sip.transaction import (
    RequestArrived,
    State,
    TransactionEnded,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.testing.transactions import End, make_request

OPTIONS = make_request("OPTIONS", branch="z9hG4bK1")


def asked(transport: str = "udp") -> tuple[End, RequestArrived]:
    bob = End(transport=transport)
    bob.hear(OPTIONS)
    return bob, bob.take_request()


def test_a_repeated_request_is_absorbed_until_there_is_an_answer():
    bob, arrived = asked()
    bob.hear(OPTIONS)
    assert (bob.heard(), bob.said()) == ([], [])

    bob.answer(arrived, 200)
    (answer,) = bob.sent()
    bob.hear(OPTIONS)
    assert bob.sent() == [answer]


def test_a_provisional_answer_is_repeated_as_well():
    bob, arrived = asked()
    bob.answer(arrived, 182)
    bob.hear(OPTIONS)
    bob.answer(arrived, 182)

    assert bob.said() == ["182", "182", "182"]
    assert bob.state(arrived.key) is State.PROCEEDING


def test_timer_j_keeps_the_answer_for_64_t1():
    bob, arrived = asked()
    bob.answer(arrived, 200)

    assert bob.pass_time(31.9) == [(0.0, "200")]
    bob.hear(OPTIONS)
    assert bob.said() == ["200"]
    bob.pass_time(0.1)
    assert bob.heard() == [TransactionEnded(arrived.key)]


def test_over_tcp_the_answer_is_not_kept():
    """Timer J is 0 on a reliable transport."""
    bob, arrived = asked("tcp")
    bob.answer(arrived, 200)

    assert bob.said() == ["200"]
    assert len(bob.layer) == 0


def test_only_the_first_final_answer_counts():
    bob, arrived = asked()
    for status in (200, 404, 100):
        bob.answer(arrived, status)

    assert bob.said() == ["200"]


def test_a_request_that_is_forgotten_ends_in_silence():
    """RFC 4320 section 4.2: no 408 to a request that is not INVITE."""
    bob, arrived = asked()

    assert bob.pass_time(32) == []
    assert bob.heard() == [TransactionTimedOut(arrived.key), TransactionEnded(arrived.key)]


def test_a_broken_connection_fails_it():
    bob, arrived = asked("tls")
    bob.layer.flow_closed(bob.flow, bob.now)

    assert bob.heard() == [TransportFailed(arrived.key), TransactionEnded(arrived.key)]
