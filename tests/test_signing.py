"""Signed requests: the vectors that the official clients agree on, every tolerance, and nothing beyond them."""

import base64
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.signing import (
    Accepted,
    Refusal,
    Signable,
    authorization,
    instant,
    secret_bytes,
    signature,
    timestamp,
    verify,
)


@dataclass(frozen=True)
class Owner:
    key: str
    secret: str
    basic: bool = True


OWNER = Owner("5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97", "JViE5vDor0Sw3WllZka15Q==")
NOW = 1_401_889_318.0
REQUEST = Signable(
    method="POST",
    path="/v1/sms/+46700000000",
    content_type="application/json",
    timestamp="2014-06-04T13:41:58Z",
    body=b'{"message":"Hello world"}',
)


def find(key, owner=OWNER):
    return owner if key.lower() == owner.key.lower() else None


def signed(request=REQUEST, owner=OWNER, **options):
    return authorization(owner.key, owner.secret, request, **options)


def judge(request=REQUEST, header=None, *, now=NOW, find=find, **options):
    return verify(request, signed() if header is None else header, find, now=now, **options)


def basic(text, scheme="Basic"):
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


def test_the_vector_of_a_request():
    assert signature(OWNER.secret, REQUEST) == "qDXMwzfaxCRS849c/2R0hg0nphgdHciTo7OdM6MsdnM="


def test_the_vector_of_a_callback():
    body = (
        b'{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257",'
        b'"timestamp":"2014-09-24T10:59:41Z","version":1}'
    )
    callback = replace(REQUEST, path="/sinch/callback/ace", timestamp="2014-09-24T10:59:41Z", body=body)

    assert signature("BeIukql3pTKJ8RGL5zo0DA==", callback) == "Tg6fMyo8mj9pYfWQ9ssbx3Tc1BNC87IEygAfLbJqZb4="


def test_the_vector_of_a_secret_without_padding():
    odd = Signable(
        method="POST",
        path="/webhook",
        content_type="application/json; charset=utf-8",
        timestamp="x-timestamp:2024-01-19T09:19:28.9372196Z",
        body=b'{"id":"018d2104-aaa-bbbb-1234","price":{"amount":0.0308},"rate":{"amount":0.0}}',
    )

    assert signature("app-secret", odd) == "wC8XcoLQ22cxrOsUqqbWk+LHJ82wtqR/IgeIp9NG8LY="


def test_a_signed_request_is_its_applications_own():
    assert judge() == Accepted(OWNER.key, "qDXMwzfaxCRS849c/2R0hg0nphgdHciTo7OdM6MsdnM=")


@pytest.mark.parametrize("scheme", ["Application", "application", "APPLICATION"])
def test_the_scheme_has_any_case(scheme):
    assert judge(header=signed(scheme=scheme)) == Accepted(OWNER.key, signature(OWNER.secret, REQUEST))


def test_the_key_has_any_case():
    header = authorization(OWNER.key.lower(), OWNER.secret, REQUEST)

    assert judge(header=header).key == OWNER.key


@pytest.mark.parametrize("path", ["/conferences/id/my%20conf%2F1", "/conferences/id/my conf/1"])
def test_a_path_is_signed_as_sent_or_decoded(path):
    sent = replace(REQUEST, path="/conferences/id/my%20conf%2F1")

    assert isinstance(judge(sent, signed(replace(sent, path=path))), Accepted)


def test_a_path_is_signed_with_its_query():
    sent = replace(REQUEST, path="/v1/configuration/numbers", query="a=1&b=%20")
    header = signed(replace(sent, path="/v1/configuration/numbers?a=1&b=%20", query=""))

    assert isinstance(judge(sent, header), Accepted)


def test_a_plus_in_a_path_is_no_space():
    sent = replace(REQUEST, path="/query/number/+4670")

    assert judge(sent, signed(replace(sent, path="/query/number/ 4670"))) is Refusal.SIGNATURE


def test_a_query_that_was_not_signed_may_be_there():
    sent = replace(REQUEST, query="page=2")

    assert isinstance(judge(sent, signed(REQUEST)), Accepted)


@pytest.mark.parametrize("content_type", ["", "application/json; charset=UTF-8", "text/plain"])
def test_the_content_type_counts_as_sent(content_type):
    sent = replace(REQUEST, content_type=content_type)

    assert isinstance(judge(sent, signed(sent)), Accepted)
    assert judge(sent, signed(REQUEST)) is Refusal.SIGNATURE


def test_without_a_body_the_line_of_the_md5_is_empty():
    """Section 2.2: the line feed stays."""
    sent = Signable(method="GET", path="/v1/calls/id/7", timestamp="2014-06-04T13:41:58Z")

    assert signature(OWNER.secret, sent) == "ekRllsfZsqpqeI20prSkMwBYBf/cfqCKobPs0qPtlgU="


def test_the_method_is_signed_in_capitals():
    assert signature(OWNER.secret, replace(REQUEST, method="post")) == signature(OWNER.secret, REQUEST)


@pytest.mark.parametrize(
    "written",
    [
        "2014-06-04T13:41:58Z",
        "2014-06-04T13:41:58.000Z",
        "2014-06-04T13:41:58.000000+00:00",
        "2014-06-04T13:41:58.0000000Z",
        "2014-06-04T15:41:58+02:00",
        "2014-06-04T15:41:58+0200",
        "2014-06-04T11:11:58-02:30",
        "2014-06-04T13:41:58",
        "2014-06-04t13:41:58z",
        " 2014-06-04T13:41:58Z ",
    ],
)
def test_a_timestamp_of_any_client_is_read(written):
    assert instant(written) == NOW


@pytest.mark.parametrize(
    "written",
    ["", "now", "1401889318", "2014-06-04", "2014-13-04T13:41:58Z", "2014-06-31T13:41:58Z", "2014-06-04T25:41:58Z",
     "2014-06-04T13:41:58+99:00", "2014-06-04T13:41:58.Z", "\u0662014-06-04T13:41:58Z"],
)  # fmt: skip
def test_what_is_no_timestamp_is_none(written):
    assert instant(written) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_timestamps(text):
    assert instant(text) is None or isinstance(instant(text), float)


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_a_timestamp_that_we_write_can_be_read(milliseconds):
    assert instant(timestamp(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-3)


@pytest.mark.parametrize("offset_s", [-900, 0, 900])
def test_a_timestamp_within_the_window_is_fresh(offset_s):
    assert isinstance(judge(now=NOW + offset_s), Accepted)


@pytest.mark.parametrize("offset_s", [-901, 901])
def test_a_timestamp_outside_of_the_window_is_stale(offset_s):
    assert judge(now=NOW + offset_s) is Refusal.STALE


def test_the_window_can_be_another():
    assert judge(now=NOW + 61, window_s=60) is Refusal.STALE


def test_a_timestamp_must_be_there():
    sent = replace(REQUEST, timestamp="")

    assert judge(sent, signed(sent)) is Refusal.STALE


@pytest.mark.parametrize(
    "header",
    ["", "Application", "Application ", "Application nothing", "Bearer abc", "Basic", "Basic !!!!", "Basic YQ==",
     "Digest username=a", "x" * 5000, "Basic é", ":", " : "],
)  # fmt: skip
def test_what_is_no_authorization_is_malformed(header):
    assert judge(header=header) is Refusal.MALFORMED


def test_no_authorization_is_malformed():
    assert verify(REQUEST, None, find, now=NOW) is Refusal.MALFORMED


@pytest.mark.parametrize("scheme", ["User", "Instance", "instance"])
def test_schemes_of_other_methods_are_named(scheme):
    assert judge(header=f"{scheme} abc:def") is Refusal.SCHEME


def test_an_unknown_key_is_answered_like_a_wrong_signature():
    assert judge(header=authorization("nobody", OWNER.secret, REQUEST)) is Refusal.SIGNATURE
    assert judge(header=basic("nobody:secret")) is judge(header=basic(f"{OWNER.key}:wrong"))


def test_what_stands_for_the_secret_of_nobody_opens_nothing():
    nobody = Owner("nobody", "AAAAAAAAAAAAAAAAAAAAAA==")

    assert judge(header=signed(owner=nobody)) is Refusal.SIGNATURE
    assert judge(header=basic(f"nobody:{nobody.secret}")) is Refusal.CREDENTIALS


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic:"])
def test_basic_shows_key_and_secret(scheme):
    assert judge(header=basic(f"{OWNER.key.lower()}:{OWNER.secret}", scheme)) == Accepted(OWNER.key)


def test_basic_needs_no_timestamp():
    header = basic(f"{OWNER.key}:{OWNER.secret}")

    assert judge(replace(REQUEST, timestamp=""), header) == Accepted(OWNER.key)


def test_basic_is_read_without_padding():
    header = basic(f"{OWNER.key}:{OWNER.secret}").rstrip("=")

    assert judge(header=header) == Accepted(OWNER.key)


def test_basic_with_another_secret_is_refused():
    assert judge(header=basic(f"{OWNER.key}:JViE5vDor0Sw3WllZka15Q=")) is Refusal.CREDENTIALS


def test_basic_can_be_switched_off_and_only_who_knows_the_secret_learns_of_it():
    strict = replace(OWNER, basic=False)
    asked = {"find": lambda key: find(key, strict)}

    assert judge(header=basic(f"{OWNER.key}:{OWNER.secret}"), **asked) is Refusal.SCHEME
    assert judge(header=basic(f"{OWNER.key}:wrong"), **asked) is Refusal.CREDENTIALS
    assert isinstance(judge(**asked), Accepted)


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_has_the_status_of_its_code(refusal):
    assert (refusal.status, bool(refusal.message)) == (int(str(refusal.code)[:3]), True)


@pytest.mark.parametrize(
    "written", ["JViE5vDor0Sw3WllZka15Q==", "JViE5vDor0Sw3WllZka15Q", "JViE5vDor0Sw3WllZka15Q="]
)
def test_a_secret_needs_no_padding(written):
    assert secret_bytes(written) == base64.b64decode(OWNER.secret)


@given(st.binary())
def test_a_secret_of_any_length_is_read_back(secret):
    assert secret_bytes(base64.b64encode(secret).decode()) == secret
    assert secret_bytes(base64.urlsafe_b64encode(secret).decode().rstrip("=")) == secret


@given(st.text())
def test_no_text_breaks_the_reading_of_secrets(text):
    assert isinstance(secret_bytes(text), bytes)


@given(st.text(), st.text(), st.text(), st.binary())
def test_no_request_breaks_the_verifier(header, path, written, body):
    asked = replace(REQUEST, path=path, timestamp=written, body=body)

    assert verify(asked, header, find, now=NOW) in Refusal
    assert verify(asked, f"Application {OWNER.key}:{header}", find, now=NOW) in Refusal
    assert verify(asked, f"Basic {header}", find, now=NOW) in Refusal


def changed(data, text):
    """Return `text` with one character replaced by another."""
    at = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda one: one != text[at]))
    return text[:at] + other + text[at + 1 :]


@given(st.data(), st.sampled_from(["method", "path", "content_type", "timestamp"]))
def test_a_changed_character_anywhere_is_refused(data, part):
    """A method in another case is the same method, a timestamp with another zone is another text."""
    sent = replace(REQUEST, **{part: changed(data, getattr(REQUEST, part))})
    if part == "method" and sent.method.upper() == REQUEST.method:
        sent = replace(sent, method="GET")

    assert judge(sent) in (Refusal.SIGNATURE, Refusal.STALE)


@given(st.binary().filter(lambda body: body != REQUEST.body))
def test_another_body_is_refused(body):
    assert judge(replace(REQUEST, body=body)) is Refusal.SIGNATURE


@given(st.data())
def test_a_changed_signature_is_refused(data):
    """To the last letter: base64 that decodes to the same bytes is not the same signature."""
    header = f"Application {OWNER.key}:{changed(data, signature(OWNER.secret, REQUEST))}"

    assert judge(header=header) is Refusal.SIGNATURE


def test_a_signature_with_more_behind_it_is_refused():
    assert judge(header=signed() + ":x") is Refusal.SIGNATURE
