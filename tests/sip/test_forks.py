"""An INVITE of ours that a proxy forks to several callees (RFC 3261 section 13.2.2.4)."""

from __future__ import annotations

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.message import Response
from gateway.testing.sip_pair import OFFER
from gateway.testing.sip_script import Stranger, parse_request, sip_request

CONFIG = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({"192.0.2.7"}))


def test_every_branch_of_a_fork_has_its_own_early_dialog() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, tag="gateway", body="early=gateway")
    phone.reply(invite, 180, tag="phone")

    assert phone.endpoint.census()["dialogs"] == 2


def test_each_200_of_a_fork_is_acknowledged_and_all_but_the_first_are_ended() -> None:
    """RFC 3261 section 13.2.2.4; pjsip/pjproject#111, #657."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
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
    phone.endpoint.hang_up(phone.calls[0], now=phone.now)
    phone.assert_quiet()


def test_the_200_of_the_other_branch_counts_not_the_one_that_rang() -> None:
    """A 183 from a media gateway, the 200 from another (pjsip/pjproject#1644)."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
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


def test_a_200_that_is_still_repeated_when_its_transaction_is_over_gets_its_ack() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 200)
    phone.wait(40.0)

    assert [data.split()[0] for data in phone.reply(invite, 200)] == [b"ACK"]


def test_a_fork_that_answers_a_thousand_times_does_not_make_us_say_goodbye_a_thousand_times() -> None:
    phone = Stranger(EndpointConfig())
    invite = phone.be_called(OFFER)
    said = [data for n in range(1000) for data in phone.reply(invite, 200, tag=f"t{n}", body="v=0")]

    assert len([data for data in said if data.startswith(b"BYE")]) == 31
