"""The door: stateless challenges, few knocks a second, and answers that tell nobody who exists (RFC 3261 8.2.7)."""

from __future__ import annotations

import pytest

from gateway.ids import SeededIds
from gateway.sip import authentication
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.doorman import Knocks
from gateway.sip.endpoint import EndpointConfig, EndpointLimits
from gateway.sip.flow import Flow
from gateway.sip.message import Response
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG = EndpointConfig(users={"alice": "secret"})
LOOPBACK = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 5070))


def knock(n: int, method: str = "REGISTER", **changed: object) -> bytes:
    changed.setdefault("to", "<sip:carol@switch.example>")
    return sip_request(method, branch=f"z9hG4bK-{n}", call_id=f"c{n}", **changed)  # type: ignore[arg-type]


def credentials(challenge: Response, request: bytes, user: str, password: str) -> dict[str, str]:
    client = ClientAuthentication(Credentials(user, password), SeededIds(3))
    client.learn(challenge, 0)
    return {"Authorization": client.authorize(parse_request(request)).headers.get("Authorization") or ""}


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "REFER"])
def test_a_challenge_leaves_nothing_behind(method: str) -> None:
    """A flood of REGISTERs took 8 GB from FreeSWITCH in 90 s (CVE-2021-41145)."""
    phone = Stranger(CONFIG)
    answers = [phone.ask(knock(n, method)) for n in range(150)]

    assert {answer.status for answer in answers} == {401}
    assert not any(phone.endpoint.census().values())


def test_a_repetition_gets_the_same_to_tag_and_the_ack_is_ignored() -> None:
    phone = Stranger(CONFIG)
    first, again = phone.ask(knock(1, "INVITE")), phone.ask(knock(1, "INVITE"))

    assert first.to.tag == again.to.tag
    assert phone.ask(knock(2, "INVITE")).to.tag != first.to.tag
    assert phone.say(knock(1, "ACK", to=str(first.to))) == []


def test_the_response_goes_where_it_came_from() -> None:
    """RFC 3581: `received` and `rport` are filled in before anything is answered."""
    answer = Stranger(CONFIG).ask(knock(1, via="SIP/2.0/UDP 10.0.0.1:9999"))

    assert (answer.via.parameter("received"), answer.via.parameter("rport")) == ("192.0.2.7", "5060")


def test_promise_46_beyond_a_hundred_a_second_the_answer_is_silence() -> None:
    phone = Stranger(CONFIG)
    said = phone.say(*(knock(n) for n in range(1000)))
    phone.now += 1.0
    later = phone.say(*(knock(n) for n in range(1000, 2000)))

    assert (len(said), len(later)) == (200, 100)
    assert phone.endpoint.counters["stranger_too_often"] == 1700


def test_one_address_does_not_silence_another() -> None:
    phone = Stranger(CONFIG)
    phone.say(*(knock(n) for n in range(1000)))
    elsewhere = Flow("udp", phone.flow.local, ("203.0.113.5", 5060))

    assert phone.ask(knock(1), flow=elsewhere).status == 401


def test_a_house_full_of_phones_behind_one_nat_is_let_in() -> None:
    """Whoever proves who it is gets its tokens back."""
    phone = Stranger(EndpointConfig(users={"carol": "secret"}))
    for n in range(1000):
        challenge = phone.ask(knock(n))
        again = knock(n, cseq=2)
        answer = phone.ask(knock(n, cseq=2, headers=credentials(challenge, again, "carol", "secret")))
        assert answer.status == 200, n


def test_our_own_host_is_not_counted() -> None:
    phone = Stranger(CONFIG, flow=LOOPBACK)

    assert len(phone.say(*(knock(n) for n in range(500)))) == 500


def test_what_is_said_in_a_dialog_is_not_counted() -> None:
    limits = EndpointLimits(strangers_per_s=0.0, strangers_burst=0)
    phone = Stranger(EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}), limits=limits)).called(b"v=0")
    moved = Flow("udp", phone.flow.local, ("203.0.113.5", 5060))

    assert phone.ask(phone.in_dialog("OPTIONS", cseq=2), flow=moved).status == 200


def test_the_table_of_addresses_does_not_grow_for_ever() -> None:
    knocks = Knocks(100.0, 200)
    for n in range(20_000):
        knocks.take(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 0.0)

    assert len(knocks) == 10_000


# Nobody learns who exists.


def tried(user: str, method: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Response, Response, int]:
    """Ask, answer the challenge with a wrong password; return both responses and the hashes that it cost."""
    phone = Stranger(CONFIG)
    from_ = f"<sip:{user}@switch.example>;tag=1"
    challenge = phone.ask(knock(1, method, from_=from_, body="v=0"))
    again = knock(2, method, from_=from_, cseq=2, body="v=0")
    headers = credentials(challenge, again, user, "wrong")
    hashed: list[str] = []
    counted = authentication.digest_response
    with monkeypatch.context() as patch:
        patch.setattr(
            authentication, "digest_response", lambda **of: hashed.append(of["username"]) or counted(**of)
        )
        (answer, *_) = phone.say(knock(2, method, from_=from_, cseq=2, body="v=0", headers=headers))
    return challenge, parse_response(answer), len(hashed)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "REFER", "OPTIONS", "SUBSCRIBE", "MESSAGE"])
def test_promise_37_known_and_unknown_users_are_answered_alike(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    for user in ("alice", "nobody"):
        challenge, answer, hashes = tried(user, method, monkeypatch)
        shapes.append(
            [(each.status, each.reason, [name for name, _ in each.headers]) for each in (challenge, answer)]
            + [hashes]
        )

    assert shapes[0] == shapes[1]


def test_an_address_that_fails_with_many_names_is_refused_as_a_whole() -> None:
    phone = Stranger(CONFIG)
    statuses = []
    for n in range(40):
        challenge = phone.ask(knock(2 * n))
        again = knock(2 * n + 1)
        headers = credentials(challenge, again, f"user{n}", "guess")
        statuses.append(phone.ask(knock(2 * n + 1, headers=headers)).status)

    assert statuses == [401] * 30 + [403] * 10


def test_promise_39_the_owner_elsewhere_is_not_locked_out() -> None:
    phone = Stranger(EndpointConfig(users={"carol": "secret"}))
    for n in range(20):
        challenge = phone.ask(knock(2 * n))
        phone.ask(knock(2 * n + 1, headers=credentials(challenge, knock(2 * n + 1), "carol", "guess")))
    home = Flow("udp", phone.flow.local, ("203.0.113.5", 5060))
    challenge = phone.ask(knock(900), flow=home)
    headers = credentials(challenge, knock(901), "carol", "secret")

    assert phone.ask(knock(901, headers=headers), flow=home).status == 200
