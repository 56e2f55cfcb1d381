"""The cookies of a call: what an application has it remember, and what of that a SIP peer is told."""

from __future__ import annotations

import re
from typing import Final

from gateway.svaml.model import Pairs, SetCookie

__all__ = ["MOST_BYTES", "sip_headers", "with_cookie"]

MOST_BYTES: Final = 1024
"""All keys and values of a call together, in UTF-8."""
_HEADER: Final = re.compile(r"(?i:x-)[A-Za-z0-9!%*_+`'~.-]{1,60}")
"""A name that is nobody's but the application's (a token, RFC 3261 section 25.1)."""
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


def with_cookie(cookies: Pairs, cookie: SetCookie) -> Pairs:
    """Return the cookies with one more, or with another value; one too many changes nothing."""
    after = tuple((dict(cookies) | {cookie.key: cookie.value}).items())
    n_bytes = sum(len(key.encode()) + len(value.encode()) for key, value in after)
    return after if n_bytes <= MOST_BYTES else cookies


def sip_headers(*pairs: Pairs) -> Pairs:
    """Return those pairs that may stand in an INVITE: named `X-...`, on one line; the last of a name counts."""
    fitting: dict[str, tuple[str, str]] = {}
    for key, value in (pair for group in pairs for pair in group):
        if _HEADER.fullmatch(key) and _VALUE.fullmatch(value):
            fitting[key.lower()] = (key, value)
    return tuple(fitting.values())
