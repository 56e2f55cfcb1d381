"""What the engine lets in and turns away, written by hand as a stranger's software would say it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import LocalError, Overload
from gateway.ids import SeededIds
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.endpoint import EndpointConfig, EndpointLimits
from gateway.sip.events import BindingChanged, EndCause, InfoReceived, SessionEnded, SessionId, SessionOffered
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Response
from gateway.sip.registrar import RegistrarLimits
from gateway.sip.uri import Uri, parse_uri_untrusted
from gateway.testing.sip_pair import ANSWER, OFFER
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({"192.0.2.7"}))
UNTRUSTED = EndpointConfig(users={"bob": "secret"})
NAT = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 61000))


def signed(phone: Stranger, method: str, *, password: str = "secret", **parts: object) -> Response:
    """Ask, be challenged, and ask again with the answer, as a phone does."""
    first = sip_request(method, cseq=1, branch=f"z9hG4bK-{phone.now}-1", **parts)
    challenge = phone.ask(first)
    assert challenge.status == 401
    bob = ClientAuthentication(Credentials("bob", password), SeededIds(3))
    bob.learn(challenge, 0)
    second = sip_request(method, cseq=2, branch=f"z9hG4bK-{phone.now}-2", **parts)
    answers = phone.say(bob.authorize(parse_request(second)).to_bytes())
    return parse_response(answers[0]) if answers else Response(0, "silence", challenge.headers)


# who may do what


def test_a_stranger_is_challenged_and_nothing_is_offered() -> None:
    phone = Stranger(UNTRUSTED)

    assert phone.ask(sip_request("INVITE", body="v=0")).status == 401
    assert phone.events == []


def test_a_user_with_the_right_password_is_let_in_under_its_proven_name() -> None:
    phone = Stranger(UNTRUSTED)
    signed(phone, "INVITE", body="v=0", from_="<sip:ceo@switch.example>;tag=x")

    (offered,) = phone.events
    assert isinstance(offered, SessionOffered)
    assert (offered.user, offered.trusted) == ("bob", False)


def test_a_trusted_source_needs_no_password() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))

    (offered,) = phone.events
    assert isinstance(offered, SessionOffered)
    assert (offered.user, offered.trusted) == (None, True)


@pytest.mark.parametrize("method", ["MESSAGE", "REFER", "PRACK", "FOO"])
@pytest.mark.parametrize("config", [CONFIG, UNTRUSTED])
def test_methods_that_nobody_named_are_405_with_allow(method: str, config: EndpointConfig) -> None:
    answer = Stranger(config).ask(sip_request(method))

    assert answer.status == 405
    assert "INVITE" in (answer.headers.get("Allow") or "")


@pytest.mark.parametrize("method", ["SUBSCRIBE", "NOTIFY", "PUBLISH"])
def test_event_packages_are_489(method: str) -> None:
    assert Stranger(CONFIG).ask(sip_request(method, headers={"Event": "presence"})).status == 489


@pytest.mark.parametrize("method", ["MESSAGE", "REFER"])
def test_an_unknown_method_within_a_dialog_is_405(method: str) -> None:
    """A REFER that found no handler was relayed round until 483 (siphon-project/siphon-sip#110)."""
    phone = Stranger(CONFIG).called(ANSWER)

    assert phone.ask(in_dialog(phone, method, cseq=2)).status == 405


def test_options_says_what_we_speak_even_to_strangers_and_to_any_user() -> None:
    """RFC 3261 section 11; trunks ping with any user and take 404 for death."""
    answer = Stranger(UNTRUSTED).ask(sip_request("OPTIONS", headers={"Max-Forwards": "0"}))

    assert answer.status == 200
    assert all(answer.headers.get(name) for name in ("Allow", "Accept", "Accept-Encoding", "Supported"))


@pytest.mark.parametrize(
    ("request_data", "status"),
    [
        (sip_request("INVITE", headers={"Max-Forwards": "0"}, body="v=0"), 483),
        (sip_request("INVITE", headers={"Require": "100rel, outbound"}, body="v=0"), 420),
        (sip_request("OPTIONS", headers={"Proxy-Require": "foo"}), 420),
        (sip_request("INVITE", "http:x", to="<sip:x@y>", body="v=0"), 416),
        (sip_request("INVITE", body="x", content_type="application/isup"), 415),
        (sip_request("INVITE", body="x", headers={"Content-Encoding": "gzip"}), 415),
        (sip_request("INVITE", contact=None, body="v=0"), 400),
        (sip_request("BYE", to="<sip:x@y>;tag=unknown"), 481),
        (sip_request("INVITE", to="<sip:x@y>;tag=unknown", body="v=0"), 481),
        (sip_request("OPTIONS", to="<sip:x@y>;tag=unknown"), 481),
        (sip_request("BYE"), 481),
        (sip_request("UPDATE"), 481),
        (sip_request("CANCEL"), 481),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_status(request_data: bytes, status: int) -> None:
    phone = Stranger(CONFIG)

    assert phone.ask(request_data).status == status
    assert phone.events == []
    phone.assert_quiet()


def test_a_420_names_only_what_is_not_supported() -> None:
    answer = Stranger(CONFIG).ask(sip_request("INVITE", headers={"Require": "100rel, outbound"}, body="v=0"))

    assert answer.headers.get("Unsupported") == "100rel"


def test_an_empty_require_means_nothing() -> None:
    """Cisco sends it daily."""
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", headers={"Require": ""}, body="v=0"))

    assert len(phone.events) == 1


def test_a_bad_request_is_told_so_and_a_bad_response_is_not() -> None:
    phone = Stranger(CONFIG)
    broken = sip_request("OPTIONS").replace(b"CSeq: 1 OPTIONS", b"CSeq: x OPTIONS")

    (answer,) = phone.say(broken)
    assert answer.startswith(b"SIP/2.0 400 Bad Request (CSeq is not a number)\r\n")
    assert phone.say(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n") == []
    assert phone.endpoint.counters["bad_message"] == 2


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_keepalives_are_silence(data: bytes) -> None:
    phone = Stranger(CONFIG)

    assert phone.say(data) == []
    assert phone.endpoint.counters["keepalive"] == 1


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_are_survived(data: bytes) -> None:
    phone = Stranger(CONFIG)
    phone.say(data, b"INVITE sip:x SIP/2.0\r\n" + data)

    assert not phone.endpoint.faults


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_call_survives_any_damage_to_its_messages(data: st.DataObject) -> None:
    """Bytes overwritten in valid messages reach much deeper than noise; none may be a fault of ours."""
    phone = Stranger(CONFIG).called(ANSWER)
    messages = [
        in_dialog(phone, "INVITE", cseq=2, body="v=0"),
        in_dialog(phone, "INFO", cseq=3, body="Signal=5", content_type="application/dtmf-relay"),
        sip_request("INVITE", call_id="other", body="v=0"),
        sip_request("REGISTER", call_id="reg", headers={"Expires": "60"}),
        in_dialog(phone, "BYE", cseq=4),
    ]
    for message in messages:
        damaged = bytearray(message)
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at] = data.draw(st.sampled_from(b'\0\t "%,;:<=>@\\\x7f\x80\xff0a'))
        phone.say(bytes(damaged))
    for event in list(phone.events):
        if isinstance(event, SessionOffered):
            phone.endpoint.hang_up(event.session, now=phone.now)

    phone.assert_quiet()


# addresses


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
    phone.say(in_dialog(phone, "ACK", cseq=1))
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
    phone.say(in_dialog(phone, "ACK", cseq=1))
    phone.endpoint.hang_up(phone.session, now=0.0)

    (bye,) = phone.listen()
    assert parse_request(bye).headers.all("Route") == ("<sip:p1.example;r2=on;lr>", "<sip:p2.example;lr>")


def test_a_caller_reverses_the_route_and_obeys_a_strict_router() -> None:
    """RFC 3261 sections 12.1.2 and 12.2.1.1."""
    phone = Stranger(CONFIG)
    phone.endpoint.invite(**call_parts(phone))
    (invite,) = phone.listen()
    record = {"Record-Route": "<sip:far.example;lr>, <sip:near.example>"}
    (ack,) = phone.reply(invite, 200, headers=record, contact="<sip:target@192.0.2.7>")

    request = parse_request(ack)
    assert str(request.uri) == "sip:near.example"
    assert request.headers.all("Route") == ("<sip:far.example;lr>", "<sip:target@192.0.2.7>")


# retransmissions and copies


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
    phone.say(in_dialog(phone, "OPTIONS", cseq=10))

    assert phone.ask(in_dialog(phone, "OPTIONS", cseq=9)).status == 500


def test_an_ack_that_fits_nothing_is_silence() -> None:
    phone = Stranger(CONFIG)

    assert phone.say(sip_request("ACK", to="<sip:x@y>;tag=z")) == []
    phone.assert_quiet()


def test_a_bye_on_an_early_dialog_ends_both_transactions() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))
    phone.endpoint.ring(phone.session, now=0.0)
    phone.listen()

    answers = phone.say(in_dialog(phone, "BYE", cseq=2))

    assert [parse_response(answer).status for answer in answers] == [200, 487]
    assert isinstance(phone.events[-1], SessionEnded)


def test_the_487_of_a_cancelled_call_has_the_tag_of_the_cancels_200() -> None:
    phone = Stranger(CONFIG)
    phone.say(sip_request("INVITE", body="v=0"))

    answers = phone.say(sip_request("CANCEL"))

    statuses = [(parse_response(answer).status, parse_response(answer).to.tag) for answer in answers]
    assert [status for status, _ in statuses] == [200, 487]
    assert statuses[0][1] == statuses[1][1] is not None


# forks


def test_every_branch_of_a_fork_has_its_own_early_dialog() -> None:
    phone = Stranger(CONFIG)
    phone.endpoint.invite(**call_parts(phone))
    (invite,) = phone.listen()
    phone.reply(invite, 183, tag="gateway", body="early=gateway")
    phone.reply(invite, 180, tag="phone")

    assert phone.endpoint.census()["dialogs"] == 2


def test_each_200_of_a_fork_is_acknowledged_and_all_but_the_first_are_ended() -> None:
    """RFC 3261 section 13.2.2.4; pjsip/pjproject#111, #657."""
    phone = Stranger(CONFIG)
    session = phone.endpoint.invite(**call_parts(phone))
    (invite,) = phone.listen()
    first = phone.reply(invite, 200, tag="one", body="v=1", contact="<sip:one@192.0.2.7>")
    second = phone.reply(invite, 200, tag="two", body="v=2", contact="<sip:two@192.0.2.7>")
    again = phone.reply(invite, 200, tag="two", body="v=2", contact="<sip:two@192.0.2.7>")

    assert [data.split()[:2] for data in first] == [[b"ACK", b"sip:one@192.0.2.7"]]
    assert [data.split()[:2] for data in second] == [
        [b"ACK", b"sip:two@192.0.2.7"],
        [b"BYE", b"sip:two@192.0.2.7"],
    ]
    assert b'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n' in second[1]
    assert [data.split()[0] for data in again] == [b"ACK"]
    phone.reply(second[1], 200, tag="two", contact=None)
    phone.endpoint.hang_up(session, now=phone.now)
    phone.assert_quiet()


def test_the_200_of_the_other_branch_counts_not_the_one_that_rang() -> None:
    """A 183 from a media gateway, the 200 from another (pjsip/pjproject#1644)."""
    phone = Stranger(CONFIG)
    phone.endpoint.invite(**call_parts(phone))
    (invite,) = phone.listen()
    phone.reply(invite, 183, tag="gateway", body="early", contact="<sip:gateway@192.0.2.7>")
    (ack,) = phone.reply(invite, 200, tag="phone", contact="<sip:phone@192.0.2.7>")

    assert ack.startswith(b"ACK sip:phone@192.0.2.7 ")
    assert phone.events[-1].sdp is None
    assert phone.endpoint.census()["dialogs"] == 1


def test_a_200_for_a_session_that_we_never_had_makes_us_send_nothing() -> None:
    """Else anybody could have us send requests to a victim."""
    phone = Stranger(CONFIG)
    forged = parse_request(sip_request("INVITE"))
    data = Response(200, "OK", forged.headers.with_("To", "<sip:x@y>;tag=t")).to_bytes()

    assert phone.say(data) == []
    phone.assert_quiet()


# credentials of ours


def test_a_challenged_invite_goes_again_one_cseq_further_in_the_same_call() -> None:
    """RFC 3665 section 3.2: 407; the ACK to the 200 carries the credentials too."""
    phone = Stranger(CONFIG)
    parts = call_parts(phone) | {"credentials": Credentials("me", "pw")}
    phone.endpoint.invite(**parts)
    (invite,) = phone.listen()
    _, again = phone.reply(
        invite, 407, headers={"Proxy-Authenticate": 'Digest realm="p", nonce="n", qop="auth"'}
    )
    (ack_200,) = phone.reply(again, 200, body="v=0")

    before, after = parse_request(invite), parse_request(again)
    assert (before.call_id, before.from_.tag) == (after.call_id, after.from_.tag)
    assert after.cseq.number == before.cseq.number + 1
    assert after.via.branch != before.via.branch
    assert parse_request(ack_200).cseq.number == after.cseq.number
    assert "Proxy-Authorization" in parse_request(ack_200).headers


@pytest.mark.parametrize("status", [401, 407])
def test_without_credentials_no_challenge_is_answered(status: int) -> None:
    """A hostile callee that challenges learns nothing (CVE-2021-41158)."""
    phone = Stranger(CONFIG)
    phone.endpoint.invite(**call_parts(phone))
    (invite,) = phone.listen()
    question = {"WWW-Authenticate": 'Digest realm="x", nonce="n"'}
    said = phone.reply(invite, status, headers=question)

    assert [data.split()[0] for data in said] == [b"ACK"]
    assert phone.events[-1].cause.status == status


def test_a_second_challenge_for_the_same_password_ends_the_call() -> None:
    phone = Stranger(CONFIG)
    parts = call_parts(phone) | {"credentials": Credentials("me", "wrong")}
    phone.endpoint.invite(**parts)
    (invite,) = phone.listen()
    question = {"WWW-Authenticate": 'Digest realm="x", nonce="n"'}
    _, again = phone.reply(invite, 401, headers=question)
    said = phone.reply(again, 401, headers=question)

    assert [data.split()[0] for data in said] == [b"ACK"]
    assert isinstance(phone.events[-1], SessionEnded)
    phone.assert_quiet()


def test_a_challenged_bye_is_answered_too() -> None:
    phone = Stranger(CONFIG)
    parts = call_parts(phone) | {"credentials": Credentials("me", "pw")}
    session = phone.endpoint.invite(**parts)
    (invite,) = phone.listen()
    phone.reply(invite, 200, body="v=0")
    phone.endpoint.hang_up(session, now=0.0)
    (bye,) = phone.listen()
    (again,) = phone.reply(bye, 401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="n"'})

    assert "Authorization" in parse_request(again).headers
    phone.reply(again, 200)
    phone.assert_quiet()


def test_a_session_hung_up_while_it_is_challenged_does_not_call_again() -> None:
    phone = Stranger(CONFIG)
    parts = call_parts(phone) | {"credentials": Credentials("me", "pw")}
    session = phone.endpoint.invite(**parts)
    (invite,) = phone.listen()
    phone.endpoint.hang_up(session, now=0.0)
    said = phone.reply(invite, 401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="n"'})

    assert [data.split()[0] for data in said] == [b"ACK"]
    phone.assert_quiet()


# in a dialog


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

    answer = phone.ask(in_dialog(phone, "INFO", cseq=2, body=body, content_type=kind))

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


def test_a_stranger_who_knows_the_dialog_cannot_move_a_users_call() -> None:
    """A re-INVITE from a new address needs the password that the call began with."""
    phone = Stranger(UNTRUSTED)
    signed(phone, "INVITE", body="v=0")
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    phone.listen()
    phone.say(in_dialog(phone, "ACK", cseq=2))

    answer = phone.ask(in_dialog(phone, "INVITE", cseq=3, body="v=0"), flow=NAT)

    assert answer.status == 401
    assert isinstance(phone.events[-1], type(phone.events[1]))


# registering


def test_a_phone_registers_and_is_found_by_the_flow_it_came_on() -> None:
    """RFC 3665 section 2.1."""
    phone = Stranger(UNTRUSTED)
    answer = signed(phone, "REGISTER", to="<sip:bob@switch.example>", headers={"Expires": "600"})

    assert answer.headers.all("Contact") == ("<sip:bob@192.0.2.7:5060>;expires=600",)
    (binding,) = phone.endpoint.bindings("bob")
    assert (str(binding.contact), binding.flow) == ("sip:bob@192.0.2.7:5060", phone.flow)
    assert phone.events == [BindingChanged("bob", binding.contact, phone.flow, 600)]
    phone.wait(600.0)
    assert phone.events[-1] == BindingChanged("bob", binding.contact, phone.flow, 0)
    phone.assert_quiet()


def test_nobody_registers_somebody_elses_name() -> None:
    phone = Stranger(UNTRUSTED)

    assert signed(phone, "REGISTER", to="<sip:alice@switch.example>").status == 403
    assert phone.endpoint.census()["bindings"] == 0


def test_too_short_an_expiry_is_423_with_the_least() -> None:
    answer = signed(Stranger(UNTRUSTED), "REGISTER", to="<sip:bob@x>", headers={"Expires": "5"})

    assert (answer.status, answer.headers.get("Min-Expires")) == (423, "60")


def test_a_trusted_source_registers_with_a_password_all_the_same() -> None:
    assert Stranger(CONFIG).ask(sip_request("REGISTER", to="<sip:bob@x>")).status == 401


def test_bindings_of_a_connection_end_with_it() -> None:
    flow = Flow("tcp", ("198.51.100.1", 5060), ("192.0.2.7", 50000), 4)
    phone = Stranger(UNTRUSTED, flow=flow)
    signed(phone, "REGISTER", to="<sip:bob@x>")
    phone.endpoint.flow_closed(flow, 1.0)
    phone.listen()

    assert phone.endpoint.bindings("bob") == ()
    assert phone.events[-1] == BindingChanged("bob", phone.events[0].contact, flow, 0)


# limits


def test_too_many_sessions_are_503_with_a_retry_after() -> None:
    limits = EndpointLimits(sessions=1)
    phone = Stranger(EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}), limits=limits))
    phone.say(sip_request("INVITE", body="v=0"))

    answer = phone.ask(sip_request("INVITE", call_id="two", branch="z9hG4bK-2", body="v=0"))
    assert (answer.status, 2 <= int(answer.headers.get("Retry-After") or 0) <= 8) == (503, True)
    with pytest.raises(Overload):
        phone.endpoint.invite(**call_parts(phone))


def test_a_full_registrar_is_503() -> None:
    limits = EndpointLimits(registrar=RegistrarLimits(bindings=0))
    phone = Stranger(EndpointConfig(users={"bob": "secret"}, limits=limits))

    assert signed(phone, "REGISTER", to="<sip:bob@x>").status == 503


# our own mistakes


def test_what_our_user_cannot_do_is_a_local_error() -> None:
    phone = Stranger(CONFIG).called(ANSWER)

    with pytest.raises(LocalError, match="not waiting to be answered"):
        phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    with pytest.raises(LocalError, match="over"):
        phone.endpoint.ring(SessionId("none"), now=0.0)
    phone.endpoint.hang_up(SessionId("none"), now=0.0)


def test_a_header_that_would_end_its_line_is_refused_before_anything_is_sent() -> None:
    phone = Stranger(CONFIG)
    parts = call_parts(phone) | {"headers": [("X-A", "b\r\nX-Evil: 1")]}

    with pytest.raises(LocalError):
        phone.endpoint.invite(**parts)
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


def test_the_same_seed_says_the_same_bytes() -> None:
    one, two = Stranger(CONFIG).called(ANSWER), Stranger(CONFIG).called(ANSWER)

    assert one.heard == two.heard


def call_parts(phone: Stranger) -> dict[str, object]:
    """Return the arguments of a plain `invite`."""
    return {
        "target": parse_uri_untrusted("sip:bob@192.0.2.7"),
        "flow": phone.flow,
        "from_": NameAddr(None, parse_uri_untrusted("sip:me@198.51.100.1")),
        "sdp": OFFER,
        "now": phone.now,
    }


def in_dialog(
    phone: Stranger, method: str, *, cseq: int, body: str = "", content_type: str = "application/sdp"
) -> bytes:
    """Write a request of the stranger in the dialog that it began."""
    answer = next(parse_response(d) for d in phone.heard if d[:11] in (b"SIP/2.0 200", b"SIP/2.0 180"))
    return sip_request(
        method,
        to=answer.headers.get("To"),
        cseq=cseq,
        body=body,
        content_type=content_type,
        branch=f"z9hG4bK-{method}-{cseq}",
    )
