"""Find the session description in the body of a message (RFC 3261 section 7.4, RFC 2045, RFC 5621).

Most bodies are `application/sdp`.  Trunks that speak SIP-I wrap it in `multipart/mixed` beside an ISUP
part, emergency calls beside a location: then the first SDP part is the one, whatever stands around it.
What we do not understand is refused with 415 unless its sender marked it `handling=optional`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.errors import PeerError
from gateway.sip.grammar import LWS, find_parameter, parse_parameters_untrusted
from gateway.sip.message import Request, Response

__all__ = ["SDP", "media_type", "session_description"]

SDP: Final = "application/sdp"
_MAX_DEPTH: Final = 4
_MAX_PARTS: Final = 16
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")


def media_type(text: str | None) -> str:
    """Return type and subtype of a Content-Type in lower case, without parameters; "" if there is none."""
    return (text or "").partition(";")[0].strip(LWS).lower()


def session_description(message: Request | Response) -> bytes | None:
    """Return the SDP that `message` carries, or None if it carries no body or an optional one.

    Raises:
        PeerError: 415, a body that must be understood and is not; 400, a malformed Content-Type.
    """
    if not message.body:
        return None
    if (message.headers.get("Content-Encoding") or "identity").strip(LWS).lower() != "identity":
        raise PeerError("the body is encoded in a way that we do not undo", status=415)
    content_type = message.headers.get("Content-Type") or SDP
    disposition = message.headers.get("Content-Disposition") or ""
    found, optional = _find(content_type, disposition, message.body, depth=0)
    if found is None and not optional:
        raise PeerError("the body is of a type that we do not understand", status=415)
    return found


def _find(content_type: str, disposition: str, body: bytes, *, depth: int) -> tuple[bytes | None, bool]:
    """Return the SDP and whether not finding one is no fault."""
    kind, _, tail = content_type.partition(";")
    kind = kind.strip(LWS).lower()
    if kind == SDP:
        return body, True
    _, semicolon, rest = disposition.partition(";")
    optional = find_parameter(parse_parameters_untrusted(semicolon + rest), "handling") == "optional"
    if not kind.startswith("multipart/") or depth >= _MAX_DEPTH:
        return None, optional
    boundary = find_parameter(parse_parameters_untrusted(f";{tail}"), "boundary")
    if not boundary:
        raise PeerError("a multipart body without a boundary", status=400)
    required = 0
    for headers, part in _parts(body, boundary):
        part_disposition = headers.get("content-disposition", "")
        found, harmless = _find(headers.get("content-type", ""), part_disposition, part, depth=depth + 1)
        if found is not None:
            return found, True
        required += not harmless
    return None, optional or required == 0


def _parts(body: bytes, boundary: str) -> list[tuple[Mapping[str, str], bytes]]:
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    # The last piece is the epilogue if the closing delimiter came, and a part cut short if it did not.
    pieces = (b"\r\n" + body).split(delimiter, _MAX_PARTS)[1:]
    parts: list[tuple[Mapping[str, str], bytes]] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            break
        head, _, content = piece.partition(b"\r\n\r\n")
        parts.append((_part_headers(head), content))
    return parts


def _part_headers(head: bytes) -> dict[str, str]:
    lines = _FOLD.sub(b" ", head).decode("utf-8", "surrogateescape").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip(LWS).lower(): value.strip(LWS) for name, colon, value in pairs if colon}
