"""Keep secrets out of logs: by the name of a field, and by the shape of text.

The names catch what we log on purpose (`password=`, `authorization=`); the shapes catch what slips in as part of a
message, an address or an exception: digest responses (RFC 7616), keys of SRTP and ICE, Authorization header lines,
`user:password@host`.
Works on what `gateway.observe.plain` returns.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.observe.plain import Plain

__all__ = ["REDACTED", "redacted", "redacted_text"]

REDACTED = "[redacted]"
SECRET_NAME = re.compile(
    r"password|passwd|secret|authori[sz]ation|credential|cookie|private_?key|api_?key|token|(?:^|_)ha1(?:$|_)",
    re.IGNORECASE,
)
SECRET_SHAPES = (
    # A whole header line: Digest, Basic, Bearer and Sinch's "Application key:signature" alike.
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*).*?(?=\\x0[da]|$)"), rf"\g<1>{REDACTED}"),
    # A digest response on its own: 128, 256 or 512 bits in hexadecimal.
    (re.compile(r"(?i)\b((?:response|ha1)[\"']?\s*[:=]\s*[\"']?)[0-9a-f]{32,128}\b"), rf"\g<1>{REDACTED}"),
    (
        re.compile(r"(?i)\b((?:password|passwd|secret|token)[\"']?\s*[:=]\s*)[^\s,;&)}\]]+"),
        rf"\g<1>{REDACTED}",
    ),
    # A master key of SRTP (RFC 4568), the password of a browser's checks (RFC 8839), and what stands behind them.
    (re.compile(r"(?i)\b(inline:|ice-pwd:)[A-Za-z0-9+/=]{16,256}"), rf"\g<1>{REDACTED}"),
    # The password of a URL or a SIP address: bounded, so that no text takes long.
    (
        re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}:(?://)?[^\s:@/]{1,255}):[^\s@/]{1,255}@"),
        rf"\g<1>:{REDACTED}@",
    ),
)
SUSPICIOUS = re.compile(r"(?i)authori|passw|secret|token|response|ha1|inline:|ice-pwd:|@")
"""What each of these shapes has in it, and next to no text that we log."""


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def redacted_text(text: str) -> str:
    """Return `text` without what looks like a secret."""
    if SUSPICIOUS.search(text) is None:
        return text
    for shape, replacement in SECRET_SHAPES:
        text = shape.sub(replacement, text)
    return text


def redacted(value: Plain) -> Plain:
    """Return `value` without secrets, at any depth."""
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {key: REDACTED if _is_secret(key) else redacted(item) for key, item in value.items()}
    return value
