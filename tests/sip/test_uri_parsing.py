import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sip.uri import Uri, parse_uri_untrusted


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:alice@example.com", Uri("sip", "alice", "example.com")),
        ("SIPS:example.com:5061", Uri("sips", None, "example.com", 5061)),
        ("sip:[2001:db8::1]:5060", Uri("sip", None, "2001:db8::1", 5060)),
        ("sip:+46700000001@h;user=phone", Uri("sip", "+46700000001", "h", None, (("user", "phone"),))),
        (
            "sip:h;lr?subject=hi&priority=urgent",
            Uri("sip", None, "h", None, (("lr", None),), "subject=hi&priority=urgent"),
        ),
        ("sip:alice;day=tuesday@h", Uri("sip", "alice;day=tuesday", "h")),
        ("tel:+4670;phone-context=x", Uri("tel", "+4670", "", None, (("phone-context", "x"),))),
        ("urn:service:sos", Uri("urn", None, "service:sos")),
    ],
)
def test_uri_reads_and_writes_every_form(text: str, uri: Uri):
    assert parse_uri_untrusted(text) == uri
    assert parse_uri_untrusted(str(uri)) == uri


def test_uri_drops_the_password():
    assert str(parse_uri_untrusted("sip:alice:secret@h")) == "sip:alice@h"


def test_uri_decodes_the_user_and_escapes_it_again():
    uri = parse_uri_untrusted("sip:%61li%20ce%40home@h")

    assert uri.user == "ali ce@home"
    assert str(uri) == "sip:ali%20ce%40home@h"


def test_uri_keeps_bytes_that_are_no_utf8_through_the_round_trip():
    assert str(parse_uri_untrusted("sip:a%FFb@h")) == "sip:a%FFb@h"


def test_tel_uri_drops_visual_separators():
    assert parse_uri_untrusted("tel:+1-(201)-555.0123").user == "+12015550123"


def test_uri_reads_leading_zeros_in_a_port():
    assert parse_uri_untrusted("sip:h:0005060").port == 5060


def test_the_first_of_a_repeated_parameter_counts():
    assert parse_uri_untrusted("sip:h;transport=tcp;transport=udp").parameter("transport") == "tcp"


def test_a_bare_parameter_is_not_an_absent_one():
    uri = parse_uri_untrusted("sip:h;lr")

    assert uri.parameter("lr") == ""
    assert uri.parameter("ob") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "alice@example.com",
        "sip:al ice@h",
        "sip:<h>",
        "sip:alice@",
        "sip:h:",
        "sip:h:65536",
        "sip:h:" + "9" * 5000,
        "sip:h:²",
        "sip:[::1",
        "sip:[fe80::1%eth0]",
        "sip:[1]",
        "sip:a@b@c",
        "sip:h;=x",
        "tel:---",
    ],
)
def test_uri_refuses(text: str):
    with pytest.raises(BadMessage):
        parse_uri_untrusted(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:b%40b.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:%62%40b.com",
        ),
        ("sip:alice@atlanta.com?subject=p&priority=u", "sip:alice@atlanta.com?priority=u&subject=p"),
    ],
)
def test_uris_are_the_same(one: str, other: str):
    """RFC 3261 section 19.1.4, its examples."""
    assert parse_uri_untrusted(one).same_as(parse_uri_untrusted(other))
    assert parse_uri_untrusted(other).same_as(parse_uri_untrusted(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com;transport=tcp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;user=phone"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next"),
    ],
)
def test_uris_differ(one: str, other: str):
    """RFC 3261 section 19.1.4, its examples."""
    assert not parse_uri_untrusted(one).same_as(parse_uri_untrusted(other))


@given(st.text())
def test_any_text_is_a_uri_or_a_bad_message(text: str):
    try:
        uri = parse_uri_untrusted("sip:" + text)
    except BadMessage:
        return
    assert parse_uri_untrusted(str(uri)) == uri
