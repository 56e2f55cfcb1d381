from __future__ import annotations

import pytest

from gateway.errors import LocalError
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import BindingChanged, Registered, RegistrationFailed, RegistrationId
from gateway.sip.registration import REGISTRATION, RegistrationInput, RegistrationState
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.sip_pair import SipPair
from gateway.testing.sip_script import Stranger, parse_request

REGISTRAR = EndpointConfig(users={"alice": "secret"})


def register(pair: SipPair, *, password: str = "secret", expires_s: int = 300) -> RegistrationId:
    return pair.alice.endpoint.register(
        registrar=parse_uri_untrusted("sip:192.0.2.2"),
        aor=parse_uri_untrusted("sip:alice@192.0.2.2"),
        flow=pair.alice.flow,
        credentials=Credentials("alice", password),
        expires_s=expires_s,
        now=pair.now,
    )


def from_stranger(*, expires_s: int = 300) -> tuple[Stranger, RegistrationId, bytes]:
    phone = Stranger(EndpointConfig(contact_user="alice"))
    registration = phone.endpoint.register(
        registrar=parse_uri_untrusted("sip:192.0.2.7"),
        aor=parse_uri_untrusted("sip:alice@192.0.2.7"),
        flow=phone.flow,
        credentials=Credentials("alice", "secret"),
        expires_s=expires_s,
        now=phone.now,
    )
    (request,) = phone.listen()
    return phone, registration, request


def test_it_registers_by_digest_and_stays_registered() -> None:
    """RFC 3665 section 2.1 and 2.2; known challenges are answered unasked, so a refresh is one round."""
    pair = SipPair(bob=REGISTRAR)
    registration = register(pair)
    pair.exchange()
    assert pair.said() == ["REGISTER", "401 Unauthorized", "REGISTER", "200 OK"]
    assert pair.alice.events == [Registered(registration, 300)]

    pair.run(250.0)
    assert pair.said()[4:] == ["REGISTER", "200 OK"]
    assert len(pair.bob.endpoint.bindings("alice")) == 1


def test_a_nonce_that_grew_old_between_refreshes_is_replaced_without_a_report() -> None:
    pair = SipPair(bob=REGISTRAR)
    register(pair, expires_s=600)
    pair.exchange()
    pair.run(1700.0)

    assert pair.alice.all(RegistrationFailed) == []
    assert len(pair.bob.endpoint.bindings("alice")) == 1


def test_it_unregisters() -> None:
    pair = SipPair(bob=REGISTRAR)
    registration = register(pair)
    pair.exchange()
    pair.alice.endpoint.unregister(registration, now=pair.now)
    pair.run_quiet()

    assert pair.bob.last(BindingChanged).expires_s == 0
    pair.assert_quiet()
    with pytest.raises(LocalError):
        pair.alice.endpoint.unregister(registration, now=pair.now)


def test_it_unregisters_even_if_asked_before_it_was_registered() -> None:
    pair = SipPair(bob=REGISTRAR)
    pair.alice.endpoint.unregister(register(pair), now=pair.now)
    pair.run_quiet()

    assert not pair.alice.has(Registered)
    pair.assert_quiet()


def test_a_wrong_password_is_reported_and_tried_again_with_growing_pauses() -> None:
    pair = SipPair(bob=EndpointConfig(users={"alice": "other"}))
    registration = register(pair)
    pair.run(1000.0)

    assert pair.alice.last(RegistrationFailed).registration == registration
    first_tries = [line.at for line in pair.lines if line.start == "REGISTER"]
    assert list(dict.fromkeys(first_tries)) == [0.0, 30.0, 90.0, 210.0, 450.0, 750.0]


def test_a_registrar_that_is_silent_is_reported_as_408() -> None:
    pair = SipPair(network=lambda line: ())
    registration = register(pair)
    pair.run(33.0)

    assert pair.alice.events == [RegistrationFailed(registration, 408, "no answer came in time")]


def test_423_raises_the_expiry() -> None:
    """RFC 3665 section 2 has no such flow, RFC 3261 section 10.2.8 does."""
    phone, registration, request = from_stranger(expires_s=30)
    (again,) = phone.reply(request, 423, headers={"Min-Expires": "60"})

    assert parse_request(again).headers.get("Expires") == "60"
    phone.reply(again, 200, contact="<sip:alice@198.51.100.1:5060>;expires=60")
    assert phone.events == [Registered(registration, 60)]


def test_the_grant_is_that_of_our_own_contact() -> None:
    """Flexisip lists foreign bindings first, and clients renewed for ever (BelledonneCommunications/flexisip#186)."""
    phone, registration, request = from_stranger()
    contacts = "<sip:alice@10.0.0.1>;expires=7, <sip:alice@198.51.100.1:5060>;expires=120"
    phone.reply(request, 200, contact=contacts)

    assert phone.events == [Registered(registration, 120)]
    (refresh, *_) = phone.wait(61.0)
    assert parse_request(refresh).cseq.number == parse_request(request).cseq.number + 1
    assert parse_request(refresh).call_id == parse_request(request).call_id


def test_a_closed_connection_ends_its_registrations() -> None:
    pair = SipPair(transport="tcp", bob=REGISTRAR)
    registration = register(pair)
    pair.exchange()
    pair.alice.endpoint.flow_closed(pair.alice.flow, pair.now)
    pair.exchange()

    assert pair.alice.events[-1] == RegistrationFailed(
        registration, 503, "the connection to the registrar ended", over=True
    )
    assert pair.alice.endpoint.census()["registrations"] == 0


def test_every_state_can_be_left() -> None:
    left = {state for state, _ in REGISTRATION}

    assert left == set(RegistrationState) - {RegistrationState.GONE}
    assert all((state, RegistrationInput.UNREGISTER) in REGISTRATION for state in left)


def test_a_registrar_that_says_when_to_come_back_is_obeyed() -> None:
    phone, _, request = from_stranger()
    phone.reply(request, 503, headers={"Retry-After": "600;duration=3600"})

    assert phone.wait(599.0) == []
    assert len(phone.wait(1.1)) == 1


def test_after_silence_everybody_comes_back_at_another_time() -> None:
    """Promise 4: a herd that was thrown out together shall not return together."""
    returned = set()
    for seed in range(8):
        pair = SipPair(network=lambda line: (), seed=seed + 1)
        register(pair)
        pair.run(90.0)
        tries = [line.at for line in pair.lines if line.start == "REGISTER"]
        returned.add(next(at for at in tries if at > 32.0))

    assert len(returned) > 4
    assert min(returned) >= 62.0
