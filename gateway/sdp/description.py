"""Session descriptions as text: a tolerant reader and a strict writer (RFC 8866).

A description is read into frozen values that keep what offer/answer needs: origin, connection, bandwidth,
attributes and media lines, in their order.  What no decision hangs on (`i= u= e= p= k= r= z=`, the times
of `t=`) is read over and not kept, because a back-to-back user agent never passes a peer's description on.

Real peers end lines with a bare LF, leave out the last line end, `s=` or `t=`, repeat `t=`, put `a=` before
`c=`, or have spaces in the user name of `o=`.  All of that is read.  What is written is always in the order
of RFC 8866 section 5, with CRLF, one `s=` and one `t=`.

Limits, because the bytes come from strangers: 16 KiB of text, 16 media lines, 64 formats a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from gateway.errors import BadMessage, LocalError

__all__ = [
    "MAX_BYTES",
    "MAX_FORMATS",
    "MAX_MEDIA",
    "Attribute",
    "Connection",
    "MediaDescription",
    "Origin",
    "SessionDescription",
    "parse_sdp_untrusted",
]

MAX_BYTES: Final = 16 * 1024
MAX_MEDIA: Final = 16
MAX_FORMATS: Final = 64

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One `a=` line: `name:value`, or a flag when `value` is None (RFC 8866 section 5.13)."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where media shall be sent: the address of a `c=` line, without TTL or count (RFC 8866 section 5.7)."""

    address: str

    def __str__(self) -> str:
        return f"IN {_address_family(self.address)} {self.address}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the description, and which edition of it: the `o=` line (RFC 8866 section 5.2).

    The two numbers stay text: they are compared, never computed with, and peers write what they like.
    """

    session_id: str = "0"
    version: str = "0"
    address: str = "0.0.0.0"
    username: str = "-"

    def __str__(self) -> str:
        family = _address_family(self.address)
        return f"{self.username} {self.session_id} {self.version} IN {family} {self.address}"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One `m=` line and the lines that belong to it (RFC 8866 section 5.14); port 0 is a refusal."""

    media: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    connection: Connection | None = None
    bandwidth: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the value of the first attribute `name` ("" for a flag), None if there is none."""
        return _first(self.attributes, name)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of every attribute `name`, in order."""
        return tuple(each.value or "" for each in self.attributes if each.name == name)

    def lines(self) -> Iterator[str]:
        """Write the line and what belongs to it, without line ends."""
        yield f"m={self.media} {self.port} {self.protocol} {' '.join(self.formats)}"
        if self.connection is not None:
            yield f"c={self.connection}"
        yield from (f"b={kind}:{value}" for kind, value in self.bandwidth)
        yield from (f"a={each}" for each in self.attributes)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description; `to_bytes` writes it, `parse_sdp_untrusted` reads it."""

    origin: Origin = field(default_factory=Origin)
    name: str = "-"
    connection: Connection | None = None
    bandwidth: tuple[tuple[str, str], ...] = ()
    attributes: tuple[Attribute, ...] = ()
    media: tuple[MediaDescription, ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the value of the first session attribute `name` ("" for a flag), None if there is none."""
        return _first(self.attributes, name)

    def connection_of(self, media: MediaDescription) -> Connection | None:
        """Return where `media` wants its packets: its own `c=` line wins over the session's."""
        return media.connection or self.connection

    def to_bytes(self) -> bytes:
        """Write strictly: RFC 8866 order, CRLF. Raises LocalError if a value would break out of its line."""
        lines = list(self._lines())
        for line in lines:
            if _LINE_END.search(line) or "\0" in line:
                raise LocalError(f"a line of a session description may not hold a line end: {line!r}")
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _lines(self) -> Iterator[str]:
        yield "v=0"
        yield f"o={self.origin}"
        yield f"s={self.name or '-'}"
        if self.connection is not None:
            yield f"c={self.connection}"
        yield from (f"b={kind}:{value}" for kind, value in self.bandwidth)
        yield "t=0 0"
        yield from (f"a={each}" for each in self.attributes)
        for media in self.media:
            yield from media.lines()


def parse_sdp_untrusted(data: bytes) -> SessionDescription:
    """Read a description from the network. Raises only BadMessage, whose text says which line is wrong."""
    if len(data) > MAX_BYTES:
        raise BadMessage(f"session description of {len(data)} bytes, the limit is {MAX_BYTES}")
    lines = _typed_lines(data)
    starts = [index for index, (kind, _) in enumerate(lines) if kind == "m"]
    if len(starts) > MAX_MEDIA:
        raise BadMessage(f"session description with {len(starts)} media lines, the limit is {MAX_MEDIA}")
    bounds = [*starts, len(lines)]
    head = lines[: bounds[0]]
    version = _first_of(head, "v")
    if version is None or version.strip() != "0":
        raise BadMessage("session description without v=0")
    origin = _first_of(head, "o")
    return SessionDescription(
        origin=Origin() if origin is None else _origin(origin),
        name=(_first_of(head, "s") or "").strip() or "-",
        connection=_connection(head),
        bandwidth=_bandwidth(head),
        attributes=_attributes(head),
        media=tuple(_media(lines[start:end]) for start, end in pairwise(bounds)),
    )


_Lines = list[tuple[str, str]]


def _typed_lines(data: bytes) -> _Lines:
    """Split into (type letter, value); blank lines are skipped, foreign letters never asked for."""
    if b"\0" in data:
        raise BadMessage("session description with a NUL byte (RFC 8866 section 9)")
    lines: _Lines = []
    for line in _LINE_END.split(data.decode("utf-8", "replace")):
        if not line.strip():
            continue
        if line[1:2] != "=" or not line[0].isalpha():
            raise BadMessage(f"session description line is not <letter>=<value>: {line[:40]!r}")
        lines.append((line[0], line[2:]))
    return lines


def _first(attributes: Iterable[Attribute], name: str) -> str | None:
    return next((each.value or "" for each in attributes if each.name == name), None)


def _first_of(lines: _Lines, kind: str) -> str | None:
    return next((value for letter, value in lines if letter == kind), None)


def _address_family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def _origin(value: str) -> Origin:
    """Read from the right: some peers put spaces into the user name, which comes first."""
    fields = value.split()
    if len(fields) < 5:
        raise BadMessage(f"o= line with {len(fields)} fields, RFC 8866 section 5.2 has six")
    *username, session_id, version, _network, _family, address = fields
    return Origin(session_id, version, address, "_".join(username) or "-")


def _connection(lines: _Lines) -> Connection | None:
    value = _first_of(lines, "c")
    if value is None:
        return None
    fields = value.split()
    if len(fields) != 3 or fields[0].upper() != "IN" or fields[1].upper() not in {"IP4", "IP6"}:
        raise BadMessage(f"c= line is not 'IN IP4|IP6 address': {value[:60]!r}")
    address = fields[2].split("/")[0].strip("[]")
    if not address:
        raise BadMessage(f"c= line without an address: {value[:60]!r}")
    return Connection(address)


def _bandwidth(lines: _Lines) -> tuple[tuple[str, str], ...]:
    split = (value.partition(":") for letter, value in lines if letter == "b")
    return tuple((kind.strip(), number.strip()) for kind, colon, number in split if colon)


def _attributes(lines: _Lines) -> tuple[Attribute, ...]:
    found = []
    for letter, line in lines:
        name, colon, value = line.partition(":")
        if letter == "a" and name.strip():
            found.append(Attribute(name.strip(), value.strip() if colon else None))
    return tuple(found)


def _media(lines: _Lines) -> MediaDescription:
    fields = lines[0][1].split()
    if len(fields) < 3:
        raise BadMessage(f"m= line with {len(fields)} fields: {lines[0][1][:60]!r}")
    media, port_text, protocol, *formats = fields
    port = _port(port_text.split("/")[0])
    if len(formats) > MAX_FORMATS:
        raise BadMessage(f"m= line with {len(formats)} formats, the limit is {MAX_FORMATS}")
    if not formats and port:
        raise BadMessage(f"m= line without a format: {lines[0][1][:60]!r}")
    return MediaDescription(
        media=media,
        port=port,
        protocol=protocol,
        formats=tuple(formats) or ("0",),  # a refused line may come bare; the grammar wants one format
        attributes=_attributes(lines),
        connection=_connection(lines),
        bandwidth=_bandwidth(lines),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise BadMessage(f"m= line with port {text[:20]!r}")
    return int(text)
