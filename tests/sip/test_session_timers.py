"""RFC 4028: sessions that end by themselves when nobody refreshes them."""

from __future__ import annotations

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import OfferAnswered, OfferReceived, SessionEnded
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))


def called(session_expires: str | None, *, supported: str = "timer") -> Stranger:
    """Return a caller who asked for a timer and was answered."""
    phone = Stranger(CONFIG)
    headers = {"Supported": supported, "Allow": "INVITE, UPDATE"}
    if session_expires is not None:
        headers["Session-Expires"] = session_expires
    phone.say(sip_request("INVITE", body="v=0", headers=headers))
    phone.endpoint.answer(phone.session, sdp=ANSWER, now=phone.now)
    phone.listen()
    phone.say(phone.in_dialog("ACK", cseq=1))
    return phone


def answered(session_expires: str, *, allow: str = "INVITE, UPDATE") -> Stranger:
    """Return a callee who granted a timer."""
    phone = Stranger(CONFIG)
    headers = {"Session-Expires": session_expires, "Allow": allow}
    phone.reply(phone.be_called(OFFER), 200, body="v=0", headers=headers)
    return phone


def granted(phone: Stranger) -> tuple[str | None, str | None]:
    answer = next(parse_response(data) for data in phone.heard if data.startswith(b"SIP/2.0 200"))
    return answer.headers.get("Session-Expires"), answer.headers.get("Require")


def test_section_7_1_we_ask_for_a_timer() -> None:
    invite = parse_request(Stranger(CONFIG).be_called(OFFER))

    assert (invite.headers.get("Session-Expires"), invite.headers.get("Min-SE")) == ("1800", "90")
    assert "timer" in invite.headers.all("Supported")


def test_section_7_3_a_422_is_answered_once_with_a_longer_interval() -> None:
    """versatica/JsSIP#397: no retry, so no call."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    _, again = phone.reply(invite, 422, headers={"Min-SE": "3600"})
    first, second = parse_request(invite), parse_request(again)

    assert second.headers.get("Session-Expires") == "3600"
    assert (second.call_id, second.cseq.number) == (first.call_id, first.cseq.number + 1)
    phone.reply(again, 422, headers={"Min-SE": "7200"})
    assert isinstance(phone.events[-1], SessionEnded)


def test_section_9_an_interval_under_ninety_seconds_is_refused_with_422() -> None:
    phone = Stranger(CONFIG)
    headers = {"Supported": "timer", "Session-Expires": "60"}
    answer = phone.ask(sip_request("INVITE", body="v=0", headers=headers))

    assert (answer.status, answer.headers.get("Min-SE")) == (422, "90")


def test_an_interval_that_a_proxy_wrote_for_a_phone_without_timers_is_raised() -> None:
    assert granted(called("60", supported="replaces"))[0] == "90;refresher=uas"
    assert granted(called("60;refresher=uac", supported="replaces")) == ("90;refresher=uas", None)


def test_the_ninety_seconds_of_a_browser_are_granted() -> None:
    """versatica/JsSIP#297: JsSIP asks for 90, always."""
    assert granted(called("90")) == ("90;refresher=uas", None)


def test_section_9_the_callers_choice_of_refresher_stands_and_is_required() -> None:
    assert granted(called("600;refresher=uac")) == ("600;refresher=uac", "timer")


def test_a_caller_who_knows_timers_and_asks_for_none_gets_one_that_we_refresh() -> None:
    assert granted(called(None)) == ("1800;refresher=uas", None)


def test_a_caller_who_does_not_know_timers_gets_none() -> None:
    assert granted(called(None, supported="replaces")) == (None, None)


def test_section_10_the_refresher_speaks_at_half_of_the_interval_by_update() -> None:
    """signalwire/freeswitch#1994: a re-INVITE's ACK is lost at NATs; UPDATE has none."""
    phone = called("600")

    assert phone.wait(299.0) == []
    (update,) = phone.wait(1.1)
    assert parse_request(update).method == "UPDATE"
    assert parse_request(update).headers.get("Session-Expires") == "600;refresher=uac"
    assert parse_request(update).body == b""


def test_section_10_a_refreshed_session_goes_on() -> None:
    phone = called("600")
    for _ in range(5):
        (update,) = phone.wait(300.2)
        phone.reply(update, 200, headers={"Session-Expires": "600;refresher=uac"})

    assert not any(isinstance(event, SessionEnded) for event in phone.events)


def test_a_refresh_by_re_invite_repeats_the_description_to_the_letter_and_reports_nothing() -> None:
    """Media never starts over for a refresh."""
    phone = answered("600;refresher=uac", allow="INVITE")
    (invite,) = phone.wait(300.2)
    (ack,) = phone.reply(invite, 200, body="v=0", headers={"Session-Expires": "600;refresher=uac"})

    assert (parse_request(invite).method, parse_request(invite).body) == ("INVITE", OFFER)
    assert parse_request(ack).method == "ACK"
    assert not any(isinstance(event, OfferAnswered) for event in phone.events)


def test_a_refresh_whose_answer_is_new_reports_it() -> None:
    phone = answered("600;refresher=uac", allow="INVITE")
    (invite,) = phone.wait(300.2)
    phone.reply(invite, 200, body="v=0 moved", headers={"Session-Expires": "600;refresher=uac"})

    assert phone.events[-1] == OfferAnswered(phone.calls[-1], b"v=0 moved")


def test_update_is_given_up_when_the_peer_does_not_speak_it() -> None:
    phone = answered("600;refresher=uac")
    (update,) = phone.wait(300.2)
    (invite,) = phone.reply(update, 405)

    assert parse_request(invite).method == "INVITE"


def test_a_peer_that_refuses_every_refresh_is_alive_and_keeps_its_call() -> None:
    phone = answered("600;refresher=uac")
    for _ in range(4):
        (request,) = phone.wait(300.2)
        said = phone.reply(request, 488)
        if parse_request(request).method == "UPDATE":
            _ = [phone.reply(data, 488) for data in said]

    assert not any(isinstance(event, SessionEnded) for event in phone.events)


@pytest.mark.parametrize("status", [491, 500, 503])
def test_a_refresh_that_came_at_a_bad_moment_is_tried_again(status: int) -> None:
    phone = answered("600;refresher=uac")
    (update,) = phone.wait(300.2)
    phone.reply(update, status)
    again, *_ = phone.wait(4.2)

    assert parse_request(again).method == "UPDATE"


def test_section_10_a_refresher_that_is_not_heard_ends_the_session() -> None:
    """LubosD/twinkle#277: a dead peer kept the call for ever."""
    phone = answered("600;refresher=uas")
    assert phone.wait(567.0) == []
    said = phone.wait(2.0)

    assert parse_request(said[0]).method == "BYE"
    assert isinstance(phone.events[-1], SessionEnded)
    assert phone.events[-1].cause.by == "timeout"


def test_section_10_a_refresh_that_nobody_answers_ends_the_session() -> None:
    """pjsip/pjproject#1722."""
    phone = answered("600;refresher=uac")
    phone.wait(600.0)

    assert isinstance(phone.events[-1], SessionEnded)


def test_a_refresh_of_theirs_starts_the_interval_anew() -> None:
    phone = called("600;refresher=uac")
    phone.wait(400.0)
    answer = phone.ask(phone.in_dialog("UPDATE", cseq=2))

    assert answer.status == 200
    assert phone.wait(300.0) == []


def test_the_roles_stay_when_the_other_end_sends_a_re_invite() -> None:
    phone = called("600")  # we are the refresher
    phone.say(
        phone.in_dialog("INVITE", cseq=2, body="v=0").replace(
            b"Content-Type", b"Supported: timer\r\nSession-Expires: 600\r\nContent-Type"
        )
    )
    assert isinstance(phone.events[-1], OfferReceived)
    phone.endpoint.accept_offer(phone.session, sdp=ANSWER, now=phone.now)
    (answer,) = phone.listen()

    assert parse_response(answer).headers.get("Session-Expires") == "600;refresher=uas"


def test_a_422_to_a_refresh_lengthens_the_interval() -> None:
    """pjsip/pjproject#2120: it crashed."""
    phone = answered("600;refresher=uac")
    (update,) = phone.wait(300.2)
    (again,) = phone.reply(update, 422, headers={"Min-SE": "900"})

    assert parse_request(again).headers.get("Session-Expires") == "900;refresher=uac"


def test_a_call_with_early_media_is_refreshed_like_any_other() -> None:
    """LubosD/twinkle#277: the refresher never refreshed if the call had early media."""
    pair = SipPair()
    pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, status=183, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.run(3600.0)

    assert pair.said()[6:] == ["UPDATE", "200 OK"] * 4
    assert not pair.alice.has(SessionEnded)


def test_timers_can_be_switched_off() -> None:
    phone = Stranger(EndpointConfig(session_expires_s=0, trusted_sources=frozenset({"192.0.2.7"})))

    assert "Session-Expires" not in parse_request(phone.be_called(OFFER)).headers
