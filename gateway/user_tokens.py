"""User tokens: how an app shows that it may be a user of an application (section 2.5 of the wire format).

The customer's backend knows the application's secret and signs, for one user, a JSON Web Token (RFC 7519) that the
app brings to us.  The key is not the secret itself but one that is derived from it for one day (UTC):

    key of 2018-01-02 = HMAC-SHA256(secret, "20180102")      named in the header: kid = hkdfv1-20180102

so that a key which gets lost signs nothing for another day: the token must be issued (`iat`) on the day of its key.
It lives for 60 s to seven days, says each of its names in full (`iss` the application, `sub` the user *of that
application*), and its `nonce` is good once, which the caller has to remember (`gateway.api.replays`).

There is one algorithm, HS256 (RFC 7518 section 3.2), and no other is looked for: what a header says of itself never
chooses how it is checked.  Pure arithmetic: the time is an argument, and an unknown application costs the same work
and gets the same answer as a wrong signature.

Not taken: the short form of some samples (`iss` and `sub` without their path, no `kid`), whose key is not written
down anywhere.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from gateway.signing import Holder, secret_bytes

__all__ = [
    "LONGEST_S",
    "SHORTEST_S",
    "TokenRefusal",
    "UserToken",
    "daily_key",
    "sign_token",
    "verify_token",
]

SHORTEST_S: Final = 60
"""What lies at least between `iat` and `exp`."""
LONGEST_S: Final = 7 * 86_400
"""And at most: nonces are remembered for so long, and a stolen daily key is good for no longer."""
SHORTEST_REGISTRATION_S: Final = 48 * 3600
"""What lies at least between `iat` and `sinch:rtc:instance:exp`."""
_AHEAD_S: Final = 60
"""How far the clock of a backend may be ahead of ours."""
_END_OF_TIME: Final = 10**11
_MAX_LENGTH: Final = 4096
_MAX_NONCE: Final = 255
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_KID: Final = re.compile(r"hkdfv1-([0-9]{8})")
_ISSUER: Final = re.compile(r"//rtc\.sinch\.com/applications/([^/]+)")
_SUBJECT: Final = re.compile(r"//rtc\.sinch\.com/applications/([^/]+)/users/([A-Za-z0-9._=-]{1,255})")
_SECRET_OF_NOBODY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="
_REGISTRATION_ENDS: Final = "sinch:rtc:instance:exp"


@dataclass(frozen=True, slots=True)
class UserToken:
    """Somebody may be this user.  Times are Unix seconds."""

    application: str
    """The key, as its holder spells it."""
    user: str
    nonce: str
    expires_at: float
    """When the token ends, or the registration that it may begin, whichever is sooner."""


class TokenRefusal(Enum):
    """Why a token is not taken: the error's code and message (section 3 of the wire format)."""

    MALFORMED = (40100, "Illegal Authorization Header: it holds no user token")
    SIGNATURE = (40102, "Invalid Signature")
    EXPIRED = (40101, "The token has expired or is not valid yet")
    LIFETIME = (40108, "Invalid credentials: a token lives for 60 seconds to seven days")
    DAY = (40108, "Invalid credentials: the key is not that of the day on which the token was issued")
    REGISTRATION = (40108, f"Invalid credentials: {_REGISTRATION_ENDS} is less than 48 hours after iat")
    FOREIGN = (40108, "Invalid credentials: the user is not one of the application that issued the token")
    NONCE = (40108, "Invalid credentials: the token has no nonce")

    @property
    def code(self) -> int:
        """Five digits, of which the first three are the HTTP status."""
        return self.value[0]

    @property
    def message(self) -> str:
        """What the client is told."""
        return self.value[1]


def daily_key(secret: str, day: str) -> bytes:
    """Return the signing key of a day written `20180102` (UTC).  secret: base64."""
    return hmac.digest(secret_bytes(secret), day.encode(), "sha256")


def sign_token(
    key: str,
    secret: str,
    user: str,
    *,
    nonce: str,
    issued_at: int,
    expires_at: int,
    registration_ends: int | None = None,
) -> str:
    """Return the token by which an application says that its bearer is `user`; times in Unix seconds."""
    day = _day(issued_at)
    issuer = f"//rtc.sinch.com/applications/{key}"
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": f"{issuer}/users/{user}",
        "iat": issued_at,
        "exp": expires_at,
        "nonce": nonce,
    }
    if registration_ends is not None:
        claims[_REGISTRATION_ENDS] = registration_ends
    signed = f"{_encoded({'alg': 'HS256', 'kid': f'hkdfv1-{day}'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(daily_key(secret, day), signed)}"


def verify_token(token: str, find: Callable[[str], Holder | None], *, now: float) -> UserToken | TokenRefusal:
    """Say whom a token makes its bearer, or why nobody.  Never raises; whether its nonce is new is not asked here.

    find: returns the holder of a key in any case, e.g. `Directory.application`.
    now: Unix seconds.
    """
    parts = _TOKEN.fullmatch(token) if len(token) <= _MAX_LENGTH else None
    if parts is None:
        return TokenRefusal.MALFORMED
    header, claims = _decoded(parts[1]), _decoded(parts[2])
    day, issuer = _KID.fullmatch(_text(header, "kid")), _ISSUER.fullmatch(_text(claims, "iss"))
    if header.get("alg") != "HS256" or "crit" in header or day is None or issuer is None:
        return TokenRefusal.MALFORMED
    holder = find(issuer[1])
    key = daily_key(_SECRET_OF_NOBODY if holder is None else holder.secret, day[1])
    ours = _signature(key, f"{parts[1]}.{parts[2]}")
    if not hmac.compare_digest(ours, parts[3]) or holder is None:
        return TokenRefusal.SIGNATURE
    return _judge(claims, day[1], holder, now)


def _judge(claims: Mapping[str, object], day: str, holder: Holder, now: float) -> UserToken | TokenRefusal:
    """Judge what an application has really said."""
    issued_at, expires_at = _seconds(claims, "iat"), _seconds(claims, "exp")
    if issued_at is None or expires_at is None:
        return TokenRefusal.MALFORMED
    if issued_at > now + _AHEAD_S or expires_at <= now:
        return TokenRefusal.EXPIRED
    if not SHORTEST_S <= expires_at - issued_at <= LONGEST_S:
        return TokenRefusal.LIFETIME
    if _day(issued_at) != day:
        return TokenRefusal.DAY
    subject = _SUBJECT.fullmatch(_text(claims, "sub"))
    if subject is None or subject[1].casefold() != holder.key.casefold():
        return TokenRefusal.FOREIGN
    nonce = _text(claims, "nonce")
    if not 0 < len(nonce) <= _MAX_NONCE:
        return TokenRefusal.NONCE
    ends = _seconds(claims, _REGISTRATION_ENDS) if _REGISTRATION_ENDS in claims else expires_at
    if ends is None or (_REGISTRATION_ENDS in claims and ends < issued_at + SHORTEST_REGISTRATION_S):
        return TokenRefusal.REGISTRATION
    return UserToken(holder.key, subject[2], nonce, min(ends, expires_at))


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d")


def _signature(key: bytes, signed: str) -> str:
    return _base64url(hmac.digest(key, signed.encode(), "sha256"))


def _encoded(document: Mapping[str, object]) -> str:
    return _base64url(json.dumps(document, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(part: str) -> Mapping[str, object]:
    """Read a part of a token; what cannot be read says nothing."""
    try:
        document = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _seconds(document: Mapping[str, object], name: str) -> float | None:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _END_OF_TIME:
        return None
    return value
