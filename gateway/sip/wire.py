"""What every part of the engine works with: requests of ours that are under way, answers, events, alarms.

An `Errand` is one request of ours and why it was sent; the engine looks up by its purpose who hears the
outcome. The outcome is a response, or a `Silence` where none came: 408 after the time of RFC 3261, 503 when
the flow broke. Errands know how to go again with an answer to a digest challenge; everybody else may forget
that those exist.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from gateway.ids import IdSource
from gateway.sip.alarms import Alarms
from gateway.sip.authentication import ClientAuthentication
from gateway.sip.events import Event
from gateway.sip.flow import Flow
from gateway.sip.headers import CSeq, Headers, parse_cseq_untrusted
from gateway.sip.message import Request, Response, respond
from gateway.sip.offers import Arrival
from gateway.sip.session_names import SessionNames
from gateway.sip.settings import EndpointConfig
from gateway.sip.symbols import Symbol
from gateway.sip.transaction import TransactionKey, TransactionLayer

__all__ = [
    "Alarm",
    "Arrival",
    "Errand",
    "Numbered",
    "Numbers",
    "Outcome",
    "Purpose",
    "Silence",
    "Wire",
]


class Alarm(Symbol):
    """What an alarm is for; its name in `Wire.alarms` is `(alarm, session or registration)`."""

    RING = "it has been ringing for long enough"
    REMIND = "say again that it rings, lest a proxy gives up (RFC 3261 section 13.3.1.1)"
    REPEAT_ANSWER = "no ACK yet: send the 200 again"
    REPEAT_PROGRESS = "no PRACK yet: send the provisional response again (RFC 3262)"
    SESSION = "the session is to be refreshed, or has not been (RFC 4028)"
    REFERRAL = "a transfer that was asked for has taken too long (RFC 3515)"
    GLARE = "the back-off after 491 is over"
    REFRESH = "time to register again"
    MAPPING = "time to ask a phone behind a NAT whether it is there"


class Purpose(Symbol):
    """Why a request of ours is under way."""

    INVITE = "begin a session"
    OFFER = "change a session by re-INVITE"
    BYE = "end a session"
    FORK_BYE = "end what another branch of a fork began"
    PRACK = "acknowledge a provisional response"
    REFRESH = "say that a session is still on"
    REFER = "ask for a transfer"
    NOTIFY = "tell how a transfer goes"
    INFO = "tell something within a session"
    OPTIONS = "ask whether somebody is there"
    MAPPING = "keep the way to a phone behind a NAT open"
    REGISTER = "register, refresh or unregister"


_BEGINNINGS: Final = frozenset({Purpose.INVITE, Purpose.REGISTER, Purpose.OPTIONS, Purpose.MAPPING})
"""What is sent to somebody whom we chose; the others go to whoever is at the other end of a call."""


class Numbered(Protocol):
    """Whatever counts the CSeq of the requests that we send in it: a dialog, a registration."""

    local_cseq: int


@dataclass(slots=True)
class Numbers:
    """The CSeq of an INVITE that has no dialog yet, or of a registration."""

    local_cseq: int


@dataclass(frozen=True, slots=True)
class Silence:
    """There was no final response."""

    status: Literal[408, 503]
    reason: str
    by: Literal["timeout", "transport"]


Outcome = Response | Silence


@dataclass(frozen=True, slots=True)
class Errand:
    """A request of ours that is under way."""

    purpose: Purpose
    holder: str
    """The session or registration that it belongs to."""
    request: Request
    flow: Flow
    numbers: Numbered
    authentication: ClientAuthentication | None = None
    attempt: int = 0
    """How many challenges it has answered."""

    @property
    def number(self) -> int:
        """Return the CSeq number of the request."""
        return parse_cseq_untrusted(self.request.headers.get("CSeq") or "").number


class Wire:
    """The transaction layer and everything that stands around it."""

    def __init__(self, config: EndpointConfig, ids: IdSource) -> None:
        self.config = config
        self.ids = ids
        self.counters: Counter[str] = Counter()
        self.alarms: Alarms[tuple[Alarm, str]] = Alarms()
        self.names = SessionNames(ids)
        self.transactions = TransactionLayer(
            ids, max_transactions=config.limits.transactions, sent_by=config.host_port
        )
        self.errands: dict[TransactionKey, Errand] = {}
        self.awaiting: set[TransactionKey] = set()
        """Requests of ours that have no final answer yet."""
        self._held: Counter[str] = Counter()
        self._events: deque[Event] = deque()

    def emit(self, event: Event) -> None:
        """Report `event` to the user."""
        self._events.append(event)

    def next_event(self) -> Event | None:
        """Return the oldest event not yet taken, or None."""
        return self._events.popleft() if self._events else None

    def start(self, errand: Errand, now: float) -> TransactionKey:
        """Send the request of `errand`, with our Via and our answer to a challenge that is known."""
        request = self.names.named(errand.request)
        if errand.authentication is not None:
            request = errand.authentication.authorize(request)
        request = replace(request, headers=request.headers.with_("User-Agent", self.config.user_agent))
        key = self.transactions.send_request(request, errand.flow, now)
        self.errands[key] = replace(errand, request=request)
        self.awaiting.add(key)
        self._held[errand.holder] += 1
        return key

    def retry(self, errand: Errand, outcome: Outcome, now: float) -> TransactionKey | None:
        """Answer a challenge by going again, one CSeq further; None if that is of no use."""
        if errand.authentication is None or not isinstance(outcome, Response):
            return None
        if outcome.status not in (401, 407) or not errand.authentication.learn(
            outcome, errand.attempt, in_dialog=errand.purpose not in _BEGINNINGS
        ):
            return None
        return self.again(replace(errand, attempt=errand.attempt + 1), errand.request.headers, now)

    def again(self, errand: Errand, headers: Headers, now: float) -> TransactionKey:
        """Send the request of `errand` once more with these headers, one CSeq further, on a new branch."""
        errand.numbers.local_cseq += 1
        number = CSeq(errand.numbers.local_cseq, errand.request.method)
        headers = headers.without("Via").with_("CSeq", str(number))
        request = Request(errand.request.method, errand.request.uri, headers, errand.request.body)
        return self.start(replace(errand, request=request), now)

    def ended(self, key: TransactionKey) -> str | None:
        """Forget the errand of a transaction that is over; return its holder if this was the last one."""
        self.awaiting.discard(key)
        errand = self.errands.pop(key, None)
        if errand is None:
            return None
        self._held[errand.holder] -= 1
        if self._held[errand.holder] > 0:
            return None
        del self._held[errand.holder]
        return errand.holder

    def holds(self, holder: str) -> bool:
        """Tell whether `holder` has errands under way."""
        return holder in self._held

    def answer(
        self,
        arrival: Arrival,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        to_tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Answer a request, with a To-tag in any case, and return what was sent."""
        named = [*headers, *self.names.headers(arrival.request.call_id), ("Server", self.config.user_agent)]
        if body:
            named.append(("Content-Type", "application/sdp"))
        tag = to_tag or self.ids.token(8)
        response = respond(arrival.request, status, reason, to_tag=tag, headers=named, body=body)
        self.transactions.send_response(arrival.key, response, now)
        return response

    def refuse(
        self, arrival: Arrival, status: int, now: float, *, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Refuse a request; to a stranger's INVITE it is said once, and not again until its ACK comes."""
        request = arrival.request
        if request.method != "INVITE" or request.to.tag is not None or self.config.trusts(arrival.flow):
            self.answer(arrival, status, now, headers=headers)
            return
        named = [*headers, ("Server", self.config.user_agent)]
        response = respond(request, status, to_tag=self.ids.token(8), headers=named)
        self.transactions.refuse_once(arrival.key, response)

    def contact(self, flow: Flow) -> tuple[str, str]:
        """Return our Contact header for `flow`."""
        return ("Contact", f"<{self.config.contact(flow)}>")
