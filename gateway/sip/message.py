"""Requests and responses: bytes to objects and back (RFC 3261 sections 7 and 8.2.6).

`parse_message_untrusted` accepts what real peers send and refuses what could be read in two ways.  A
message that it returns has a well-formed Via, From, To, Call-ID and CSeq, each of the last four once;
everything else may still be nonsense and is judged by whoever needs it.  The writer writes messages anew
from their parts: it never folds, never uses compact names, and always states Content-Length, so nothing of
a peer's framing survives into what we send.

Lines end with CRLF and nothing else: a CR or LF alone inside a header is refused, for some peer would take
it for a line end.  Other control characters are legal in quoted strings (RFC 4475 section 3.1.1.2) and are
kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from gateway.errors import BadMessage, LocalError
from gateway.sip.grammar import LWS, is_token, parse_number_untrusted
from gateway.sip.header_names import NAMES
from gateway.sip.headers import (
    CSeq,
    Headers,
    NameAddr,
    Via,
    canonical_name,
    parse_cseq_untrusted,
    parse_name_addr_untrusted,
    parse_via_untrusted,
)
from gateway.sip.uri import Uri, parse_uri_untrusted

__all__ = [
    "MAX_MESSAGE_BYTES",
    "REASONS",
    "Message",
    "Request",
    "Response",
    "is_keepalive",
    "parse_message_untrusted",
    "respond",
]

MAX_MESSAGE_BYTES: Final = 65_536
MAX_HEADERS: Final = 128
MAX_LINE_CHARACTERS: Final = 8_192
MAX_VIAS: Final = 70
MAX_ROUTES: Final = 32

REASONS: Final[dict[int, str]] = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}
"""The reason phrases of the IANA register."""

_NEEDED: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_ONLY_ONCE: Final = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type")
_FOLD = re.compile(rb"\r\n[ \t]+")
_LONE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_STATUS = re.compile(r"[1-6][0-9][0-9]")


class _Common:
    """What requests and responses share: the headers that every message has, parsed once."""

    __slots__ = ()

    headers: Headers
    body: bytes
    _parsed: _Essentials | None

    @property
    def via(self) -> Via:
        """The topmost Via. Raises BadMessage if a message of our own making has none."""
        return self._essentials.via

    @property
    def from_(self) -> NameAddr:
        """The From header."""
        return self._essentials.from_

    @property
    def to(self) -> NameAddr:
        """The To header."""
        return self._essentials.to

    @property
    def call_id(self) -> str:
        """The Call-ID, opaque and compared byte for byte."""
        return self._essentials.call_id

    @property
    def cseq(self) -> CSeq:
        """The CSeq header."""
        return self._essentials.cseq

    @property
    def _essentials(self) -> _Essentials:
        if self._parsed is None:
            object.__setattr__(self, "_parsed", _parse_essentials_untrusted(self.headers))
        assert self._parsed is not None  # set on the line above
        return self._parsed


@dataclass(frozen=True, slots=True)
class _Essentials:
    via: Via
    from_: NameAddr
    to: NameAddr
    call_id: str
    cseq: CSeq


@dataclass(frozen=True, slots=True)
class Request(_Common):
    """One request."""

    method: str
    uri: Uri
    headers: Headers
    body: bytes = b""
    _parsed: _Essentials | None = field(default=None, init=False, repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """Write the message. Raises LocalError if a part of it cannot stand in a message."""
        return _write(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)

    def with_top_via(self, via: Via) -> Request:
        """Return this request with `via` in place of the topmost one."""
        _, *others = self.headers.all("Via")
        request = Request(self.method, self.uri, self.headers.with_("Via", str(via), *others), self.body)
        object.__setattr__(request, "_parsed", replace(self._essentials, via=via))
        return request


@dataclass(frozen=True, slots=True)
class Response(_Common):
    """One response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    _parsed: _Essentials | None = field(default=None, init=False, repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """Write the message. Raises LocalError if a part of it cannot stand in a message."""
        return _write(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


Message: TypeAlias = Request | Response


def _write(start: str, headers: Headers, body: bytes) -> bytes:
    if "\r" in start or "\n" in start:
        raise LocalError("a start line cannot have a line break in it")
    lines = [start]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    try:
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body
    except UnicodeEncodeError as error:
        raise LocalError("a header has a character that cannot be encoded") from error


def is_keepalive(data: bytes) -> bool:
    """Tell whether a datagram only keeps a NAT binding alive: up to four CR, LF or NUL (RFC 5626)."""
    return len(data) <= 4 and not data.strip(b"\r\n\0")


def parse_message_untrusted(data: bytes) -> Request | Response:
    """Read one whole message: a datagram, a WebSocket message, or what `StreamFramer` cut out of a stream.

    The body is as long as Content-Length says, the rest of the datagram is ignored; without Content-Length
    it is the rest (RFC 3261 section 18.3).

    Raises:
        BadMessage: with the status that a request should be refused with, 400 mostly.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadMessage("the message is larger than 64 KiB", status=513)
    head, gap, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not gap:
        raise BadMessage("the message has no end of headers")
    start, headers, content_length = _parse_head_untrusted(head)
    if content_length is None:
        body = rest
    elif content_length > len(rest):
        raise BadMessage("the body is shorter than Content-Length says")
    else:
        body = rest[:content_length]
    message = _parse_start_untrusted(start, headers, body)
    essentials = _parse_essentials_untrusted(headers)
    if isinstance(message, Request) and essentials.cseq.method != message.method:
        raise BadMessage("CSeq names another method than the request")
    object.__setattr__(message, "_parsed", essentials)
    return message


def _parse_head_untrusted(head: bytes) -> tuple[str, Headers, int | None]:
    """Split a head into start line, headers and Content-Length."""
    if _LONE_LINE_END.search(head) is not None:
        raise BadMessage("a line ends with something else than CRLF")
    if b"\r\n " in head or b"\r\n\t" in head:
        head = _FOLD.sub(b" ", head)
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise BadMessage(f"the message has more than {MAX_HEADERS} headers")
    pairs: list[tuple[str, str]] = []
    content_length: int | None = None
    for line in lines:
        spelt, colon, value = line.partition(":")
        name, value = NAMES.get(spelt) or _parse_name_untrusted(spelt), value.strip(LWS)
        if not colon or len(line) > MAX_LINE_CHARACTERS:
            raise BadMessage("a header line has no colon or is too long")
        if name != "Content-Length":
            pairs.append((name, value))
        elif content_length is not None:
            raise BadMessage("Content-Length stands twice")
        else:
            content_length = parse_number_untrusted(value, "Content-Length", at_most=2**32)
    return start, Headers.trusted(tuple(pairs)), content_length


def _parse_name_untrusted(spelt: str) -> str:
    """Read a header's name as few spell it."""
    name = spelt.rstrip(LWS)
    if not is_token(name):
        raise BadMessage("a header line has no name")
    return canonical_name(name)


def _parse_essentials_untrusted(headers: Headers) -> _Essentials:
    lines = headers.by_name
    for name in _NEEDED:
        if name not in lines:
            raise BadMessage(f"the message has no {name}")
    for name in _ONLY_ONCE:
        if name in lines and len(lines[name]) > 1:
            raise BadMessage(f"{name} stands twice")
    vias = headers.all("Via")
    if not 0 < len(vias) <= MAX_VIAS or ("Route" in lines and len(headers.all("Route")) > MAX_ROUTES):
        raise BadMessage("the message has no Via, or too many Via or Route elements")
    if len(vias) > 1 and not all("/" in via for via in vias):
        raise BadMessage("a Via element is none")
    call_id = lines["Call-ID"][0]
    if not call_id or " " in call_id:
        raise BadMessage("Call-ID is not one word")
    return _Essentials(
        parse_via_untrusted(vias[0]),
        parse_name_addr_untrusted(lines["From"][0]),
        parse_name_addr_untrusted(lines["To"][0]),
        call_id,
        parse_cseq_untrusted(lines["CSeq"][0]),
    )


def _parse_start_untrusted(start: str, headers: Headers, body: bytes) -> Request | Response:
    if len(start) > MAX_LINE_CHARACTERS:
        raise BadMessage("the start line is too long", status=414)
    if start[:4].upper() == "SIP/":
        version, _, rest = start.partition(" ")
        status, _, reason = rest.partition(" ")
        if version.upper() != "SIP/2.0" or _STATUS.fullmatch(status) is None:
            raise BadMessage("the status line is malformed")
        return Response(int(status), reason, headers, body)
    words = start.split(" ")
    if len(words) != 3 or not is_token(words[0]) or _VERSION.fullmatch(words[2]) is None:
        raise BadMessage("the request line is malformed")
    if words[2].upper() != "SIP/2.0":
        raise BadMessage("only SIP/2.0 is spoken here", status=505)
    return Request(words[0], parse_uri_untrusted(words[1]), headers, body)


def respond(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """Build a response to `request` (RFC 3261 section 8.2.6).

    Via, From, To, Call-ID and CSeq are copied as text, Record-Route too where the response may make a
    dialog (101-299). `to_tag` is added to a To that has no tag.  A 100 has no tag of ours and repeats the
    Timestamp.
    """
    copied = [pair for pair in request.headers if pair[0] in _COPIED]
    if 100 < status < 300:
        copied += [pair for pair in request.headers if pair[0] == "Record-Route"]
    elif status == 100:
        copied += [pair for pair in request.headers if pair[0] == "Timestamp"]
    essentials = request._essentials
    if to_tag is not None and status > 100 and request.to.tag is None:
        copied = [(n, f"{v};tag={to_tag}" if n == "To" else v) for n, v in copied]
        essentials = replace(essentials, to=request.to.with_tag(to_tag))
    response = Response(
        status,
        REASONS.get(status, "") if reason is None else reason,
        Headers.trusted((*copied, *Headers(headers))),
        body,
    )
    object.__setattr__(response, "_parsed", essentials)  # known already: an answer need not be parsed again
    return response


_COPIED: Final = frozenset(_NEEDED)
