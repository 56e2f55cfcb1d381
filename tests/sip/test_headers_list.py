import pytest

from gateway.errors import LocalError
from gateway.sip.headers import Headers


def test_names_are_one_whatever_their_case_or_length():
    headers = Headers([("v", "a"), ("VIA", "b"), ("Via", "c")])

    assert headers.all("via") == ("a", "b", "c")
    assert [name for name, _ in headers] == ["Via"] * 3


def test_unknown_headers_keep_order_and_spelling():
    pairs = [("X-One", "1"), ("To", "t"), ("x-TWO", "2"), ("X-one", "3")]

    assert list(Headers(pairs)) == pairs
    assert Headers(pairs).get("x-two") == "2"
    assert Headers(pairs).get("X-TWO") == "2"


def test_unknown_headers_in_two_spellings_are_one_header():
    assert Headers([("X-One", "1"), ("x-one", "2")]).all("X-ONE") == ("1", "2")


def test_list_headers_split_at_commas_outside_quotes_and_brackets():
    headers = Headers([("Contact", '"a,b" <sip:x@h;p=1,2>;q=1 , <sip:y@h>'), ("m", "<sip:z@h>,,")])

    assert headers.all("Contact") == ('"a,b" <sip:x@h;p=1,2>;q=1', "<sip:y@h>", "<sip:z@h>")


@pytest.mark.parametrize("name", ["WWW-Authenticate", "Authorization", "Date", "Subject", "X-Unknown"])
def test_other_headers_never_split(name: str):
    assert Headers([(name, "a, b"), (name, "c")]).all(name) == ("a, b", "c")


def test_with_replaces_where_the_header_stood():
    headers = Headers([("To", "t"), ("Route", "a"), ("From", "f"), ("Route", "b")])

    assert list(headers.with_("Route", "x", "y")) == [
        ("To", "t"),
        ("Route", "x"),
        ("Route", "y"),
        ("From", "f"),
    ]
    assert list(headers.with_("Subject", "s"))[-1] == ("Subject", "s")
    assert "Route" not in headers.without("route")


@pytest.mark.parametrize(
    ("name", "value"), [("Subject", "a\r\nX: y"), ("Subject", "a\nb"), ("Sub ject", "a"), ("", "a")]
)
def test_a_header_cannot_smuggle_another_one(name: str, value: str):
    for attempt in (
        lambda: Headers([(name, value)]),
        lambda: Headers().plus(name, value),
        lambda: Headers().with_(name, value),
    ):
        with pytest.raises(LocalError):
            attempt()
