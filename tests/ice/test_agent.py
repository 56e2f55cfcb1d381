"""The lite agent: it answers authentic checks, follows nominations, and notices when nobody checks any more."""

import pytest

from gateway.ice.agent import CONSENT_S, Credentials, IceLite
from gateway.ice.stun import (
    Attribute,
    Kind,
    StunMessage,
    encode,
    is_authentic,
    parse_stun_untrusted,
    xor_address,
)

OURS = Credentials("ours", "our password of 22 let")
NEW = Credentials("anew", "another password of 22")
HOME, CAFE = ("192.0.2.1", 5000), ("198.51.100.7", 6000)
TRANSACTION = bytes(range(12))
LEADS = (Attribute.ICE_CONTROLLING, bytes(8))
NOMINATES = (Attribute.USE_CANDIDATE, b"")


@pytest.fixture
def agent():
    return IceLite(OURS, now=0.0)


def check(*more, credentials=OURS, password=None):
    """Write a check as a browser does."""
    username = (Attribute.USERNAME, f"{credentials.ufrag}:theirs".encode())
    attributes = (username, (Attribute.PRIORITY, bytes(4)), *(more or (LEADS,)))
    return encode(StunMessage(Kind.REQUEST, TRANSACTION, attributes), password or credentials.password)


def error_of(answer):
    """Return the number of an error response."""
    message = parse_stun_untrusted(answer)
    assert message.kind is Kind.ERROR
    value = message.get(Attribute.ERROR_CODE)
    return value[2] * 100 + value[3]


def test_an_authentic_check_is_told_where_it_came_from(agent):
    answer = agent.receive(check(), HOME, 1.0)
    message = parse_stun_untrusted(answer)
    assert message.kind is Kind.SUCCESS
    assert is_authentic(answer, OURS.password)
    assert message.get(Attribute.XOR_MAPPED_ADDRESS) == xor_address(*HOME, TRANSACTION)


def test_a_check_without_a_username_is_a_bad_request(agent):
    answer = agent.receive(encode(StunMessage(Kind.REQUEST, TRANSACTION), OURS.password), HOME, 1.0)
    assert error_of(answer) == 400


@pytest.mark.parametrize("wrong", [{"password": "guessed"}, {"credentials": NEW}], ids=["password", "ufrag"])
def test_a_check_that_is_not_authentic_changes_nothing(agent, wrong):
    assert error_of(agent.receive(check(LEADS, NOMINATES, **wrong), HOME, 1.0)) == 401
    assert agent.selected is None
    assert not agent.knows(HOME)
    assert agent.expires_at == CONSENT_S


def test_an_attribute_that_must_be_known_is_named(agent):
    answer = agent.receive(check(LEADS, (0x7777, b"")), HOME, 1.0)
    assert error_of(answer) == 420
    assert parse_stun_untrusted(answer).get(Attribute.UNKNOWN_ATTRIBUTES) == b"\x77\x77"


def test_an_attribute_that_may_be_unknown_is_passed_over(agent):
    answer = agent.receive(check(LEADS, (0xC057, b"1234")), HOME, 1.0)
    assert parse_stun_untrusted(answer).kind is Kind.SUCCESS


def test_a_lite_agent_does_not_lead(agent):
    assert error_of(agent.receive(check((Attribute.ICE_CONTROLLED, bytes(8))), HOME, 1.0)) == 487


def test_the_newest_nomination_is_followed(agent):
    agent.receive(check(LEADS, NOMINATES), HOME, 1.0)
    agent.receive(check(), CAFE, 2.0)
    assert agent.selected == HOME
    agent.receive(check(LEADS, NOMINATES), CAFE, 3.0)
    assert agent.selected == CAFE


def test_each_check_renews_the_consent(agent):
    agent.receive(check(), HOME, 25.0)
    assert agent.expires_at == 25.0 + CONSENT_S


def test_after_a_restart_the_old_path_carries_on_until_a_new_nomination(agent):
    agent.receive(check(LEADS, NOMINATES), HOME, 1.0)
    agent.restart(NEW)
    assert parse_stun_untrusted(agent.receive(check(), HOME, 2.0)).kind is Kind.SUCCESS
    agent.receive(check(LEADS, NOMINATES, credentials=NEW), CAFE, 3.0)
    assert agent.selected == CAFE
    assert error_of(agent.receive(check(), HOME, 4.0)) == 401


@pytest.mark.parametrize("kind", [Kind.INDICATION, Kind.SUCCESS, Kind.ERROR])
def test_what_asks_for_nothing_is_not_answered(agent, kind):
    assert agent.receive(encode(StunMessage(kind, TRANSACTION)), HOME, 1.0) is None


def test_garbage_is_not_answered(agent):
    assert agent.receive(b"\x00\x01 and so on", HOME, 1.0) is None


def test_addresses_without_end_do_not_fill_the_memory(agent):
    for port in range(1000, 1100):
        agent.receive(check(), ("192.0.2.1", port), 1.0)
    assert sum(agent.knows(("192.0.2.1", port)) for port in range(1000, 1100)) == 16
