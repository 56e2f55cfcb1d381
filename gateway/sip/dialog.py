"""A dialog: what two ends remember of each other between requests (RFC 3261 section 12).

Made from the INVITE on the callee's side, and from a response with a To-tag on the caller's.  A dialog
knows the two names with their tags, the route set (in order for the callee, reversed for the caller, and
never changed afterwards), the remote target (refreshed by each re-INVITE, UPDATE and their 2xx) and both
CSeq counters.

Where its requests go is not here: they take the *flow* of their session, whatever Contact and Record-Route
say.  The Request-URI and the Route headers are written as the RFC wants them, but a connection that works
is worth more than an address that may be `.invalid`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from gateway.errors import BadMessage, PeerError
from gateway.sip.abilities import Abilities
from gateway.sip.headers import Headers, NameAddr, parse_cseq_untrusted, parse_name_addr_untrusted
from gateway.sip.message import Request, Response
from gateway.sip.offer_table import OfferState
from gateway.sip.offers import Offers
from gateway.sip.uri import Uri

__all__ = ["Dialog", "DialogId", "target_of"]

_MAX_ROUTES: Final = 32


class DialogId(NamedTuple):
    """What finds a dialog: Call-ID and the two tags as we see them."""

    call_id: str
    local_tag: str
    remote_tag: str


@dataclass(slots=True)
class Dialog:
    """One dialog, early or confirmed."""

    call_id: str
    local: NameAddr
    remote: NameAddr
    route_set: tuple[str, ...]
    """Route values in the order in which they are written."""
    target: Uri
    """The remote target: the Request-URI of what we send."""
    local_cseq: int
    remote_cseq: int | None
    """The highest CSeq of the peer's requests; None until one comes."""
    owns_call_id: bool
    """We made the Call-ID, which decides the back-off after glare (RFC 3261 section 14.1)."""
    offers: Offers
    abilities: Abilities = field(default_factory=Abilities)
    rseq: int | None = None
    """The RSeq of their last reliable provisional response that we acknowledged (RFC 3262 section 4)."""

    @property
    def id(self) -> DialogId:
        """Return the key of this dialog in tables."""
        return DialogId(self.call_id, self.local.tag or "", self.remote.tag or "")

    @classmethod
    def of_callee(cls, invite: Request, local_tag: str, cseq: int) -> Self:
        """Make the dialog of a request that we are answering with `local_tag` (section 12.1.1).

        Raises `PeerError` 400 when the request has no Contact that can be a target.
        """
        return cls(
            call_id=invite.call_id,
            local=invite.to.with_tag(local_tag),
            remote=invite.from_,
            route_set=_routes(invite),
            target=target_of(invite),
            local_cseq=cseq,
            remote_cseq=invite.cseq.number,
            owns_call_id=False,
            offers=Offers(OfferState.THEIRS),
            abilities=Abilities().heard(invite),
        )

    @classmethod
    def of_caller(cls, response: Response) -> Self:
        """Make the dialog of a response with a To-tag to an INVITE of ours (section 12.1.2).

        Without a usable Contact the target is what stands in To: 18x from simple gateways lack one.
        """
        try:
            target = target_of(response)
        except PeerError:
            target = response.to.uri
        return cls(
            call_id=response.call_id,
            local=response.from_,
            remote=response.to,
            route_set=tuple(reversed(_routes(response))),
            target=target,
            local_cseq=response.cseq.number,
            remote_cseq=None,
            owns_call_id=True,
            offers=Offers(OfferState.OURS),
            abilities=Abilities().heard(response),
        )

    def confirm(self, response: Response) -> None:
        """Take the 2xx that makes this early dialog a confirmed one: its route set counts (13.2.2.4)."""
        self.route_set = tuple(reversed(_routes(response)))
        self.refresh_target(response)

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """Write a request of this dialog without Via, Contact and body (section 12.2.1.1).

        `cseq` is given for ACK and for CANCEL, which have the number of their INVITE; others get the next
        one.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self.target, self.route_set
        if routes and not _is_loose(routes[0]):
            # A strict router wants itself as Request-URI and the target as the last route.
            uri, routes = parse_name_addr_untrusted(routes[0]).uri, (*routes[1:], f"<{self.target}>")
        headers = Headers(
            (
                *(("Route", route) for route in routes),
                ("From", str(self.local)),
                ("To", str(self.remote)),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Max-Forwards", "70"),
            )
        )
        return Request(method, uri, headers)

    def acknowledge(self, invite: Request, sdp: bytes | None = None) -> Request:
        """Write the ACK to a 2xx of `invite`: with its CSeq number and its credentials (section 13.2.2.4)."""
        number = parse_cseq_untrusted(invite.headers.get("CSeq") or "").number
        ack = self.request("ACK", cseq=number)
        headers = ack.headers
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.all(name):
                headers = headers.plus(name, value)
        if sdp is not None:
            headers = headers.plus("Content-Type", "application/sdp")
        return Request("ACK", ack.uri, headers, sdp or b"")

    def accept_cseq(self, request: Request) -> None:
        """Note the CSeq of a request from the peer.

        Raises `PeerError` 500 if it is not a new one (12.2.2).
        """
        number = request.cseq.number
        if self.remote_cseq is not None and number <= self.remote_cseq:
            raise PeerError("the CSeq is lower than one that came before", status=500)
        self.remote_cseq = number

    def refresh_target(self, message: Request | Response) -> None:
        """Take the Contact of a target refresh as the new remote target.

        One without Contact changes nothing.
        """
        self.abilities = self.abilities.heard(message)
        try:
            self.target = target_of(message)
        except PeerError:
            return


def target_of(message: Request | Response) -> Uri:
    """Return the URI of the first Contact.  Raises `PeerError` 400 if there is none."""
    contacts = message.headers.all("Contact")
    if not contacts or contacts[0].strip() == "*":
        raise PeerError("there is no Contact", status=400)
    return parse_name_addr_untrusted(contacts[0]).uri


def _routes(message: Request | Response) -> tuple[str, ...]:
    """Return the Record-Routes, each known to parse, so that using them later cannot fail."""
    routes = message.headers.all("Record-Route")
    if len(routes) > _MAX_ROUTES:
        raise BadMessage("more Record-Routes than a route set may have")
    for route in routes:
        parse_name_addr_untrusted(route)
    return routes


def _is_loose(route: str) -> bool:
    return parse_name_addr_untrusted(route).uri.parameter("lr") is not None
