"""The few lexical rules that every SIP header shares (RFC 3261 sections 7.3.1 and 25.1).

Text here is what a datagram's head decodes to as UTF-8 with `surrogateescape`: any bytes decode, and
encoding gives the same bytes back.  Everything is a linear scan over character classes that are spelt out
in ASCII, because Python's own notions of digit, space and case reach far beyond it ("²" is a digit, U+0085
ends a line).

Functions that end in `_untrusted` eat text from the network and raise `BadMessage`, nothing else.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from gateway.errors import BadMessage

__all__ = [
    "LWS",
    "Parameters",
    "find_parameter",
    "is_token",
    "parse_host_port_untrusted",
    "parse_number_untrusted",
    "parse_parameters_untrusted",
    "quote",
    "split_list",
    "split_outside_quotes",
    "unquote",
    "write_host_port",
    "write_parameters",
]

Parameters: TypeAlias = tuple[tuple[str, str | None], ...]
"""`;name=value` pairs in order, spelt as they came: a quoted value keeps its quotes, a bare name has None."""

LWS = " \t"
"""Linear white space once a header is unfolded."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_DIGITS = re.compile(r"[0-9]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9._\-]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MARKS = re.compile(r'["\\<>,;]')
_MAX_DIGITS = (
    10  # of any number in SIP; checked before int(), which is quadratic and raises past 4,300 digits
)


def is_token(text: str) -> bool:
    """Tell whether `text` is an RFC 3261 token."""
    return _TOKEN.fullmatch(text) is not None


def parse_number_untrusted(text: str, what: str, *, at_most: int) -> int:
    """Read a decimal number; leading zeros are allowed, a sign or white space is not."""
    if _DIGITS.fullmatch(text) is None:
        raise BadMessage(f"{what} is not a number")
    digits = text.lstrip("0")
    if len(digits) > _MAX_DIGITS or (number := int(digits or "0")) > at_most:
        raise BadMessage(f"{what} is larger than {at_most}")
    return number


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at `separator` ("," or ";") where it stands outside quoted strings and angle brackets.

    Never fails: an open quote or bracket runs to the end, and the parser of that element says what is wrong.
    """
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts: list[str] = []
    start = skip_to = 0
    quoted = angled = False
    for match in _MARKS.finditer(text):
        at, mark = match.start(), match.group()
        if at < skip_to:
            continue
        if mark == "\\":
            skip_to = at + 2 if quoted else at
        elif mark == '"':
            quoted = not quoted and not angled
        elif quoted:
            continue
        elif mark == "<":
            angled = True
        elif mark == ">":
            angled = False
        elif mark == separator and not angled:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def split_list(text: str) -> tuple[str, ...]:
    """Split a comma-separated header value into its elements, without empty ones."""
    if "," not in text:
        return (text,) if text else ()
    parts = (part.strip(LWS) for part in split_outside_quotes(text, ","))
    return tuple(part for part in parts if part)


def parse_parameters_untrusted(text: str) -> Parameters:
    """Read `;name=value;name` (white space allowed around every mark); `text` is empty or starts with ";"."""
    if not text:
        return ()
    pieces = split_outside_quotes(text, ";")
    if pieces[0].strip(LWS):
        raise BadMessage("a header has text where only parameters may stand")
    parameters: list[tuple[str, str | None]] = []
    for piece in pieces[1:]:
        name, equals, value = piece.partition("=")
        name, value = name.strip(LWS), value.strip(LWS)
        if not name and not equals:
            continue  # ";;" is seen in the field and means nothing
        if _TOKEN.fullmatch(name) is None:
            raise BadMessage("a header parameter has no proper name")
        if value.startswith('"') and _QUOTED.fullmatch(value) is None:
            raise BadMessage(f"parameter {name} has an open quote")
        parameters.append((name, value if equals else None))
    return tuple(parameters)


def write_parameters(parameters: Parameters) -> str:
    """Write parameters as `;name=value;name`."""
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in parameters])


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """Return the first value called `name` (lower case), unquoted: "" for a bare name, None if absent."""
    for key, value in parameters:
        if key == name or key.lower() == name:
            return unquote(value) if value is not None else ""
    return None


def unquote(text: str) -> str:
    """Return what a quoted string says; any other text is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner


def quote(text: str) -> str:
    """Write `text` as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_host_port_untrusted(text: str) -> tuple[str, int | None]:
    """Read `host[:port]`; an IPv6 address stands in brackets and is returned without them (no zone ids)."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or host.count(":") < 2 or _IPV6.fullmatch(host) is None:
            raise BadMessage("an IPv6 address is not well formed")
        rest = rest.strip(LWS)
        if rest and rest[0] != ":":
            raise BadMessage("an IPv6 address is followed by something else than a port")
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        host = host.rstrip(LWS)
        if _HOST_NAME.fullmatch(host) is None:
            raise BadMessage("a host name is missing or has characters that no host has")
    if not colon:
        return host, None
    return host, parse_number_untrusted(port.strip(LWS), "a port", at_most=65_535)


def write_host_port(host: str, port: int | None) -> str:
    """Write `host[:port]`, with brackets around an IPv6 address."""
    written = f"[{host}]" if ":" in host else host
    return written if port is None else f"{written}:{port}"
