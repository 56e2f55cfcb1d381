"""RFC 3515 with RFC 3891, 3892 and 4488: REFER in both roles, and what is told about it."""

from __future__ import annotations

import pytest

from gateway.errors import LocalError
from gateway.sip.dialog import DialogId
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import ReferProgressed, ReferralOver, ReferReceived, SessionEnded
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr, parse_name_addr_untrusted
from gateway.sip.replaces import Replaces, embedded_header, parse_replaces_untrusted
from gateway.sip.uri import escape, parse_uri_untrusted
from gateway.testing.sip_pair import ANSWER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}), users={"carol": "secret"})
CAROL = NameAddr(None, parse_uri_untrusted("sip:carol@192.0.2.9"))


def refer(
    phone: Stranger, to: str = "<sip:carol@switch.example>", *, cseq: int = 2, headers: str = ""
) -> bytes:
    """Write a REFER within the stranger's call."""
    extra = f"Refer-To: {to}\r\n{headers}".encode()
    return phone.in_dialog("REFER", cseq=cseq).replace(b"Content-Length", extra + b"Content-Length")


def asked(headers: str = "") -> Stranger:
    """Return a stranger whose REFER waits for our user."""
    phone = Stranger(EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))).called(ANSWER)
    assert phone.say(refer(phone, headers=headers)) == []
    return phone


def test_nothing_is_sent_before_our_user_has_decided() -> None:
    phone = asked("Referred-By: <sip:bob@switch.example>\r\n")
    received = phone.events[-1]

    assert isinstance(received, ReferReceived)
    assert (received.target.uri.user, received.referred_by) == ("carol", "<sip:bob@switch.example>")
    assert (received.attended, received.replaces) == (False, None)


def test_section_2_4_4_an_accepted_transfer_is_notified_at_once() -> None:
    phone = asked()
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    accepted, notify = phone.listen()
    told = parse_request(notify)

    assert parse_response(accepted).status == 202
    assert told.body == b"SIP/2.0 100 Trying\r\n"
    assert told.headers.get("Event") == "refer"
    assert told.headers.get("Subscription-State") == "active;expires=180"
    assert told.headers.get("Content-Type") == "message/sipfrag;version=2.0"


def test_section_2_4_5_the_last_notify_ends_the_subscription() -> None:
    phone = asked()
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    phone.reply(phone.listen()[1], 200)
    phone.endpoint.notify_refer(phone.session, status=486, reason="Busy Here", now=phone.now)
    (last,) = phone.listen()
    told = parse_request(last)

    assert told.body == b"SIP/2.0 486 Busy Here\r\n"
    assert told.headers.get("Subscription-State") == "terminated;reason=noresource"
    assert not isinstance(phone.events[-1], ReferralOver)
    phone.reply(last, 200)
    assert phone.events[-1] == ReferralOver(phone.session)
    with pytest.raises(LocalError):
        phone.endpoint.notify_refer(phone.session, status=200, now=phone.now)


def test_the_second_transfer_of_a_call_names_its_cseq() -> None:
    """RFC 3515 section 2.4.6."""
    phone = asked()
    phone.endpoint.refuse_refer(phone.session, now=phone.now)
    phone.listen()
    phone.say(refer(phone, cseq=3))
    phone.endpoint.accept_refer(phone.session, now=phone.now)

    assert parse_request(phone.listen()[1]).headers.get("Event") == "refer;id=3"


def test_rfc_4488_who_wants_no_notify_gets_none() -> None:
    phone = asked("Refer-Sub: false\r\n")
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    (accepted,) = phone.listen()
    phone.endpoint.notify_refer(phone.session, status=200, now=phone.now)

    assert parse_response(accepted).headers.get("Refer-Sub") == "false"
    assert phone.listen() == []
    assert phone.events[-1] == ReferralOver(phone.session)


def test_a_refused_transfer_gets_its_status_and_no_notify() -> None:
    phone = asked()
    phone.endpoint.refuse_refer(phone.session, status=403, now=phone.now)

    assert [parse_response(data).status for data in phone.listen()] == [403]


def test_rfc_5589_a_transferor_who_hangs_up_at_once_is_told_nevertheless() -> None:
    """siphon-project/siphon-sip#220: its BYE killed the transfer."""
    phone = asked()
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    phone.reply(phone.listen()[1], 200)
    phone.say(phone.in_dialog("BYE", cseq=3))
    phone.endpoint.notify_refer(phone.session, status=200, now=phone.now)
    (last,) = phone.listen()
    phone.reply(last, 481)

    assert parse_request(last).body == b"SIP/2.0 200 OK\r\n"
    assert isinstance(phone.events[-1], SessionEnded)
    phone.assert_quiet()


def test_a_peer_that_wants_to_hear_no_more_is_told_no_more() -> None:
    phone = asked()
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    phone.reply(phone.listen()[1], 481)

    with pytest.raises(LocalError):
        phone.endpoint.notify_refer(phone.session, status=180, now=phone.now)


def test_a_transfer_that_takes_too_long_is_told_408() -> None:
    phone = asked()
    phone.endpoint.accept_refer(phone.session, now=phone.now)
    phone.reply(phone.listen()[1], 200)
    said = phone.wait(181.0)

    assert parse_request(said[0]).body.startswith(b"SIP/2.0 408")


def test_a_second_refer_while_the_first_is_tried_gets_491() -> None:
    phone = asked()

    assert phone.ask(refer(phone, cseq=3)).status == 491


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("<http://example.com>", 416),
        ("<sip:carol@switch.example;method=BYE>", 403),
        ("<sip:carol@switch.example?Replaces=nonsense>", 400),
        ("<sip:a@b>, <sip:c@d>", 400),
        ("<nonsense", 400),
    ],
)
def test_a_target_that_is_none_is_refused(to: str, status: int) -> None:
    phone = asked_nothing()

    assert phone.ask(refer(phone, to)).status == status


def asked_nothing() -> Stranger:
    return Stranger(EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))).called(ANSWER)


def test_a_refer_outside_of_a_call_is_refused_even_with_a_password() -> None:
    """Promise 38: nothing that costs money without identity."""
    answer = Stranger(CONFIG).ask(sip_request("REFER", headers={"Refer-To": "<sip:1900@premium.example>"}))

    assert answer.status == 401


def test_a_transfer_asked_for_from_another_address_is_refused() -> None:
    phone = asked_nothing()
    elsewhere = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.66", 5060))

    assert phone.ask(refer(phone), flow=elsewhere).status == 403


def test_rfc_3891_a_refer_with_replaces_names_one_of_our_own_sessions() -> None:
    phone = asked_nothing()
    phone.say(
        sip_request("INVITE", call_id="call-2", from_="<sip:dave@x>;tag=d", branch="z9hG4bK-2", body="v=0")
    )
    other = phone.session
    phone.endpoint.answer(other, sdp=ANSWER, now=phone.now)
    tag = parse_response(phone.listen()[0]).to.tag
    phone.say(refer(phone, f"<sip:c@h?Replaces=call-2%3Bto-tag%3D{tag}%3Bfrom-tag%3Dd>"))
    received = phone.events[-1]

    assert isinstance(received, ReferReceived)
    assert (received.attended, received.replaces) == (True, other)


def test_a_replaces_that_names_nothing_of_ours_is_told_apart_from_a_blind_transfer() -> None:
    phone = asked_nothing()
    phone.say(refer(phone, "<sip:c@h?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
    received = phone.events[-1]

    assert isinstance(received, ReferReceived)
    assert (received.attended, received.replaces) == (True, None)


# We ask.


def test_we_ask_and_are_told() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.alice.endpoint.refer(call, target=CAROL, now=pair.now)
    pair.exchange()
    bob = pair.bob.endpoint
    bob.accept_refer(pair.bob.session, now=pair.now)
    pair.exchange()
    bob.notify_refer(pair.bob.session, status=180, now=pair.now)
    pair.exchange()
    bob.notify_refer(pair.bob.session, status=200, now=pair.now)
    pair.exchange()

    told = [(event.outcome.status, event.over) for event in pair.alice.all(ReferProgressed)]
    assert told == [(100, False), (180, False), (200, True)]


def test_one_notify_is_under_way_at_a_time_and_only_the_latest_news_waits() -> None:
    """A repeated NOTIFY that the next has overtaken is refused for its CSeq, and the outcome was never told."""
    phone = asked()
    endpoint = phone.endpoint
    endpoint.accept_refer(phone.session, now=phone.now)
    _, first = phone.listen()
    endpoint.notify_refer(phone.session, status=180, now=phone.now)
    endpoint.notify_refer(phone.session, status=200, now=phone.now)

    assert phone.listen() == []
    (last,) = phone.reply(first, 500)
    assert parse_request(last).body == b"SIP/2.0 200 OK\r\n"
    phone.reply(last, 200)
    assert phone.events[-1] == ReferralOver(phone.session)


def test_our_transfer_may_be_refused() -> None:
    pair = SipPair()
    call = pair.talk()
    pair.alice.endpoint.refer(call, target=CAROL, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.refuse_refer(pair.bob.session, status=603, now=pair.now)
    pair.exchange()

    assert pair.alice.last(ReferProgressed).outcome.status == 603
    assert pair.alice.last(ReferProgressed).over


@pytest.mark.parametrize(
    ("event", "body", "status"),
    [("refer", "SIP/2.0 200 OK", 481), ("presence", "", 489), ("refer", "nonsense", 481)],
)
def test_a_notify_that_nobody_asked_for_is_refused(event: str, body: str, status: int) -> None:
    phone = asked_nothing()
    data = phone.in_dialog("NOTIFY", cseq=2, body=body).replace(
        b"Contact", f"Event: {event}\r\nContact".encode(), 1
    )

    assert phone.ask(data).status == status


# INVITE with Replaces.


def replacing(phone: Stranger, replaces: str) -> bytes:
    return sip_request(
        "INVITE",
        call_id="new",
        from_="<sip:eve@x>;tag=e",
        branch="z9hG4bK-n",
        body="v=0",
        headers={"Replaces": replaces},
    )


def local_tag(phone: Stranger) -> str:
    answer = next(parse_response(data) for data in phone.heard if data.startswith(b"SIP/2.0 200"))
    return answer.to.tag or ""


def test_rfc_3891_section_3_an_invite_that_replaces_is_offered_with_what_it_replaces() -> None:
    phone = asked_nothing()
    replaced = phone.session
    phone.say(replacing(phone, f"call-1;to-tag={local_tag(phone)};from-tag=bob-1"))

    assert phone.events[-1].replaces == replaced  # type: ignore[union-attr]  # it is a SessionOffered


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("x;to-tag=1;from-tag=2", 481),
        ("call-1;from-tag=bob-1", 400),
        ("call-1;to-tag=TAG;from-tag=bob-1;early-only", 486),
    ],
)
def test_rfc_3891_section_3_what_cannot_be_replaced_is_refused(replaces: str, status: int) -> None:
    phone = asked_nothing()

    assert phone.ask(replacing(phone, replaces.replace("TAG", local_tag(phone)))).status == status


def test_rfc_3891_section_3_a_dialog_that_is_being_ended_is_declined() -> None:
    phone = asked_nothing()
    phone.endpoint.hang_up(phone.session, now=phone.now)
    phone.listen()

    assert phone.ask(replacing(phone, f"call-1;to-tag={local_tag(phone)};from-tag=bob-1")).status == 603


def test_replaces_survives_being_written_into_a_uri() -> None:
    replaces = Replaces(DialogId("84b4c76e66710@[2001:db8::1]", "t1", "t2"), early_only=True)
    target = parse_name_addr_untrusted(f"<sip:c@h?Require=replaces&Replaces={escape(str(replaces))}>")

    assert parse_replaces_untrusted(embedded_header(target.uri, "replaces") or "") == replaces
