"""STUN as bytes: RFC 5769's vectors, what is written is read, and nothing that a stranger sends does harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.ice.stun import (
    Attribute,
    Kind,
    StunMessage,
    encode,
    is_authentic,
    parse_stun_untrusted,
    xor_address,
)

PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
"""RFC 5769 section 2.1."""
RESPONSE_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
"""Section 2.2."""
RESPONSE_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
"""Section 2.3."""


@pytest.mark.parametrize("vector", [REQUEST, RESPONSE_IPV4, RESPONSE_IPV6], ids=["request", "ipv4", "ipv6"])
def test_a_vector_of_rfc_5769_is_authentic(vector):
    assert parse_stun_untrusted(vector).transaction == TRANSACTION
    assert is_authentic(vector, PASSWORD)


def test_the_request_of_rfc_5769_says_who_it_is_for():
    request = parse_stun_untrusted(REQUEST)
    assert request.kind is Kind.REQUEST
    assert request.get(Attribute.USERNAME) == b"evtj:h6vY"
    assert request.get(Attribute.PRIORITY) == bytes.fromhex("6e0001ff")


@pytest.mark.parametrize(
    ("vector", "host"),
    [(RESPONSE_IPV4, "192.0.2.1"), (RESPONSE_IPV6, "2001:db8:1234:5678:11:2233:4455:6677")],
)
def test_an_address_is_written_as_rfc_5769_has_it(vector, host):
    written = xor_address(host, 32853, TRANSACTION)
    assert parse_stun_untrusted(vector).get(Attribute.XOR_MAPPED_ADDRESS) == written


def test_another_password_is_not_authentic():
    assert not is_authentic(REQUEST, "guessed")


@pytest.mark.parametrize("at", [0, 1, 3, 5, 25, 60, 90, len(REQUEST) - 1])
def test_a_changed_byte_is_noticed(at):
    changed = bytearray(REQUEST)
    changed[at] ^= 0x41
    with pytest.raises(BadMessage):
        parse_stun_untrusted(bytes(changed))


def test_what_stands_behind_the_integrity_is_nobodys_word():
    vouched = encode(StunMessage(Kind.REQUEST, TRANSACTION), PASSWORD)[:-8]  # without FINGERPRINT
    smuggled = vouched + bytes.fromhex("00250000")
    smuggled = smuggled[:2] + (len(smuggled) - 20).to_bytes(2, "big") + smuggled[4:]
    assert is_authentic(smuggled, PASSWORD)
    assert parse_stun_untrusted(smuggled).get(Attribute.USE_CANDIDATE) is None


PLAIN = st.integers(0, 0xFFFF).filter(lambda kind: kind not in {0x0008, 0x8028})
MESSAGES = st.builds(
    StunMessage,
    kind=st.sampled_from(Kind),
    transaction=st.binary(min_size=12, max_size=12),
    attributes=st.lists(st.tuples(PLAIN, st.binary(max_size=40)), max_size=6).map(tuple),
    method=st.integers(0, 0xFFF),
)


@settings(max_examples=200)
@given(MESSAGES, st.text(max_size=30))
def test_what_is_written_is_read_and_authentic(message, password):
    data = encode(message, password)
    assert parse_stun_untrusted(data) == message
    assert is_authentic(data, password)


@settings(max_examples=200)
@given(st.binary(max_size=120), st.booleans())
def test_garbage_is_refused_or_read_and_raises_nothing_else(body, headed):
    whole = body[: len(body) // 4 * 4]
    data = b"\x00\x01" + len(whole).to_bytes(2, "big") + REQUEST[4:20] + whole if headed else body
    try:
        parse_stun_untrusted(data)
    except BadMessage:
        return
    is_authentic(data, PASSWORD)
