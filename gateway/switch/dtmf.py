"""Digits that come by signalling: the legacy usage of INFO (RFC 6086 section 4).

The bodies are `application/dtmf-relay` (Signal and Duration) and `application/dtmf` (one character).
Cisco, Grandstream and JsSIP send them.  Spellings vary: spaces around `=`, bare line feeds, `10` and `11`
for star and pound, no duration at all.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import BadMessage

__all__ = ["parse_dtmf_info_untrusted", "write_dtmf_info"]

_DIGITS: Final = frozenset("0123456789*#ABCD")
_SPELT_OUT: Final = {"10": "*", "11": "#", "STAR": "*", "POUND": "#", "16": "!", "FLASH": "!"}
_USUAL_MS: Final = 160
_LONGEST_MS: Final = 10_000


def parse_dtmf_info_untrusted(content_type: str, body: bytes) -> tuple[str, int] | None:
    """Return the digit and its duration in ms; None if the body is about something else.

    Raises:
        BadMessage: it says that it is a digit, and is none.
    """
    text = body[:256].decode("ascii", "replace")
    match content_type.lower():
        case "application/dtmf":
            return _digit(text.strip()), _USUAL_MS
        case "application/dtmf-relay":
            return _relayed(text)
        case _:
            return None


def write_dtmf_info(digit: str, duration_ms: int) -> tuple[str, bytes]:
    r"""Return the content type and the body of an INFO that says a key.

    >>> write_dtmf_info("5", 160)
    ('application/dtmf-relay', b'Signal=5\r\nDuration=160\r\n')
    """
    return "application/dtmf-relay", f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()


def _relayed(text: str) -> tuple[str, int]:
    fields = {}
    for line in text.replace("\r", "\n").split("\n"):
        name, equals, value = line.partition("=")
        if equals:
            fields[name.strip().lower()] = value.strip()
    return _digit(fields.get("signal", "")), _duration_ms(fields.get("duration", ""))


def _digit(text: str) -> str:
    digit = _SPELT_OUT.get(text.upper(), text.upper())
    if digit not in _DIGITS and digit != "!":
        raise BadMessage(f"{text[:16]!r} is no DTMF digit")
    return digit


def _duration_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return _USUAL_MS
    return min(int(text), _LONGEST_MS)
