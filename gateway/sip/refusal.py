"""Answering a request that does not parse (RFC 3261 section 8.2, RFC 4475 section 3.1.2).

A peer that is told 400 with a reason can be mended; one that hears nothing sends the same again for 32
seconds. The answer is possible whenever the five headers that a response copies can be found, however
broken the rest is. A broken response, and a broken ACK, are dropped in silence.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import BadMessage
from gateway.sip.grammar import LWS, is_token
from gateway.sip.headers import Headers, canonical_name
from gateway.sip.message import MAX_HEADERS, REASONS, Response

__all__ = ["refuse_unparsed"]

_ECHOED: Final = ("Via", "From", "To", "Call-ID", "CSeq")


def refuse_unparsed(data: bytes, error: BadMessage, *, to_tag: str) -> bytes | None:
    """Write the response to a request that was refused with `error`; None where silence is the answer."""
    head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    head = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    method = start.partition(" ")[0]
    if not is_token(method) or method == "ACK":
        return None  # a response starts with "SIP/2.0", which is no token
    echoed: dict[str, list[str]] = {name: [] for name in _ECHOED}
    for line in lines[:MAX_HEADERS]:
        name, _, value = line.partition(":")
        name, value = canonical_name(name.rstrip(LWS)), value.strip(LWS)
        if name in echoed and (name == "Via" or not echoed[name]) and "\r" not in value and "\n" not in value:
            echoed[name].append(value)
    if not all(echoed.values()):
        return None
    if ";tag=" not in echoed["To"][0].lower():
        echoed["To"][0] += f";tag={to_tag}"
    headers = Headers((name, value) for name, values in echoed.items() for value in values)
    reason = f"{REASONS.get(error.status, '')} ({error})"
    return Response(error.status, reason, headers).to_bytes()
