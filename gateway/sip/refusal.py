"""Refusing a request that nobody could or would read (RFC 3261 sections 8.2 and 8.2.7, RFC 4475 section 3.1.2).

A peer that is told 400 with a reason can be mended; one that hears nothing sends the same again for 32
seconds. The answer is possible whenever the five headers that a response copies can be found, however
broken the rest is. A broken response, and a broken ACK, are dropped in silence.

A request that is refused for want of time is answered in the same way: what is copied is looked for, and the
rest is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.errors import BadMessage
from gateway.ids import IdSource
from gateway.sip.flow import Flow
from gateway.sip.grammar import LWS, is_token
from gateway.sip.headers import Headers, canonical_name
from gateway.sip.message import MAX_HEADERS, REASONS, Response

__all__ = ["refuse_unparsed", "refuse_unread", "retry_after"]

_ECHOED: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_RETRY_AFTER_S: Final = (2, 8)


def refuse_unparsed(data: bytes, error: BadMessage, *, to_tag: str) -> bytes | None:
    """Write the response to a request that was refused with `error`; None where silence is the answer."""
    echoed = _echo_untrusted(data, f";tag={to_tag}")
    if echoed is None:
        return None
    reason = f"{REASONS.get(error.status, '')} ({error})"
    return Response(error.status, reason, Headers(echoed)).to_bytes()


def refuse_unread(
    data: bytes, flow: Flow, *, status: int, to_tag: str, headers: Sequence[tuple[str, str]]
) -> bytes | None:
    """Write the response to a request that is not worth reading; None where silence is the answer.

    `to_tag` is the parameter as it is written, `;tag=...`.
    """
    echoed = _echo_untrusted(data, to_tag)
    if echoed is None:
        return None
    (_, via), *others = echoed
    written = Headers.trusted((("Via", _stamped(via, flow)), *others, *headers))
    return Response(status, REASONS[status], written).to_bytes()


def retry_after(ids: IdSource) -> tuple[str, str]:
    """Return the header of a 503 (RFC 3261 section 20.33), spread so that the refused do not return together."""
    low, high = _RETRY_AFTER_S
    return "Retry-After", str(low + ids.number(high - low + 1))


def _echo_untrusted(data: bytes, to_tag: str) -> tuple[tuple[str, str], ...] | None:
    """Return the headers that a response copies, Via first; None unless it is a request and has them all."""
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
        echoed["To"][0] += to_tag
    return tuple((name, value) for name, values in echoed.items() for value in values)


def _stamped(via: str, flow: Flow) -> str:
    """Write the source address into a Via that asks for it with a bare `rport` (RFC 3581 section 4)."""
    top, comma, others = via.partition(",")
    before, asked, after = top.partition(";rport")
    if not asked or after.startswith("="):
        return via
    address, port = flow.remote
    return f"{before};received={address};rport={port}{after}{comma}{others}"
