import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sip.headers import (
    CSeq,
    NameAddr,
    Via,
    parse_cseq_untrusted,
    parse_name_addr_untrusted,
    parse_via_untrusted,
)
from gateway.sip.uri import Uri

ALICE = Uri("sip", "alice", "h")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("<sip:alice@h>", NameAddr(None, ALICE)),
        ("Alice Smith <sip:alice@h>;tag=1", NameAddr("Alice Smith", ALICE, (("tag", "1"),))),
        ('"Smith, \\"Al\\" <x>"<sip:alice@h>', NameAddr('Smith, "Al" <x>', ALICE)),
        ("sip:alice@h;tag=1", NameAddr(None, ALICE, (("tag", "1"),))),
        (
            "<sip:alice@h> ; newparam = newvalue ;\tq = 0.33",
            NameAddr(None, ALICE, (("newparam", "newvalue"), ("q", "0.33"))),
        ),
        (
            "<sip:alice@h;lr>;expires=60",
            NameAddr(None, Uri("sip", "alice", "h", None, (("lr", None),)), (("expires", "60"),)),
        ),
    ],
)
def test_name_addr_reads_and_writes_every_form(text: str, address: NameAddr):
    assert parse_name_addr_untrusted(text) == address
    assert parse_name_addr_untrusted(str(address)) == address


def test_name_addr_parameters_are_unquoted_when_asked_for_and_kept_when_written():
    text = '<sip:alice@h>;+sip.instance="<urn:uuid:1;2>"'
    address = parse_name_addr_untrusted(text)

    assert address.parameter("+sip.instance") == "<urn:uuid:1;2>"
    assert str(address) == text


def test_with_tag_replaces_the_tag():
    assert parse_name_addr_untrusted("<sip:alice@h>;tag=1;x=y").with_tag("2").tag == "2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "<sip:alice@h",
        '"Alice <sip:alice@h>',
        '"Alice" sip:alice@h',
        '"\\',
        'A "B" <sip:alice@h>',
        "<>",
        "<sip:a@h>x",
        '<sip:a@h>;x="y',
    ],
)
def test_name_addr_refuses(text: str):
    with pytest.raises(BadMessage):
        parse_name_addr_untrusted(text)


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("SIP/2.0/UDP h;branch=z9hG4bK1", Via("UDP", "h", None, (("branch", "z9hG4bK1"),))),
        ("SIP  / 2.0 \t/ tcp   h : 5060 ; rport", Via("TCP", "h", 5060, (("rport", None),))),
        (
            "SIP/2.0/TLS [2001:db8::1]:5061;received=2001:db8::2",
            Via("TLS", "2001:db8::1", 5061, (("received", "2001:db8::2"),)),
        ),
        ("SIP/2.0/WSS k3.invalid;branch=x", Via("WSS", "k3.invalid", None, (("branch", "x"),))),
    ],
)
def test_via_reads_and_writes_every_form(text: str, via: Via):
    assert parse_via_untrusted(text) == via
    assert parse_via_untrusted(str(via)) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0",
        "SIP/3.0/UDP h",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP h:x",
        "HTTP/2.0/TCP h",
        "SIP/2.0/UDP h;=1",
        "SIP/2.0/UDP [::1",
    ],
)
def test_via_refuses(text: str):
    with pytest.raises(BadMessage):
        parse_via_untrusted(text)


def test_cseq_allows_leading_zeros_and_any_white_space():
    assert parse_cseq_untrusted("0009 \t INVITE") == CSeq(9, "INVITE")


@pytest.mark.parametrize(
    "text",
    ["", "1", "INVITE", "-1 INVITE", "4294967296 INVITE", "9" * 5000 + " INVITE", "² INVITE", "1 IN VITE"],
)
def test_cseq_refuses(text: str):
    with pytest.raises(BadMessage):
        parse_cseq_untrusted(text)


@given(st.text(alphabet='sip:@h<>"\\;=, \t%aé\x00'))
def test_any_text_is_a_header_or_a_bad_message(text: str):
    for parse in (parse_name_addr_untrusted, parse_via_untrusted, parse_cseq_untrusted):
        try:
            parse(text)
        except BadMessage:
            continue


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_any_display_name_survives_the_round_trip(display: str):
    address = NameAddr(display, ALICE)

    assert parse_name_addr_untrusted(str(address)) == address
