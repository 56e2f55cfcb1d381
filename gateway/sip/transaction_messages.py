"""The messages a transaction makes by itself, and how messages find their transaction.

RFC 3261 sections 9.1 (CANCEL), 17.1.1.3 (ACK), 17.1.3 and 17.2.3 (matching), 18.2.1 with RFC 3581 (`received`
and `rport`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.sip.flow import Flow
from gateway.sip.grammar import write_host_port
from gateway.sip.headers import CSeq, Headers, Via
from gateway.sip.message import Request, Response
from gateway.sip.transaction_events import TransactionKey

__all__ = [
    "MAGIC_COOKIE",
    "ack_for_refusal",
    "cancel_for",
    "client_key",
    "is_copied",
    "merge_key",
    "response_key",
    "server_key",
    "with_source",
    "with_via",
]

MAGIC_COOKIE: Final = "z9hG4bK"
"""What a branch starts with that is unique in space and time (RFC 3261 section 8.1.1.7)."""


def server_key(request: Request) -> TransactionKey:
    """Return the key of the server transaction that `request` belongs to; an ACK belongs to its INVITE."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    sent_by = write_host_port(via.host.lower(), via.port)
    branch = via.branch
    if not branch.startswith(MAGIC_COOKIE):
        # RFC 2543: the To tag is left out, for the ACK has one that the INVITE had not
        parts = (request.call_id, request.from_.tag or "", str(request.cseq.number), str(request.uri), branch)
        branch = "\n".join(parts)
    return TransactionKey("server", branch, sent_by, method)


def client_key(request: Request) -> TransactionKey:
    """Return the key of the client transaction that `request` opens."""
    return TransactionKey("client", request.via.branch, "", request.method)


def response_key(response: Response) -> TransactionKey:
    """Return the key that `response` answers to: branch and CSeq method, never the source address.

    Clusters answer from other addresses than they were asked at.
    """
    return TransactionKey("client", response.via.branch, "", response.cseq.method)


def is_copied(request: Request, response: Response) -> bool:
    """Tell whether `response` has the Call-ID and the From tag of `request`, as it must (8.2.6.2).

    One that has not would end the transaction, and no session would hear of it.
    """
    return response.call_id == request.call_id and response.from_.tag == request.from_.tag


def merge_key(request: Request) -> tuple[str, str, int, str] | None:
    """Return what a forked copy of `request` shares with it (8.2.2.2); None inside a dialog."""
    if request.to.tag is not None:
        return None
    return (request.call_id, request.from_.tag or "", request.cseq.number, request.method)


def with_source(request: Request, flow: Flow) -> Request:
    """Write the source address into the top Via: `rport` if it asks, `received` if it differs or asks.

    A `received` that the peer wrote itself is overwritten.
    """
    via = request.via
    address, port = flow.remote
    if via.parameter("rport") is not None:
        stamped = via.with_parameters(received=address, rport=str(port))
    elif via.host.lower() != address.lower() or via.parameter("received") is not None:
        stamped = via.with_parameters(received=address)
    else:
        return request
    return request.with_top_via(stamped)


def with_via(request: Request, via: Via) -> Request:
    """Put a new topmost Via on `request`."""
    return Request(request.method, request.uri, request.headers.plus_first("Via", str(via)), request.body)


def ack_for_refusal(invite: Request, response: Response) -> Request:
    """Build the ACK to a 300-699: part of the INVITE's transaction, so on its branch (17.1.1.3)."""
    return _companion(invite, "ACK", response.headers.get("To") or "")


def cancel_for(invite: Request, headers: Iterable[tuple[str, str]] = ()) -> Request:
    """Build the CANCEL of an INVITE; `headers` may hold a Reason (RFC 3326)."""
    return _companion(invite, "CANCEL", invite.headers.get("To") or "", headers)


def _companion(invite: Request, method: str, to: str, headers: Iterable[tuple[str, str]] = ()) -> Request:
    """Build a request that goes exactly where the INVITE went."""
    copied = invite.headers
    pairs = [
        ("Via", str(invite.via)),
        *(("Route", route) for route in copied.all("Route")),
        ("Max-Forwards", "70"),
        ("From", copied.get("From") or ""),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", str(CSeq(invite.cseq.number, method))),
        *(("Session-ID", name) for name in copied.all("Session-ID")),
        *headers,
    ]
    return Request(method, invite.uri, Headers(pairs))
