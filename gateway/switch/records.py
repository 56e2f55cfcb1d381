"""The facts that outlive a call: who owns what, what a call was, what an application is still to be told.

Every object here is frozen: a change is a new object (`dataclasses.replace`), so that whoever holds one may keep it
while others go on.  Nothing here knows a wire format or a database; the vocabulary of results, reasons and identity
types is the wire format's, because it is what people look for in a record.

Times are seconds since 1970 (wall time: they are only ever printed or compared with each other).  Money is exact:
decimal, never binary floating point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

__all__ = [
    "MONEY_PLACES",
    "Application",
    "CallKind",
    "CallReason",
    "CallRecord",
    "CallResult",
    "Identity",
    "IdentityType",
    "Money",
    "Notification",
    "Number",
    "Rate",
    "Usage",
    "User",
]

MONEY_PLACES = 8
"""Decimal places to which amounts are kept."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str
    """ISO 4217, e.g. `USD`."""


class IdentityType(StrEnum):
    """What kind of name an endpoint has."""

    NUMBER = "number"
    """E.164 with its plus."""
    USERNAME = "username"
    EMAIL = "email"
    CONFERENCE = "conference"
    """A room's id."""
    DID = "did"
    """A number that we own, dialled from outside."""
    SIP = "sip"
    """`user@host`."""
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Identity:
    """One end of a call."""

    type: IdentityType
    endpoint: str


@dataclass(frozen=True, slots=True)
class Application:
    """Who steers calls, where it is asked, and what it may spend."""

    key: str
    """A GUID as it was given; compared without regard to case."""
    secret: str = field(repr=False)
    """Base64 text; its bytes sign requests and callbacks."""
    name: str = ""
    callback: str | None = None
    """URL of its callback server; None = calls do what the numbers say."""
    fallback: str | None = None
    """URL that is asked when the first one does not answer."""
    basic: bool = True
    """It may show key and secret by HTTP Basic authentication; else only signed requests count."""
    balance: Money | None = None
    """What it has left; None = it is not counted."""
    spend_cap: Money | None = None
    """Most that its calls may cost in all; None = no cap."""
    spent: Money | None = None
    """What its calls have cost so far; None = nothing yet."""
    calls_per_s: float | None = None
    """New calls a second; None = no limit of its own."""
    destinations: tuple[str, ...] = ()
    """Prefixes of numbers that it may call, `+46`; empty = all."""
    verified: tuple[str, ...] = ()
    """Numbers in E.164 that are not ours and that it may show all the same: somebody has seen that they are its own."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that we own."""

    number: str
    """E.164 with its plus."""
    application: str | None = None
    """Key of the application that gets its calls; None = unassigned."""
    capability: str = "voice"
    """`voice` or `sms`; a number may stand once for each."""
    forward: str | None = None
    """Where its calls go when the application has no callback: a SIP URI or another destination."""


@dataclass(frozen=True, slots=True)
class User:
    """A SIP phone or app client of an application."""

    application: str
    name: str
    password: str = field(default="", repr=False)
    """Answers digest challenges; empty = it cannot register."""
    srtp: str = "accepted"
    """Encrypted media: off, accepted, offered or demanded."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a minute to numbers of one prefix costs."""

    prefix: str
    """E.164 with its plus, `+4670`; the longest that matches a number counts."""
    country: str
    """ISO 3166-1 alpha-2."""
    number_type: str
    """Fixed, Mobile, Other..."""
    per_minute: Money


class CallKind(StrEnum):
    """Which record a call leaves."""

    PHONE_TERMINATED = "phone_terminated"
    PHONE_ORIGINATED = "phone_originated"
    APP_APP = "app_app"
    SIP_TERMINATED = "sip_terminated"
    CONFERENCE = "conference"


class CallResult(StrEnum):
    """What came of a call."""

    NA = "N/A"
    """Not known yet."""
    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    NOANSWER = "NOANSWER"
    FAILED = "FAILED"


class CallReason(StrEnum):
    """Why it ended."""

    NA = "N/A"
    TIMEOUT = "TIMEOUT"
    CALLERHANGUP = "CALLERHANGUP"
    CALLEEHANGUP = "CALLEEHANGUP"
    BLOCKED = "BLOCKED"
    MANAGERHANGUP = "MANAGERHANGUP"
    NOCREDITPARTNER = "NOCREDITPARTNER"
    GENERALERROR = "GENERALERROR"
    CANCEL = "CANCEL"
    USERNOTFOUND = "USERNOTFOUND"
    CALLBACKERROR = "CALLBACKERROR"
    INVALIDSVAMLACTION = "INVALIDSVAMLACTION"
    CONGESTION = "CONGESTION"
    OTHERPEERANSWERED = "OTHERPEERANSWERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as far as it has come; with `ended_at` it is the call's CDR and never changes again."""

    call: str
    """Its id, as applications see it."""
    application: str
    """Key."""
    started_at: float
    """Unix seconds."""
    kind: CallKind = CallKind.APP_APP
    user: str = ""
    """Name of the app's user who makes or gets the call; empty = none."""
    caller: Identity | None = None
    called: Identity | None = None
    cli: str = ""
    """Caller id that is shown; empty = none, or `private`."""
    domain: str = ""
    """Where it ends: pstn, mxp, sip or conference; empty = not yet known."""
    origination: str = ""
    """Where it comes from: pstn, mxp or sip; empty = the API."""
    conference: str = ""
    """Id of the room that it is in; empty = none."""
    answered_at: float | None = None
    ended_at: float | None = None
    result: CallResult = CallResult.NA
    reason: CallReason = CallReason.NA
    custom: str = ""
    """What the application gave along, to be given back."""
    rate: Money | None = None
    """Price of a minute."""
    debit: Money | None = None
    """What the whole call cost."""
    tags: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Call headers that the caller sent along."""
    reported_status: str = ""
    """What the application said about the call's quality or outcome."""
    reported_details: str = ""
    callbacks: bool = True
    """The application hears of this call; False = `suppressCallbacks`."""

    @property
    def ongoing(self) -> bool:
        """It has not ended."""
        return self.ended_at is None

    @property
    def duration_s(self) -> int:
        """Whole seconds from answer to end; 0 while it is up and if nobody answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(0, int(self.ended_at - self.answered_at))

    def lasted_s(self, at: float) -> int:
        """Return whole seconds from answer to the end, or to `at` (Unix seconds) while it is up."""
        if self.answered_at is None:
            return 0
        return max(0, int((at if self.ended_at is None else self.ended_at) - self.answered_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Something that an application is to be told and need not answer; kept until it was delivered."""

    id: str
    """Goes along with every attempt: a duplicate is known by it."""
    call: str
    application: str
    event: str
    """`dice`, `notify`, or the `pie` of somebody who has hung up."""
    body: bytes
    """The JSON that is sent, byte for byte the same at every attempt."""
    created_at: float
    """Unix seconds."""
    url: str | None = None
    """None = the application's callback URL at the time of the attempt."""
    headers: tuple[tuple[str, str], ...] = ()
    attempts: int = 0
    """How often it was tried in vain."""
    next_at: float = 0.0
    """When it is due, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls came to over a time."""

    success: int
    """Calls that were answered."""
    duration_s: int
    """Their durations in all."""
    failed: int
    """Calls that came to nothing."""
