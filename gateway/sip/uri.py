"""SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966), and the shape of any other.

A `Uri` holds meaning rather than spelling: the user part is decoded (`%61lice` is `alice`), a password is
dropped (RFC 3261 forbids to use it and logs would show it), a telephone number has lost its visual
separators.  What has to be echoed byte for byte (To, Record-Route) is echoed from the header's text and
never passes through here.

- `sip:` and `sips:` have a user or None, a host (IPv6 without brackets) and perhaps a port.
- `tel:` has its number as the user and an empty host.
- Any other scheme is legal in From and To (RFC 4475 section 3.3.3); its text is the host, and only the
  scheme is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage
from gateway.sip.grammar import (
    Parameters,
    find_parameter,
    parse_host_port_untrusted,
    write_host_port,
    write_parameters,
)

__all__ = ["Uri", "escape", "escape_user", "parse_uri_untrusted", "unescape"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_FORBIDDEN = re.compile(r'[\x00-\x20"<>\x7f]')
_NOT_A_USER_CHARACTER = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9\-_.!~*'()]")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")
_SIP_SCHEMES: Final = frozenset({"sip", "sips"})
_NEVER_ABSENT: Final = ("user", "ttl", "method", "maddr")
"""Parameters that make two URIs differ when only one of them has them (RFC 3261 section 19.1.4)."""


@dataclass(frozen=True, slots=True)
class Uri:
    """One URI; `str(uri)` writes it."""

    scheme: str
    """Lower case."""
    user: str | None
    """Decoded; None where there is none."""
    host: str
    """As spelt; compare hosts without regard to case."""
    port: int | None = None
    parameters: Parameters = ()
    """Names and values as spelt, escapes included."""
    headers: str = ""
    """What follows the "?", as spelt."""

    def __str__(self) -> str:
        tail = write_parameters(self.parameters) + (f"?{self.headers}" if self.headers else "")
        if self.scheme in _SIP_SCHEMES:
            user = "" if self.user is None else escape_user(self.user) + "@"
            return f"{self.scheme}:{user}{write_host_port(self.host, self.port)}{tail}"
        return f"{self.scheme}:{self.user or ''}{self.host}{tail}"

    def parameter(self, name: str) -> str | None:
        """Return the first parameter called `name` (lower case): "" for a bare name, None if absent."""
        return find_parameter(self.parameters, name)

    def same_as(self, other: Uri) -> bool:
        """Compare by RFC 3261 section 19.1.4.

        An absent port differs from 5060, an unknown parameter in one of the two is ignored; so this is not
        transitive.
        """
        return (
            self.scheme == other.scheme
            and self.user == other.user
            and self.host.lower() == other.host.lower()
            and self.port == other.port
            and _same_parameters(self, other)
            and _header_set(self.headers) == _header_set(other.headers)
        )


def _same_parameters(one: Uri, other: Uri) -> bool:
    ours, theirs = _parameter_map(one.parameters), _parameter_map(other.parameters)
    if any((name in ours) != (name in theirs) for name in _NEVER_ABSENT):
        return False
    return all(theirs[name] == value for name, value in ours.items() if name in theirs)


def _parameter_map(parameters: Parameters) -> dict[str, str]:
    """Index by lower-case name; of a repeated parameter the first counts."""
    found: dict[str, str] = {}
    for name, value in parameters:
        found.setdefault(unescape(name).lower(), unescape(value or "").lower())
    return found


def _header_set(headers: str) -> list[str]:
    return sorted(unescape(header) for header in headers.split("&"))


def unescape(text: str) -> str:
    """Return what `%61lice` says: escapes decoded, everything else as it is."""
    if "%" not in text:
        return text
    raw = _ESCAPE.sub(
        lambda match: bytes((int(match.group(1), 16),)), text.encode("utf-8", "surrogateescape")
    )
    return raw.decode("utf-8", "surrogateescape")


def escape(text: str) -> str:
    """Write `text` as the value of a URI's header: everything escaped that means something there."""
    return _NOT_UNRESERVED.sub(_escape_character, text)


def escape_user(user: str) -> str:
    """Write a user part, escaping what must not stand bare in it (RFC 3261 section 25.1)."""
    return _NOT_A_USER_CHARACTER.sub(_escape_character, user)


def _escape_character(match: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogateescape")])


def parse_uri_untrusted(text: str) -> Uri:
    """Read a URI without brackets or white space around it.

    Raises:
        BadMessage: it has no scheme, a character no URI has, or no usable host and port.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or _SCHEME.fullmatch(scheme) is None:
        raise BadMessage("a URI has no scheme or nothing behind it")
    if _FORBIDDEN.search(rest) is not None:
        raise BadMessage("a URI has white space, quotes or brackets in it")
    scheme = scheme.lower()
    if scheme in _SIP_SCHEMES:
        return _parse_sip(scheme, rest)
    if scheme == "tel":
        number, parameters = _split_parameters(rest)
        if not (number := number.translate(_VISUAL_SEPARATORS)):
            raise BadMessage("a tel URI has no number")
        return Uri("tel", number, "", None, parameters)
    return Uri(scheme, None, rest)


def _parse_sip(scheme: str, rest: str) -> Uri:
    user: str | None = None
    userinfo, at, place = rest.partition("@")
    if at:
        user = unescape(userinfo.partition(":")[0]) or None
    else:
        place = rest
    place, _, headers = place.partition("?")
    host_port, parameters = _split_parameters(place)
    host, port = parse_host_port_untrusted(host_port)
    return Uri(scheme, user, host, port, parameters, headers)


def _split_parameters(text: str) -> tuple[str, Parameters]:
    if ";" not in text:
        return text, ()
    head, *pieces = text.split(";")
    parameters: list[tuple[str, str | None]] = []
    for piece in pieces:
        name, equals, value = piece.partition("=")
        if name:
            parameters.append((name, value if equals else None))
        elif equals:
            raise BadMessage("a URI parameter has no name")
    return head, tuple(parameters)
