"""No secret in any log record."""

import pytest

from gateway.observe.plain import plain
from gateway.observe.redaction import REDACTED, redacted, redacted_text

DIGEST = "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "user_password",
        "secret",
        "applicationSecret",
        "Authorization",
        "proxy_authorization",
        "ha1",
        "token",
    ],
)
def test_a_field_with_a_secret_name_is_redacted(name):
    assert redacted({name: "hunter2", "other": 1}) == {name: REDACTED, "other": 1}


@pytest.mark.parametrize("name", ["sha1_of_file", "user", "passive", "authority", "keys"])
def test_other_fields_are_left_alone(name):
    assert redacted({name: "shown"}) == {name: "shown"}


def test_secrets_are_found_at_any_depth():
    assert redacted({"a": [{"password": "hunter2"}]}) == {"a": [{"password": REDACTED}]}


@pytest.mark.parametrize(
    "text",
    [
        f'Digest username="alice", response="{DIGEST}", uri="sip:a"',
        f"Authorization: Digest username=alice, response={DIGEST}",
        "Proxy-Authorization: Basic aHVudGVyMg==",
        "Authorization: Application key:hunter2",
        "register sip:alice:hunter2@example.com failed",
        "postgresql+asyncpg://tandem:hunter2@db/tandem",
        "secret=hunter2&user=alice",
        "password: hunter2",
        f"ha1={DIGEST}",
    ],
)
def test_a_secret_inside_a_text_is_redacted(text):
    shown = redacted_text(text)

    assert not any(secret in shown for secret in (DIGEST, "hunter2", "aHVudGVyMg"))
    assert REDACTED in shown


def test_a_whole_sip_message_loses_its_credentials_and_nothing_else():
    message = (
        "REGISTER sip:example.com SIP/2.0\r\n"
        f'Authorization: Digest username="alice", response="{DIGEST}"\r\n'
        "Call-ID: 1234\r\n"
    )

    shown = redacted(plain(message))

    assert DIGEST not in shown
    assert shown.startswith("REGISTER sip:example.com SIP/2.0")
    assert shown.endswith("Call-ID: 1234\\x0d\\x0a")


@pytest.mark.parametrize(
    "text", ["sip:alice@example.com:5060", "http://127.0.0.1:8080/healthz", "12:30:15 at noon"]
)
def test_ordinary_addresses_are_left_alone(text):
    assert redacted_text(text) == text


def test_a_master_key_of_srtp_is_found_in_the_text_of_a_description():
    key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    shown = redacted_text(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31")

    assert shown == f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{REDACTED}|2^31"


def test_the_password_of_a_browsers_checks_is_found_in_the_text_of_a_description():
    shown = redacted_text("a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=setup:actpass")

    assert shown == f"a=ice-ufrag:8hhY\r\na=ice-pwd:{REDACTED}\r\na=setup:actpass"
