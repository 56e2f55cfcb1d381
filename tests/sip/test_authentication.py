from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ids import SeededIds
from gateway.sip.authentication import Authenticator, ClientAuthentication, Credentials, Identity, Refusal
from gateway.sip.digest import parse_challenge_untrusted
from gateway.sip.flow import Flow
from gateway.sip.message import Request, Response, respond
from gateway.testing.sip_script import parse_request, sip_request

FLOW = Flow("udp", ("198.51.100.1", 5060), ("192.0.2.7", 5060))
ELSEWHERE = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 5060))


def server(*algorithms: str) -> Authenticator:
    users = {"bob": "secret"}
    return Authenticator(realm="tandem", users=users, algorithms=algorithms or ("MD5",), ids=SeededIds(1))


def client(password: str = "secret", username: str = "bob", realm: str | None = None) -> ClientAuthentication:
    return ClientAuthentication(Credentials(username, password, realm), SeededIds(2))


def request(method: str = "REGISTER") -> Request:
    return parse_request(sip_request(method))


def challenge(authenticator: Authenticator, now: float = 0.0) -> Response:
    refusal = authenticator.identify(request(), FLOW, now)
    assert isinstance(refusal, Refusal)
    return respond(request(), refusal.status, headers=refusal.headers)


def try_once(
    authenticator: Authenticator, asker: ClientAuthentication, *, now: float = 0.0, flow: Flow = FLOW
) -> Identity | Refusal:
    asker.learn(challenge(authenticator, now), 0)
    return authenticator.identify(asker.authorize(request()), flow, now)


def test_who_shows_nothing_is_challenged_with_md5_alone() -> None:
    response = challenge(server())

    (text,) = response.headers.all("WWW-Authenticate")
    assert response.status == 401
    assert (parse_challenge_untrusted(text).algorithm, parse_challenge_untrusted(text).qop) == ("MD5", True)


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
def test_the_right_password_is_an_identity(algorithms: tuple[str, ...]) -> None:
    assert try_once(server(*algorithms), client()) == Identity("bob")


def test_two_algorithms_are_two_headers_with_nonces_of_their_own() -> None:
    texts = challenge(server("SHA-256", "MD5")).headers.all("WWW-Authenticate")

    challenges = [parse_challenge_untrusted(text) for text in texts]
    assert [each.algorithm for each in challenges] == ["SHA-256", "MD5"]
    assert challenges[0].nonce != challenges[1].nonce


def test_an_unknown_user_cannot_be_told_from_a_wrong_password() -> None:
    wrong = try_once(server(), client(password="guess"))
    unknown = try_once(server(), client(username="nobody", password="guess"))

    assert wrong == unknown
    assert isinstance(wrong, Refusal)
    assert wrong.status == 401


def test_the_password_of_nobody_opens_nothing() -> None:
    """The stand-in password of unknown users must not be one that anybody could use."""
    assert not isinstance(try_once(server(), client(username="nobody", password="")), Identity)


def test_a_request_sent_again_under_another_transaction_is_a_replay() -> None:
    authenticator, bob = server(), client()
    bob.learn(challenge(authenticator), 0)
    signed = bob.authorize(request())

    assert authenticator.identify(signed, FLOW, 0.0) == Identity("bob")
    replay = authenticator.identify(signed, ELSEWHERE, 1.0)
    assert isinstance(replay, Refusal)
    assert "stale=true" in replay.headers[0][1]


def test_a_nonce_may_be_used_from_another_address() -> None:
    assert try_once(server(), client(), flow=ELSEWHERE) == Identity("bob")


def test_credentials_for_one_method_do_not_serve_another() -> None:
    authenticator, bob = server(), client()
    bob.learn(challenge(authenticator), 0)
    signed = bob.authorize(request("REGISTER"))

    assert isinstance(authenticator.identify(replace(signed, method="INVITE"), FLOW, 0.0), Refusal)


def test_credentials_for_one_number_do_not_serve_another() -> None:
    authenticator, bob = server(), client()
    bob.learn(challenge(authenticator), 0)
    signed = bob.authorize(request("INVITE"))
    elsewhere = replace(signed, uri=replace(signed.uri, user="900"))

    assert isinstance(authenticator.identify(elsewhere, FLOW, 0.0), Refusal)


def test_credentials_that_sign_the_server_alone_serve_any_number_of_it() -> None:
    """SIPp signs `sip:host:port`, whatever it asks for."""
    authenticator, bob = server(), client()
    bob.learn(challenge(authenticator), 0)
    asked = request("INVITE")
    (authorization,) = bob.authorize(replace(asked, uri=replace(asked.uri, user=None))).headers.all(
        "Authorization"
    )
    signed = replace(asked, headers=asked.headers.with_("Authorization", authorization))

    assert authenticator.identify(signed, FLOW, 0.0) == Identity("bob")


def test_an_old_nonce_is_stale_and_no_failure() -> None:
    authenticator, bob = server(), client()
    bob.learn(challenge(authenticator), 0)

    for _ in range(10):
        refusal = authenticator.identify(bob.authorize(request()), FLOW, 301.0)
        assert isinstance(refusal, Refusal)
        assert (refusal.status, "stale=true" in refusal.headers[0][1]) == (401, True)


def test_five_failures_within_a_minute_close_the_door_for_a_minute() -> None:
    authenticator = server()
    for second in range(5):
        try_once(authenticator, client(password="guess"), now=float(second))

    refused = try_once(authenticator, client(), now=10.0)
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.headers) == (403, (("Retry-After", "55"),))
    assert try_once(authenticator, client(), now=65.0) == Identity("bob")


def test_the_owner_at_another_address_is_not_locked_out() -> None:
    authenticator = server()
    for _ in range(9):
        try_once(authenticator, client(password="guess"), flow=ELSEWHERE)

    assert try_once(authenticator, client()) == Identity("bob")


def test_each_further_round_closes_the_door_for_twice_as_long() -> None:
    authenticator = server()
    for now in (0.0, 100.0):
        for _ in range(5):
            try_once(authenticator, client(password="guess"), now=now)

    refused = try_once(authenticator, client(), now=100.0)
    assert isinstance(refused, Refusal)
    assert refused.headers == (("Retry-After", "121"),)


def test_a_client_answers_once_and_once_more_when_only_the_nonce_was_stale() -> None:
    bob = client()
    fresh = respond(request(), 401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="1"')])
    stale = respond(request(), 401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="2", stale=TRUE')])

    assert [bob.learn(fresh, 0), bob.learn(fresh, 1)] == [True, False]
    assert [bob.learn(stale, 0), bob.learn(stale, 1), bob.learn(stale, 2)] == [True, True, False]


def test_a_client_answers_www_and_proxy_challenges_in_one_request() -> None:
    bob = client()
    digest = 'Digest realm="r", nonce="1", qop="auth"'
    both = respond(request(), 407, headers=[("WWW-Authenticate", digest), ("Proxy-Authenticate", digest)])

    assert bob.learn(both, 0)
    signed = bob.authorize(request())
    assert ("Authorization" in signed.headers, "Proxy-Authorization" in signed.headers) == (True, True)


def test_a_client_counts_the_uses_of_a_nonce() -> None:
    bob = client()
    bob.learn(
        respond(request(), 401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="1", qop="auth"')]), 0
    )

    texts = [bob.authorize(request()).headers.get("Authorization") or "" for _ in range(2)]

    assert ["nc=00000001" in texts[0], "nc=00000002" in texts[1]] == [True, True]


def test_a_client_with_a_realm_answers_no_other() -> None:
    """FreeSWITCH answered any challenge with the gateway's digest (CVE-2021-41158)."""
    bob = client(realm="trunk.example")
    hostile = respond(request(), 401, headers=[("WWW-Authenticate", 'Digest realm="evil", nonce="1"')])

    assert not bob.learn(hostile, 0)
    assert bob.authorize(request()) == request()


def test_a_password_does_not_show_when_credentials_are_printed() -> None:
    assert "secret" not in repr(Credentials("bob", "secret"))


@pytest.mark.parametrize(("bind_nonces", "kind"), [(False, Identity), (True, Refusal)])
def test_promise_39_a_nonce_roams_unless_it_is_bound_to_its_address(bind_nonces: bool, kind: type) -> None:
    authenticator = Authenticator(
        realm="tandem",
        users={"bob": "secret"},
        algorithms=("MD5",),
        ids=SeededIds(1),
        bind_nonces=bind_nonces,
    )
    asker = client()
    asker.learn(challenge(authenticator), 0)
    answer = authenticator.identify(asker.authorize(request()), ELSEWHERE, 0.0)

    assert isinstance(answer, kind)
    if isinstance(answer, Refusal):
        assert parse_challenge_untrusted(answer.headers[0][1]).stale


def test_guessing_with_nonces_of_ones_own_making_counts_like_any_other() -> None:
    """`stale=true` tells that the password was right: unlimited guesses would find it."""
    authenticator = server()
    statuses = []
    for _ in range(6):
        asker = client("guess")
        question = 'Digest realm="tandem", nonce="mine", qop="auth"'
        asker.learn(respond(request(), 401, headers=[("WWW-Authenticate", question)]), 0)
        answer = authenticator.identify(asker.authorize(request()), FLOW, 0.0)
        assert isinstance(answer, Refusal)
        statuses.append(answer.status)

    assert statuses == [401] * 5 + [403]
