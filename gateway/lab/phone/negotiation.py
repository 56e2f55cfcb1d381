"""One phone's side of offer and answer through the life of a call (RFC 3264).

It remembers what the dialog needs: our last description (for its version), an offer that waits for its
answer, and what was agreed last.  A failed re-offer leaves all of it as it was.
"""

from __future__ import annotations

from gateway.sdp.description import SessionDescription, parse_sdp_untrusted
from gateway.sdp.negotiation import LocalMedia, NegotiatedMedia, answer, read_answer, revise, write_offer

__all__ = ["Negotiation"]


class Negotiation:
    """Offers, answers and the present agreement of one call."""

    def __init__(self, local: LocalMedia) -> None:
        self.local = local
        self.agreed: NegotiatedMedia | None = None
        self._described: SessionDescription | None = None
        self._offer: SessionDescription | None = None

    def offer(self) -> bytes:
        """Return our offer; `answered` is to follow."""
        self._offer = self._described = write_offer(self.local, previous=self._described)
        return self._offer.to_bytes()

    @property
    def expects_answer(self) -> bool:
        """Whether the offer that counts is ours; its answer may come more than once (183, then 200)."""
        return self._offer is not None

    def answered(self, sdp: bytes) -> NegotiatedMedia:
        """Read the answer to our offer.  Raise PeerError."""
        assert self._offer is not None  # see expects_answer
        self.agreed = read_answer(self._offer, parse_sdp_untrusted(sdp), self.local)
        return self.agreed

    def offered(self, sdp: bytes) -> tuple[bytes, NegotiatedMedia]:
        """Answer their offer; returns our answer and what is agreed now.  Raise PeerError."""
        known = None if self.agreed is None else self.agreed.receive
        ours, agreed = answer(parse_sdp_untrusted(sdp), self.local, known=known)
        self._described = revise(self._described, ours)
        self._offer, self.agreed = None, agreed
        return self._described.to_bytes(), agreed
