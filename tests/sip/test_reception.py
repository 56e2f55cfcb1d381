"""Who is let in and what is turned away, written by hand as a stranger's software would say it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Overload
from gateway.ids import SeededIds
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.endpoint import EndpointConfig, EndpointLimits
from gateway.sip.events import BindingChanged, SessionOffered
from gateway.sip.flow import Flow
from gateway.sip.message import Response
from gateway.sip.registrar import RegistrarLimits
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


def test_a_trusted_source_does_not_pass_for_a_user_of_ours() -> None:
    """A trunk and a phone may share an address: whoever says to be bob proves it."""
    phone = Stranger(CONFIG)

    assert phone.ask(sip_request("INVITE", body="v=0", from_="<sip:bob@switch.example>;tag=x")).status == 401


def test_a_phone_may_trust_everyone() -> None:
    phone = Stranger(EndpointConfig(trust_everyone=True), flow=NAT)
    phone.say(sip_request("INVITE", body="v=0"))

    assert isinstance(phone.events[0], SessionOffered)


@pytest.mark.parametrize("method", ["MESSAGE", "PUBLIC", "FOO"])
@pytest.mark.parametrize("config", [CONFIG, UNTRUSTED])
def test_methods_that_nobody_named_are_405_with_allow(method: str, config: EndpointConfig) -> None:
    answer = Stranger(config).ask(sip_request(method))

    assert answer.status == 405
    assert "INVITE" in (answer.headers.get("Allow") or "")


@pytest.mark.parametrize("method", ["SUBSCRIBE", "NOTIFY", "PUBLISH"])
def test_event_packages_are_489(method: str) -> None:
    assert Stranger(CONFIG).ask(sip_request(method, headers={"Event": "presence"})).status == 489


@pytest.mark.parametrize("method", ["MESSAGE", "PUBLISH"])
def test_an_unknown_method_within_a_dialog_is_405(method: str) -> None:
    """A REFER that found no handler was relayed round until 483 (siphon-project/siphon-sip#110)."""
    phone = Stranger(CONFIG).called(ANSWER)

    assert phone.ask(phone.in_dialog(method, cseq=2)).status == 405


def test_options_says_what_we_speak_even_to_strangers_and_to_any_user() -> None:
    """RFC 3261 section 11; trunks ping with any user and take 404 for death."""
    answer = Stranger(UNTRUSTED).ask(sip_request("OPTIONS", headers={"Max-Forwards": "0"}))

    assert answer.status == 200
    assert all(answer.headers.get(name) for name in ("Allow", "Accept", "Accept-Encoding", "Supported"))


@pytest.mark.parametrize(
    ("request_data", "status"),
    [
        (sip_request("INVITE", headers={"Max-Forwards": "0"}, body="v=0"), 483),
        (sip_request("INVITE", headers={"Require": "100rel, precondition"}, body="v=0"), 420),
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
    answer = Stranger(CONFIG).ask(
        sip_request("INVITE", headers={"Require": "100rel, precondition"}, body="v=0")
    )

    assert answer.headers.get("Unsupported") == "precondition"


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
        phone.in_dialog("INVITE", cseq=2, body="v=0"),
        phone.in_dialog("INFO", cseq=3, body="Signal=5", content_type="application/dtmf-relay"),
        sip_request("INVITE", call_id="other", body="v=0"),
        sip_request("REGISTER", call_id="reg", headers={"Expires": "60"}),
        phone.in_dialog("BYE", cseq=4),
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


def test_a_stranger_who_knows_the_dialog_cannot_move_a_users_call() -> None:
    """A re-INVITE from a new address needs the password that the call began with."""
    phone = Stranger(UNTRUSTED)
    signed(phone, "INVITE", body="v=0")
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=0.0)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=2))

    answer = phone.ask(phone.in_dialog("INVITE", cseq=3, body="v=0"), flow=NAT)

    assert answer.status == 401
    assert isinstance(phone.events[-1], type(phone.events[1]))


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


def test_too_many_sessions_are_503_with_a_retry_after() -> None:
    limits = EndpointLimits(sessions=1)
    phone = Stranger(EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}), limits=limits))
    phone.say(sip_request("INVITE", body="v=0"))

    answer = phone.ask(sip_request("INVITE", call_id="two", branch="z9hG4bK-2", body="v=0"))
    assert (answer.status, 2 <= int(answer.headers.get("Retry-After") or 0) <= 8) == (503, True)
    with pytest.raises(Overload):
        phone.be_called(OFFER)


def test_one_address_has_no_more_than_its_share_of_sessions() -> None:
    phone = Stranger(EndpointConfig(users={"bob": "secret"}, limits=EndpointLimits(sessions_per_source=2)))

    def call(n: int) -> int:
        phone.now += 1.0
        return signed(phone, "INVITE", call_id=f"c{n}", body="v=0").status

    offered = 0
    assert [call(n) for n in range(3)] == [offered, offered, 503]
    phone.endpoint.reject(phone.session, status=486, now=phone.now)
    phone.listen()
    assert call(3) == offered


def test_a_full_registrar_is_503() -> None:
    limits = EndpointLimits(registrar=RegistrarLimits(bindings=0))
    phone = Stranger(EndpointConfig(users={"bob": "secret"}, limits=limits))

    assert signed(phone, "REGISTER", to="<sip:bob@x>").status == 503
