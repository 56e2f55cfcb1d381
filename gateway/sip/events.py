"""What a user-agent engine reports: frozen values, drained by `Endpoint.events()` in the order they happened.

A *session* is one INVITE usage (RFC 5057), from the first INVITE to its end, whatever number of early
dialogs and transactions it takes.  Of every session exactly one `SessionEnded` is reported, and nothing
about it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType

from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Request
from gateway.sip.uri import Uri

__all__ = [
    "BindingChanged",
    "EndCause",
    "Event",
    "InfoReceived",
    "OfferAnswered",
    "OfferReceived",
    "OfferRefused",
    "OfferWithdrawn",
    "PingAnswered",
    "PingId",
    "ReferProgressed",
    "ReferReceived",
    "ReferralOver",
    "Registered",
    "RegistrationFailed",
    "RegistrationId",
    "SessionAnswered",
    "SessionConfirmed",
    "SessionEnded",
    "SessionId",
    "SessionOffered",
    "SessionProgressed",
]

SessionId = NewType("SessionId", str)
RegistrationId = NewType("RegistrationId", str)
PingId = NewType("PingId", str)


@dataclass(frozen=True, slots=True)
class EndCause:
    """Why a session ended."""

    status: int | None
    """The SIP status that says it best; None for an ordinary BYE."""
    reason: str
    """The same in words, for people."""
    by: Literal["local", "remote", "timeout", "transport"]
    """Whose doing it was."""
    q850: int | None = None
    """The ISDN cause of a Reason header (RFC 3326), where one came or is to be sent."""
    retry_after_s: int | None = None
    """When a refusal says to come back (RFC 3261 section 20.33)."""


@dataclass(frozen=True, slots=True)
class SessionOffered:
    """An INVITE arrived from somebody whom we know; answer with `ring`, `answer` or `reject`."""

    session: SessionId
    request: Request
    flow: Flow
    user: str | None
    """The name whose password was shown; None for a trusted source."""
    trusted: bool
    """The source address is one of `EndpointConfig.trusted_sources`."""
    sdp: bytes | None
    """Their offer; None asks us to make the offer in our answer (late offer)."""
    replaces: SessionId | None = None
    """The session whose place this one shall take (RFC 3891); it is there, but may be anybody's."""


@dataclass(frozen=True, slots=True)
class SessionProgressed:
    """A provisional response (101-199) to our INVITE."""

    session: SessionId
    status: int
    reason: str
    sdp: bytes | None
    """Early media is announced by this, whatever the status (RFC 3960)."""
    branch: str = ""
    """The To-tag: which callee of a fork says it."""
    reliable: bool = False
    """The description is final until an `OfferReceived`; in a session without an offer of ours it *is* the
    offer, and `accept_offer` answers it."""


@dataclass(frozen=True, slots=True)
class SessionAnswered:
    """Our INVITE was accepted, and the ACK is on its way."""

    session: SessionId
    sdp: bytes | None
    """Their answer, be it from the 200 or from before; None also if it was changed since by `OfferReceived`."""
    branch: str = ""
    """The To-tag: which callee of a fork it is."""


@dataclass(frozen=True, slots=True)
class SessionConfirmed:
    """Our 200 was acknowledged."""

    session: SessionId
    sdp: bytes | None
    """Their answer, when our 200 carried the offer."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over; reported exactly once for each session."""

    session: SessionId
    cause: EndCause


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE, an UPDATE or a PRACK with an offer; answer with `accept_offer` or `refuse_offer`."""

    session: SessionId
    sdp: bytes | None
    """None: a re-INVITE that asks us for the offer."""


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The answer to an offer of ours, made by `reoffer` or by accepting an empty re-INVITE."""

    session: SessionId
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """Our offer was refused; the session goes on as it was before it (RFC 3261 section 14.1)."""

    session: SessionId
    status: int


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The peer cancelled its re-INVITE before we answered; there is no offer to accept any more."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """An INFO with a body that we understand (RFC 6086 legacy usage); it was answered already."""

    session: SessionId
    content_type: str
    """Type and subtype in lower case, without parameters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """The peer wants its far end to be transferred; answer with `accept_refer` or `refuse_refer`."""

    session: SessionId
    target: NameAddr
    """Whom to call, as the peer wrote it: a claim like any other, to be routed by our own rules."""
    attended: bool
    """The target names a dialog to take the place of (Replaces): the transferor has talked to it already."""
    replaces: SessionId | None
    """That dialog's session with us; None if we know it not."""
    referred_by: str | None
    """The Referred-By header (RFC 3892), unverified."""


@dataclass(frozen=True, slots=True)
class ReferralOver:
    """The transferor was told the outcome of its transfer, and has nothing to wait for any more."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class ReferProgressed:
    """How the transfer goes that we asked for."""

    session: SessionId
    outcome: EndCause
    """Its status is that of the new call: 180 it rings, 200 it was answered, 300 and more it failed."""
    over: bool
    """Nothing more will be told."""


@dataclass(frozen=True, slots=True)
class BindingChanged:
    """A phone registered, refreshed, left or expired."""

    user: str
    contact: Uri
    flow: Flow
    expires_s: int
    """Seconds from now; 0 means gone."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registrar accepted our registration; it is renewed in time without being asked."""

    registration: RegistrationId
    expires_s: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """A registrar refused or did not answer; the engine tries again by itself, with growing pauses."""

    registration: RegistrationId
    status: int
    reason: str
    over: bool = False
    """Its connection has ended: it is not tried again, another one is begun instead."""


@dataclass(frozen=True, slots=True)
class PingAnswered:
    """What came of an OPTIONS of ours."""

    ping: PingId
    alive: bool
    """Somebody answered, and did not say 503."""
    status: int
    """408 if nobody did, 503 also if the connection failed."""
    took_s: float
    retry_after_s: int | None
    """When a 503 says to come back."""


Event = (
    SessionOffered
    | SessionProgressed
    | SessionAnswered
    | SessionConfirmed
    | SessionEnded
    | OfferReceived
    | OfferAnswered
    | OfferRefused
    | OfferWithdrawn
    | InfoReceived
    | ReferReceived
    | ReferralOver
    | ReferProgressed
    | BindingChanged
    | PingAnswered
    | Registered
    | RegistrationFailed
)
