"""A phone's layer against the switch's over a network that loses and repeats, in virtual time."""

import pytest

from gateway.sip.message import respond
from gateway.sip.transaction import (
    AckArrived,
    RequestArrived,
    ResponseArrived,
    TransactionEvent,
    TransactionTimedOut,
)
from gateway.testing.transactions import End, Wire, make_request

N_REQUESTS = 20


def run(wire: Wire, method: str, status: int) -> tuple[list[TransactionEvent], list[TransactionEvent]]:
    """Send requests, answer each once, and let time pass until nobody waits for anything."""
    for n in range(N_REQUESTS):
        wire.phone.ask(make_request(method, call_id=str(n)))
    at_phone: list[TransactionEvent] = []
    at_switch: list[TransactionEvent] = []
    while True:
        while wire.carry():
            for event in wire.switch.heard():
                at_switch.append(event)
                if isinstance(event, RequestArrived):
                    response = respond(event.request, status, to_tag="b1")
                    wire.switch.layer.send_response(event.key, response, wire.now)
        at_phone += wire.phone.heard()
        if not wire.wait():
            return at_phone, at_switch + wire.switch.heard()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("OPTIONS", 404), ("INVITE", 486)])
def test_each_request_is_heard_once_and_answered_once_through_20_percent_loss(
    method: str, status: int, seed: int
):
    wire = Wire(seed=seed, loss=0.2, duplication=0.2)

    at_phone, at_switch = run(wire, method, status)

    arrived = [event.key for event in at_switch if isinstance(event, RequestArrived)]
    answered = [
        event.key
        for event in at_phone
        if isinstance(event, ResponseArrived) and event.response.status == status
    ]
    assert len(arrived) == len(set(arrived)) == N_REQUESTS
    assert len(answered) == len(set(answered)) == N_REQUESTS
    assert not [
        event for event in at_phone + at_switch if isinstance(event, TransactionTimedOut | AckArrived)
    ]
    assert len(wire.phone.layer) == len(wire.switch.layer) == 0


@pytest.mark.parametrize("seed", range(5))
def test_each_request_is_answered_or_times_out_and_never_both(seed: int):
    wire = Wire(seed=seed, loss=0.6)

    at_phone, _ = run(wire, "OPTIONS", 200)

    answered = {event.key for event in at_phone if isinstance(event, ResponseArrived)}
    timed_out = {event.key for event in at_phone if isinstance(event, TransactionTimedOut)}
    assert len(answered) + len(timed_out) == N_REQUESTS
    assert answered.isdisjoint(timed_out)


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_where_nothing_gets_through_everybody_gives_up(method: str):
    wire = Wire(seed=1, loss=1.0)

    at_phone, at_switch = run(wire, method, 486)

    assert len([event for event in at_phone if isinstance(event, TransactionTimedOut)]) == N_REQUESTS
    assert at_switch == []
    assert wire.now == 32.0
    assert len(wire.phone.layer) == 0


def test_the_same_seed_gives_the_same_story():
    stories = [run(Wire(seed=7, loss=0.2, duplication=0.2), "INVITE", 486) for _ in range(2)]

    assert stories[0] == stories[1]


def test_twenty_thousand_transactions_end_and_leave_nothing():
    phone = End(transport="tcp")
    request = make_request("OPTIONS")
    for _ in range(20_000):
        phone.ask(request)
    assert len(phone.layer) == 20_000

    phone.pass_time(32)

    assert len(phone.layer) == 0
    assert phone.layer.next_deadline() is None
