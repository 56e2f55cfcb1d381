"""Signed requests of the Sinch Voice wire format: those that applications send us, and the callbacks that we send them.

Both directions sign the same five lines with the application's secret (HMAC-SHA256, base64):

    POST
    jANzQ+rgAHyf1MWQFSwvYw==                  MD5 of the body's bytes, base64; empty without a body
    application/json                          the Content-Type as sent; empty without one
    x-timestamp:2014-06-04T13:41:58Z          the header's text as sent
    /v1/sms/+46700000000                      the path

and carry the result as `Authorization: Application KEY:SIGNATURE`.  Twelve years of clients agree on little more, so
a verifier tries the path as sent (RFC 3986 escapes and all), decoded, and with its query; takes keys and the scheme in
any case; and reads secrets without their base64 padding.  What was signed is taken to the byte.

Pure arithmetic: the time is an argument, and who owns a key is asked of the caller.  An unknown key costs the same
work and gets the same answer as a wrong signature, so that nobody learns which keys exist.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

__all__ = [
    "WINDOW_S",
    "Accepted",
    "Holder",
    "Refusal",
    "Signable",
    "Verdict",
    "authorization",
    "instant",
    "secret_bytes",
    "signature",
    "timestamp",
    "verify",
]

WINDOW_S: Final = 900.0
"""How far a timestamp may be from now, either way, unless somebody says otherwise."""

_SECRET_OF_NOBODY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="
_FOREIGN_SCHEMES: Final = frozenset({"user", "instance"})
"""Schemes of the wire format that no method here takes (sections 2.3 and 11 are left out)."""
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_ISO_8601: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?"
)


class Holder(Protocol):
    """What is asked of whoever owns a key; `gateway.switch.records.Application` is one."""

    @property
    def key(self) -> str:
        """The key in its own spelling."""
        ...

    @property
    def secret(self) -> str:
        """Base64 text."""
        ...

    @property
    def basic(self) -> bool:
        """It may show key and secret by HTTP Basic authentication."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signable:
    """What of an HTTP request goes into its signature, as it stood on the wire."""

    method: str
    path: str
    """The request target up to `?`, escapes left in."""
    query: str = ""
    """What stood behind `?`."""
    content_type: str = ""
    timestamp: str = ""
    """The text of `x-timestamp`."""
    body: bytes = b""


class Refusal(Enum):
    """Why a request is not taken: the error's code and message (section 3 of the wire format)."""

    MALFORMED = (40100, "Illegal Authorization Header")
    STALE = (40101, "The header x-timestamp is missing, not readable or too far from the present time")
    SIGNATURE = (40102, "Invalid Signature")
    CREDENTIALS = (40108, "Invalid credentials")
    SCHEME = (40301, "The authorization scheme 'application' is required.")

    @property
    def code(self) -> int:
        """Five digits, of which the first three are the HTTP status."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.code // 100

    @property
    def message(self) -> str:
        """What the client is told."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request is its application's own."""

    key: str
    """As its holder spells it."""
    signature: str = ""
    """Of this very request, to know it again if it is replayed; empty = by Basic authentication."""


Verdict = Accepted | Refusal


def signature(secret: str, request: Signable) -> str:
    """Sign a request that goes to `request.path`; return base64."""
    return _signed(secret_bytes(secret), request, request.path.encode())


def authorization(key: str, secret: str, request: Signable, *, scheme: str = "Application") -> str:
    """Return the Authorization header of a signed request; callbacks spell the scheme `application`."""
    return f"{scheme} {key}:{signature(secret, request)}"


def verify(
    request: Signable,
    header: str | None,
    find: Callable[[str], Holder | None],
    *,
    now: float,
    window_s: float = WINDOW_S,
) -> Verdict:
    """Say whose request this is, or why it is nobody's.  Never raises.

    header: the text of Authorization; None = there was none.
    find: returns the holder of a key in any case, e.g. `Directory.application`.
    now: Unix seconds.
    """
    scheme, _, credentials = (header or "").strip().partition(" ")
    credentials = credentials.strip()
    match scheme.lower():
        case "application" if ":" in credentials:
            key, _, theirs = credentials.partition(":")
            return _judge_signature(request, theirs, find(key), fresh=_is_fresh(request, now, window_s))
        case "basic" | "basic:" if credentials:  # an example in the documentation has the colon
            return _judge_basic(credentials, find)
        case foreign if foreign in _FOREIGN_SCHEMES:
            return Refusal.SCHEME
        case _:
            return Refusal.MALFORMED


def secret_bytes(secret: str) -> bytes:
    """Decode the base64 text of a secret as the most lenient client does.

    Padding may be missing, the URL's alphabet may be used, what is not base64 is passed over, and a last
    letter that makes no byte is dropped.
    """
    letters = secret.partition("=")[0].replace("-", "+").replace("_", "/")
    letters = _NOT_BASE64.sub("", letters)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + "=" * (-len(letters) % 4))


def timestamp(wall: float) -> str:
    """Write Unix seconds as `x-timestamp` does, to the millisecond: `2014-06-04T13:41:58.000Z`."""
    written = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z"


def instant(written: str) -> float | None:
    """Read a timestamp of any client, in Unix seconds; None = it is none.

    Seconds with up to nine decimals; `Z`, `+00:00` and other offsets, or none at all, which means UTC.
    """
    read = _ISO_8601.fullmatch(written.strip())
    if read is None:
        return None
    date, time, fraction, sign, hours, minutes = read.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        when = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=timezone(ahead))
        return when.timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):  # no such day, no such hour, no such zone
        return None


def _judge_signature(request: Signable, theirs: str, holder: Holder | None, *, fresh: bool) -> Verdict:
    if not fresh:
        return Refusal.STALE
    key = secret_bytes(_SECRET_OF_NOBODY if holder is None else holder.secret)
    ours = [_signed(key, request, path).encode() for path in _paths(request)]
    matches = [hmac.compare_digest(one, theirs.encode("utf-8", "surrogateescape")) for one in ours]
    return Accepted(holder.key, theirs) if holder is not None and any(matches) else Refusal.SIGNATURE


def _judge_basic(credentials: str, find: Callable[[str], Holder | None]) -> Verdict:
    try:
        shown = base64.b64decode(credentials + "=" * (-len(credentials) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Refusal.MALFORMED
    key, colon, secret = shown.partition(b":")
    if not colon:
        return Refusal.MALFORMED
    holder = find(key.decode("utf-8", "replace"))
    right = (_SECRET_OF_NOBODY if holder is None else holder.secret).encode()
    if not hmac.compare_digest(right, secret) or holder is None:
        return Refusal.CREDENTIALS
    return Accepted(holder.key) if holder.basic else Refusal.SCHEME


def _is_fresh(request: Signable, now: float, window_s: float) -> bool:
    sent_at = instant(request.timestamp)
    return sent_at is not None and abs(now - sent_at) <= window_s


def _paths(request: Signable) -> Iterator[bytes]:
    """Yield the forms of the path that clients sign: three, whatever the request is."""
    yield request.path.encode("utf-8", "surrogateescape")
    yield unquote_to_bytes(request.path.encode("utf-8", "surrogateescape"))
    yield f"{request.path}?{request.query}".encode("utf-8", "surrogateescape")


def _signed(secret: bytes, request: Signable, path: bytes) -> str:
    digest = hashlib.md5(request.body, usedforsecurity=False).digest() if request.body else b""
    head = "\n".join(
        (
            request.method.upper(),
            base64.b64encode(digest).decode(),
            request.content_type,
            f"x-timestamp:{request.timestamp}",
        )
    )
    message = head.encode("utf-8", "surrogateescape") + b"\n" + path
    return base64.b64encode(hmac.digest(secret, message, "sha256")).decode()
