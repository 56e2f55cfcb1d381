"""The parsers as targets: each takes one input, and raises whatever breaks a promise.

What comes back is how many messages the input had, and what came out.
"""

from __future__ import annotations

from gateway.errors import BadMessage, PeerError
from gateway.sdp import answer, parse_sdp_untrusted, read_answer
from gateway.sip.headers import parse_name_addr_untrusted
from gateway.sip.message import parse_message_untrusted
from gateway.testing.sdp import our_side

__all__ = ["read_believing", "read_description", "read_message"]


def read_message(data: bytes) -> tuple[int, bytes]:
    """No bytes raise anything but `BadMessage`; what is read is written so that it is read the same."""
    try:
        message = parse_message_untrusted(data)
    except BadMessage:
        return 1, b""
    written = message.to_bytes()
    again = parse_message_untrusted(written)
    assert (again.headers, again.body) == (message.headers, message.body), (
        "it reads its own writing differently"
    )
    for name in ("Contact", "Route", "Record-Route", "Refer-To", "P-Asserted-Identity"):
        for value in message.headers.all(name):
            _is_read_or_refused(value)
    return 1, written


def read_description(data: bytes) -> tuple[int, bytes]:
    """Nothing that parses breaks the negotiation, as an offer or as an answer."""
    try:
        theirs = parse_sdp_untrusted(data)
        written = theirs.to_bytes()
        assert parse_sdp_untrusted(written).to_bytes() == written, "it reads its own writing differently"
        reply, _ = answer(theirs, our_side())
        read_answer(theirs, parse_sdp_untrusted(reply.to_bytes()), our_side())
    except PeerError:
        return 1, b""
    return 1, written + reply.to_bytes()


def _is_read_or_refused(address: str) -> None:
    try:
        parse_name_addr_untrusted(address)
    except BadMessage:
        pass


def read_believing(data: bytes) -> tuple[int, bytes]:
    """A parser that believes every Content-Length to be a number."""
    _, found, rest = data.partition(b"\r\nContent-Length: ")
    length = int(rest.partition(b"\r\n")[0]) if found else 0
    return 1, str(length).encode()
