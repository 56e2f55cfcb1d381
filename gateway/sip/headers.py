"""The headers of a message, and the structured ones that every message needs.

`Headers` is an immutable list of name and value in the order of the wire.  Known names are stored in the
RFC's spelling whatever came (`v`, `VIA` and `Via` are one name), so there is one place where names are
understood and nothing can hide behind an odd spelling; unknown names keep theirs.  Values keep their text,
unfolded.  Content-Length is never stored: the body's length is the body's, and the writer states it.

What is parsed further is parsed when asked for: a switch looks into a handful of the twenty headers it
passes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from gateway.errors import BadMessage, LocalError
from gateway.sip.grammar import (
    LWS,
    Parameters,
    find_parameter,
    is_token,
    parse_host_port_untrusted,
    parse_number_untrusted,
    parse_parameters_untrusted,
    quote,
    split_list,
    unquote,
    write_host_port,
    write_parameters,
)
from gateway.sip.header_names import LISTS, NAMES, canonical_name
from gateway.sip.uri import Uri, parse_uri_untrusted

__all__ = [
    "CSeq",
    "Headers",
    "NameAddr",
    "Via",
    "canonical_name",
    "parse_cseq_untrusted",
    "parse_name_addr_untrusted",
    "parse_via_untrusted",
]

MAX_CSEQ: Final = 2**32 - 1
_MAX_REMEMBERED: Final = 160
"""Characters of an address that is worth remembering; longer ones are read each time."""
_NOTHING: Final[list[str]] = []
"""The values of a header that is not there; never changed."""


class Headers:
    """An immutable, ordered list of headers; look-ups ignore case and compact spelling."""

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Hold `pairs` in order.

        Raises:
            LocalError: a name is no token, or a value has a line break in it.
        """
        self._pairs = tuple(_checked(name, value) for name, value in pairs)
        self._index: dict[str, list[str]] | None = None

    @classmethod
    def trusted(cls, pairs: tuple[tuple[str, str], ...]) -> Headers:
        """Hold pairs whose names are canonical and whose values are known to have no line break."""
        headers = cls.__new__(cls)
        headers._pairs = pairs
        headers._index = None
        return headers

    def get(self, name: str) -> str | None:
        """Return the text of the first header called `name`."""
        values = self._values(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value called `name`: list headers split at their commas, others one value a line."""
        values = self._values(name)
        if not values or (NAMES.get(name) or canonical_name(name)) not in LISTS:
            return tuple(values)
        if len(values) == 1:
            return split_list(values[0])
        return tuple(element for value in values for element in split_list(value))

    def count(self, name: str) -> int:
        """Return how many lines are called `name`."""
        return len(self._values(name))

    def with_(self, name: str, *values: str) -> Headers:
        """Replace `name` by `values`, one line each, where it first stood (or at the end)."""
        name = canonical_name(name)
        fresh = tuple(_checked(name, value) for value in values)
        low = None if name in NAMES else name.lower()  # a known name has one spelling here
        kept: list[tuple[str, str]] = []
        placed = False
        for pair in self._pairs:
            if pair[0] != name and (low is None or pair[0].lower() != low):
                kept.append(pair)
            elif not placed:
                kept.extend(fresh)
                placed = True
        return Headers.trusted((*kept, *(() if placed else fresh)))

    def plus(self, name: str, value: str) -> Headers:
        """Add one header at the end."""
        return Headers.trusted((*self._pairs, _checked(name, value)))

    def plus_first(self, name: str, value: str) -> Headers:
        """Add one header before all others: where a Via goes."""
        return Headers.trusted((_checked(name, value), *self._pairs))

    def without(self, name: str) -> Headers:
        """Drop every header called `name`."""
        return self.with_(name)

    def __contains__(self, name: str) -> bool:
        return bool(self._values(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self._pairs)!r})"

    @property
    def by_name(self) -> Mapping[str, list[str]]:
        """The texts of each header, under the RFC's spelling of its name; an unknown one in lower case, too."""
        index = self._index
        if index is None:
            index = self._index = {}
            for key, value in self._pairs:
                index.setdefault(key, []).append(value)
                if key not in NAMES:
                    index.setdefault(key.lower(), index[key])
        return index

    def _values(self, name: str) -> list[str]:
        index = self.by_name
        values = index.get(name)
        if values is not None:
            return values
        known = NAMES.get(name)
        if known == name:
            return _NOTHING  # known names are indexed by their proper spelling, so this one is not there
        return index.get(known or canonical_name(name)) or index.get(name.lower()) or _NOTHING


def _checked(name: str, value: str) -> tuple[str, str]:
    """Refuse what would end the line early: a header is data, never a way to write another one."""
    if (name not in NAMES and not is_token(name)) or "\r" in value or "\n" in value:
        raise LocalError(f"header {name!r} cannot be written: not a name, or a line break in its value")
    return canonical_name(name), value


@dataclass(frozen=True, slots=True)
class NameAddr:
    """An address with perhaps a display name: From, To, Contact, Route, ... (RFC 3261 section 20.10)."""

    display: str | None
    """Without quotes and backslashes."""
    uri: Uri
    parameters: Parameters = ()
    """The header's own parameters, behind the ">"."""

    def __str__(self) -> str:
        display = "" if self.display is None else quote(self.display) + " "
        return f"{display}<{self.uri}>{write_parameters(self.parameters)}"

    @property
    def tag(self) -> str | None:
        """The dialog tag of this side, if any."""
        return self.parameter("tag") or None

    def parameter(self, name: str) -> str | None:
        """Return the header parameter called `name` (lower case), unquoted: "" if bare, None if absent."""
        return find_parameter(self.parameters, name)

    def with_tag(self, tag: str) -> NameAddr:
        """Return this address with `tag` in place of any tag it has."""
        others = tuple(pair for pair in self.parameters if pair[0].lower() != "tag")
        return replace(self, parameters=(*others, ("tag", tag)))


def parse_name_addr_untrusted(text: str) -> NameAddr:
    """Read `"display" <uri>;parameters` or `uri;parameters`.

    Without angle brackets everything behind ";" belongs to the header (RFC 3261 section 20.10).  The
    Contact "*" is no address.

    Raises:
        BadMessage: a quote or bracket is open, or the URI is none.
    """
    return _remembered(text) if len(text) <= _MAX_REMEMBERED else _read_name_addr_untrusted(text)


def _read_name_addr_untrusted(text: str) -> NameAddr:
    text = text.strip(LWS)
    display: str | None = None
    if text.startswith('"'):
        end = _closing_quote_untrusted(text)
        display, text = unquote(text[: end + 1]), text[end + 1 :].lstrip(LWS)
        if not text.startswith("<"):
            raise BadMessage("a display name is not followed by an address in brackets")
    before, bracket, rest = text.partition("<")
    if not bracket:
        address, semicolon, tail = text.partition(";")
        if "?" in address:
            raise BadMessage("a URI with headers must stand in brackets")
        uri = parse_uri_untrusted(address.rstrip(LWS))
        return NameAddr(None, uri, parse_parameters_untrusted(semicolon + tail))
    address, bracket, tail = rest.partition(">")
    if not bracket:
        raise BadMessage("an address has an open bracket")
    if before:
        display = before.strip(LWS)
        if '"' in display:
            raise BadMessage("a display name has a quote inside")
    return NameAddr(
        display, parse_uri_untrusted(address.strip(LWS)), parse_parameters_untrusted(tail.strip(LWS))
    )


_remembered = lru_cache(maxsize=2048)(_read_name_addr_untrusted)
"""The messages of a call name the same few addresses again and again."""


def _closing_quote_untrusted(text: str) -> int:
    """Return where the quoted string that `text` starts with ends."""
    at = 1
    while (quote_at := text.find('"', at)) >= 0:
        backslash_at = text.find("\\", at, quote_at)
        if backslash_at < 0:
            return quote_at
        at = backslash_at + 2
    raise BadMessage("a quoted string is not closed")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop a request took (RFC 3261 section 20.42)."""

    transport: str
    """Upper case: UDP, TCP, TLS, WS, WSS, ..."""
    host: str
    port: int | None = None
    parameters: Parameters = ()

    def __str__(self) -> str:
        place = write_host_port(self.host, self.port)
        return f"SIP/2.0/{self.transport} {place}{write_parameters(self.parameters)}"

    @property
    def branch(self) -> str:
        """The transaction's identifier; "" where an RFC 2543 client gave none."""
        return self.parameter("branch") or ""

    def parameter(self, name: str) -> str | None:
        """Return the parameter called `name` (lower case): "" for a bare name, None where it is absent."""
        return find_parameter(self.parameters, name)

    def with_parameters(self, **values: str) -> Via:
        """Return this hop with parameters set: in place where the name is there, else at the end."""
        missing = dict(values)
        kept = [(name, missing.pop(name.lower(), value)) for name, value in self.parameters]
        return replace(self, parameters=(*kept, *missing.items()))


def parse_via_untrusted(text: str) -> Via:
    """Read one Via element (no comma): `SIP/2.0/UDP host:port;parameters`, white space allowed between all.

    Raises:
        BadMessage: it is not SIP/2.0, or transport, host or a parameter is malformed.
    """
    head, semicolon, tail = text.partition(";")
    parts = head.replace("\t", " ").split("/", 2)
    if len(parts) != 3 or parts[0].strip(LWS).upper() != "SIP" or parts[1].strip(LWS) != "2.0":
        raise BadMessage("a Via is not SIP/2.0")
    transport, _, place = parts[2].strip(LWS).partition(" ")
    if not is_token(transport):
        raise BadMessage("a Via has no transport")
    host, port = parse_host_port_untrusted(place.strip(LWS))
    return Via(transport.upper(), host, port, parse_parameters_untrusted(semicolon + tail))


@dataclass(frozen=True, slots=True)
class CSeq:
    """A request's place in its dialog, and its method (RFC 3261 section 20.16)."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq_untrusted(text: str) -> CSeq:
    """Read `number method`; the number fits 32 bits."""
    number, _, method = text.replace("\t", " ").partition(" ")
    method = method.strip(LWS)
    if not is_token(method):
        raise BadMessage("CSeq has no method")
    return CSeq(parse_number_untrusted(number, "CSeq", at_most=MAX_CSEQ), method)
