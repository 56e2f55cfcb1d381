"""What the transaction layer tells its user, and the name of a transaction.

The user in the RFC's sense ("TU") is whatever sits above: dialogs, the registrar, a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from gateway.sip.flow import Flow
from gateway.sip.message import Request, Response

__all__ = [
    "AckArrived",
    "CancelArrived",
    "RequestArrived",
    "ResponseArrived",
    "StrayAnswer",
    "TransactionEnded",
    "TransactionEvent",
    "TransactionKey",
    "TransactionTimedOut",
    "TransportFailed",
]


class TransactionKey(NamedTuple):
    """What tells two transactions apart (RFC 3261 sections 17.1.3 and 17.2.3)."""

    role: Literal["client", "server"]
    branch: str
    """The Via branch; for an RFC 2543 peer, who gives none, the parts that section 17.2.3 names instead."""
    sent_by: str
    """`host:port` of the top Via, lower case: branches are unique per client only. "" for our own."""
    method: str
    """INVITE also for its ACK."""


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A new request, never a retransmission, neither ACK nor CANCEL; it waits for `send_response`."""

    key: TransactionKey
    request: Request
    """Its top Via tells the source (`received`, `rport`)."""
    flow: Flow


@dataclass(frozen=True, slots=True)
class AckArrived:
    """The ACK to a 2xx; an ACK to any other response ends in the layer."""

    key: TransactionKey | None
    """The INVITE's transaction if the ACK carries its branch (it should not), else None: match by dialog."""
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class CancelArrived:
    """The INVITE `key`, not yet answered, is cancelled; the CANCEL itself has had its 200.  Answer 487."""

    key: TransactionKey
    request: Request
    """The CANCEL; its Reason header may say why."""
    to_tag: str
    """The tag that the 200 carried and the 487 shall carry (RFC 3261 section 9.2)."""


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    """A response to a request of ours: each provisional, the first final, every 2xx to an INVITE."""

    key: TransactionKey
    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class StrayAnswer:
    """A 2xx to an INVITE whose transaction is over: it must be ACKed and ended, or the peer rings on."""

    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class TransactionTimedOut:
    """Client: no final response came. Server: no ACK came, or we never answered."""

    key: TransactionKey


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """The flow broke before the transaction was answered."""

    key: TransactionKey


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """The last one for `key`: nothing more will be heard or can be sent on it."""

    key: TransactionKey


TransactionEvent: TypeAlias = (
    RequestArrived
    | AckArrived
    | CancelArrived
    | ResponseArrived
    | StrayAnswer
    | TransactionTimedOut
    | TransportFailed
    | TransactionEnded
)
