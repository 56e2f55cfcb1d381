"""Write SIP messages by hand: short requests with every header that the RFC wants, and what a test changes.

`sip_request` makes a request as a stranger's software would, from scratch and not by the code under test,
so tests can say anything that a peer may say, including nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.sip.message import Request, Response, parse_message_untrusted

__all__ = ["parse_request", "parse_response", "sip_request"]


def sip_request(
    method: str,
    uri: str = "sip:100@switch.example",
    *,
    branch: str = "z9hG4bK-1",
    via: str = "SIP/2.0/UDP 192.0.2.7:5060",
    from_: str = "<sip:bob@switch.example>;tag=bob-1",
    to: str | None = None,
    call_id: str = "call-1",
    cseq: int = 1,
    headers: Mapping[str, str] | None = None,
    contact: str | None = "<sip:bob@192.0.2.7:5060>",
    body: str = "",
    content_type: str = "application/sdp",
) -> bytes:
    """Return a request as bytes; `headers` are added last, `contact=None` leaves the Contact out."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via};rport;branch={branch}",
        "Max-Forwards: 70",
        f"From: {from_}",
        f"To: {to or f'<{uri}>'}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    replaced = {name.lower() for name in headers or {}}
    lines = [line for line in lines if line.partition(":")[0].lower() not in replaced]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"Content-Length: {len(body.encode())}", "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def parse_request(data: bytes) -> Request:
    """Read bytes that must be a request."""
    message = parse_message_untrusted(data)
    assert isinstance(message, Request), f"not a request: {data[:60]!r}"
    return message


def parse_response(data: bytes) -> Response:
    """Read bytes that must be a response."""
    message = parse_message_untrusted(data)
    assert isinstance(message, Response), f"not a response: {data[:60]!r}"
    return message
