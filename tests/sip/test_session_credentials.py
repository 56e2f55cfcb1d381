"""How the engine answers challenges to the requests of its calls."""

from __future__ import annotations

import pytest

from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import SessionEnded
from gateway.testing.sip_pair import OFFER
from gateway.testing.sip_script import Stranger, parse_request

CONFIG = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({"192.0.2.7"}))


def test_a_challenged_invite_goes_again_one_cseq_further_in_the_same_call() -> None:
    """RFC 3665 section 3.2: 407; the ACK to the 200 carries the credentials too."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER, credentials=Credentials("me", "pw"))
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
    invite = phone.be_called(OFFER)
    question = {"WWW-Authenticate": 'Digest realm="x", nonce="n"'}
    said = phone.reply(invite, status, headers=question)

    assert [data.split()[0] for data in said] == [b"ACK"]
    assert phone.events[-1].cause.status == status


def test_a_second_challenge_for_the_same_password_ends_the_call() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER, credentials=Credentials("me", "wrong"))
    question = {"WWW-Authenticate": 'Digest realm="x", nonce="n"'}
    _, again = phone.reply(invite, 401, headers=question)
    said = phone.reply(again, 401, headers=question)

    assert [data.split()[0] for data in said] == [b"ACK"]
    assert isinstance(phone.events[-1], SessionEnded)
    phone.assert_quiet()


def test_a_bye_that_is_challenged_by_who_challenged_before_is_answered_too() -> None:
    phone = Stranger(CONFIG)
    question = {"WWW-Authenticate": 'Digest realm="x", nonce="n"'}
    first = phone.be_called(OFFER, credentials=Credentials("me", "pw"))
    _, invite = phone.reply(first, 401, headers=question)
    phone.reply(invite, 200, body="v=0")
    phone.endpoint.hang_up(phone.calls[0], now=0.0)
    (bye,) = phone.listen()
    (again,) = phone.reply(bye, 401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="n2"'})

    assert 'nonce="n2"' in (parse_request(again).headers.get("Authorization") or "")
    phone.reply(again, 200)
    phone.assert_quiet()


@pytest.mark.parametrize("status", [401, 407])
def test_promise_40_a_callee_that_challenges_in_the_call_learns_nothing(status: int) -> None:
    """CVE-2021-41158: FreeSWITCH answered any challenge with the gateway's digest."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER, credentials=Credentials("me", "pw"))
    phone.reply(invite, 200, body="v=0")
    phone.endpoint.hang_up(phone.calls[0], now=0.0)
    (bye,) = phone.listen()
    header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"

    assert phone.reply(bye, status, headers={header: 'Digest realm="evil", nonce="n"'}) == []
    assert not any(b"uthorization" in data for data in phone.heard)
    phone.assert_quiet()


def test_a_session_hung_up_while_it_is_challenged_does_not_call_again() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER, credentials=Credentials("me", "pw"))
    phone.endpoint.hang_up(phone.calls[0], now=0.0)
    said = phone.reply(invite, 401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="n"'})

    assert [data.split()[0] for data in said] == [b"ACK"]
    phone.assert_quiet()
