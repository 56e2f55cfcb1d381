"""A corpus of malformed and odd messages, made by rule: every header of every method with every value that hurts.

Each message is framed as it should be (its Content-Length is right), so that on a stream the next one can be found;
what is wrong is inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.testing.sip_script import sip_request

__all__ = ["odd_messages"]

_METHODS: Final = ("INVITE", "REGISTER", "OPTIONS", "BYE", "SUBSCRIBE", "NEWMETHOD", "SIP/2.0")
_HEADERS: Final = (
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Contact",
    "Content-Type",
    "Expires",
    "Require",
    "Route",
    "Record-Route",
    "Authorization",
    "Session-Expires",
    "Replaces",
    "Supported",
)
_VALUES: Final = (
    "",
    "<",
    '"',
    '"\\',
    "\x00",
    "\x7f\x85\u2028",
    "\u00b2",
    "9" * 5000,
    "-1",
    "4294967296",
    "sip:",
    "<sip:[::1>;tag=1;tag=2",
    ";" * 2000,
    "," * 2000,
    "%%%zz",
    "a=b" * 2000,
    "Digest " + 'a="' * 500,
)


def odd_messages() -> Iterator[tuple[str, bytes]]:
    """Yield what each is, and its bytes; more than 1,800 of them."""
    for method in _METHODS:
        for header in _HEADERS:
            for number, value in enumerate(_VALUES):
                name = f"{method} {header} {number}"
                branch = f"z9hG4bK-odd-{method}-{header}-{number}"
                data = sip_request(
                    "OPTIONS" if method == "SIP/2.0" else method,
                    branch=branch,
                    call_id=name.replace(" ", "-"),
                    headers={header: value},
                    body="v=0\r\n",
                )
                yield name, _as_response(data) if method == "SIP/2.0" else data


def _as_response(data: bytes) -> bytes:
    _, _, rest = data.partition(b"\r\n")
    return b"SIP/2.0 200 OK\r\n" + rest
