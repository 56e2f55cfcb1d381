"""The engine as a whole: addresses, repeated messages, INFO, and its own mistakes."""

from __future__ import annotations

import pytest

from gateway.errors import LocalError
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import EndCause, InfoReceived, SessionEnded, SessionId
from gateway.sip.flow import Flow
from gateway.sip.uri import Uri
from gateway.testing.sip_pair import ANSWER, OFFER
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({"192.0.2.7"}))
NAT = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 61000))


def test_the_response_goes_where_the_request_came_from_and_says_so() -> None:
    """RFC 3581: a phone behind NAT."""
    phone = Stranger(CONFIG, flow=NAT)

    answer = phone.ask(sip_request("OPTIONS"))

    assert (answer.via.parameter("received"), answer.via.parameter("rport")) == ("203.0.113.9", "61000")
    assert (answer.via.host, answer.via.port) == ("192.0.2.7", 5060)


def test_requests_in_a_dialog_take_its_flow_whatever_the_contact_says() -> None:
    """Browsers have Contacts at .invalid (kamailio/kamailio#3340)."""
    browser = Flow("wss", ("198.51.100.1", 443), ("203.0.113.9", 50000), 1)
    phone = Stranger(EndpointConfig(trusted_sources=frozenset({"203.0.113.9"})), flow=browser)
    phone.say(sip_request("INVITE", body="v=0", contact="<sip:x@abc.invalid;transport=ws>"))
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=1))
    phone.endpoint.hang_up(phone.session, now=0.0)

    (datagram,) = phone.endpoint.transmit(0.0)
    assert datagram.flow == browser
    assert datagram.data.startswith(b"BYE sip:x@abc.invalid;transport=ws SIP/2.0\r\nVia: SIP/2.0/WSS ")


def test_a_recorded_route_becomes_the_route_in_order() -> None:
    routes = {"Record-Route": "<sip:p1.example;r2=on;lr>, <sip:p2.example;lr>"}
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0", headers=routes))
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=1))
    phone.endpoint.hang_up(phone.session, now=0.0)

    (bye,) = phone.listen()
    assert parse_request(bye).headers.all("Route") == ("<sip:p1.example;r2=on;lr>", "<sip:p2.example;lr>")


def test_a_caller_reverses_the_route_and_obeys_a_strict_router() -> None:
    """RFC 3261 sections 12.1.2 and 12.2.1.1."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    record = {"Record-Route": "<sip:far.example;lr>, <sip:near.example>"}
    (ack,) = phone.reply(invite, 200, headers=record, contact="<sip:target@192.0.2.7>")

    request = parse_request(ack)
    assert str(request.uri) == "sip:near.example"
    assert request.headers.all("Route") == ("<sip:far.example;lr>", "<sip:target@192.0.2.7>")


def test_a_repeated_invite_gets_the_same_answer_and_no_second_session() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))
    phone.endpoint.ring(phone.session, now=0.0)
    (ringing,) = phone.listen()

    assert phone.say(sip_request("INVITE", body="v=0")) == [ringing]
    assert len(phone.events) == 1


def test_a_merged_request_is_482() -> None:
    """RFC 3261 section 8.2.2.2: a fork that met us twice."""
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0", branch="z9hG4bK-1"))

    assert phone.ask(sip_request("INVITE", body="v=0", branch="z9hG4bK-2")).status == 482
    assert len(phone.events) == 1


def test_a_lower_cseq_within_a_dialog_is_500() -> None:
    phone = Stranger(CONFIG).called(ANSWER)
    phone.say(phone.in_dialog("OPTIONS", cseq=10))

    assert phone.ask(phone.in_dialog("OPTIONS", cseq=9)).status == 500


def test_an_ack_that_fits_nothing_is_silence() -> None:
    phone = Stranger(CONFIG)

    assert phone.say(sip_request("ACK", to="<sip:x@y>;tag=z")) == []
    phone.assert_quiet()


def test_a_bye_on_an_early_dialog_ends_both_transactions() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))
    phone.endpoint.ring(phone.session, now=0.0)
    phone.listen()

    answers = phone.say(phone.in_dialog("BYE", cseq=2))

    assert [parse_response(answer).status for answer in answers] == [200, 487]
    assert isinstance(phone.events[-1], SessionEnded)


def test_the_487_of_a_cancelled_call_has_the_tag_of_the_cancels_200() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))

    answers = phone.say(sip_request("CANCEL"))

    statuses = [(parse_response(answer).status, parse_response(answer).to.tag) for answer in answers]
    assert [status for status, _ in statuses] == [200, 487]
    assert statuses[0][1] == statuses[1][1] is not None


@pytest.mark.parametrize(
    ("kind", "body", "status", "heard"),
    [
        ("application/dtmf-relay", "Signal=5\nDuration=160", 200, True),
        ("Application/DTMF; x=y", "5", 200, True),
        ("application/media_control+xml", "<media_control/>", 200, True),
        ("application/sdp", "", 200, False),
        ("application/x-nt-nonsense", "x", 415, False),
    ],
)
def test_info_is_understood_or_415(kind: str, body: str, status: int, heard: bool) -> None:
    phone = Stranger(CONFIG).called(ANSWER)

    answer = phone.ask(phone.in_dialog("INFO", cseq=2, body=body, content_type=kind))

    assert answer.status == status
    assert isinstance(phone.events[-1], InfoReceived) == heard
    assert ("Accept" in answer.headers) == (status == 415)


def test_an_info_of_ours_that_meets_no_dialog_ends_the_session() -> None:
    phone = Stranger(CONFIG).calling(OFFER)
    phone.endpoint.send_info(phone.session, content_type="application/dtmf", body=b"5", now=0.0)
    (info,) = phone.listen()
    (bye,) = phone.reply(info, 481)

    assert bye.startswith(b"BYE ")
    assert phone.events[-1].cause.status == 481


def test_what_our_user_cannot_do_is_a_local_error() -> None:
    phone = Stranger(CONFIG).called(ANSWER)

    with pytest.raises(LocalError, match="not waiting to be answered"):
        phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    with pytest.raises(LocalError, match="over"):
        phone.endpoint.ring(SessionId("none"), now=0.0)
    phone.endpoint.hang_up(SessionId("none"), now=0.0)


def test_a_header_that_would_end_its_line_is_refused_before_anything_is_sent() -> None:
    phone = Stranger(CONFIG)
    with pytest.raises(LocalError):
        phone.be_called(OFFER, headers=[("X-A", "b\r\nX-Evil: 1")])
    assert phone.endpoint.census()["sessions"] == 0


class BrokenUsers(dict[str, str]):
    """A store of passwords that fails."""

    def get(self, name: str, default: object = None) -> str:
        raise OSError("the disk is gone")


def test_a_fault_of_ours_costs_one_message_and_is_kept_for_the_log() -> None:
    phone = Stranger(EndpointConfig(users=BrokenUsers(), trusted_sources=frozenset({"192.0.2.7"})))
    credentials = 'Digest username="bob", realm="tandem", nonce="n", uri="sip:x", response="r"'

    register = sip_request("REGISTER", call_id="reg", headers={"Authorization": credentials})
    assert phone.ask(register).status == 500
    assert phone.endpoint.counters["internal_error"] == 1
    assert "the disk is gone" in phone.endpoint.faults[0]
    assert phone.ask(sip_request("OPTIONS")).status == 200


class BrokenConfig(EndpointConfig):
    """A configuration that fails once `users` says so."""

    def contact(self, flow: Flow) -> Uri:
        if "fail" in self.users:
            raise OSError("no such interface")
        return super().contact(flow)


def test_a_fault_of_ours_in_a_timer_ends_the_call_and_not_the_engine() -> None:
    faults: dict[str, str] = {}
    phone = Stranger(BrokenConfig(users=faults)).calling(OFFER)
    phone.endpoint.reoffer(phone.session, sdp=OFFER, now=phone.now)
    (invite,) = phone.listen()
    phone.reply(invite, 491)
    faults["fail"] = ""
    bye, *_ = phone.wait(4.1)

    assert bye.startswith(b"BYE ")
    assert phone.events[-1] == SessionEnded(phone.session, EndCause(500, "internal error", "local"))
    assert len(phone.endpoint.faults) == 1
    phone.endpoint.faults.clear()
    phone.assert_quiet()


def test_the_census_says_when_every_goodbye_was_heard() -> None:
    phone = Stranger(CONFIG).calling(OFFER)
    phone.endpoint.hang_up(phone.session, now=phone.now)
    (bye,) = phone.listen()
    assert phone.endpoint.census()["unanswered"] == 1
    phone.reply(bye, 200)

    census = phone.endpoint.census()
    assert (census["unanswered"], census["transactions"]) == (0, 2)


def test_the_same_seed_says_the_same_bytes() -> None:
    one, two = Stranger(CONFIG).called(ANSWER), Stranger(CONFIG).called(ANSWER)

    assert one.heard == two.heard
