"""What one dialog remembers of its offers and answers (RFC 3264): one memory, whatever carries them.

INVITE, PRACK, UPDATE, ACK and the responses to them may each bring an offer or an answer; that they share
this record is what keeps two ends from believing in different sessions.  Each early dialog of a fork has one
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.sip.flow import Flow
from gateway.sip.message import Request
from gateway.sip.offer_table import OfferState
from gateway.sip.transaction_events import TransactionKey

__all__ = ["Arrival", "Offers"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request of the peer that waits for our answer."""

    key: TransactionKey
    request: Request
    flow: Flow


@dataclass(slots=True)
class Offers:
    """The offer/answer state of one dialog."""

    state: OfferState
    theirs: Arrival | None = None
    """The re-INVITE, UPDATE or PRACK whose offer waits for our user."""
    ours: bytes = b""
    """What we offered in the request that is under way or backing off."""
    queued: bytes | None = None
    """What our user wants to offer as soon as that is allowed; the latest wish counts."""
    retried: bool = False
    """The offer met glare once already; it is retried once only."""
    answered: bool = False
    """The INVITE's own offer had its answer in a reliable provisional response (RFC 3262 section 5)."""
    revised: bool = False
    """A later offer has replaced that answer."""
    said: bytes = b""
    """Our description as the peer knows it: what a refresh repeats to the letter."""
    heard: bytes | None = None
    """The peer's description as we know it."""
