"""User tokens of section 2.5: what is signed, and everything for which one is refused."""

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.switch.records import Application
from gateway.user_tokens import TokenRefusal, UserToken, daily_key, sign_token, verify_token

KEY = "a32e5a8d-f7d8-411c-9645-9038e8dd051d"
SECRET = "ax8hTTQJF0OPXL32r1LHMA=="
OURS = Application(KEY, SECRET)
OTHER = Application("669E367E-6BBA-48AB-AF15-266871C28135", "BeIukql3pTKJ8RGL5zo0DA==")
ISSUED = 1514862245
NOW = ISSUED + 10
ISSUER = f"//rtc.sinch.com/applications/{KEY}"
PUBLISHED = (
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImhrZGZ2MS0yMDE4MDEwMiJ9.eyJpc3MiOiIvL3J0Yy5zaW5jaC5jb20vYXBwbGljYXRpb25zL2EzMmU1YThk"
    "LWY3ZDgtNDExYy05NjQ1LTkwMzhlOGRkMDUxZCIsInN1YiI6Ii8vcnRjLnNpbmNoLmNvbS9hcHBsaWNhdGlvbnMvYTMyZTVhOGQtZjdkOC00MTFj"
    "LTk2NDUtOTAzOGU4ZGQwNTFkL3VzZXJzL2ZvbyIsImlhdCI6MTUxNDg2MjI0NSwiZXhwIjoxNTE0ODYyODQ1LCJub25jZSI6IjZiNDM4YmRhLTJk"
    "NWMtNGU4Yy05MmIwLTM5ZjIwYTk0YjM0ZSJ9.EUltTTD4fxhkwCgLgj6qSQXKawpwQ952Ywm3OwQSARo"
)


def find(key):
    return {each.key.casefold(): each for each in (OURS, OTHER)}.get(key.casefold())


def verdict(token, now=NOW):
    return verify_token(token, find, now=now)


def part(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def token_of(header=None, key=None, **claims):
    """Sign anything with a key of ours: the day's, unless it says another."""
    head = {"alg": "HS256", "kid": "hkdfv1-20180102", **(header or {})}
    said = {
        "iss": ISSUER,
        "sub": f"{ISSUER}/users/foo",
        "iat": ISSUED,
        "exp": ISSUED + 600,
        "nonce": "n",
        **claims,
    }
    signed = f"{part(head)}.{part({name: value for name, value in said.items() if value is not None})}"
    digest = hmac.digest(key or daily_key(SECRET, "20180102"), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def test_the_key_of_a_day_is_the_published_one():
    assert base64.b64encode(daily_key(SECRET, "20180102")) == b"AZj5EsS8S7wb06xr5jERqPHsraQt3w/+Ih5EfrhisBQ="


def test_the_published_token_is_written():
    nonce = "6b438bda-2d5c-4e8c-92b0-39f20a94b34e"

    token = sign_token(KEY, SECRET, "foo", nonce=nonce, issued_at=ISSUED, expires_at=ISSUED + 600)

    assert token == PUBLISHED


def test_the_published_token_is_taken():
    assert verdict(PUBLISHED) == UserToken(KEY, "foo", "6b438bda-2d5c-4e8c-92b0-39f20a94b34e", ISSUED + 600)


def test_a_type_in_the_header_is_no_matter():
    assert isinstance(verdict(token_of({"type": "JWT", "typ": "JWT"})), UserToken)


def test_a_key_in_other_case_is_the_same_application():
    issuer = ISSUER.replace(KEY, KEY.upper())

    assert isinstance(verdict(token_of(iss=issuer, sub=f"{issuer}/users/foo")), UserToken)


def test_a_token_of_a_week_is_taken():
    """An official helper adds 600000 s where it means 600."""
    assert isinstance(verdict(token_of(exp=ISSUED + 600_000)), UserToken)


def test_a_registration_that_ends_before_the_token_ends_the_token():
    taken = verdict(token_of(exp=ISSUED + 600_000, **{"sinch:rtc:instance:exp": ISSUED + 172_800}))

    assert taken.expires_at == ISSUED + 172_800


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"exp": ISSUED + 10}, TokenRefusal.EXPIRED),
        ({"iat": NOW + 61, "exp": NOW + 600}, TokenRefusal.EXPIRED),
        ({"iat": ISSUED - 30, "exp": ISSUED + 29}, TokenRefusal.LIFETIME),
        ({"exp": ISSUED + 604_801}, TokenRefusal.LIFETIME),
        ({"iat": ISSUED - 86_400}, TokenRefusal.DAY),
        ({"sub": f"//rtc.sinch.com/applications/{OTHER.key}/users/foo"}, TokenRefusal.FOREIGN),
        ({"sub": "foo"}, TokenRefusal.FOREIGN),
        ({"sub": f"{ISSUER}/users/"}, TokenRefusal.FOREIGN),
        ({"sub": f"{ISSUER}/users/a b"}, TokenRefusal.FOREIGN),
        ({"sub": f"{ISSUER}/users/{'a' * 256}"}, TokenRefusal.FOREIGN),
        ({"nonce": None}, TokenRefusal.NONCE),
        ({"nonce": ""}, TokenRefusal.NONCE),
        ({"nonce": 7}, TokenRefusal.NONCE),
        ({"sinch:rtc:instance:exp": ISSUED + 172_799}, TokenRefusal.REGISTRATION),
        ({"sinch:rtc:instance:exp": "soon"}, TokenRefusal.REGISTRATION),
        ({"iat": None}, TokenRefusal.MALFORMED),
        ({"exp": None}, TokenRefusal.MALFORMED),
        ({"exp": 10**400}, TokenRefusal.MALFORMED),
        ({"exp": True}, TokenRefusal.MALFORMED),
        ({"iss": KEY}, TokenRefusal.MALFORMED),
    ],
)
def test_what_a_token_says_is_judged(claims, refusal):
    claims = {"exp": ISSUED + 600, **claims}

    assert verdict(token_of(**claims), ISSUED + 20 if refusal is TokenRefusal.LIFETIME else NOW) is refusal


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"kid": None},
        {"kid": "hkdfv1-2018"},
        {"kid": "v2"},
        {"crit": ["x"]},
    ],
)
def test_a_header_never_chooses_how_it_is_checked(header):
    assert verdict(token_of(header)) is TokenRefusal.MALFORMED


def test_a_forged_signature_is_refused():
    assert verdict(token_of(key=b"guessed")) is TokenRefusal.SIGNATURE


def test_another_spelling_of_the_same_signature_is_refused():
    """The last letter of 43 carries two bits that mean nothing."""
    assert verdict(PUBLISHED[:-1] + "p") is TokenRefusal.SIGNATURE
    assert PUBLISHED.endswith("o")


def test_the_secret_itself_signs_nothing():
    assert verdict(token_of(key=base64.b64decode(SECRET))) is TokenRefusal.SIGNATURE


def test_the_key_of_another_day_signs_nothing():
    assert verdict(token_of(key=daily_key(SECRET, "20180101"))) is TokenRefusal.SIGNATURE


def test_a_key_of_yesterday_with_its_name_signs_nothing_of_today():
    header = {"kid": "hkdfv1-20180101"}

    assert verdict(token_of(header, key=daily_key(SECRET, "20180101"))) is TokenRefusal.DAY


def test_an_unknown_application_is_refused_as_a_wrong_signature():
    assert verdict(token_of(iss="//rtc.sinch.com/applications/nobody")) is TokenRefusal.SIGNATURE


def test_what_was_changed_after_signing_is_refused():
    header, _, signature = PUBLISHED.split(".")
    said = {"iss": ISSUER, "sub": f"{ISSUER}/users/bar", "iat": ISSUED, "exp": ISSUED + 600, "nonce": "n"}

    assert verdict(f"{header}.{part(said)}.{signature}") is TokenRefusal.SIGNATURE


@pytest.mark.parametrize("refusal", TokenRefusal)
def test_every_refusal_is_401(refusal):
    assert refusal.code // 100 == 401


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{1,60}\.[\w-]{1,60}\.[\w-]{1,60}", fullmatch=True))
def test_nothing_that_anybody_sends_raises(text):
    assert isinstance(verdict(text), TokenRefusal)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_claim_that_is_signed_raises(value):
    for name in ("sub", "iat", "exp", "nonce", "sinch:rtc:instance:exp"):
        verdict(token_of(**{name: value}))
