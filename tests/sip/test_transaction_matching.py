"""RFC 3261 sections 8.2.2.2, 17.2.3 and 18.2.1, RFC 3581: which request belongs where, and where it came from."""

import pytest

from gateway.sip.headers import Headers
from gateway.sip.message import Request, parse_message_untrusted
from gateway.sip.transaction import AckArrived, State
from gateway.testing.transactions import End, make_request


def with_via(request: Request, *vias: str) -> Request:
    return Request(request.method, request.uri, request.headers.with_("Via", *vias), request.body)


def with_to(request: Request, to: str) -> Request:
    return Request(request.method, request.uri, request.headers.with_("To", to), request.body)


def test_two_clients_with_the_same_branch_are_two_transactions():
    """JsSIP's branches have seven digits."""
    bob = End()
    bob.hear(make_request("OPTIONS", branch="z9hG4bK1234567"))
    bob.hear(with_via(make_request("OPTIONS", cseq=2), "SIP/2.0/WSS x.invalid;branch=z9hG4bK1234567"))

    assert len(bob.heard()) == 2


def test_the_case_of_the_host_makes_no_other_client():
    bob = End()
    for host in ("Phone.example", "phone.EXAMPLE"):
        bob.hear(with_via(make_request("OPTIONS"), f"SIP/2.0/UDP {host};branch=z9hG4bK1"))

    assert len(bob.heard()) == 1


def test_requests_without_the_cookie_match_by_rfc_2543():
    bob = End()
    old = "SIP/2.0/UDP 192.0.2.1:5060;branch=1"
    invite = with_via(make_request("INVITE"), old)
    bob.hear(invite)
    bob.hear(invite)
    arrived = bob.take_request()
    bob.answer(arrived, 486)

    bob.hear(with_via(make_request("ACK", to_tag="b1"), old))

    assert bob.state(arrived.key) is State.CONFIRMED


def test_without_the_cookie_another_cseq_is_another_request():
    bob = End()
    for cseq in (1, 2):
        bob.hear(with_via(make_request("OPTIONS", cseq=cseq), "SIP/2.0/UDP 192.0.2.1"))

    assert len(bob.heard()) == 2


def test_a_fork_that_meets_us_twice_is_482():
    bob = End()
    bob.hear(make_request("INVITE", branch="z9hG4bK1"))
    bob.take_request()
    copy = make_request("INVITE", branch="z9hG4bK2")
    bob.hear(copy)
    bob.hear(copy)

    assert bob.said() == ["482", "482"]
    bob.hear(make_request("ACK", branch="z9hG4bK2"))
    bob.hear(make_request("CANCEL", branch="z9hG4bK2"))
    assert bob.said() == ["200"]
    assert bob.heard() == []


def test_a_new_attempt_after_a_refusal_is_no_fork():
    """RFC 3263 section 4.3: the next server gets the same request on a new branch, and we may be both."""
    bob = End()
    bob.hear(make_request("INVITE", branch="z9hG4bK1"))
    bob.answer(bob.take_request(), 503)
    bob.hear(make_request("INVITE", branch="z9hG4bK2"))

    bob.take_request()


def test_requests_in_a_dialog_are_never_merged():
    bob = End()
    for branch in ("z9hG4bK1", "z9hG4bK2"):
        bob.hear(make_request("INFO", branch=branch, to_tag="b1"))

    assert len(bob.heard()) == 2


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
        ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1"),
        (
            "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1",
            "SIP/2.0/UDP 192.0.2.1;rport=5060;branch=z9hG4bK1;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=203.0.113.6",
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1",
        ),
    ],
)
def test_the_top_via_says_where_a_request_really_came_from(via: str, stamped: str):
    bob = End()
    bob.hear(with_via(make_request("OPTIONS"), via, "SIP/2.0/UDP behind"))

    request = bob.take_request().request
    assert request.headers.all("Via") == (stamped, "SIP/2.0/UDP behind")
    assert str(request.via) == stamped


def test_a_top_via_that_shares_its_line_is_stamped_alone():
    bob = End()
    bob.hear(with_via(make_request("OPTIONS"), "SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b"))

    assert bob.take_request().request.headers.all("Via") == (
        "SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.1",
        "SIP/2.0/UDP b",
    )


def test_an_ack_that_belongs_to_nothing_is_the_users():
    bob = End()
    bob.hear(make_request("ACK", branch="z9hG4bK1", to_tag="b1"))

    (event,) = bob.heard()
    assert isinstance(event, AckArrived)
    assert event.key is None


def test_a_request_over_the_limit_is_refused_and_not_remembered():
    bob = End(max_transactions=4)
    for n in range(4):
        bob.hear(make_request("INVITE", branch=f"z9hG4bK{n}", call_id=str(n)))
    assert len(bob.heard()) == 4
    bob.hear(make_request("INVITE", branch="z9hG4bK5", call_id="5"))

    refusal = parse_message_untrusted(bob.sent()[0])
    assert refusal.to_bytes().startswith(b"SIP/2.0 503")
    assert 2 <= int(refusal.headers.get("Retry-After") or "") <= 8
    assert (len(bob.layer), bob.heard()) == (4, [])
    assert bob.layer.counters["request_refused_overload"] == 1


def test_what_is_begun_is_finished_also_over_the_limit():
    bob = End(max_transactions=4)
    for n in range(4):
        bob.hear(make_request("INVITE", branch=f"z9hG4bK{n}", call_id=str(n)))
    bob.heard()

    bob.hear(make_request("BYE", branch="z9hG4bK9", to_tag="b1"))
    bob.take_request()
    for n in range(10, 20):
        bob.hear(make_request("CANCEL", branch=f"z9hG4bK{n}"))
    assert bob.said() == ["503"] * 10
    assert len(bob.layer) == 5


def test_headers_of_a_stamped_request_are_otherwise_untouched():
    bob = End()
    request = with_to(make_request("OPTIONS", branch="z9hG4bK1"), '  "B" <sip:b@h>')
    request = Request("OPTIONS", request.uri, Headers([("X-First", "1"), *request.headers]), b"body")
    bob.hear(with_via(request, "SIP/2.0/UDP a;branch=z9hG4bK1"))

    arrived = bob.take_request().request
    assert list(arrived.headers.without("Via")) == list(request.headers.without("Via"))
    assert arrived.body == b"body"
