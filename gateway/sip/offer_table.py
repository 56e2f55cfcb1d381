"""Offer and answer within a session, as a table: who may offer when (RFC 3261 14, RFC 3311, RFC 6337).

INVITE, re-INVITE and UPDATE share one state, else both ends could believe that their offer is the one that
counts. Glare, both offering at once, ends with 491 on both sides, and the pauses after it come from two
bands that do not meet: 2.1 to 4 s for whoever made the Call-ID, 0 to 2 s for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["OFFERS", "OfferInput", "OfferReaction", "OfferState"]


class OfferState(Enum):
    """Whose offer is open."""

    IDLE = "no offer is open"
    OURS = "our INVITE or re-INVITE is under way"
    THEIRS = "their INVITE or re-INVITE waits for our user"
    UNACKED = "our 200 to theirs has no ACK yet"
    GLARE = "our offer met theirs and waits for its second try"


class OfferInput(Enum):
    """What can happen."""

    WE_OFFER = "our user wants to change the session"
    THEY_OFFER = "a re-INVITE or UPDATE with an offer came"


class OfferReaction(Enum):
    """What follows."""

    SEND = "send our offer"
    QUEUE = "keep our offer until the present one is settled"
    ASK_USER = "let our user answer"
    SAY_491 = "refuse: our own offer is open (section 14.2)"
    SAY_500 = "refuse, with a Retry-After: their first offer is not answered yet (section 14.2)"


_S, _I, _R = OfferState, OfferInput, OfferReaction

OFFERS: Final[Mapping[tuple[OfferState, OfferInput], OfferReaction]] = {
    (_S.IDLE, _I.WE_OFFER): _R.SEND,
    (_S.OURS, _I.WE_OFFER): _R.QUEUE,
    (_S.THEIRS, _I.WE_OFFER): _R.QUEUE,
    (_S.UNACKED, _I.WE_OFFER): _R.QUEUE,
    (_S.GLARE, _I.WE_OFFER): _R.QUEUE,
    (_S.IDLE, _I.THEY_OFFER): _R.ASK_USER,
    (_S.OURS, _I.THEY_OFFER): _R.SAY_491,
    (_S.THEIRS, _I.THEY_OFFER): _R.SAY_500,
    # RFC 5407 section 3.1.4: their re-INVITE overtook the ACK.
    (_S.UNACKED, _I.THEY_OFFER): _R.SAY_491,
    # We are waiting, not offering: theirs may go first.
    (_S.GLARE, _I.THEY_OFFER): _R.ASK_USER,
}
"""Complete: an offer is never illegal, it may only have to wait or be refused."""
