"""The inbox: who goes first, what keeps its order, and what is told to those who are refused."""

from __future__ import annotations

from collections import Counter

from gateway.ids import SeededIds
from gateway.sip.admission import Admission
from gateway.sip.flow import Flow
from gateway.sip.inbox import Inbox
from gateway.testing.sip_script import parse_request, parse_response, sip_request

PHONE = Flow("udp", ("198.51.100.1", 5060), ("192.0.2.7", 5062))
OTHER = Flow("udp", ("198.51.100.1", 5060), ("192.0.2.9", 5060))


class Gate(Admission):
    """A gate that is open or closed as the test wants it."""

    def __init__(self, *, closed: bool = False) -> None:
        super().__init__()
        self.closed = closed

    @property
    def overloaded(self) -> bool:
        return self.closed

    def lets_in(self, source: str, now: float) -> bool:
        del source, now
        return not self.closed


class Box:
    """An inbox and what came of it."""

    def __init__(self, *, closed: bool = False, registered: tuple[Flow, ...] = ()) -> None:
        self.counters: Counter[str] = Counter()
        self.gate = Gate(closed=closed)
        self.inbox = Inbox(self.gate, registered.__contains__, SeededIds(1), self.counters)

    def put(self, *messages: bytes, flow: Flow = PHONE) -> Box:
        for data in messages:
            self.inbox.put(data, flow, 0.0, 0.0)
        return self

    def take(self, now: float = 0.0) -> list[str]:
        """Return the methods of what is to be read, in order."""
        taken = []
        while (arrived := self.inbox.take(now)) is not None:
            taken.append(arrived.data.split(b" ", 1)[0].decode())
        return taken


def invite(n: int = 1, **changed: object) -> bytes:
    return sip_request("INVITE", call_id=f"c{n}", **changed)  # type: ignore[arg-type]


def bye(n: int) -> bytes:
    return sip_request("BYE", call_id=f"c{n}", to="<sip:x@h>;tag=1")


def test_what_is_begun_goes_first() -> None:
    assert Box().put(invite(1), bye(7), b"SIP/2.0 200 OK\r\n\r\n", invite(2)).take() == [
        "BYE",
        "SIP/2.0",
        "INVITE",
        "INVITE",
    ]


def test_a_cancel_does_not_overtake_its_invite() -> None:
    assert Box().put(invite(1), sip_request("CANCEL", call_id="c1"), bye(7)).take() == [
        "BYE",
        "INVITE",
        "CANCEL",
    ]


def test_in_an_overload_only_what_begins_something_is_refused() -> None:
    box = Box(closed=True, registered=(OTHER,))
    box.put(invite(1), bye(2), sip_request("OPTIONS"), sip_request("REGISTER", call_id="r"))
    box.put(sip_request("REGISTER"), flow=OTHER)

    assert sorted(box.take()) == ["BYE", "OPTIONS", "REGISTER"]
    assert box.counters["refused_overload"] == len(box.inbox.refusals()) == 2


def test_a_refusal_is_a_whole_response() -> None:
    box = Box(closed=True).put(invite(1))
    (refusal,) = box.inbox.refusals()
    response = parse_response(refusal.data)

    assert (response.status, refusal.flow) == (503, PHONE)
    assert (response.via.parameter("received"), response.via.parameter("rport")) == ("192.0.2.7", "5062")
    assert 2 <= int(response.headers.get("Retry-After") or "") <= 8
    assert response.to.tag


def test_a_repetition_is_refused_with_the_same_tag() -> None:
    box = Box(closed=True).put(invite(1), invite(1))
    tags = [parse_response(refusal.data).to.tag for refusal in box.inbox.refusals()]

    assert tags[0] == tags[1]


def test_the_ack_of_a_refusal_is_not_read() -> None:
    box = Box(closed=True).put(invite(1))
    (refusal,) = box.inbox.refusals()
    ack = sip_request("ACK", call_id="c1", to=str(parse_response(refusal.data).to))

    assert box.put(ack).take() == []
    assert box.counters["refusal_acknowledged"] == 1


def test_who_was_let_in_stays_in_with_repetitions_and_a_password() -> None:
    box = Box()
    box.put(invite(1)).take()
    box.gate.closed = True
    again = invite(1, branch="z9hG4bK-2", cseq=2, headers={"Authorization": "Digest x"})

    assert box.put(invite(1), again, invite(2)).take() == ["INVITE", "INVITE"]


def test_but_not_for_ever_and_not_a_hundred_times() -> None:
    box = Box()
    box.put(invite(1)).take()
    box.gate.closed = True
    box.put(*[invite(1)] * 100)
    box.inbox.put(invite(1), PHONE, 100.0, 100.0)

    assert box.take() == ["INVITE"] * 16


def test_new_work_whose_turn_comes_too_late_is_refused_and_begun_work_is_not() -> None:
    box = Box().put(invite(1), bye(2))
    box.gate.closed = True

    assert box.take(now=1.0) == ["BYE"]
    assert len(box.inbox.refusals()) == 1


def test_a_response_and_an_ack_are_never_answered() -> None:
    box = Box(closed=True).put(b"NONSENSE", b"SUBSCRIBE sip:x SIP/2.0\r\n\r\n")

    assert box.inbox.refusals() == []


def test_the_queue_of_the_new_has_an_end() -> None:
    box = Box()
    box.put(*(invite(n) for n in range(2100)))

    assert len(box.inbox) == 2000
    assert len(box.inbox.refusals()) == 100


def test_what_was_read_is_what_was_sent() -> None:
    box = Box().put(invite(1))
    arrived = box.inbox.take(0.0)

    assert arrived is not None
    assert parse_request(arrived.data).call_id == "c1"
